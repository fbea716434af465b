//! Packet sockets that listen (`orc tap`): `packet_rcv()` (`net/packet/af_packet.c`), and the copy of what is
//! sent (`dev_queue_xmit_nit()`, `net/core/dev.c`).

use super::{Kernel, Run};
use crate::scenario::topology::DevId;
use crate::skb::PacketType;
use crate::trace::{SkbNo, TapFrame};

/// A packet socket for all protocols, bound to a device.
#[derive(Debug, Clone)]
pub(super) struct Tap {
    dev: DevId,
    /// `sk_receive_queue`.
    queue: Vec<SkbNo>,
}

/// Index of a [`Tap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TapId(usize);

impl Kernel {
    /// Opens a packet socket on a device.
    pub(super) fn open_tap(&mut self, dev: DevId) {
        self.taps.push(Tap {
            dev,
            queue: Vec::new(),
        });
    }

    /// Whether packets of a device go to a packet socket (`dev_nit_active()`).
    pub(super) fn has_taps(&self, dev: DevId) -> bool {
        self.taps.iter().any(|tap| tap.dev == dev)
    }

    /// `dev->ptype_all`: the sockets of a device, the latest first (`dev_add_pack()` puts it at the head of the list).
    pub(super) fn taps_of(&self, dev: Option<DevId>) -> Vec<TapId> {
        if self.taps.is_empty() {
            return Vec::new();
        }
        let here = |id: &usize| self.taps.get(*id).map(|tap| tap.dev) == dev;
        (0..self.taps.len()).rev().filter(here).map(TapId).collect()
    }

    /// `packet_rcv()`: the frame with its link-layer header goes into the socket's queue; a packet that others
    /// hold too is cloned for that.
    pub(super) fn packet_rcv(&mut self, no: SkbNo, tap: TapId) -> Run<i64> {
        self.traced("packet_rcv", "net/packet/af_packet.c", no, |k| {
            let dev = k.taps[tap.0].dev;
            let (data, len) = (k.skb(no).data, k.skb(no).len);
            if k.topology.dev(dev).has_ethernet() {
                let header = data.saturating_sub(u32::from(k.skb(no).mac_header));
                k.skb_mut(no).push(header)?;
            }
            let queued = if k.skb_shared(no) {
                let clone = k.skb_clone(no)?;
                let skb = k.skb_mut(no);
                (skb.data, skb.len) = (data, len);
                k.consume_skb(no)?;
                clone
            } else {
                no
            };
            let skb = k.skb_mut(queued);
            skb.dev = None;
            skb.drop_dst();
            k.taps[tap.0].queue.push(queued);
            Ok(0)
        })
    }

    /// `dev_queue_xmit_nit()`: what is sent goes to the device's sockets too, as one clone that they share.
    pub(super) fn dev_queue_xmit_nit(&mut self, no: SkbNo, dev: DevId) -> Run<()> {
        self.traced("dev_queue_xmit_nit", "net/core/dev.c", no, |k| {
            let taps = k.taps_of(Some(dev));
            let Some((last, others)) = taps.split_last() else {
                return Ok(());
            };
            let clone = k.skb_clone(no)?;
            let skb = k.skb_mut(clone);
            skb.reset_mac_header();
            if u32::from(skb.network_header) < skb.data || u32::from(skb.network_header) > skb.tail
            {
                skb.reset_network_header();
            }
            skb.transport_header = skb.network_header;
            skb.pkt_type = PacketType::Outgoing;
            for tap in others {
                k.skb_mut(clone).users += 1;
                k.packet_rcv(clone, *tap)?;
            }
            k.packet_rcv(clone, *last)?;
            Ok(())
        })
    }

    /// Reads what the sockets hold, when the packets are through: bytes that somebody changed in a buffer that is
    /// shared show here.
    pub(super) fn read_taps(&mut self) {
        for tap in std::mem::take(&mut self.taps) {
            for no in tap.queue {
                if let Some(skb) = self.skbs.get(&no) {
                    self.recorder.trace.taps.push(TapFrame {
                        dev: self.topology.dev_ref(tap.dev),
                        bytes: self.packet(no, 0, skb.len).to_vec(),
                    });
                }
            }
        }
    }
}
