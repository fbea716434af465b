//! `net/core/neighbour.c`: from the next hop's address to its link-layer header.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, icmp, icmpv6, ndisc};
use crate::scenario::command::Mac;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/core/neighbour.c";

/// Neighbours that ARP and neighbour discovery are about, by device and address (`arp_tbl`, `nd_tbl`). Those that commands
/// name are not here.
pub(super) type Learned = BTreeMap<(DevId, IpAddr), Neighbour>;

/// A neighbour whose address is not configured (`struct neighbour`).
#[derive(Debug, Default)]
pub(super) struct Neighbour {
    /// Its address; `None` while it is asked for (`NUD_INCOMPLETE`).
    mac: Option<Mac>,
    /// It has answered (`NUD_REACHABLE`); if not, it was only heard of (`NUD_STALE`).
    reachable: bool,
    /// Packets that wait for the answer (`arp_queue`).
    waiting: Vec<SkbNo>,
}

impl Kernel {
    /// `neigh_output()`: a device without link header (a tunnel) sends as it is.
    pub(super) fn neigh_output(&mut self, no: SkbNo, dev: DevId, next_hop: IpAddr) -> Run<i64> {
        let cached = self.topology.dev(dev).hh_cached.contains(&next_hop);
        if cached && !self.is_stale(dev, next_hop) {
            return self.neigh_hh_output(no, dev, next_hop);
        }
        self.neigh_output_uncached(no, dev, next_hop)
    }

    /// `neigh->output()`: the way without the cached link header, which `neigh_xmit()` always goes.
    pub(super) fn neigh_output_uncached(
        &mut self,
        no: SkbNo,
        dev: DevId,
        next_hop: IpAddr,
    ) -> Run<i64> {
        // arp_constructor(): without header_ops, arp_direct_ops; with, an IFF_NOARP device is NUD_NOARP at once
        if !self.topology.dev(dev).has_header_ops() {
            return self.traced("neigh_direct_output", FILE, no, |k| k.dev_queue_xmit(no));
        }
        if !self.topology.dev(dev).has_ethernet() {
            return self.traced("neigh_connected_output", FILE, no, |k| {
                k.pull_to_network(no)?;
                k.dev_queue_xmit(no)
            });
        }
        let Some(lladdr) = self.lladdr(dev, next_hop) else {
            return self.neigh_ask(no, dev, next_hop);
        };
        let stale = self.is_stale(dev, next_hop);
        // arp_constructor(): VLAN devices have no hard_header_cache (vlan_header_ops)
        let cacheable = !matches!(self.topology.dev(dev).kind, DeviceKind::Vlan { .. });
        if !cacheable && !stale {
            return self.traced("neigh_connected_output", FILE, no, |k| {
                k.pull_to_network(no)?;
                k.dev_hard_header(no, dev, lladdr)?;
                k.dev_queue_xmit(no)
            });
        }
        self.traced("neigh_resolve_output", FILE, no, |k| {
            let cached = &mut k.topology.dev_mut(dev).hh_cached;
            if cacheable && !cached.contains(&next_hop) {
                cached.push(next_hop);
            }
            k.pull_to_network(no)?;
            k.dev_hard_header(no, dev, lladdr)?;
            k.dev_queue_xmit(no)
        })
    }

    /// The address of a neighbour, if it is known: configured, or learned, or that of the other end of the link.
    fn lladdr(&self, dev: DevId, next_hop: IpAddr) -> Option<Mac> {
        let asked = self.asks_neighbours && self.topology.dev(dev).mac != [0; 6];
        match next_hop {
            // ndisc_mc_map()
            IpAddr::V6(group) if group.is_multicast() => Some(ndisc::group_mac(group)),
            ip if asked && !self.topology.dev(dev).is_noarp() => {
                let configured = self.topology.configured_neighbour(dev, next_hop);
                configured.or_else(|| self.learned(dev, ip))
            }
            ip => {
                let known = self.topology.neighbour(dev, ip);
                known.or_else(|| self.learned(dev, ip))
            }
        }
    }

    /// `neigh_flush_dev()`: all neighbours of a device are forgotten.
    pub(super) fn neigh_flush_dev(&mut self, dev: DevId) {
        let netns = self.topology.dev(dev).netns;
        let here = &mut self.topology.netns[netns.0];
        here.neigh.retain(|(of, _, _)| *of != dev);
        here.inet6.neigh.retain(|(of, _, _)| *of != dev);
        self.neighbours.retain(|(of, _), _| *of != dev);
        self.topology.dev_mut(dev).hh_cached.clear();
    }

