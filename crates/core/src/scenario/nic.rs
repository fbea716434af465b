//! `nic`: a network card, which a real machine has and no command makes. The simulator's own, as `send` is.

use super::command::{Command, LinkKind, Netns};
use super::error::ParseError;
use super::ip::need;
use super::lex::Args;
use super::value::{device, hex, mac};
use crate::skb::{NET_SKB_PAD, PAGE_SIZE, SHARED_INFO_SIZE};
use crate::xdp::XDP_PACKET_HEADROOM;

/// How a driver makes an skb of what it received (`patch-series` names the ones it touches).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NicDriver {
    /// An skb around the buffer itself, `data` at the frame (`napi_build_skb()`): metadata are said at once.
    InPlace,
    /// Metadata and frame are copied in one piece into a new skb, then `data` is moved past the metadata. Linux 7.2
    /// says how long they are before that move, the series after it.
    Copy,
    /// As [`NicDriver::InPlace`], but metadata are said only after `eth_type_trans()` (nfp).
    AfterType,
    /// The driver says that it has no metadata, copies the frame alone, and tells the skb of -1 bytes in a `u8` (nfp with
    /// AF_XDP).
    Forgetful,
    /// The headers are copied into a new skb, the rest stays in its page; nothing is said of metadata (bnxt without
    /// copying of short frames, its default).
    HeaderCopy,
    /// As [`NicDriver::InPlace`], and nothing is said of metadata (bnxt with a long MTU).
    Silent,
    /// All of the frame stays in its page, as a fragment; GRO takes the Ethernet header out of it. The skb is told of
    /// metadata that its head never held (otx2).
    AllFrags,
    /// The card writes headers and payload into different buffers. No XDP (bnxt with `tcp-data-split`).
    HeaderSplit,
}

/// The buffers that a driver gives to its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RxBuffers {
    /// Bytes in front of the frame in the first one.
    pub headroom: u32,
    /// Bytes of frame in the first one.
    pub first: u32,
    /// Bytes of frame in each further one; 0: there is only one.
    pub next: u32,
    /// Whether a program that knows fragments may see a frame in several.
    pub xdp_frags: bool,
    /// What it tells XDP of the size of a fragment's page (`rxq->frag_size`).
    pub frag_size: u32,
    /// What it adds to the MTU for the longest frame: Ethernet, VLAN tags, frame check sequence.
    pub pad: u32,
}

/// A page less `XDP_PACKET_HEADROOM` and shared info, bytes.
const PAGE_ROOM: u32 = PAGE_SIZE - XDP_PACKET_HEADROOM - SHARED_INFO_SIZE;
/// `I40E_RXBUFFER_3072`, `IGB_RXBUFFER_3072`, `IXGBE_RXBUFFER_3K`.
const INTEL: u32 = 3072;
/// `ETH_HLEN + VLAN_HLEN`.
const PAD: u32 = 18;
/// The same with the frame check sequence.
const PAD_FCS: u32 = 22;
/// The same with a second tag.
const PAD_FCS_QINQ: u32 = 26;

impl RxBuffers {
    /// One page, `XDP_PACKET_HEADROOM` in front.
    const PAGE: Self = Self {
        headroom: XDP_PACKET_HEADROOM,
        first: PAGE_ROOM,
        next: 0,
        xdp_frags: false,
        frag_size: 0,
        pad: PAD,
    };

