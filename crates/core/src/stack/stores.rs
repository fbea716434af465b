//! Metadata and the skb: handing over what XDP left, and designs that keep them elsewhere than in front of the packet.
//!
//! The stack calls these at the points where designs can differ; a design that keeps metadata in the headroom answers
//! *nothing* at most of them.

use std::collections::BTreeMap;

use super::{Kernel, Run};
use crate::design::policy::{OnClone, OnDecap, OnEncap, OnFree, OnScrub};
use crate::design::{TRAITS_HEADER, TRAITS_START, traits};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::header;
use crate::trace::{BufferNo, Layer, OriginId, SkbNo};
use crate::xdp::{XDP_FRAME_SIZE, XdpBuff};

/// What belongs to skbs outside of their buffers, by the address of the skb.
#[derive(Debug, Default)]
pub(super) struct Stores {
    addresses: BTreeMap<SkbNo, u32>,
    /// Addresses that are free again; the one freed last is given out first, as SLUB does.
    free: Vec<u32>,
    next: u32,
    at: BTreeMap<u32, BufferNo>,
}

impl Stores {
    /// A new skb gets an address.
    pub fn born(&mut self, no: SkbNo) {
        let address = self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        self.addresses.insert(no, address);
    }

    fn get(&self, no: SkbNo) -> Option<BufferNo> {
        self.at.get(self.addresses.get(&no)?).copied()
    }

    fn put(&mut self, no: SkbNo, store: BufferNo) {
        if let Some(address) = self.addresses.get(&no) {
            self.at.insert(*address, store);
        }
    }

    fn take(&mut self, no: SkbNo) -> Option<BufferNo> {
        self.at.remove(self.addresses.get(&no)?)
    }
}

/// Where the metadata of a packet can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The packet's buffer, or what they are kept in.
    pub buffer: BufferNo,
    /// Offset from its start, bytes.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

impl Kernel {
    /// `skb_metadata_set()` after an XDP program, if it left any metadata; and what the design does then.
    pub(super) fn hand_over_metadata(&mut self, no: SkbNo, xdp: &XdpBuff) -> Run<()> {
        let origins = self
            .buffers
            .get(xdp.head)
            .origins(xdp.data_meta, xdp.meta_len());
        let origins = origins.to_vec();
        self.hand_over(no, xdp.data_meta, xdp.meta_len(), &origins)
    }

    /// As [`Kernel::hand_over_metadata`], for a driver that built the skb: `origins` are those of the bytes that the program
    /// left, which must now be at `start` of the skb's head, against the packet. A quiet run has no origins.
    pub(super) fn hand_over(
        &mut self,
        no: SkbNo,
        start: u32,
        len: u32,
        origins: &[OriginId],
    ) -> Run<()> {
        let head = self.skb(no).head;
        if self.xdp_traits == Some(head) {
            self.xdp_traits = None;
            let store = self.buffers.get(head).bytes(XDP_FRAME_SIZE, start);
            let len = traits::Traits::in_memory(store, start).size() - TRAITS_HEADER;
            self.traits_in_place(no, len);
            return Ok(());
        }
        if len == 0 {
            return Ok(());
        }
        if self.design.at_head_start() {
            return self.hand_over_traits(no, start, len);
        }
        self.judge.handed_over(head, start as i32, origins);
        match self.design.outside() {
            None => self.skb_metadata_set(no, len),
            Some(outside) => {
                let store = self.alloc_store(len, outside.allocations);
                self.copy_metadata(store, 0, head, start, len);
                self.judge.carried_by(no, origins);
                self.stores.put(no, store);
            }
        }
        Ok(())
    }

