//! How each kind of driver makes an skb of the buffers that a card has filled.

use super::{Kernel, Run};
use crate::net::ethernet;
use crate::net::headlen::headers_len;
use crate::scenario::nic::NicDriver;
use crate::scenario::topology::DevId;
use crate::skb::{Frag, NET_SKB_PAD, PAGE_SIZE, SHARED_INFO_SIZE, data_align};
use crate::trace::{OriginId, SkbNo};
use crate::xdp::XdpBuff;

/// `SKB_WITH_OVERHEAD(SKB_SMALL_HEAD_CACHE_SIZE)`: `napi_alloc_skb()` takes heads of up to so many bytes from kmalloc.
const SMALL_HEAD: u32 = 704 - SHARED_INFO_SIZE;
/// `GRO_MAX_HEAD` (`include/net/gro.h`): `MAX_HEADER`, 176 in Debian's kernel, and 128.
const GRO_MAX_HEAD: u32 = 304;

impl Kernel {
    /// The driver's own function, to the end of `eth_type_trans()`.
    pub(super) fn skb_of_driver(
        &mut self,
        driver: NicDriver,
        xdp: &XdpBuff,
        dev: DevId,
    ) -> Run<SkbNo> {
        match driver {
            NicDriver::InPlace => {
                let no = self.napi_build_skb(xdp);
                self.driver_metadata(no, xdp)?;
                self.xdp_update_skb_frags_info(no);
                self.driver_type(no, dev)?;
                Ok(no)
            }
            NicDriver::AfterType => {
                let no = self.napi_build_skb(xdp);
                self.driver_type(no, dev)?;
                self.driver_metadata(no, xdp)?;
                Ok(no)
            }
            NicDriver::Copy => self.driver_copies(xdp, dev),
            NicDriver::Forgetful => self.nfp_nfd3_xsk_rx_skb(xdp, dev),
            NicDriver::HeaderCopy => self.bnxt_rx_page_skb(xdp, dev),
            NicDriver::Silent | NicDriver::HeaderSplit | NicDriver::AllFrags => {
                let no = self.napi_build_skb(xdp);
                self.not_handed_over(no, xdp);
                self.xdp_update_skb_frags_info(no);
                self.driver_type(no, dev)?;
                Ok(no)
            }
        }
    }

    /// `nfp_nfd3_xsk_rx_skb()` (`drivers/net/ethernet/netronome/nfp/nfd3/xsk.c`): the frame alone is copied, and behind a
    /// program the skb is told of `xdp->data - xdp->data_meta` bytes. The driver has said that it has no metadata, so that is
    /// -1, and 255 in a `u8`. A design that hands over bytes or values has none to hand over.
    fn nfp_nfd3_xsk_rx_skb(&mut self, xdp: &XdpBuff, dev: DevId) -> Run<SkbNo> {
        let no = self.napi_alloc_copy(xdp, xdp.data);
        self.driver_type(no, dev)?;
        let only_a_length = self.design.outside().is_none() && !self.design.at_head_start();
        if only_a_length && self.native_xdp(dev).is_some() {
            self.skb_metadata_set(no, u32::from(u8::MAX));
        }
        Ok(no)
    }

    /// Metadata and frame in one piece; patches 1–6 and 8 change the order of the two steps behind it.
    fn driver_copies(&mut self, xdp: &XdpBuff, dev: DevId) -> Run<SkbNo> {
        let no = self.napi_alloc_copy(xdp, xdp.data_meta);
        let early = !self.design.set_at_mac_header();
        if early {
            self.driver_metadata(no, xdp)?;
        }
        self.skb_mut(no).pull(xdp.meta_len())?;
        if !early {
            self.driver_metadata(no, xdp)?;
        }
        self.driver_type(no, dev)?;
        Ok(no)
    }

    /// `bnxt_rx_page_skb()`: the headers (`eth_get_headlen()`) are copied, the rest of the page is a fragment, an empty one
    /// when there is no rest. Metadata stay in the page, and nobody says that there were any.
    fn bnxt_rx_page_skb(&mut self, xdp: &XdpBuff, dev: DevId) -> Run<SkbNo> {
        let len = xdp.data_end - xdp.data;
        let frame = self.buffers.get(xdp.head).bytes(xdp.data, len);
        let payload = headers_len(frame);
        let no = self.napi_alloc_skb(payload);
        self.skb_mut(no).put(payload);
        let (head, at) = (self.skb(no).head, self.skb(no).data);
        self.buffers.memcpy(head, at, xdp.head, xdp.data, payload);
        let rest = Frag {
            page: xdp.head,
            offset: xdp.data + payload,
            size: len - payload,
        };
        self.skb_add_rx_frag(no, rest);
        self.not_handed_over(no, xdp);
        self.driver_type(no, dev)?;
        Ok(no)
    }

    /// `otx2_rcv_pkt_handler()` behind XDP: every buffer is a fragment as the card has described it, whatever the program
    /// did to its start, in an skb that GRO keeps for the purpose (`napi_get_frags()`). The length of the metadata is
    /// said of a head that holds nothing.
    pub(super) fn otx2_receive(&mut self, xdp: &XdpBuff, before: &XdpBuff, dev: DevId) -> Run<()> {
        let no = self.napi_get_frags(dev);
        let first = Frag {
            page: xdp.head,
            offset: before.data,
            size: before.data_end - before.data,
        };
        let rest = std::mem::take(self.buffers.frags_mut(xdp.head));
        for frag in std::iter::once(first).chain(rest) {
            self.skb_add_rx_frag(no, frag);
        }
        self.driver_metadata(no, xdp)?;
        self.napi_gro_frags(dev, no)
    }

