//! What a driver tells XDP of a packet besides its bytes: `dev->xdp_metadata_ops`, called by the kernel functions
//! `bpf_xdp_metadata_rx_*()`. A program that has them was loaded for the device it runs on.

use super::{Kernel, XdpHost};
use crate::bpf::{RxHint, RxHintAnswer};
use crate::scenario::nic::DRIVERS;
use crate::scenario::topology::DeviceKind;
use crate::stack::{Run, not_covered};
use crate::trace::SkbNo;

/// `-ENODATA`.
const ENODATA: i64 = -61;
/// `-EOPNOTSUPP`, the answer of the functions themselves (net/core/xdp.c).
const EOPNOTSUPP: i64 = -95;
/// `XDP_RSS_TYPE_L4_ANY`; `XDP_RSS_TYPE_NONE` is 0.
const L4_ANY: u64 = 1 << 3;

/// An error, and nothing written.
const fn error(ret: i64) -> RxHintAnswer {
    RxHintAnswer {
        ret,
        values: [None; 2],
    }
}

impl XdpHost<'_, '_> {
    /// By the driver of the device.
    pub(super) fn rx_hint(&mut self, hint: RxHint) -> RxHintAnswer {
        let answer = match self.kernel.topology.dev(self.dev).kind {
            DeviceKind::Veth { .. } => self.kernel.veth_hint(self.xdp.skb, hint),
            DeviceKind::Nic(driver) => nic_hint(driver, hint),
            _ => Ok(error(EOPNOTSUPP)),
        };
        answer.unwrap_or_else(|stop| {
            self.stop.get_or_insert(stop);
            error(EOPNOTSUPP)
        })
    }
}

impl Kernel {
    /// `veth_xdp_rx_timestamp()`, `veth_xdp_rx_hash()`, `veth_xdp_rx_vlan_tag()` (drivers/net/veth.c): of the skb behind
    /// the `xdp_buff`; a frame that came by `ndo_xdp_xmit` has none.
    fn veth_hint(&mut self, skb: Option<SkbNo>, hint: RxHint) -> Run<RxHintAnswer> {
        let Some(no) = skb else {
            return Ok(error(ENODATA));
        };
        let (ret, values) = match hint {
            // no card has stamped it
            RxHint::Timestamp => (0, [Some(0), None]),
            RxHint::Hash => {
                let hash = self.skb_get_hash(no);
                let Some(l4) = self.skb(no).bpf.l4_hash else {
                    return not_covered(
                        "veth_xdp_rx_hash: whether the hash of a packet in a packet has ports \
                         (__skb_flow_dissect())",
                    );
                };
                let rss_type = if l4 { L4_ANY } else { 0 };
                (0, [Some(u64::from(hash)), Some(rss_type)])
            }
            // __vlan_hwaccel_get_tag() clears the tag where there is none
            RxHint::VlanTag => {
                let skb = self.skb(no);
                match skb.vlan_present {
                    // network order
                    true => (
                        0,
                        [
                            Some(u64::from(skb.vlan_proto.swap_bytes())),
                            Some(u64::from(skb.vlan_tci)),
                        ],
                    ),
                    false => (ENODATA, [None, Some(0)]),
                }
            }
        };
        Ok(RxHintAnswer { ret, values })
    }
}

/// What the driver of a card answers: `igc_xdp_metadata_ops`, `mlx5e_xdp_metadata_ops`, `bnxt_xdp_metadata_ops`; i40e, igb,
/// ixgbe, nfp and otx2 have none. No command asks for time stamps of the card (`SIOCSHWTSTAMP`), and frames come as they
/// were on the wire, their VLAN tag in them.
fn nic_hint(driver: usize, hint: RxHint) -> Run<RxHintAnswer> {
    let name = DRIVERS.get(driver).map_or("", |(name, ..)| *name);
    let ret = match (name.split('-').next().unwrap_or(""), hint) {
        ("xsk", _) => return not_covered("bpf_xdp_metadata_rx_*: the driver of xsk is not said"),
        ("igc" | "mlx5" | "bnxt", RxHint::Hash) => {
            return not_covered(format!(
                "bpf_xdp_metadata_rx_hash: the hash that the card of {name} reckons"
            ));
        }
        ("igc" | "mlx5", RxHint::Timestamp) | ("mlx5", RxHint::VlanTag) => ENODATA,
        _ => EOPNOTSUPP,
    };
    Ok(error(ret))
}
