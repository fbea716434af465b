//! `net/core/dev.c`, transmit.

use super::dev_rx::NET_RX_DROP;
use super::features::Xmit;
use super::skb_own::ENOMEM;
use super::tc::Egress;
use super::{Kernel, Run, not_covered};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::SkbNo;

const FILE: &str = "net/core/dev.c";
/// `XMIT_RECURSION_LIMIT` (`include/linux/netdevice.h`).
const XMIT_RECURSION_LIMIT: u32 = 8;
/// `NETDEV_TX_OK`.
const NETDEV_TX_OK: i64 = 0;
/// `NET_XMIT_DROP`.
const NET_XMIT_DROP: i64 = 1;
/// `NET_XMIT_CN`.
const NET_XMIT_CN: i64 = 2;
/// `NET_XMIT_SUCCESS`.
const NET_XMIT_SUCCESS: i64 = 0;

impl Kernel {
    /// `__dev_queue_xmit()`, for devices without a queue (veth and tunnels).
    pub(super) fn dev_queue_xmit(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("__dev_queue_xmit", FILE, no, |k| {
            k.local_bh(|k| k.dev_queue_xmit_bh(no))
        })
    }

    fn dev_queue_xmit_bh(&mut self, no: SkbNo) -> Run<i64> {
        let skb = self.skb_mut(no);
        skb.reset_mac_header();
        skb.tc_at_ingress = false;
        match self.sch_handle_egress(no)? {
            Egress::Send => {}
            Egress::Taken => return Ok(NET_XMIT_SUCCESS),
            Egress::Dropped => return Ok(NET_XMIT_DROP),
        }
        if self.skb(no).dev.is_some_and(|dev| !self.is_ready(dev)) {
            // dev_deactivate() left the device noop_qdisc, and noop_enqueue() takes nothing
            self.kfree_skb(no, super::skbuff::drop_reason::QDISC_DROP)?;
            return Ok(NET_XMIT_CN);
        }
        if self.dead_loop(no, XMIT_RECURSION_LIMIT)? {
            return Ok(NET_XMIT_DROP);
        }
        let mut rest = Vec::new();
        let first = match self.validate_xmit_skb(no)? {
            Xmit::Whole => no,
            Xmit::Segments(list) => match list.split_first() {
                Some((first, others)) => {
                    rest.extend_from_slice(others);
                    *first
                }
                None => return Ok(ENOMEM),
            },
            Xmit::Nothing => return Ok(ENOMEM),
        };
        self.xmit_recursion += 1;
        let result = self.dev_hard_start_xmit(first, &rest);
        self.xmit_recursion -= 1;
        let rc = result?;
        // of a list, an error would mean that none of it was sent
        Ok(if rest.is_empty() { rc } else { NETDEV_TX_OK })
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
        self.kfree_skb(no, super::skbuff::drop_reason::RECURSION_LIMIT)?;
        Ok(true)
    }

    /// `dev_hard_start_xmit()`: the driver takes the packet, and those it was cut into; NULL says that all went out.
    /// Gives what the driver answered for the last.
    fn dev_hard_start_xmit(&mut self, first: SkbNo, rest: &[SkbNo]) -> Run<i64> {
        let mut rc = NETDEV_TX_OK;
        self.traced("dev_hard_start_xmit", FILE, first, |k| {
            let Some(dev) = k.skb(first).dev else {
                return not_covered("dev_hard_start_xmit of a packet without device");
            };
            rc = k.xmit_one(first, dev)?;
            for next in rest {
                rc = k.xmit_one(*next, dev)?;
            }
            Ok(None::<SkbNo>)
        })?;
        Ok(rc)
    }

    /// `xmit_one()`: taps see the packet, then the driver has it.
    fn xmit_one(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        if self.has_taps(dev) {
            self.dev_queue_xmit_nit(no, dev)?;
        }
        self.metadata_before_encap(no, dev);
        self.ndo_start_xmit(no, dev)
    }

    /// `netdev_start_xmit()`: the driver's own function.
    pub(super) fn ndo_start_xmit(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        let k = self;
        Ok(match k.topology.dev(dev).kind {
            DeviceKind::Veth { peer } => k.veth_xmit(no, peer)?,
            DeviceKind::Gre(parms) => k.ipgre_xmit(no, dev, parms)?,
            DeviceKind::Gretap(parms) => k.gre_tap_xmit(no, dev, parms)?,
            DeviceKind::Ipip(parms) => k.ipip_tunnel_xmit(no, dev, parms)?,
            DeviceKind::Ip6Gre(parms) | DeviceKind::Ip6Gretap(parms) => {
                k.ip6gre_tunnel_xmit(no, dev, parms)?
            }
            DeviceKind::Ip6Tnl(parms) => k.ip6_tnl_start_xmit(no, dev, parms)?,
            DeviceKind::Sit(parms) => k.sit_tunnel_xmit(no, dev, parms)?,
            DeviceKind::Dummy => k.dummy_xmit(no)?,
            DeviceKind::L2tpEth(tunnel, session) => {
                k.l2tp_eth_dev_xmit(no, dev, tunnel, session)?
            }
            DeviceKind::Nic(_) => k.nic_xmit(no)?,
            DeviceKind::Vlan {
                lower,
                protocol,
                id,
            } => k.vlan_dev_hard_start_xmit(no, lower, protocol, id)?,
            DeviceKind::Vxlan(parms) => k.vxlan_xmit(no, dev, parms)?,
            DeviceKind::Geneve(parms) => k.geneve_xmit(no, dev, parms)?,
            DeviceKind::Tun { .. } => k.tun_net_xmit(no)?,
            DeviceKind::Netkit { peer, parms, .. } => k.netkit_xmit(no, dev, peer, parms)?,
            DeviceKind::Macvlan { lower, mode } => k.macvlan_start_xmit(no, dev, lower, mode)?,
            DeviceKind::Bridge => k.br_dev_xmit(no, dev)?,
            DeviceKind::Loopback => k.loopback_xmit(no, dev)?,
        })
    }

