//! `net/core/dev.c`, transmit.

use super::{Kernel, Run, Softirq, not_covered};
use crate::scenario::topology::DeviceKind;
use crate::trace::SkbNo;

const FILE: &str = "net/core/dev.c";
/// `XMIT_RECURSION_LIMIT` (`include/linux/netdevice.h`).
const XMIT_RECURSION_LIMIT: u32 = 8;
/// `NET_XMIT_DROP`.
const NET_XMIT_DROP: i64 = 1;

impl Kernel {
    /// `__dev_queue_xmit()`, for devices without a queue (veth and tunnels).
    pub(super) fn dev_queue_xmit(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("__dev_queue_xmit", FILE, no, |k| {
            k.local_bh(|k| k.dev_queue_xmit_bh(no))
        })
    }

    fn dev_queue_xmit_bh(&mut self, no: SkbNo) -> Run<i64> {
        self.skb_mut(no).reset_mac_header();
        if !self.sch_handle_egress(no)? {
            return Ok(NET_XMIT_DROP);
        }
        if self.dead_loop(no, XMIT_RECURSION_LIMIT)? {
            return Ok(NET_XMIT_DROP);
        }
        self.validate_xmit_skb(no)?;
        self.xmit_recursion += 1;
        let result = self.dev_hard_start_xmit(no);
        self.xmit_recursion -= 1;
        result?;
        Ok(0)
    }

    /// Whether devices send into each other deeper than `limit`; then the packet is dropped.
    pub(super) fn dead_loop(&mut self, no: SkbNo, limit: u32) -> Run<bool> {
        if self.xmit_recursion <= limit {
            return Ok(false);
        }
        let name = self
            .skb(no)
            .dev
            .map(|dev| self.topology.dev(dev).name.clone())
            .unwrap_or_default();
        self.warn_once(&format!(
            "Dead loop on virtual device {name}, fix it urgently!"
        ));
        self.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
        Ok(true)
    }

    /// `dev_hard_start_xmit()`: the driver takes the packet; NULL says that all went out.
    fn dev_hard_start_xmit(&mut self, no: SkbNo) -> Run<Option<SkbNo>> {
        self.traced("dev_hard_start_xmit", FILE, no, |k| {
            let Some(dev) = k.skb(no).dev else {
                return not_covered("dev_hard_start_xmit of a packet without device");
            };
            match k.topology.dev(dev).kind {
                DeviceKind::Veth { peer } => k.veth_xmit(no, peer)?,
                DeviceKind::Gre(parms) => k.ipgre_xmit(no, dev, parms)?,
                DeviceKind::Gretap(parms) => k.gre_tap_xmit(no, dev, parms)?,
                DeviceKind::Ipip(parms) => k.ipip_tunnel_xmit(no, dev, parms)?,
                DeviceKind::Vlan {
                    lower,
                    protocol,
                    id,
                } => k.vlan_dev_hard_start_xmit(no, lower, protocol, id)?,
                DeviceKind::Vxlan(parms) => k.vxlan_xmit(no, dev, parms)?,
                DeviceKind::Geneve(parms) => k.geneve_xmit(no, dev, parms)?,
                DeviceKind::Bridge => k.br_dev_xmit(no, dev)?,
                DeviceKind::Loopback => k.loopback_xmit(no, dev)?,
            };
            Ok(None)
        })
    }

    /// `__dev_forward_skb()`: the packet leaves one device and arrives at another, scrubbed.
    pub(super) fn dev_forward_skb(
        &mut self,
        no: SkbNo,
        to: crate::scenario::topology::DevId,
    ) -> Run<i64> {
        self.traced("__dev_forward_skb", FILE, no, |k| {
            let xnet = k.crosses_netns(k.skb(no).dev, to);
            k.skb_scrub_packet(no, xnet)?;
            k.skb_mut(no).priority = 0;
            let protocol = k.eth_type_trans(no, to)?;
            k.skb_mut(no).protocol = protocol;
            Ok(0)
        })
    }

    /// `loopback_xmit()` (`drivers/net/loopback.c`): what is sent is received.
    fn loopback_xmit(&mut self, no: SkbNo, dev: crate::scenario::topology::DevId) -> Run<i64> {
        self.traced("loopback_xmit", "drivers/net/loopback.c", no, |k| {
            k.skb_mut(no).dst = None;
            let protocol = k.eth_type_trans(no, dev)?;
            k.skb_mut(no).protocol = protocol;
            k.netif_rx(no)?;
            Ok(0)
        })
    }

    /// `netif_rx()`: into the backlog of this CPU, from any context.
    pub(super) fn netif_rx_any(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("netif_rx", FILE, no, |k| {
            k.local_bh(|k| {
                k.traced("netif_rx_internal", FILE, no, |k| {
                    k.raise_softirq(Softirq::Backlog(no));
                    Ok(0)
                })
            })
        })
    }

    /// `__netif_rx()`: into the backlog of this CPU.
    pub(super) fn netif_rx(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("__netif_rx", FILE, no, |k| {
            k.traced("netif_rx_internal", FILE, no, |k| {
                k.raise_softirq(Softirq::Backlog(no));
                Ok(0)
            })
        })
    }
}