    /// Those of a driver, by its name.
    #[must_use]
    pub fn of(driver: &str) -> Self {
        match driver {
            // i40e_calculate_vsi_rx_buf_len(), i40e_max_vsi_frame_size(), __xdp_rxq_info_reg() in
            // i40e_configure_rx_ring()
            "i40e" => Self {
                first: INTEL,
                next: INTEL,
                xdp_frags: true,
                frag_size: PAGE_SIZE,
                pad: PAD_FCS_QINQ,
                ..Self::PAGE
            },
            // igb_rx_bufsz(), ixgbe_rx_bufsz(): XDP for frames in one buffer, others for the stack alone
            "igb" | "igc" | "ixgbe" => Self {
                first: INTEL,
                next: INTEL,
                pad: PAD_FCS_QINQ,
                ..Self::PAGE
            },
            // mlx5e_build_rq_frags_info() with a program
            "mlx5" => Self {
                next: PAGE_SIZE,
                xdp_frags: true,
                frag_size: PAGE_SIZE,
                pad: PAD_FCS,
                ..Self::PAGE
            },
            // bnxt_set_ring_params() in page mode; xdp_rxq_info_reg() says no size
            "bnxt-multi" => Self {
                next: PAGE_SIZE,
                xdp_frags: true,
                ..Self::PAGE
            },
            // bnxt_init_ring_params(): hds_thresh; NET_SKB_PAD in front, the payload in the aggregation ring
            "bnxt-hds" => Self {
                headroom: NET_SKB_PAD,
                first: 640,
                next: PAGE_SIZE,
                ..Self::PAGE
            },
            // OTX2_HEAD_ROOM; otx2_skb_add_frag() for each segment, XDP for the first
            "otx2" => Self {
                headroom: 128,
                first: 1536,
                next: 1536,
                ..Self::PAGE
            },
            _ => Self::PAGE,
        }
    }
}

/// The drivers, by the names of this project, with the function that builds the skb.
pub const DRIVERS: [(&str, NicDriver, &str); 19] = [
    ("bnxt", NicDriver::Copy, "bnxt_copy_xdp"),
    ("i40e", NicDriver::InPlace, "i40e_build_skb"),
    ("i40e-zc", NicDriver::Copy, "i40e_construct_skb_zc"),
    ("igb", NicDriver::InPlace, "igb_build_skb"),
    ("igb-zc", NicDriver::Copy, "igb_construct_skb_zc"),
    ("igc", NicDriver::InPlace, "igc_build_skb"),
    ("igc-copy", NicDriver::Copy, "igc_construct_skb"),
    ("igc-zc", NicDriver::Copy, "igc_construct_skb_zc"),
    ("ixgbe", NicDriver::InPlace, "ixgbe_build_skb"),
    ("ixgbe-zc", NicDriver::Copy, "ixgbe_construct_skb_zc"),
    ("mlx5", NicDriver::InPlace, "mlx5e_build_linear_skb"),
    ("mlx5-zc", NicDriver::Copy, "mlx5e_xsk_construct_skb"),
    ("xsk", NicDriver::Copy, "xdp_build_skb_from_zc"),
    ("nfp", NicDriver::AfterType, "nfp_nfd3_rx"),
    ("nfp-zc", NicDriver::Forgetful, "nfp_nfd3_xsk_rx_skb"),
    ("otx2", NicDriver::AllFrags, "otx2_rcv_pkt_handler"),
    ("bnxt-page", NicDriver::HeaderCopy, "bnxt_rx_page_skb"),
    ("bnxt-multi", NicDriver::Silent, "bnxt_rx_multi_page_skb"),
    ("bnxt-hds", NicDriver::HeaderSplit, "bnxt_rx_skb"),
];

/// How a driver sends frames of XDP: its source file, its function for `XDP_TX`, and its `ndo_xdp_xmit`, which nfp does not
/// have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XdpTx {
    /// Below the kernel tree.
    pub file: &'static str,
    /// Back by the same card.
    pub tx: &'static str,
    /// From another device.
    pub xmit: Option<&'static str>,
}