    /// What a frame has said of a neighbour.
    fn learned(&self, dev: DevId, ip: IpAddr) -> Option<Mac> {
        self.neighbours.get(&(dev, ip))?.mac
    }

    /// Whether the neighbour was heard of but has not answered (not `NUD_CONNECTED`).
    fn is_stale(&self, dev: DevId, next_hop: IpAddr) -> bool {
        let learned = self.neighbours.get(&(dev, next_hop));
        learned.is_some_and(|learned| !learned.reachable)
            && self.topology.configured_neighbour(dev, next_hop).is_none()
    }

    /// `neigh_resolve_output()` to an address that is not known yet: the packet waits (`__neigh_event_send()`), and
    /// the first one has the neighbour asked at once (`neigh_probe()`).
    fn neigh_ask(&mut self, no: SkbNo, dev: DevId, next_hop: IpAddr) -> Run<i64> {
        self.traced("neigh_resolve_output", FILE, no, |k| {
            let first = !k.neighbours.contains_key(&(dev, next_hop));
            let neighbour = k.neighbours.entry((dev, next_hop)).or_default();
            neighbour.waiting.push(no);
            if first {
                k.neigh_probe(no, dev, next_hop)?;
            }
            Ok(0)
        })
    }

    /// `neigh_probe()`: asks, with a clone of the last packet that waits.
    fn neigh_probe(&mut self, waits: SkbNo, dev: DevId, next_hop: IpAddr) -> Run<()> {
        let probe = self.skb_clone(waits)?;
        match next_hop {
            IpAddr::V4(next_hop) => self.arp_solicit(probe, dev, next_hop)?,
            IpAddr::V6(next_hop) => self.ndisc_solicit(probe, dev, next_hop)?,
        }
        self.consume_skb(probe)
    }

    /// `neigh_timer_handler()`: what happens in the seconds after a command's packets. A neighbour that has not answered
    /// is asked `mcast_solicit` times in all, 3 by default, a second apart; then `neigh_invalidate()` gives up what waits for
    /// it. A recording ends before the first of these seconds is over.
    pub(super) fn neigh_timers(&mut self) -> Run<()> {
        if self.asks_neighbours {
            return Ok(());
        }
        while let Some((dev, ip)) = self.first_unanswered() {
            self.neigh_timer(dev, ip)?;
        }
        Ok(())
    }

    fn first_unanswered(&self) -> Option<(DevId, IpAddr)> {
        let mut all = self.neighbours.iter();
        let (key, _) = all.find(|(_, neighbour)| !neighbour.waiting.is_empty())?;
        Some(*key)
    }

    fn neigh_timer(&mut self, dev: DevId, ip: IpAddr) -> Run<()> {
        /// `mcast_solicit` less the question that was asked at once.
        const MORE: usize = 2;
        for _ in 0..MORE {
            let Some(last) = self.last_waiting(dev, ip) else {
                return Ok(());
            };
            self.local_bh(|k| k.neigh_probe(last, dev, ip))?;
        }
        if self.last_waiting(dev, ip).is_none() {
            return Ok(());
        }
        let failed = self.neighbours.remove(&(dev, ip)).unwrap_or_default();
        self.local_bh(|k| k.neigh_invalidate(failed.waiting, ip))
    }

    fn last_waiting(&self, dev: DevId, ip: IpAddr) -> Option<SkbNo> {
        self.neighbours.get(&(dev, ip))?.waiting.last().copied()
    }

    /// `neigh_invalidate()`: senders of what waited are told (`neigh->ops->error_report()`).
    fn neigh_invalidate(&mut self, waiting: Vec<SkbNo>, ip: IpAddr) -> Run<()> {
        let (report, file) = match ip {
            IpAddr::V4(_) => ("arp_error_report", "net/ipv4/arp.c"),
            IpAddr::V6(_) => ("ndisc_error_report", "net/ipv6/ndisc.c"),
        };
        for no in waiting {
            self.traced(report, file, no, |k| {
                // dst_link_failure()
                match ip {
                    IpAddr::V4(_) => k.icmp_send(no, icmp::DEST_UNREACH, icmp::HOST_UNREACH)?,
                    IpAddr::V6(_) => {
                        k.icmp6_send(no, icmpv6::DEST_UNREACH, icmpv6::ADDR_UNREACH, 0)?;
                    }
                }
                k.kfree_skb(no, drop_reason::NEIGH_FAILED)
            })?;
        }
        Ok(())
    }

