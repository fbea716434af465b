//! `XDP_REDIRECT` to all devices of a devmap (`dev_map_enqueue_multi()`, `dev_map_redirect_multi()`,
//! `kernel/bpf/devmap.c`).

use super::skb_own::ENOMEM;
use super::{Kernel, Run};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{PAGE_SIZE, SHARED_INFO_SIZE};
use crate::trace::SkbNo;
use crate::xdp::XdpBuff;

impl Kernel {
    /// `get_upper_ifindexes()`: devices that stand on this one. IP tunnels do not count as such.
    fn upper_devices(&self, dev: DevId) -> Vec<DevId> {
        let stands_on = |other: DevId| {
            let device = self.topology.dev(other);
            self.topology.dev(dev).master == Some(other)
                || matches!(device.kind, DeviceKind::Vlan { lower, .. } if lower == dev)
        };
        let all = (0..self.topology.devices.len()).map(DevId);
        all.filter(|other| stands_on(*other)).collect()
    }

    /// The devices behind the indexes that a map holds, without those that are excluded.
    fn broadcast_to(&self, dev: DevId, all: &[u32], exclude_ingress: bool) -> Vec<DevId> {
        let mut excluded = Vec::new();
        if exclude_ingress {
            excluded = self.upper_devices(dev);
            excluded.push(dev);
        }
        let netns = self.topology.dev(dev).netns;
        let found = all
            .iter()
            .filter_map(|index| self.topology.dev_by_index(netns, *index));
        found.filter(|to| !excluded.contains(to)).collect()
    }

    /// `dev_map_enqueue_multi()`: devices that cannot take the frame are passed over; all but the last get a copy.
    pub(super) fn dev_map_enqueue_multi(
        &mut self,
        dev: DevId,
        xdp: XdpBuff,
        all: &[u32],
        exclude_ingress: bool,
    ) -> Run<Result<(), i64>> {
        let len = self.xdp_get_buff_len(&xdp);
        let mut to = self.broadcast_to(dev, all, exclude_ingress);
        to.retain(|to| self.xdp_may_go(*to, len).is_ok());
        let Some(last) = to.pop() else {
            self.xdp_return_frame(dev, &xdp, 0)?;
            return Ok(Ok(()));
        };
        for to in to {
            match self.xdpf_clone(&xdp) {
                Some(copy) => self.xdp_bulk.push((to, copy)),
                None => return Ok(Err(ENOMEM)),
            }
        }
        self.xdp_bulk.push((last, xdp));
        Ok(Ok(()))
    }

    /// `xdpf_clone()`: a page with everything from the headroom on, metadata too.
    fn xdpf_clone(&mut self, xdp: &XdpBuff) -> Option<XdpBuff> {
        let room = PAGE_SIZE - SHARED_INFO_SIZE;
        if xdp.data_end > room {
            return None;
        }
        let head = self.buffers.alloc(room);
        let from = xdp.data_meta.min(xdp.data);
        let len = xdp.data_end - from;
        self.buffers.memcpy(head, from, xdp.head, from, len);
        Some(XdpBuff {
            head,
            frame_sz: PAGE_SIZE,
            ..*xdp
        })
    }

    /// `dev_map_redirect_multi()`, of an skb: each gets a clone, the last the packet. A device that refuses it ends
    /// this with its error.
    pub(super) fn dev_map_redirect_multi(
        &mut self,
        no: SkbNo,
        dev: DevId,
        all: &[u32],
        exclude_ingress: bool,
    ) -> Run<Result<(), i64>> {
        let to = self.broadcast_to(dev, all, exclude_ingress);
        let Some((last, others)) = to.split_last() else {
            self.consume_skb(no)?;
            return Ok(Ok(()));
        };
        for to in others {
            let clone = self.skb_clone(no)?;
            if let Err(error) = self.dev_map_generic_redirect(clone, *to)? {
                self.consume_skb(clone)?;
                return Ok(Err(error));
            }
        }
        self.dev_map_generic_redirect(no, *last)
    }

    /// `dev_map_generic_redirect()`.
    pub(super) fn dev_map_generic_redirect(
        &mut self,
        no: SkbNo,
        to: DevId,
    ) -> Run<Result<(), i64>> {
        if let Err(error) = self.xdp_ok_fwd_dev(to, self.skb(no).len) {
            return Ok(Err(error));
        }
        self.generic_xdp_tx(no, to)?;
        Ok(Ok(()))
    }
}
