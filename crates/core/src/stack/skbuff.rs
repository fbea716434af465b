//! `net/core/skbuff.c`: a packet's life and its buffer.

use super::page_pool::PoolOf;
use super::skb_own::ENOMEM;
use super::{Kernel, Run};
use crate::net::checksum;
use crate::scenario::topology::DevId;
use crate::skb::{
    Frag, MAX_LINEAR, MAX_SKB_FRAGS, PAGE_SIZE, PacketType, SkBuff, data_align, kmalloc_end,
    page_end,
};
use crate::trace::{Layer, Outcome, SkbNo, StepKind};

const FILE: &str = "net/core/skbuff.c";
/// `PAGE_SIZE - headroom - shared info`: what `skb_pp_cow_data()` keeps linear, at most.
const PP_MAX_HEAD: u32 = 4096 - 256 - 320;

/// `enum skb_drop_reason` (`include/net/dropreason-core.h`, Linux 7.2), those that occur. Recordings confirm 2, 3,
/// 9, 13–15, 56, 70, 83, 85 and 86.
pub(super) mod drop_reason {
    pub const NOT_SPECIFIED: u32 = 2;
    pub const NO_SOCKET: u32 = 3;
    pub const SOCKET_FILTER: u32 = 5;
    pub const PKT_TOO_SMALL: u32 = 9;
    pub const TCP_CSUM: u32 = 10;
    pub const UDP_CSUM: u32 = 11;
    pub const NETFILTER_DROP: u32 = 12;
    pub const OTHERHOST: u32 = 13;
    pub const IP_CSUM: u32 = 14;
    pub const IP_INHDR: u32 = 15;
    pub const IP_NOPROTO: u32 = 19;
    pub const IP_OUTNOROUTES: u32 = 54;
    pub const BPF_CGROUP_EGRESS: u32 = 55;
    pub const IPV6DISABLED: u32 = 56;
    pub const NEIGH_FAILED: u32 = 58;
    pub const TC_EGRESS: u32 = 62;
    pub const QDISC_DROP: u32 = 64;
    pub const XDP: u32 = 69;
    pub const TC_INGRESS: u32 = 70;
    pub const UNHANDLED_PROTO: u32 = 71;
    pub const DEV_READY: u32 = 77;
    pub const ICMP_CSUM: u32 = 83;
    pub const INVALID_PROTO: u32 = 84;
    pub const IP_INADDRERRORS: u32 = 85;
    pub const IP_INNOROUTES: u32 = 86;
    pub const IP_LOCAL_SOURCE: u32 = 87;
    pub const IP_INVALID_SOURCE: u32 = 88;
    pub const IP_LOCALNET: u32 = 89;
    pub const IP_INVALID_DEST: u32 = 90;
    pub const PKT_TOO_BIG: u32 = 91;
    pub const DUP_FRAG: u32 = 92;
    pub const IPV6_TOO_MANY_EXTHDRS: u32 = 97;
    pub const IPV6_NDISC_HOP_LIMIT: u32 = 99;
    pub const IPV6_NDISC_BAD_CODE: u32 = 100;
    pub const IPV6_NDISC_BAD_OPTIONS: u32 = 101;
    pub const IPV6_NDISC_NS_OTHERHOST: u32 = 102;
    pub const VXLAN_INVALID_HDR: u32 = 108;
    pub const VXLAN_VNI_NOT_FOUND: u32 = 109;
    pub const MAC_INVALID_SOURCE: u32 = 110;
    pub const NO_TX_TARGET: u32 = 112;
    pub const IP_TUNNEL_ECN: u32 = 113;
    pub const TUNNEL_TXINFO: u32 = 114;
    pub const LOCAL_MAC: u32 = 115;
    pub const MAC_IEEE_MAC_CONTROL: u32 = 117;
    pub const BRIDGE_INGRESS_STP_STATE: u32 = 118;
    pub const RECURSION_LIMIT: u32 = 125;
}

impl Kernel {
    /// `alloc_skb()`: a packet in a fresh head of at least `size` bytes.
    pub(super) fn alloc_skb(&mut self, size: u32) -> SkbNo {
        let head = self.alloc_head(kmalloc_end(size.min(MAX_LINEAR)));
        self.new_skb(head)
    }

    /// `napi_skb_cache_get()`: what was given back there is the first to be given out.
    pub(super) fn new_skb(&mut self, head: crate::trace::BufferNo) -> SkbNo {
        match self.free_skb_no.take() {
            Some(no) => self.skb_born(no, head),
            None => self.new_skb_of_slab(head),
        }
    }

    /// `kmem_cache_alloc()`, past that cache, as `skb_clone()` does.
    pub(super) fn new_skb_of_slab(&mut self, head: crate::trace::BufferNo) -> SkbNo {
        self.next_skb += 1;
        self.skb_born(SkbNo(self.next_skb - 1), head)
    }

    fn skb_born(&mut self, no: SkbNo, head: crate::trace::BufferNo) -> SkbNo {
        if self.design.outside().is_some() {
            self.stores.born(no);
        }
        self.judge.born(no);
        self.skbs.insert(SkBuff::new(no, head));
        no
    }

