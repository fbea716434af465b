//! NAPI: `veth_poll()` (`drivers/net/veth.c`), `gro_cell_poll()` (`net/core/gro_cells.c`), and the end of a
//! poll, `napi_complete_done()` (`net/core/dev.c`).

use std::collections::VecDeque;

use super::xdp_frame::Queued;
use super::{Kernel, Run, Softirq};
use crate::scenario::topology::DevId;
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
    /// Packets that GRO holds, oldest first (`gro_hash`).
    pub held: Vec<SkbNo>,
    /// The skb that the next frame of fragments gets (`napi->skb`).
    pub skb: Option<SkbNo>,
    /// Packets that go up when the poll ends (`rx_list`).
    pub rx_list: Vec<SkbNo>,
    /// How many they were before they were merged (`rx_count`).
    rx_count: usize,
}

impl Kernel {
    /// Puts a packet into the ring and has the device polled, unless it is going to be.
    pub(super) fn napi_queue(&mut self, dev: DevId, no: SkbNo, poll: Softirq) {
        self.napi_queue_item(dev, Queued::Skb(no), poll);
    }

    /// The same for a frame.
    pub(super) fn napi_queue_item(&mut self, dev: DevId, item: Queued, poll: Softirq) {
        let napi = self.napi.entry(dev).or_default();
        napi.ring.push_back(item);
        if !napi.scheduled {
            napi.scheduled = true;
            self.raise_softirq(poll);
        }
    }

    /// `veth_poll()`.
    pub(super) fn veth_poll(&mut self, dev: DevId) -> Run<()> {
        self.veth_xdp_rcv(dev)?;
        self.xdp_do_flush()?;
        // napi_defer_hard_irqs and gro_flush_timeout: the timer polls next, not the sender
        let masked = self.defers(dev);
        self.napi_complete_done(dev, masked)?;
        self.veth_xdp_flush()
    }

    /// `veth_xdp_rcv()`: what is in the ring, in order; skbs of frames that go up are built at the end.
    fn veth_xdp_rcv(&mut self, dev: DevId) -> Run<()> {
        let mut frames = Vec::new();
        while let Some(item) = self.napi_ring_pop(dev) {
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
        Ok(())
    }

    /// `gro_cell_poll()`.
    pub(super) fn gro_cell_poll(&mut self, dev: DevId) -> Run<()> {
        while let Some(Queued::Skb(no)) = self.napi_ring_pop(dev) {
            self.napi_gro_receive(dev, no)?;
        }
        self.napi_complete_done(dev, false)
    }

    fn napi_ring_pop(&mut self, dev: DevId) -> Option<Queued> {
        self.napi.get_mut(&dev)?.ring.pop_front()
    }

    /// `napi_defer_hard_irqs` and `gro_flush_timeout` are both set.
    fn defers(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        device.napi_defer_hard_irqs > 0 && device.gro_flush_timeout > 0
    }

    /// `napi_complete_done()`: what GRO holds goes up, unless a timer is to do that; and the list.
    pub(super) fn napi_complete_done(&mut self, dev: DevId, masked: bool) -> Run<()> {
        if self.topology.dev(dev).gro_flush_timeout == 0 {
            self.napi_gro_flush(dev)?;
        }
        if let Some(napi) = self.napi.get_mut(&dev) {
            napi.scheduled = masked;
        }
        self.gro_normal_list(dev)
    }

    /// `napi_watchdog()`: the timers of `gro_flush_timeout`, until nobody has anything left. Nothing else
    /// happens in the meantime, so they fire when the sender is done.
    pub(super) fn napi_timers(&mut self) -> Run<()> {
        let waiting = |(dev, napi): (&DevId, &Napi)| {
            (napi.scheduled || !napi.held.is_empty()).then_some(*dev)
        };
        while let Some(dev) = self.napi.iter().find_map(waiting) {
            self.local_bh(|k| {
                k.veth_xdp_rcv(dev)?;
                k.xdp_do_flush()?;
                k.gro_normal_list(dev)
            })?;
            // held packets are not old yet: they wait for the next timer
            self.local_bh(|k| {
                k.napi_gro_flush(dev)?;
                if let Some(napi) = k.napi.get_mut(&dev) {
                    napi.scheduled = false;
                }
                k.gro_normal_list(dev)
            })?;
        }
        Ok(())
    }

    /// `napi_gro_flush()`: oldest first.
    fn napi_gro_flush(&mut self, dev: DevId) -> Run<()> {
        let held = self
            .napi
            .get_mut(&dev)
            .map(|napi| std::mem::take(&mut napi.held));
        for no in held.unwrap_or_default() {
            self.napi_gro_complete(dev, no)?;
        }
        Ok(())
    }

    /// `gro_normal_one()`: into the list, which goes up when it is long enough.
    pub(super) fn gro_normal_one(&mut self, dev: DevId, no: SkbNo, segments: u16) -> Run<()> {
        let napi = self.napi.entry(dev).or_default();
        napi.rx_list.push(no);
        napi.rx_count += usize::from(segments);
        if napi.rx_count < GRO_NORMAL_BATCH {
            return Ok(());
        }
        self.gro_normal_list(dev)
    }

    /// `gro_normal_list()`.
    fn gro_normal_list(&mut self, dev: DevId) -> Run<()> {
        let list = self.napi.get_mut(&dev).map(|napi| {
            napi.rx_count = 0;
            std::mem::take(&mut napi.rx_list)
        });
        self.netif_receive_skb_list(list.unwrap_or_default())
    }
}
