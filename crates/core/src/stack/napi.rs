//! NAPI: `veth_poll()` (`drivers/net/veth.c`), `gro_cell_poll()` (`net/core/gro_cells.c`), and the end of a
//! poll, `napi_complete_done()` (`net/core/dev.c`).

use std::collections::VecDeque;

use super::xdp_frame::Queued;
use super::{Kernel, Run, Softirq};
use crate::scenario::topology::DevId;
use crate::skb::SkbList;
use crate::trace::SkbNo;

/// `net.core.gro_normal_batch`: so many packets go up at once while a poll still runs.
const GRO_NORMAL_BATCH: usize = 8;

/// A device's `napi_struct` and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Napi {
    /// Ring of a veth device, queue of a GRO cell.
    pub ring: VecDeque<Queued>,
    /// `NAPI_STATE_SCHED`, or `rx_notify_masked` of veth: who puts something in need not say so.
    scheduled: bool,
    /// What polls it.
    poll: Option<Softirq>,
    /// `defer_hard_irqs_count`: so many polls more leave the next one to the timer.
    defer_hard_irqs_count: u32,
    /// The timer of `gro_flush_timeout` runs.
    timer: bool,
    /// Packets that GRO holds, oldest first (`gro_hash`).
    pub held: SkbList,
    /// The skb that the next frame of fragments gets (`napi->skb`).
    pub skb: Option<SkbNo>,
    /// Packets that go up when the poll ends (`rx_list`).
    pub rx_list: SkbList,
    /// How many they were before they were merged (`rx_count`).
    rx_count: usize,
}

/// The NAPI of each device; one that was never asked for has nothing.
#[derive(Debug, Default)]
pub(super) struct Napis(Vec<Napi>);

impl Napis {
    pub fn get(&self, dev: DevId) -> Option<&Napi> {
        self.0.get(dev.0)
    }

    pub fn get_mut(&mut self, dev: DevId) -> Option<&mut Napi> {
        self.0.get_mut(dev.0)
    }

    /// A device's, which is there from now on.
    pub fn of(&mut self, dev: DevId) -> &mut Napi {
        if self.0.len() <= dev.0 {
            self.0.resize_with(dev.0 + 1, Napi::default);
        }
        &mut self.0[dev.0]
    }
}

impl Kernel {
    /// Puts a packet into the ring and has the device polled, unless it is going to be.
    pub(super) fn napi_queue(&mut self, dev: DevId, no: SkbNo, poll: Softirq) {
        self.napi_queue_item(dev, Queued::Skb(no), poll);
    }

    /// The same for a frame.
    pub(super) fn napi_queue_item(&mut self, dev: DevId, item: Queued, poll: Softirq) {
        let napi = self.napi.of(dev);
        napi.ring.push_back(item);
        napi.poll = Some(poll);
        if !napi.scheduled {
            napi.scheduled = true;
            self.raise_softirq(poll);
        }
    }

    /// `veth_poll()`.
    pub(super) fn veth_poll(&mut self, dev: DevId) -> Run<()> {
        let old = self.napi_held(dev);
        let work = self.veth_xdp_rcv(dev)?;
        self.xdp_do_flush()?;
        self.napi_complete_done(dev, work, &old)?;
        self.veth_xdp_flush()
    }

    /// `veth_xdp_rcv()`: what is in the ring, in order; skbs of frames that go up are built at the end.
    /// Whether there was anything.
    fn veth_xdp_rcv(&mut self, dev: DevId) -> Run<bool> {
        let mut frames = Vec::new();
        let mut work = false;
        while let Some(item) = self.napi_ring_pop(dev) {
            work = true;
            match item {
                Queued::Skb(no) => {
                    if let Some(passed) = self.veth_xdp_rcv_skb(dev, no)? {
                        self.napi_gro_receive(dev, passed)?;
                    }
                }
                Queued::Frame(frame) => frames.extend(self.veth_xdp_rcv_one(dev, frame)?),
            }
        }
        // veth_xdp_rcv_bulk_skb()
        for frame in frames {
            let no = self.xdp_build_skb_from_frame(dev, &frame)?;
            self.napi_gro_receive(dev, no)?;
        }
        Ok(work)
    }

    /// `gro_cell_poll()`.
    pub(super) fn gro_cell_poll(&mut self, dev: DevId) -> Run<()> {
        let old = self.napi_held(dev);
        let mut work = false;
        while let Some(Queued::Skb(no)) = self.napi_ring_pop(dev) {
            work = true;
            self.napi_gro_receive(dev, no)?;
        }
        self.napi_complete_done(dev, work, &old)
    }