    /// `build_skb()`: a packet around a buffer that a driver filled.
    pub(super) fn skb_around(&mut self, xdp: &crate::xdp::XdpBuff) -> SkbNo {
        let no = self.new_skb(xdp.head);
        let skb = self.skb_mut(no);
        skb.reserve(xdp.data);
        skb.put(xdp.data_end - xdp.data);
        no
    }

    pub(super) fn alloc_head(&mut self, end: u32) -> crate::trace::BufferNo {
        self.recorder.trace.cost.buffer_allocations += 1;
        self.buffers.alloc(end)
    }

    /// `consume_skb()`: the packet has reached its end and is released, unless somebody else holds it.
    pub(super) fn consume_skb(&mut self, no: SkbNo) -> Run<()> {
        if self.skb_unref(no) {
            self.end_of_life("consume_skb", no, None)?;
        }
        Ok(())
    }

    /// `kfree_skb_reason()`: the packet is dropped.
    pub(super) fn kfree_skb(&mut self, no: SkbNo, reason: u32) -> Run<()> {
        if self.skb_unref(no) {
            self.end_of_life("kfree_skb", no, Some(reason))?;
        }
        Ok(())
    }

    /// `skb_unref()`: one user less; says whether it was the last.
    fn skb_unref(&mut self, no: SkbNo) -> bool {
        let skb = self.skb_mut(no);
        let last = skb.users <= 1;
        if !last {
            skb.users -= 1;
        }
        last
    }

    fn end_of_life(&mut self, name: &'static str, no: SkbNo, reason: Option<u32>) -> Run<()> {
        self.tell_end_of_life(name, no, reason)?;
        self.free_quietly(no)
    }

    /// The tracepoint `kfree_skb` or `consume_skb`.
    fn tell_end_of_life(
        &mut self,
        name: &'static str,
        no: SkbNo,
        drop_reason: Option<u32>,
    ) -> Run<()> {
        self.step(StepKind::EndOfLife { name, drop_reason }, no, Outcome::None)?;
        if !self.recorder.quiet {
            let dev = self.skb(no).dev.map(|dev| self.dev_ref(dev));
            self.judge.forget(no, dev);
        }
        Ok(())
    }

    /// `__kfree_skb()`, without a tracepoint for the packet itself. Why it goes is not passed on to its list.
    pub(super) fn free_quietly(&mut self, no: SkbNo) -> Run<()> {
        self.skb_release_all(no, Some(drop_reason::NOT_SPECIFIED))
    }

    /// `skb_release_all()` and `kfree_skbmem()`. `reason` is that of the packets in its list.
    fn skb_release_all(&mut self, no: SkbNo, reason: Option<u32>) -> Run<()> {
        self.metadata_freed(no);
        match self.skbs.remove(&no) {
            Some(head) => self.skb_release_data(head, reason),
            None => Ok(()),
        }
    }

    /// `kfree_skb_list_reason()` of one packet. `None` is `SKB_CONSUMED`, which the other tracepoint tells.
    pub(super) fn kfree_skb_list(&mut self, member: SkbNo, reason: Option<u32>) -> Run<()> {
        if self.skbs.get(&member).is_none() || !self.skb_unref(member) {
            return Ok(());
        }
        let name = match reason {
            Some(_) => "kfree_skb",
            None => "consume_skb",
        };
        self.tell_end_of_life(name, member, reason)?;
        self.skb_release_all(member, reason)
    }

    /// Makes a 4-byte or longer stretch of the packet writable for a header and says who writes it.
    pub(super) fn write_header(
        &mut self,
        no: SkbNo,
        offset: u32,
        bytes: &[u8],
        layer: Layer,
        label: String,
        writer: &str,
    ) {
        let (head, dev) = (self.skb(no).head, self.skb(no).dev);
        let source = self.source(layer, label, writer, dev, bytes.len() as u32);
        self.buffers.write(head, offset, bytes, source, 0);
    }

    /// `pskb_expand_head()`: a new head with `nhead` more bytes in front and `ntail` behind.
    pub(super) fn pskb_expand_head(&mut self, no: SkbNo, nhead: u32, ntail: u32) -> Run<i64> {
        self.traced("pskb_expand_head", FILE, no, |k| {
            let (old, tail) = (k.skb(no).head, k.skb(no).tail);
            let end = kmalloc_end(k.buffers.get(old).end() + nhead + ntail);
            let new = k.alloc_head(end);
            k.buffers.memcpy(new, nhead, old, 0, tail);
            let mut shinfo = k.buffers.get(old).shinfo;
            k.design.expand_head(&mut shinfo, nhead);
            *k.buffers.shinfo_mut(new) = shinfo;
            k.move_shared_info(no, old, new)?;
            k.judge.moved_buffer(old, new, nhead);
            k.metadata_to_new_head(new, nhead);
            let skb = k.skb_mut(no);
            skb.head = new;
            skb.data += nhead;
            skb.tail += nhead;
            skb.headers_offset_update(nhead as i32);
            skb.cloned = false;
            skb.head_frag = false;
            Ok(0)
        })
    }

