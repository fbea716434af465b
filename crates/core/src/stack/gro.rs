//! `net/core/gro.c` and `net/core/gro_cells.c`, for packets that nothing can be merged with.

use super::{Kernel, Run, Softirq, not_covered};
use crate::net::{ethernet, ipv4};
use crate::scenario::command::XdpMode;
use crate::scenario::topology::DevId;
use crate::skb::NOT_SET;
use crate::trace::SkbNo;

const FILE: &str = "net/core/gro.c";
/// `GRO_NORMAL`: not held, not merged, goes up as it is.
const GRO_NORMAL: i64 = 3;
/// `IPPROTO_TCP`.
const PROTO_TCP: u8 = 6;
/// `IPPROTO_UDP`.
const PROTO_UDP: u8 = 17;

impl Kernel {
    /// `gro_cells_receive()` (`net/core/gro_cells.c`): a tunnel's own NAPI takes the packet up; a clone, or a packet
    /// of a device without GRO, goes through the backlog.
    pub(super) fn gro_cells_receive(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("gro_cells_receive", "net/core/gro_cells.c", no, |k| {
            let Some(dev) = k.skb(no).dev.filter(|dev| k.topology.dev(*dev).up) else {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(super::dev_rx::NET_RX_DROP);
            };
            k.skb_mut(no).transport_header = NOT_SET;
            if k.skb_cloned(no) || k.netif_elide_gro(dev) {
                return k.netif_rx(no);
            }
            k.raise_softirq(Softirq::GroCell(no));
            Ok(0)
        })
    }

    /// `gro_cell_poll()`.
    pub(super) fn gro_cell_poll(&mut self, no: SkbNo) -> Run<()> {
        self.napi_gro_receive(no)
    }

    /// `napi_gro_receive()` (`gro_receive_skb()` since 6.13), then up: the list is flushed when the poll ends.
    pub(super) fn napi_gro_receive(&mut self, no: SkbNo) -> Run<()> {
        self.traced("gro_receive_skb", FILE, no, |k| k.dev_gro_receive(no))?;
        self.netif_receive_skb_list(no)
    }

    /// `dev_gro_receive()`.
    fn dev_gro_receive(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("dev_gro_receive", FILE, no, |k| {
            let elide = k.skb(no).dev.is_none_or(|dev| k.netif_elide_gro(dev));
            if !elide && k.skb(no).protocol == ethernet::P_IP {
                let skb = k.skb_mut(no);
                skb.reset_network_header();
                skb.reset_mac_len();
                k.inet_gro_receive(no)?;
            }
            Ok(GRO_NORMAL)
        })
    }

    /// `inet_gro_receive()` (`net/ipv4/af_inet.c`): ICMP has no GRO; nothing is merged.
    fn inet_gro_receive(&mut self, no: SkbNo) -> Run<()> {
        self.traced("inet_gro_receive", "net/ipv4/af_inet.c", no, |k| {
            let data = k.skb(no).data;
            match k.bytes(no, data, ipv4::HLEN).get(9) {
                Some(&(PROTO_TCP | PROTO_UDP)) => {
                    not_covered("inet_gro_receive: GRO of TCP and UDP")
                }
                _ => Ok(None),
            }
        })?;
        Ok(())
    }

    /// `netif_elide_gro()`: no GRO feature (veth without `ethtool -K … gro on`), or a generic XDP program.
    fn netif_elide_gro(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        let generic_xdp = matches!(device.xdp, Some((_, XdpMode::Generic)));
        generic_xdp || !device.gro
    }
}
