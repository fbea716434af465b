//! `net/core/gro.c` and `net/core/gro_cells.c`: packets of a flow become one.
//!
//! The way through the headers begins here; IP is in `gro_ip`, tunnels are in `gro_tunnel`, TCP is in `gro_tcp`.

use smallvec::SmallVec;

use super::gro_merge::Merged;
use super::gro_tcp::Segment;
use super::{Kernel, Run, Softirq, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, ethernet, vlan};
use crate::scenario::command::XdpMode;
use crate::scenario::topology::DevId;
use crate::skb::{CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY, NOT_SET, gso};
use crate::trace::SkbNo;

const FILE: &str = "net/core/gro.c";

/// `gro_result_t`, as `dev_gro_receive()` returns it.
mod result {
    /// Merged into another packet, which has it in its list.
    pub const MERGED: i64 = 0;
    /// Merged; the skb itself is of no more use.
    pub const MERGED_FREE: i64 = 1;
    /// Held until others come or the poll ends.
    pub const HELD: i64 = 2;
    /// Goes up as it is.
    pub const NORMAL: i64 = 3;
}

/// A copy of a header: most are no longer than one of TCP with its options.
pub(super) type GroHeader = SmallVec<[u8; 64]>;

/// `struct napi_gro_cb`: what is known of the packet on its way through the headers.
#[derive(Debug)]
pub(super) struct GroCb {
    /// `data_offset`: how far the headers have been looked at, from `data`.
    pub offset: u32,
    /// Must not be held.
    pub flush: bool,
    /// Has been merged.
    pub same_flow: bool,
    /// How it was merged.
    pub merged: Option<Merged>,
    /// A tunnel header has been passed; there is only one.
    pub encap_mark: bool,
    /// Checksums that are known to be right.
    csum_cnt: u8,
    /// `same_flow` of the held packets.
    pub flow: Vec<SkbNo>,
    /// Where the IP headers are, from `data`, outermost first.
    pub networks: Vec<u32>,
    /// The NAPI's device.
    pub dev: DevId,
    /// `gso_size` of a packet that was merged before, at another device; 0 otherwise.
    pub gso_size: u32,
}

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
            k.napi_queue(dev, no, Softirq::GroCell(dev));
            Ok(0)
        })
    }

    /// `napi_gro_receive()` (`gro_receive_skb()` since 6.13).
    pub(super) fn napi_gro_receive(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        let mut merged = None;
        let verdict = self.traced("gro_receive_skb", FILE, no, |k| {
            let (verdict, cb) = k.dev_gro_receive(dev, no)?;
            merged = cb.merged;
            if merged == Some(Merged::StolenHead) {
                let name = "napi_skb_free_stolen_head";
                k.traced(name, "net/core/skbuff.c", no, |_| Ok(()))?;
            }
            Ok(verdict)
        })?;
        match merged {
            Some(Merged::StolenHead) => self.forget_stolen(no),
            // __kfree_skb()
            Some(Merged::Emptied) => self.free_quietly(no)?,
            _ => {}
        }
        match verdict {
            result::NORMAL => self.gro_normal_one(dev, no, 1),
            _ => Ok(()),
        }
    }

    /// `dev_gro_receive()` and `napi_frags_finish()`, for a packet that `napi_frags_skb()` has prepared: one that stays
    /// gets its Ethernet header looked at by the stack's own function; one that was merged waits for the next frame.
    pub(super) fn gro_frags_receive(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        let (verdict, cb) = self.dev_gro_receive(dev, no)?;
        match verdict {
            result::NORMAL | result::HELD => {
                self.skb_mut(no).push(ethernet::HLEN)?;
                self.driver_type(no, dev)?;
                match verdict {
                    result::NORMAL => self.gro_normal_one(dev, no, 1),
                    _ => Ok(()),
                }
            }
            result::MERGED_FREE if cb.merged == Some(Merged::Emptied) => {
                self.napi_reuse_skb(dev, no)
            }
            result::MERGED_FREE => {
                self.forget_stolen(no);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `dev_gro_receive()`.
    fn dev_gro_receive(&mut self, dev: DevId, no: SkbNo) -> Run<(i64, GroCb)> {
        let buffer = self.buffers.get(self.skb(no).head);
        let (shinfo, listed) = (buffer.shinfo, !buffer.frag_list.is_empty());
        // what was merged already is merged on only when it is of TCP and lies in fragments
        let tcp = shinfo.gso_type & gso::TCP != 0;
        let flush = listed || (shinfo.gso_size > 0 && !tcp);
        let skb = self.skb(no);
        let summed = skb.ip_summed == CHECKSUM_UNNECESSARY;
        let csum_cnt = if summed { skb.bpf.csum_level + 1 } else { 0 };
        let mut cb = GroCb {
            offset: 0,
            flush,
            same_flow: false,
            merged: None,
            encap_mark: false,
            csum_cnt,
            flow: Vec::new(),
            networks: Vec::new(),
            dev,
            gso_size: u32::from(shinfo.gso_size),
        };
        let verdict = self.traced("dev_gro_receive", FILE, no, |k| {
            let here = k.skb(no).dev;
            let protocol = k.skb(no).protocol;
            let known =
                matches!(protocol, ethernet::P_IP | ethernet::P_IPV6) || vlan::is_vlan(protocol);
            if !known || here.is_none_or(|dev| k.netif_elide_gro(dev)) {
                return Ok(result::NORMAL);
            }
            cb.flow = k.gro_list_prepare(dev, no);
            let skb = k.skb_mut(no);
            skb.reset_network_header();
            skb.reset_mac_len();
            if let Some(complete) = k.gro_receive_by_type(no, protocol, &mut cb)? {
                if let Some(napi) = k.napi.get_mut(dev) {
                    napi.held.retain(|held| *held != complete);
                }
                k.napi_gro_complete(dev, complete)?;
            }
            if cb.same_flow {
                return Ok(match cb.merged {
                    Some(Merged::StolenHead | Merged::Emptied) => result::MERGED_FREE,
                    _ => result::MERGED,
                });
            }
            if cb.flush {
                return Ok(result::NORMAL);
            }
            let (head, len) = (k.skb(no).head, k.skb(no).len.saturating_sub(cb.offset));
            if cb.gso_size == 0 {
                k.buffers.shinfo_mut(head).gso_size = len as u16;
            }
            let segment = Segment::new(shinfo.packets(), len, &cb.networks);
            k.gro_segments.insert(no, segment);
            k.napi.of(dev).held.push(no);
            Ok(result::HELD)
        })?;
        Ok((verdict, cb))
    }

    /// `gro_list_prepare()`: held packets that may be of the same flow: of the same device and VLAN, with equal
    /// metadata and equal MAC headers.
    fn gro_list_prepare(&self, dev: DevId, no: SkbNo) -> Vec<SkbNo> {
        let skb = self.skb(no);
        let held = self.napi.get(dev).map_or(&[][..], |napi| &napi.held);
        let mac_len = skb
            .dev
            .map_or(0, |dev| self.topology.dev(dev).hard_header_len);
        let mac = |no: SkbNo| self.bytes(no, u32::from(self.skb(no).mac_header), mac_len);
        let same = |other: &&SkbNo| {
            let p = self.skb(**other);
            p.dev == skb.dev
                && (p.vlan_present, p.vlan_tci) == (skb.vlan_present, skb.vlan_tci)
                && !self.skb_metadata_differs(**other, no)
                && mac(**other) == mac(no)
        };
        held.iter().filter(same).copied().collect()
    }

    /// `skb_metadata_differs()`: where the design says that they are.
    fn skb_metadata_differs(&self, a: SkbNo, b: SkbNo) -> bool {
        let meta = |no: SkbNo| {
            let meta = self.meta_fields(self.skb(no));
            self.bytes(no, meta.start.unwrap_or(0), meta.len)
        };
        meta(a) != meta(b)
    }

    /// `gro_find_receive_by_type()` and what it finds. Gives the held packet that must go up now.
    pub(super) fn gro_receive_by_type(
        &mut self,
        no: SkbNo,
        protocol: u16,
        cb: &mut GroCb,
    ) -> Run<Option<SkbNo>> {
        match protocol {
            ethernet::P_IP => self.inet_gro_receive(no, cb),
            ethernet::P_IPV6 => self.ipv6_gro_receive(no, cb),
            ethernet::P_TEB => {
                // eth_gro_receive()
                let protocol = be16(&self.gro_header(no, cb, ethernet::HLEN)?, 12);
                cb.offset += ethernet::HLEN;
                self.gro_receive_by_type(no, protocol, cb)
            }
            protocol if vlan::is_vlan(protocol) => {
                self.traced("vlan_gro_receive", "net/8021q/vlan_core.c", no, |k| {
                    let protocol = be16(&k.gro_header(no, cb, vlan::HLEN)?, 2);
                    cb.offset += vlan::HLEN;
                    k.gro_receive_by_type(no, protocol, cb)
                })
            }
            _ => {
                cb.flush = true;
                Ok(None)
            }
        }
    }

    /// `skb_gro_header()`: the bytes at the offset, which are linear afterwards; fewer when the packet ends before.
    pub(super) fn gro_header(&mut self, no: SkbNo, cb: &GroCb, len: u32) -> Run<GroHeader> {
        self.pskb_may_pull(no, cb.offset + len)?;
        let skb = self.skb(no);
        let left = skb.headlen().saturating_sub(cb.offset);
        let header = self.bytes(no, skb.data + cb.offset, len.min(left));
        Ok(GroHeader::from_slice(header))
    }

    /// `skb_gro_checksum_validate()` for a protocol with a pseudo header; a right checksum need not be
    /// looked at again.
    pub(super) fn gro_checksum_validate(&mut self, no: SkbNo, pseudo: u16, cb: &mut GroCb) -> bool {
        let skb = self.skb(no);
        let at = skb.data + cb.offset;
        let partial = skb.ip_summed == CHECKSUM_PARTIAL && u32::from(skb.csum_start) >= at;
        if !partial && cb.csum_cnt == 0 {
            let len = skb.len.saturating_sub(cb.offset);
            if checksum::sum(&self.packet(no, cb.offset, len), pseudo) != 0xffff {
                return false;
            }
        }
        self.gro_incr_csum_unnecessary(no, cb);
        true
    }

    /// `skb_gro_incr_csum_unnecessary()`.
    pub(super) fn gro_incr_csum_unnecessary(&mut self, no: SkbNo, cb: &mut GroCb) {
        if cb.csum_cnt > 0 {
            cb.csum_cnt -= 1;
        } else {
            self.skb_incr_checksum_unnecessary(no);
        }
    }

    /// `napi_gro_complete()`: a packet that stayed alone is as before; the headers of a merged one are completed.
    pub(super) fn napi_gro_complete(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        let segment = self.gro_segments.remove(&no);
        let count = segment.as_ref().map_or(1, |segment| segment.count);
        let head = self.skb(no).head;
        match segment {
            Some(segment) if count > 1 => {
                if !self.gro_complete_headers(no, (&segment.networks, segment.fixed_ids), dev)? {
                    return not_covered("gro_complete of a protocol that never merges");
                }
                self.buffers.shinfo_mut(head).gso_segs = count;
            }
            _ => self.buffers.shinfo_mut(head).gso_size = 0,
        }
        self.gro_normal_one(dev, no, count)
    }

    /// `netif_elide_gro()`: no GRO feature (veth without `ethtool -K … gro on`), or a generic XDP program.
    fn netif_elide_gro(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        let generic_xdp = matches!(device.xdp, Some((_, XdpMode::Generic)));
        generic_xdp || !device.gro
    }
}