    /// `neigh_update()`: what a frame says of its sender. Packets that waited for it leave. Without `learn`
    /// (`NEIGH_UPDATE_F_OVERRIDE`, and an entry that is made) another address than the one known does not count:
    /// it was known for less than a second (`LOCKTIME`).
    pub(super) fn neigh_update(
        &mut self,
        dev: DevId,
        ip: IpAddr,
        mac: Mac,
        reachable: bool,
        learn: bool,
    ) -> Run<()> {
        if self.topology.configured_neighbour(dev, ip).is_some() {
            return Ok(());
        }
        if !learn && !self.neighbours.contains_key(&(dev, ip)) {
            return Ok(());
        }
        let neighbour = self.neighbours.entry((dev, ip)).or_default();
        match neighbour.mac {
            Some(known) if known == mac => neighbour.reachable |= reachable,
            Some(_) if !learn => {}
            _ => (neighbour.mac, neighbour.reachable) = (Some(mac), reachable),
        }
        for no in std::mem::take(&mut neighbour.waiting) {
            self.neigh_output_uncached(no, dev, ip)?;
        }
        Ok(())
    }

    /// What stands in front of the network header is no link header of ours: a program may have left it.
    fn pull_to_network(&mut self, no: SkbNo) -> Run<()> {
        let skb = self.skb_mut(no);
        let offset = u32::from(skb.network_header).saturating_sub(skb.data);
        Ok(skb.pull(offset)?)
    }

    /// `neigh_hh_output()` (`include/net/neighbour.h`): copies the cached header as a block of 16 bytes, of
    /// which the two in front of the header are 0. They overwrite what was there: metadata, for one.
    fn neigh_hh_output(&mut self, no: SkbNo, dev: DevId, next_hop: IpAddr) -> Run<i64> {
        const HH_DATA_MOD: u32 = 16;
        let Some(lladdr) = self.lladdr(dev, next_hop) else {
            return not_covered("neigh_hh_output: the neighbour is gone");
        };
        let header = self.eth_header_bytes(no, dev, lladdr);
        let skb = self.skb_mut(no);
        if skb.headroom() < HH_DATA_MOD {
            return not_covered("neigh_hh_output: too little headroom");
        }
        skb.push(ethernet::HLEN)?;
        let (head, data) = (skb.head, skb.data);
        let padding = HH_DATA_MOD - ethernet::HLEN;
        let source = self.source(
            Layer::Ethernet,
            "padding of the cached Ethernet header".into(),
            "neigh_hh_output",
            Some(dev),
            padding,
        );
        let zeros = [0; (HH_DATA_MOD - ethernet::HLEN) as usize];
        self.buffers.write(head, data - padding, &zeros, source, 0);
        let (layer, label) = (Layer::Ethernet, "Ethernet".into());
        self.write_header(no, data, &header, layer, label, "neigh_hh_output");
        self.dev_queue_xmit(no)
    }

    fn eth_header_bytes(&self, no: SkbNo, dev: DevId, dest: Mac) -> [u8; ethernet::HLEN as usize] {
        let mut header = [0; ethernet::HLEN as usize];
        header[..6].copy_from_slice(&dest);
        header[6..12].copy_from_slice(&self.topology.dev(dev).mac);
        header[12..].copy_from_slice(&self.skb(no).protocol.to_be_bytes());
        header
    }

    /// `eth_header()` (`net/ethernet/eth.c`): pushes the Ethernet header.
    pub(super) fn eth_header(&mut self, no: SkbNo, dev: DevId, dest: Mac) -> Run<()> {
        self.traced("eth_header", "net/ethernet/eth.c", no, |k| {
            k.skb_mut(no).push(ethernet::HLEN)?;
            let header = k.eth_header_bytes(no, dev, dest);
            let data = k.skb(no).data;
            k.write_header(
                no,
                data,
                &header,
                Layer::Ethernet,
                "Ethernet".into(),
                "eth_header",
            );
            Ok(i64::from(ethernet::HLEN))
        })?;
        Ok(())
    }
}