    /// Traits: the values go behind `xdp_frame`, if they fit in front of the packet.
    fn hand_over_traits(&mut self, no: SkbNo, start: u32, len: u32) -> Run<()> {
        let head = self.skb(no).head;
        let bytes = self.buffers.get(head).bytes(start, len).to_vec();
        let room = (start + len).saturating_sub(XDP_FRAME_SIZE);
        let made = traits::Traits::of_run(&bytes, room);
        let ret = self.traced("bpf_xdp_trait_set", "net/core/xdp.c", no, |k| {
            let header = match &made {
                Ok(traits) => traits.header(),
                Err(error) => return Ok(*error),
            };
            let dev = k.skb(no).dev;
            let label = "traits header".to_owned();
            let source = k.source(Layer::ProgramStore, label, "bpf_xdp_trait_set", dev, 16);
            k.buffers.write(head, XDP_FRAME_SIZE, &header, source, 0);
            k.buffers.memmove(head, start, TRAITS_START, len);
            Ok(0)
        })?;
        if ret == 0 {
            self.traits_in_place(no, len);
            self.recorder.trace.cost.metadata_bytes_moved += u64::from(len);
        }
        Ok(())
    }

    /// The values of traits lie where they are to be.
    fn traits_in_place(&mut self, no: SkbNo, len: u32) {
        let head = self.skb(no).head;
        let origins = self.buffers.get(head).origins(TRAITS_START, len).to_vec();
        self.judge.handed_over(head, TRAITS_START as i32, &origins);
        self.skb_metadata_set(no, len);
    }

    /// An extension that a program has asked for: zeros. `None`: the design keeps metadata elsewhere.
    pub(super) fn metadata_created(&mut self, no: SkbNo, len: u32) -> Option<Place> {
        let outside = self.design.outside()?;
        let buffer = self.alloc_store(len, outside.allocations);
        let zeros = self.buffers.get(buffer).origins(0, len).to_vec();
        self.judge.carried_by(no, &zeros);
        self.stores.put(no, buffer);
        Some(Place {
            buffer,
            start: 0,
            len,
        })
    }

    fn alloc_store(&mut self, len: u32, allocations: u64) -> BufferNo {
        self.recorder.trace.cost.metadata_allocations += allocations;
        self.buffers.alloc(len)
    }

    fn copy_metadata(&mut self, to: BufferNo, to_offset: u32, from: BufferNo, at: u32, len: u32) {
        self.buffers.memcpy(to, to_offset, from, at, len);
        self.recorder.trace.cost.metadata_bytes_moved += u64::from(len);
    }

    /// Where a program that asks for metadata is led. `None`: there are none, or it may not have them.
    pub(super) fn metadata_place(&self, no: SkbNo) -> Option<Place> {
        if self.design.outside().is_some() {
            let buffer = self.stores.get(no).filter(|_| !self.metadata_refused(no))?;
            let len = self.buffers.get(buffer).end();
            return Some(Place {
                buffer,
                start: 0,
                len,
            });
        }
        let skb = self.skb(no);
        let meta = self.meta_fields(skb);
        Some(Place {
            buffer: skb.head,
            start: meta.start?,
            len: meta.len,
        })
    }

    /// Whether the design refuses this packet's metadata to everyone, because a clone shares them.
    pub(super) fn metadata_refused(&self, no: SkbNo) -> bool {
        let refuses = |outside: crate::design::Outside| outside.on_clone == OnClone::Refuse;
        let store = self.stores.get(no);
        self.design.outside().is_some_and(refuses)
            && store.is_some_and(|store| self.buffers.get(store).dataref > 1)
    }

    /// Bytes of metadata as programs see them: `skb_metadata_len()`, or those kept outside.
    pub(super) fn metadata_len(&self, no: SkbNo) -> u32 {
        if self.design.outside().is_some() {
            return self.metadata_place(no).map_or(0, |place| place.len);
        }
        u32::from(self.buffers.get(self.skb(no).head).shinfo.meta_len)
    }

    /// Whether a load or store at `data_meta` is carried to another place than the headroom in front of the packet.
    pub(super) fn carries_data_meta(&self) -> bool {
        self.design.at_head_start() || self.design.outside().is_some()
    }