    /// `napi_get_frags()` (`net/core/gro.c`): the skb that was of no more use after merging, else a new one.
    fn napi_get_frags(&mut self, dev: DevId) -> SkbNo {
        let kept = self.napi.get_mut(dev).and_then(|napi| napi.skb.take());
        let no = kept.unwrap_or_else(|| self.napi_alloc_skb(GRO_MAX_HEAD));
        self.skb_mut(no).dev = Some(dev);
        no
    }

    /// `napi_gro_frags()` and `napi_frags_skb()` (`net/core/gro.c`): the Ethernet header is taken out of the first
    /// fragment, so that GRO finds the same layout as always.
    fn napi_gro_frags(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        self.traced("napi_gro_frags", "net/core/gro.c", no, |k| {
            k.skb_mut(no).reset_mac_header();
            if k.skb(no).len < ethernet::HLEN {
                return k.napi_reuse_skb(dev, no);
            }
            k.gro_pull_from_frag0(no, ethernet::HLEN)?;
            let skb = k.skb_mut(no);
            skb.pull(ethernet::HLEN)?;
            let at = u32::from(skb.mac_header) + 12;
            let protocol = crate::net::dissect::be16(k.bytes(no, at, 2), 0);
            k.skb_mut(no).protocol = protocol;
            k.gro_frags_receive(dev, no)
        })
    }

    /// `napi_reuse_skb()` (`net/core/gro.c`): the skb waits for the next frame. What it resets does not include the length
    /// of the metadata; extensions are dropped (`slow_gro`).
    pub(super) fn napi_reuse_skb(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        self.traced("napi_reuse_skb", "net/core/gro.c", no, |k| {
            let headlen = k.skb(no).headlen();
            k.skb_mut(no).pull(headlen)?;
            let skb = k.skb_mut(no);
            (skb.data, skb.tail) = (NET_SKB_PAD, NET_SKB_PAD);
            skb.clear_vlan_tag();
            (skb.dev, skb.skb_iif) = (Some(dev), 0);
            skb.pkt_type = crate::skb::PacketType::Host;
            skb.encapsulation = false;
            skb.ip_summed = crate::skb::CHECKSUM_NONE;
            let head = skb.head;
            let shinfo = k.buffers.shinfo_mut(head);
            (shinfo.gso_size, shinfo.gso_type) = (0, 0);
            k.metadata_scrub_extension(no);
            k.judge.reused(head, no);
            k.napi.of(dev).skb = Some(no);
            Ok(())
        })
    }

    /// `skb_metadata_set()`, if the program left any; the judge is told which bytes they are in the page.
    fn driver_metadata(&mut self, no: SkbNo, xdp: &XdpBuff) -> Run<()> {
        let origins = self.left_by_xdp(xdp);
        let start = if self.skb(no).head == xdp.head {
            xdp.data_meta
        } else {
            NET_SKB_PAD
        };
        self.hand_over(no, start, xdp.meta_len(), &origins)
    }

    /// The driver calls no `skb_metadata_set()`: what the program left is lost, and the judge knows that it was there.
    fn not_handed_over(&mut self, no: SkbNo, xdp: &XdpBuff) {
        let origins = self.left_by_xdp(xdp);
        if origins.is_empty() {
            return;
        }
        match self.design.outside() {
            None => {
                let head = self.skb(no).head;
                self.judge.handed_over(head, xdp.data_meta as i32, &origins);
            }
            Some(_) => {
                self.judge.carried_by(no, &origins);
                self.judge.lost_at(no, self.recorder.next_step());
            }
        }
    }

    fn left_by_xdp(&self, xdp: &XdpBuff) -> Vec<OriginId> {
        let page = self.buffers.get(xdp.head);
        page.origins(xdp.data_meta, xdp.meta_len()).to_vec()
    }

    /// `napi_build_skb()`: around the page, `data` at the frame.
    fn napi_build_skb(&mut self, xdp: &XdpBuff) -> SkbNo {
        let no = self.skb_around(xdp);
        self.skb_mut(no).head_frag = true;
        no
    }

    /// `napi_alloc_skb()` and a memcpy of the page from `from` on; the page goes back to the ring.
    fn napi_alloc_copy(&mut self, xdp: &XdpBuff, from: u32) -> SkbNo {
        let len = xdp.data_end - from;
        let no = self.napi_alloc_skb(len);
        let skb = self.skb_mut(no);
        skb.put(len);
        let (to, at) = (skb.head, skb.data);
        self.buffers.memcpy(to, at, xdp.head, from, len);
        no
    }

    /// `napi_alloc_skb()`: a small head, or one too large for a page, is from kmalloc; another is a page fragment of just
    /// that size.
    fn napi_alloc_skb(&mut self, len: u32) -> SkbNo {
        let len = len + NET_SKB_PAD;
        let kmalloc = len <= SMALL_HEAD || len > PAGE_SIZE - SHARED_INFO_SIZE;
        let no = if kmalloc {
            self.alloc_skb(len)
        } else {
            let head = self.alloc_head(data_align(len));
            self.new_skb(head)
        };
        let skb = self.skb_mut(no);
        skb.head_frag = !kmalloc;
        skb.reserve(NET_SKB_PAD);
        no
    }
}