    /// Whether a device is up and has a carrier (`netif_carrier_ok()`): one end of a pair has none while the other is down
    /// (`veth_close()`, `netkit_close()`), and what lies above a device has what that has
    /// (`netif_stacked_transfer_operstate()`).
    pub(super) fn is_ready(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        device.up
            && match device.kind {
                DeviceKind::Veth { peer } | DeviceKind::Netkit { peer, .. } => {
                    self.topology.dev(peer).up
                }
                DeviceKind::Vlan { lower, .. } | DeviceKind::Macvlan { lower, .. } => {
                    self.is_ready(lower)
                }
                _ => true,
            }
    }

    /// `dev_xmit_recursion()`: whether devices send into each other deeper than allowed.
    pub(super) fn dev_xmit_recursion(&self) -> bool {
        self.xmit_recursion > XMIT_RECURSION_LIMIT
    }

    /// `__dev_forward_skb()`: the packet leaves one device and arrives at another, scrubbed.
    pub(super) fn dev_forward_skb(&mut self, no: SkbNo, to: DevId) -> Run<i64> {
        self.traced("__dev_forward_skb", FILE, no, |k| {
            k.__dev_forward_skb2(no, to, true)
        })
    }

    /// `dev_forward_skb()`: as if received on the other device, if it fits there.
    pub(super) fn dev_forward_skb_rx(&mut self, no: SkbNo, to: DevId) -> Run<i64> {
        self.traced("dev_forward_skb", FILE, no, |k| {
            match k.__dev_forward_skb2(no, to, true)? {
                0 => k.netif_rx_internal(no),
                error => Ok(error),
            }
        })
    }

    /// `dev_forward_skb_nomtu()`: as if received on the other device.
    pub(super) fn dev_forward_skb_nomtu(&mut self, no: SkbNo, to: DevId) -> Run<i64> {
        self.traced("dev_forward_skb_nomtu", FILE, no, |k| {
            match k.__dev_forward_skb2(no, to, false)? {
                0 => k.netif_rx_internal(no),
                error => Ok(error),
            }
        })
    }

    /// `__dev_forward_skb2()`.
    fn __dev_forward_skb2(&mut self, no: SkbNo, to: DevId, check_mtu: bool) -> Run<i64> {
        let ret = self.____dev_forward_skb(no, to, check_mtu)?;
        if ret == 0 {
            let protocol = self.eth_type_trans(no, to)?;
            self.skb_mut(no).protocol = protocol;
            self.postpull_eth(no);
        }
        Ok(ret)
    }

    /// `____dev_forward_skb()`: scrubs the packet, unless the device can't take it.
    pub(super) fn ____dev_forward_skb(
        &mut self,
        no: SkbNo,
        to: DevId,
        check_mtu: bool,
    ) -> Run<i64> {
        if !self.is_skb_forwardable(no, to, check_mtu) {
            self.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
            return Ok(NET_RX_DROP);
        }
        let xnet = self.crosses_netns(self.skb(no).dev, to);
        self.skb_scrub_packet(no, xnet)?;
        self.skb_mut(no).priority = 0;
        Ok(0)
    }

    /// `__is_skb_forwardable()`: the device is up, and the frame with a VLAN tag is no longer than its MTU allows.
    pub(super) fn is_skb_forwardable(&self, no: SkbNo, to: DevId, check_mtu: bool) -> bool {
        const VLAN_HLEN: u32 = 4;
        let device = self.topology.dev(to);
        let fits = self.skb(no).len <= device.mtu + device.hard_header_len + VLAN_HLEN;
        let gso = self.buffers.get(self.skb(no).head).shinfo.gso_size != 0;
        device.up && (!check_mtu || fits || gso)
    }

    /// `dummy_xmit()` (`drivers/net/dummy.c`): the packet is at its end.
    fn dummy_xmit(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("dummy_xmit", "drivers/net/dummy.c", no, |k| {
            k.consume_skb(no)?;
            Ok(0)
        })
    }

    /// `loopback_xmit()` (`drivers/net/loopback.c`): what is sent is received.
    fn loopback_xmit(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        self.traced("loopback_xmit", "drivers/net/loopback.c", no, |k| {
            k.skb_mut(no).drop_dst();
            let protocol = k.eth_type_trans(no, dev)?;
            k.skb_mut(no).protocol = protocol;
            k.__netif_rx(no)?;
            Ok(0)
        })
    }

    /// `netif_rx()`: into the backlog of this CPU, from any context.
    pub(super) fn netif_rx(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("netif_rx", FILE, no, |k| {
            k.local_bh(|k| k.netif_rx_internal(no))
        })
    }

    /// `__netif_rx()`: with softirqs off already.
    pub(super) fn __netif_rx(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("__netif_rx", FILE, no, |k| k.netif_rx_internal(no))
    }

    /// `netif_rx_internal()`: into the backlog of this CPU.
    fn netif_rx_internal(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("netif_rx_internal", FILE, no, |k| {
            k.get_rps_cpu(no);
            k.enqueue_to_backlog(no);
            Ok(0)
        })
    }
}
