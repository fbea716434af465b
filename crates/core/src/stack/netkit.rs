//! `drivers/net/netkit.c`: pairs of devices whose programs run where a packet is sent.

use super::dev_rx::packet_type;
use super::execute::Done;
use super::links::ethernet_device;
use super::skbuff::drop_reason;
use super::tc::act;
use super::{Kernel, Run};
use crate::net::ethernet;
use crate::scenario::command::{Mac, NetkitParms};
use crate::scenario::topology::{DevId, DeviceKind, NetnsId, TopologyError};
use crate::trace::SkbNo;

/// `NET_XMIT_DROP`.
const NET_XMIT_DROP: i64 = 1;

/// One end as a command names it.
type End<'a> = (&'a str, NetnsId, Option<Mac>, NetkitParms);

impl Kernel {
    /// `netkit_new_link()`: both ends. In mode l3 both have the address 00:00:00:00:00:00.
    pub(super) fn netkit_new_link(&mut self, a: End<'_>, b: End<'_>, index: Option<u32>) -> Done {
        let first = self.topology.devices.len();
        let mut ends = Vec::new();
        for (i, (name, netns, address, parms)) in [a, b].into_iter().enumerate() {
            if address.is_some() && !parms.l2 {
                return Err(TopologyError::NetkitAddress.into());
            }
            let kind = DeviceKind::Netkit {
                peer: DevId(first + 1 - i),
                parms,
                primary: i == 0,
            };
            let mut device = ethernet_device(name, netns, kind);
            device.needed_headroom = u32::from(parms.headroom);
            if parms.l2 {
                // eth_hw_addr_random(); here by number, as for veth
                let number = (first + i + 1) as u8;
                device.mac = address.unwrap_or([0x02, 0, 0, 0, 0, number]);
            }
            ends.push(device);
        }
        if let (Some(b), Some(a)) = (ends.pop(), ends.pop()) {
            self.add_pair(a, b, index)?;
        }
        Ok(())
    }

    /// `netkit_dev_fetch()`: whose programs are meant. Both ends are reached by the primary device.
    pub(super) fn netkit_dev_fetch(
        &self,
        dev: DevId,
        of_peer: bool,
    ) -> Result<DevId, TopologyError> {
        let device = self.topology.dev(dev);
        match device.kind {
            DeviceKind::Netkit { primary: false, .. } => {
                Err(TopologyError::NetkitPeer(device.name.clone()))
            }
            DeviceKind::Netkit { peer, .. } if of_peer => Ok(peer),
            DeviceKind::Netkit { .. } => Ok(dev),
            _ => Err(TopologyError::NotNetkit(device.name.clone())),
        }
    }

    /// `netkit_xmit()`: the programs of this end see the packet as the other end will receive it, from the MAC header
    /// on. The packet's protocol stays that of the sender.
    pub(super) fn netkit_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        peer: DevId,
        parms: NetkitParms,
    ) -> Run<i64> {
        self.traced("netkit_xmit", "drivers/net/netkit.c", no, |k| {
            if !k.topology.dev(peer).up || k.skb(no).len < ethernet::HLEN {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(NET_XMIT_DROP);
            }
            k.netkit_prep_forward(no, k.crosses_netns(Some(dev), peer), parms.scrub)?;
            let header = k.bytes(no, k.skb(no).data, ethernet::HLEN).to_vec();
            let pkt_type = packet_type(&header, &k.topology.dev(peer).mac);
            let skb = k.skb_mut(no);
            skb.pkt_type = pkt_type;
            skb.dev = Some(peer);
            match k.netkit_run(no, dev, peer, parms)? {
                act::UNSPEC | act::OK => {
                    k.skb_pull_rcsum(no, ethernet::HLEN)?;
                    k.__netif_rx(no)
                }
                act::REDIRECT => {
                    k.skb_do_redirect(no)?;
                    Ok(0)
                }
                _ => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(NET_XMIT_DROP)
                }
            }
        })
    }

    /// `netkit_prep_forward()`: mark and priority go only on the way to another namespace, and only with `scrub`.
    fn netkit_prep_forward(&mut self, no: SkbNo, xnet: bool, scrub: bool) -> Run<()> {
        self.skb_scrub_packet(no, false)?;
        let skb = self.skb_mut(no);
        skb.reset_mac_header();
        if xnet {
            (skb.bpf.tstamp, skb.bpf.tstamp_type) = (0, 0);
        }
        if xnet && scrub {
            (skb.priority, skb.mark) = (0, 0);
        }
        Ok(())
    }

    /// `netkit_run()`: programs in their order until one says something else than `NETKIT_NEXT` (−1); without any the
    /// end's policy.
    fn netkit_run(&mut self, no: SkbNo, dev: DevId, peer: DevId, parms: NetkitParms) -> Run<i64> {
        let mut verdict = if parms.blackhole { act::SHOT } else { act::OK };
        let hook = match self.topology.dev(dev).kind {
            DeviceKind::Netkit { primary: true, .. } => "netkit/primary",
            _ => "netkit/peer",
        };
        for program in self.topology.dev(dev).netkit.clone() {
            verdict = self.run_cls(program, hook, peer, no)?;
            if verdict != act::UNSPEC {
                break;
            }
        }
        Ok(verdict)
    }
}