    /// A program is about to write: it gets a place of its own where the design copies on write.
    pub(super) fn metadata_to_write(&mut self, no: SkbNo) -> Option<Place> {
        let place = self.metadata_place(no)?;
        let Some(outside) = self.design.outside() else {
            return Some(place);
        };
        let shared = self.buffers.get(place.buffer).dataref > 1;
        if !shared || outside.on_clone != OnClone::CopyOnWrite {
            return Some(place);
        }
        let own = self.alloc_store(place.len, outside.allocations);
        self.copy_metadata(own, 0, place.buffer, 0, place.len);
        *self.buffers.dataref_mut(place.buffer) -= 1;
        self.stores.put(no, own);
        Some(Place {
            buffer: own,
            ..place
        })
    }

    /// `skb_clone()`, and every function that copies the skb's fields to another skb.
    pub(super) fn metadata_cloned(&mut self, from: SkbNo, to: SkbNo) {
        let Some(outside) = self.design.outside() else {
            return;
        };
        self.judge.carried_on(from, to);
        let Some(store) = self.stores.get(from) else {
            return;
        };
        match outside.on_clone {
            OnClone::Share | OnClone::CopyOnWrite | OnClone::Refuse => {
                *self.buffers.dataref_mut(store) += 1;
                self.stores.put(to, store);
                if outside.on_clone == OnClone::Refuse {
                    // While both are there, neither may be asked.
                    for packet in [from, to] {
                        self.judge.lost_at(packet, self.recorder.next_step());
                    }
                }
            }
            OnClone::Copy => {
                let len = self.buffers.get(store).end();
                let copy = self.alloc_store(len, outside.allocations);
                self.copy_metadata(copy, 0, store, 0, len);
                self.stores.put(to, copy);
            }
            OnClone::None => self.judge.lost_at(to, self.recorder.next_step()),
        }
    }

    /// `skb_ext_copy()`, as `ip_copy_metadata()` calls it: an extension is shared as with a clone. No hook fires, so a map
    /// hears nothing of it.
    pub(super) fn metadata_ext_copied(&mut self, from: SkbNo, to: SkbNo) {
        let extension = |outside: crate::design::Outside| outside.in_extension;
        if self.design.outside().is_some_and(extension) {
            // skb_ext_put(): what the other packet had of its own
            self.drop_store(to);
            self.metadata_cloned(from, to);
        }
    }

    /// A fragment is made of a packet, as a fresh one: what lies in front of the old one's data, or in a map under its
    /// address, stays there.
    pub(super) fn metadata_left_behind(&mut self, from: SkbNo, to: SkbNo) {
        match self.design.outside() {
            None => {
                let (old, new) = (self.skb(from).head, self.skb(to).head);
                self.judge.left_behind(old, new);
            }
            Some(outside) if !outside.in_extension => {
                self.judge.carried_on(from, to);
                self.judge.lost_at(to, self.recorder.next_step());
            }
            Some(_) => {}
        }
    }

    /// `skb_scrub_packet()`.
    pub(super) fn metadata_scrubbed(&mut self, no: SkbNo) {
        let clears = |outside: crate::design::Outside| outside.on_scrub == OnScrub::Clear;
        if self.design.outside().is_some_and(clears) {
            self.drop_store(no);
        }
    }

    /// `skb_ext_reset()` in `napi_reuse_skb()`: an extension does not outlive its packet; an element of a map does, since
    /// the skb is not freed.
    pub(super) fn metadata_scrub_extension(&mut self, no: SkbNo) {
        let extension = |outside: crate::design::Outside| outside.in_extension;
        if self.design.outside().is_some_and(extension) {
            self.drop_store(no);
        }
    }

    fn drop_store(&mut self, no: SkbNo) {
        if let Some(store) = self.stores.take(no) {
            let dataref = self.buffers.dataref_mut(store);
            *dataref = dataref.saturating_sub(1);
            self.judge.lost_at(no, self.recorder.next_step());
        }
    }