    /// `skb_expand_head()`: a new head with at least `headroom` bytes in front.
    pub(super) fn skb_expand_head(&mut self, no: SkbNo, headroom: u32) -> Run<()> {
        self.traced("skb_expand_head", FILE, no, |k| {
            let missing = headroom.saturating_sub(k.skb(no).headroom());
            k.pskb_expand_head(no, data_align(missing), 0)?;
            Ok(Some(no))
        })?;
        Ok(())
    }

    /// `skb_cow_head()`: at least `headroom` bytes in front, and a head of one's own.
    pub(super) fn skb_cow_head(&mut self, no: SkbNo, headroom: u32) -> Run<()> {
        self.__skb_cow(no, headroom, self.skb_header_cloned(no))
    }

    /// `skb_pp_cow_data()`: copies the packet into a page-pool buffer with `headroom` bytes in
    /// front; what is longer than a page goes on in others, as fragments. Gives the copy; the original is consumed.
    /// `None`: the packet is longer than that (`-ENOMEM`), and still there.
    pub(super) fn skb_pp_cow_data(
        &mut self,
        pool: PoolOf,
        old: SkbNo,
        headroom: u32,
    ) -> Run<Option<SkbNo>> {
        let mut copy = None;
        self.traced_pskb("skb_pp_cow_data", FILE, old, |k| {
            let len = k.skb(old).len;
            if len > PP_MAX_HEAD + MAX_SKB_FRAGS as u32 * PAGE_SIZE {
                return Ok((ENOMEM, old));
            }
            let size = len.min(PP_MAX_HEAD);
            let head = k.page_pool_dev_alloc_va(pool, page_end(headroom, size));
            let new = k.new_skb(head);
            copy = Some(new);
            let original = k.skb(old).clone();
            k.skb_copy_bits(old, 0, (head, headroom), size);
            let skb = k.skb_mut(new);
            // skb_copy_header() takes the fields of the group `headers` and a few others; mac_len is not among them
            *skb = SkBuff {
                no: new,
                head,
                data: headroom,
                tail: headroom + size,
                len: size,
                data_len: 0,
                users: 1,
                cloned: false,
                head_frag: true,
                mac_len: 0,
                ..original
            };
            skb.headers_offset_update(headroom as i32 - original.data as i32);
            let shinfo = k.buffers.get(original.head).shinfo;
            k.buffers.shinfo_mut(head).copy_gso(&shinfo);
            let mut done = size;
            while done < len {
                let size = (len - done).min(PAGE_SIZE);
                let page = k.page_pool_dev_alloc(pool, size);
                k.skb_copy_bits(old, done, (page, 0), size);
                let offset = 0;
                k.skb_add_rx_frag(new, Frag { page, offset, size });
                done += size;
            }
            k.metadata_cloned(old, new);
            k.consume_skb(old)?;
            Ok((0i64, new))
        })?;
        Ok(copy)
    }

    /// `skb_scrub_packet()`: forgets what belonged to the old namespace or tunnel. Headroom
    /// metadata are not touched (patch-series.md 6a).
    pub(super) fn skb_scrub_packet(&mut self, no: SkbNo, xnet: bool) -> Run<()> {
        self.traced("skb_scrub_packet", FILE, no, |k| {
            k.metadata_scrubbed(no);
            let skb = k.skb_mut(no);
            skb.pkt_type = PacketType::Host;
            skb.skb_iif = 0;
            skb.ignore_df = false;
            skb.drop_dst();
            if xnet {
                skb.mark = 0;
            }
            Ok(())
        })
    }

    /// Whether two devices are in different namespaces.
    pub(super) fn crosses_netns(&self, a: Option<DevId>, b: DevId) -> bool {
        a.is_some_and(|a| self.topology.dev(a).netns != self.topology.dev(b).netns)
    }

    /// `skb_metadata_set()`: `len` bytes of metadata lie in front of the packet, in the design's way.
    pub(super) fn skb_metadata_set(&mut self, no: SkbNo, len: u32) {
        let skb = &self.skbs[&no];
        self.design
            .metadata_set(skb, self.buffers.shinfo_mut(skb.head), len as u8);
    }

    /// `skb_metadata_clear()`.
    pub(super) fn skb_metadata_clear(&mut self, no: SkbNo) {
        self.skb_metadata_set(no, 0);
    }

    /// `skb_checksum_simple_validate()`: sums the packet from `data`; what hardware did not check
    /// is `CHECKSUM_COMPLETE` afterwards.
    pub(super) fn skb_checksum_simple_validate(&mut self, no: SkbNo) -> bool {
        self.skb_mut(no).csum_valid = false;
        if self.csum_unnecessary(no) {
            self.csum_is_valid(no);
            return true;
        }
        let len = self.skb(no).len;
        let csum = self.skb_checksum(no, 0, len);
        let valid = checksum::csum_fold(csum) == 0;
        self.csum_is_complete(no, csum, valid);
        valid
    }
}