/// The functions of a driver of [`DRIVERS`]; `None` for the common code of AF_XDP (`xsk`), which sends nothing itself.
#[must_use]
pub fn xdp_tx(driver: usize) -> Option<XdpTx> {
    let (name, ..) = DRIVERS.get(driver)?;
    let (file, tx, xmit) = match name.split('-').next()? {
        "bnxt" => (
            "drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c",
            "__bnxt_xmit_xdp",
            Some("bnxt_xdp_xmit"),
        ),
        "i40e" => (
            "drivers/net/ethernet/intel/i40e/i40e_txrx.c",
            "i40e_xmit_xdp_tx_ring",
            Some("i40e_xdp_xmit"),
        ),
        "igb" => (
            "drivers/net/ethernet/intel/igb/igb_main.c",
            "igb_xdp_xmit_back",
            Some("igb_xdp_xmit"),
        ),
        "igc" => (
            "drivers/net/ethernet/intel/igc/igc_main.c",
            "igc_xdp_xmit_back",
            Some("igc_xdp_xmit"),
        ),
        "ixgbe" => (
            "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c",
            "ixgbe_xmit_xdp_ring",
            Some("ixgbe_xdp_xmit"),
        ),
        "mlx5" => (
            "drivers/net/ethernet/mellanox/mlx5/core/en/xdp.c",
            "mlx5e_xmit_xdp_buff",
            Some("mlx5e_xdp_xmit"),
        ),
        "nfp" => (
            "drivers/net/ethernet/netronome/nfp/nfd3/dp.c",
            "nfp_nfd3_tx_xdp_buf",
            None,
        ),
        "otx2" => (
            "drivers/net/ethernet/marvell/octeontx2/nic/otx2_txrx.c",
            "otx2_xdp_sq_append_pkt",
            Some("otx2_xdp_xmit"),
        ),
        _ => return None,
    };
    Some(XdpTx { file, tx, xmit })
}

/// The driver of a name.
fn driver(word: &str) -> Option<usize> {
    DRIVERS.iter().position(|(name, _, _)| *name == word)
}

/// A frame with its Ethernet header.
fn frame(args: &mut Args<'_>, digits: &str) -> Result<Vec<u8>, ParseError> {
    let frame = hex(digits).map_err(|problem| args.error(problem))?;
    if frame.len() < crate::net::ethernet::HLEN as usize {
        return Err(args.unexpected("a frame with its Ethernet header, 14 bytes or more"));
    }
    Ok(frame)
}

/// `nic add NAME driver DRIVER [address MAC]`, `nic rx NAME HEX... [NETNS]`: frames in a row come in one poll.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    match args.expect("add or rx")? {
        "add" => {
            let name = args.value("a device name", device)?;
            let (mut kind, mut address) = (None, None);
            while let Some(word) = args.next() {
                match word {
                    "driver" => {
                        let names: Vec<_> = DRIVERS.iter().map(|(name, _, _)| *name).collect();
                        let expected = format!("a driver: {}", names.join(", "));
                        kind = Some(args.value(&expected, driver)?);
                    }
                    "address" => address = Some(args.value("a MAC address", mac)?),
                    _ => return Err(args.unexpected("driver DRIVER or address MAC")),
                }
            }
            let driver = need(&mut args, kind, "driver and a driver")?;
            Ok(Command::LinkAdd {
                netns: netns.clone(),
                name,
                address,
                index: None,
                kind: LinkKind::Nic(driver),
            })
        }
        "rx" => {
            let dev = args.value("a device", device)?;
            let digits = args.expect("a frame in hex")?;
            let mut frames = vec![frame(&mut args, digits)?];
            let mut to = netns.clone();
            while let Some(word) = args.next() {
                if hex(word).is_ok() {
                    frames.push(frame(&mut args, word)?);
                    continue;
                }
                to = Some(word.to_owned());
                args.end()?;
                break;
            }
            Ok(Command::NicReceive {
                netns: to,
                dev,
                frames,
            })
        }
        _ => Err(args.unexpected("add or rx")),
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::command::Command;
    use crate::scenario::parse;

    #[test]
    fn a_driver_nobody_knows_is_told_with_the_others() {
        let error = parse("nic add eth0 driver e1000").unwrap_err().to_string();
        assert!(
            error.starts_with(
                "Line 1, column 21: `e1000` does not fit here, expected a driver: bnxt, i40e,"
            ),
            "{error}"
        );
        let rx = parse("nic rx eth0 00").unwrap_err().to_string();
        assert!(rx.contains("14 bytes or more"), "{rx}");
        let lines = parse("nic add eth0 driver igc-zc").unwrap().lines;
        assert!(matches!(lines[0].command, Command::LinkAdd { .. }));
    }
}