    /// The end of an skb: its address is free, and what belonged to it is deleted if anything does that.
    pub(super) fn metadata_freed(&mut self, no: SkbNo) {
        let leaks = |outside: crate::design::Outside| outside.on_free == OnFree::Leak;
        if !self.design.outside().is_some_and(leaks) {
            self.drop_store(no);
        }
        if let Some(address) = self.stores.addresses.remove(&no) {
            self.stores.free.push(address);
        }
    }

    /// `pskb_expand_head()`: what must lie at the start of the buffer is brought there.
    pub(super) fn metadata_to_new_head(&mut self, head: BufferNo, nhead: u32) {
        let len = u32::from(self.buffers.get(head).shinfo.meta_len);
        if nhead == 0 || len == 0 || !self.design.expand_moves_to_head() {
            return;
        }
        let size = TRAITS_START - XDP_FRAME_SIZE + len;
        let from = XDP_FRAME_SIZE + nhead;
        self.buffers.memmove(head, from, XDP_FRAME_SIZE, size);
        self.judge
            .moved_metadata(head, from + TRAITS_HEADER, -(nhead as i32));
        self.recorder.trace.cost.metadata_bytes_moved += u64::from(len);
    }

    /// Decapsulation has reset `mac_header`; before, it was `old`.
    pub(super) fn metadata_after_decap(&mut self, no: SkbNo, old: u16) {
        let rule = self.design.on_decap();
        let skb = self.skb(no);
        let (Some(old), Some(new)) = (header(old), header(skb.mac_header)) else {
            return;
        };
        if rule == OnDecap::Keep || new <= old {
            return;
        }
        if rule == OnDecap::Clear {
            self.drop_store(no);
            return self.skb_metadata_clear(no);
        }
        let (head, shinfo) = (skb.head, self.buffers.get(skb.head).shinfo);
        let len = u32::from(shinfo.meta_len);
        // where they end is asked with the MAC header as it was
        let mut before = skb.clone();
        before.mac_header = old as u16;
        let end = self.design.metadata_end(&before, &shinfo);
        if let Some(start) = end.and_then(|end| end.checked_sub(len))
            && len > 0
            && start + len < new
        {
            let to = new - len;
            self.buffers.memmove(head, start, to, len);
            self.design.moved_to(self.buffers.shinfo_mut(head), new);
            self.judge.moved_metadata(head, start, (to - start) as i32);
            self.recorder.trace.cost.metadata_bytes_moved += u64::from(len);
        }
    }

    /// A device that puts something around packets is about to send one.
    pub(super) fn metadata_before_encap(&mut self, no: SkbNo, dev: DevId) {
        let kind = &self.topology.dev(dev).kind;
        let plain = matches!(
            kind,
            DeviceKind::Veth { .. }
                | DeviceKind::Nic(_)
                | DeviceKind::Dummy
                | DeviceKind::Bridge
                | DeviceKind::Loopback
        );
        if plain {
            return;
        }
        match self.design.on_encap() {
            OnEncap::Keep => {}
            OnEncap::Clear => {
                self.drop_store(no);
                self.skb_metadata_clear(no);
            }
            OnEncap::ToHead => {
                let skb = self.skb(no);
                let (head, meta) = (skb.head, self.meta_fields(skb));
                if let Some(start) = meta.start.filter(|start| *start > 0 && meta.len > 0) {
                    self.buffers.memmove(head, start, 0, meta.len);
                    self.design
                        .moved_to(self.buffers.shinfo_mut(head), meta.len);
                    self.judge.moved_metadata(head, start, -(start as i32));
                    self.recorder.trace.cost.metadata_bytes_moved += u64::from(meta.len);
                }
            }
        }
    }

    /// What TC helpers that push ask for beside the room they need.
    pub(super) fn room_for_metadata(&self, no: SkbNo) -> u32 {
        if self.carries_data_meta() || !self.design.helpers_ask_for_metadata_room() {
            return 0;
        }
        self.metadata_len(no)
    }
}