    /// What GRO holds when a poll begins: old when it ends.
    pub(super) fn napi_held(&self, dev: DevId) -> SkbList {
        self.napi
            .get(dev)
            .map_or_else(SkbList::new, |napi| SkbList::from_slice(&napi.held))
    }

    fn napi_ring_pop(&mut self, dev: DevId) -> Option<Queued> {
        self.napi.get_mut(dev)?.ring.pop_front()
    }

    /// `napi_complete_done()`: what GRO holds goes up, then the list. If a timer is to poll next, only `old` packets go
    /// up: those that were held before this poll began (`__gro_flush_chain()` compares `age` with `jiffies`; a poll is
    /// taken to be shorter than a jiffy, and a timer longer).
    pub(super) fn napi_complete_done(&mut self, dev: DevId, work: bool, old: &[SkbNo]) -> Run<()> {
        let device = self.topology.dev(dev);
        let timeout = device.gro_flush_timeout > 0;
        let defer = device.napi_defer_hard_irqs;
        let napi = self.napi.of(dev);
        let mut timer = false;
        let mut masked = false;
        if work {
            timer = timeout && !napi.held.is_empty();
            napi.defer_hard_irqs_count = defer;
        }
        if napi.defer_hard_irqs_count > 0 {
            napi.defer_hard_irqs_count -= 1;
            timer = timeout;
            masked = timeout;
        }
        self.napi_gro_flush(dev, timer.then_some(old))?;
        if let Some(napi) = self.napi.get_mut(dev) {
            napi.scheduled = masked;
            napi.timer = timer;
        }
        self.gro_normal_list(dev)
    }

    /// `napi_watchdog()`: the timers of `gro_flush_timeout`, until none runs. Nothing else happens in the meantime, so
    /// they fire when the sender is done.
    pub(super) fn napi_timers(&mut self) -> Run<()> {
        let runs = |(dev, napi): (usize, &Napi)| napi.timer.then_some((DevId(dev), napi.poll));
        while let Some((dev, poll)) = self.napi.0.iter().enumerate().find_map(runs) {
            if let Some(napi) = self.napi.get_mut(dev) {
                (napi.timer, napi.scheduled) = (false, true);
            }
            self.local_bh(|k| match poll {
                Some(Softirq::GroCell(_)) => k.gro_cell_poll(dev),
                _ => k.veth_poll(dev),
            })?;
        }
        Ok(())
    }

    /// `gro_flush_normal()`, its first half: oldest first; all, or the old ones only.
    fn napi_gro_flush(&mut self, dev: DevId, only: Option<&[SkbNo]>) -> Run<()> {
        let napi = self.napi.get_mut(dev);
        let Some(napi) = napi.filter(|napi| !napi.held.is_empty()) else {
            return Ok(());
        };
        let goes = |no: &SkbNo| only.is_none_or(|old| old.contains(no));
        let (gone, held): (SkbList, _) = std::mem::take(&mut napi.held).into_iter().partition(goes);
        napi.held = held;
        for no in gone {
            self.napi_gro_complete(dev, no)?;
        }
        Ok(())
    }

    /// `cpu_map_gro_flush()` (`kernel/bpf/cpumap.c`). The GRO of a map's entry is its own; here it is that of the packet's
    /// device, so that what this holds back goes up too.
    pub(super) fn cpu_map_gro_flush(&mut self, dev: DevId) -> Run<()> {
        self.napi_gro_flush(dev, None)?;
        self.gro_normal_list(dev)
    }

    /// `gro_normal_one()`: into the list, which goes up when it is long enough.
    pub(super) fn gro_normal_one(&mut self, dev: DevId, no: SkbNo, segments: u16) -> Run<()> {
        let napi = self.napi.of(dev);
        napi.rx_list.push(no);
        napi.rx_count += usize::from(segments);
        if napi.rx_count < GRO_NORMAL_BATCH {
            return Ok(());
        }
        self.gro_normal_list(dev)
    }

    /// `gro_normal_list()`.
    fn gro_normal_list(&mut self, dev: DevId) -> Run<()> {
        let list = self.napi.get_mut(dev).map(|napi| {
            napi.rx_count = 0;
            std::mem::take(&mut napi.rx_list)
        });
        self.netif_receive_skb_list(&list.unwrap_or_default())
    }
}
