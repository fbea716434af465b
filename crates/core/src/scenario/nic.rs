//! `nic`: a network card, which a real machine has and no command makes. The simulator's own, as `send` is.

use super::command::{Command, LinkKind, Netns};
use super::error::ParseError;
use super::ip::need;
use super::lex::Args;
use super::value::{device, hex, mac};

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
    /// Only the frame is copied, yet the skb is told of metadata (nfp with AF_XDP).
    Forgetful,
    /// The frame stays in its page (`napi_get_frags()`); the skb, whose head is another buffer, is told of metadata before
    /// the Ethernet header is copied into it (otx2). The simulator copies all of the frame.
    Frags,
}

/// The drivers, by the names of this project, with the function that builds the skb.
pub const DRIVERS: [(&str, NicDriver, &str); 16] = [
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
    ("otx2", NicDriver::Frags, "otx2_rcv_pkt_handler"),
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

/// `nic add NAME driver DRIVER [address MAC]`, `nic rx NAME HEX [NETNS]`.
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
                kind: LinkKind::Nic(driver),
            })
        }
        "rx" => {
            let dev = args.value("a device", device)?;
            let digits = args.expect("a frame in hex")?;
            let frame = hex(digits).map_err(|problem| args.error(problem))?;
            if frame.len() < crate::net::ethernet::HLEN as usize {
                return Err(args.unexpected("a frame with its Ethernet header, 14 bytes or more"));
            }
            let netns = args.next().map(str::to_owned).or_else(|| netns.clone());
            args.end()?;
            Ok(Command::NicReceive { netns, dev, frame })
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
