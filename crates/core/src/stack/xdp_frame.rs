//! A packet that an XDP program sends on: `struct xdp_frame` (`net/core/xdp.c`), `XDP_TX` and `XDP_REDIRECT`
//! (`net/core/filter.c`, `kernel/bpf/devmap.c`), and how veth takes frames (`drivers/net/veth.c`).

use super::skbuff::drop_reason;
use super::{Kernel, Run, Softirq, not_covered};
use crate::bpf::XdpTarget;
use crate::scenario::nic::xdp_tx;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::SkbNo;
use crate::xdp::{EINVAL, XDP_FRAME_SIZE, XdpBuff, action};

/// `-ENOSPC`, `-EOPNOTSUPP`, `-ENETDOWN`, `-EMSGSIZE`.
const ENOSPC: i64 = -28;
pub(super) const EOPNOTSUPP: i64 = -95;
const ENETDOWN: i64 = -100;
const EMSGSIZE: i64 = -90;

/// What waits in a ring of veth (`veth_ptr_to_xdp()` tells the two apart).
#[derive(Debug, Clone, Copy)]
pub(super) enum Queued {
    /// From `veth_xmit()`.
    Skb(SkbNo),
    /// From `veth_xdp_xmit()`: metadata go along (`xdp_frame.metasize`).
    Frame(XdpBuff),
}

impl Kernel {
    /// The verdict `XDP_TX` or `XDP_REDIRECT` in `veth_xdp_rcv_skb()`: the skb goes, its buffer becomes a frame.
    pub(super) fn veth_xdp_leaves(
        &mut self,
        no: SkbNo,
        dev: DevId,
        xdp: XdpBuff,
        verdict: u64,
    ) -> Run<()> {
        self.consume_skb(no)?;
        // veth_xdp_get(): a reference to the page, not to the skb's data; it stays
        *self.buffers.dataref_mut(xdp.head) += 1;
        self.xdp_leaves(dev, xdp, verdict)
    }

    /// `veth_xdp_tx()`, or `xdp_do_redirect()`. A frame that nobody takes is returned to its pool.
    pub(super) fn xdp_leaves(&mut self, dev: DevId, xdp: XdpBuff, verdict: u64) -> Run<()> {
        let target = self.xdp_redirect_info.take();
        let queued = match verdict {
            action::TX => xdp_convert_buff_to_frame(&xdp).map(|()| self.xdp_tx.push((dev, xdp))),
            _ => self.xdp_do_redirect(dev, xdp, target)?,
        };
        match queued {
            Ok(()) => Ok(()),
            Err(error) => self.xdp_return_frame(dev, &xdp, error),
        }
    }

    /// `xdp_do_redirect()`: to a device, whose driver must take frames (`dev_xdp_enqueue()`).
    fn xdp_do_redirect(
        &mut self,
        dev: DevId,
        xdp: XdpBuff,
        target: Option<XdpTarget>,
    ) -> Run<Result<(), i64>> {
        if let Err(error) = xdp_convert_buff_to_frame(&xdp) {
            return Ok(Err(error));
        }
        let to = match target {
            Some(XdpTarget::Device(index)) => {
                let netns = self.topology.dev(dev).netns;
                self.topology.dev_by_index(netns, index)
            }
            Some(XdpTarget::Cpu(_)) => {
                self.xdp_cpu.push((dev, xdp));
                return Ok(Ok(()));
            }
            Some(XdpTarget::Socket(_)) => {
                return not_covered("xdp_do_redirect: to an AF_XDP socket");
            }
            Some(XdpTarget::Devices {
                all,
                exclude_ingress,
            }) => return self.dev_map_enqueue_multi(dev, xdp, &all, exclude_ingress),
            None => None,
        };
        let Some(to) = to else {
            return Ok(Err(EINVAL));
        };
        Ok(self.xdp_may_go(to, self.xdp_get_buff_len(&xdp)).map(|()| {
            self.xdp_bulk.push((to, xdp));
        }))
    }

    /// `NETDEV_XDP_ACT_NDO_XMIT` and `xdp_ok_fwd_dev()`. A veth takes frames while its other end polls
    /// (`veth_set_xdp_features()`), a card while it has a program itself (`xdp_features_set_redirect_target()`; otx2 has
    /// its rings then), a tap always.
    pub(super) fn xdp_may_go(&self, to: DevId, len: u32) -> Result<(), i64> {
        let device = self.topology.dev(to);
        match device.kind {
            DeviceKind::Veth { peer } if self.veth_napi(peer) => {}
            DeviceKind::Nic(index)
                if self.native_xdp(to).is_some()
                    && xdp_tx(index).is_some_and(|driver| driver.xmit.is_some()) => {}
            DeviceKind::Tun { tap: true } => {}
            _ => return Err(EOPNOTSUPP),
        }
        self.xdp_ok_fwd_dev(to, len)
    }

    /// `xdp_ok_fwd_dev()`: the device is up, and the frame with a VLAN tag is no longer than its MTU allows.
    pub(super) fn xdp_ok_fwd_dev(&self, to: DevId, len: u32) -> Result<(), i64> {
        const VLAN_HLEN: u32 = 4;
        let device = self.topology.dev(to);
        if !device.up {
            return Err(ENETDOWN);
        }
        if len > device.mtu + device.hard_header_len + VLAN_HLEN {
            return Err(EMSGSIZE);
        }
        Ok(())
    }

    /// Whether a veth has a NAPI context: a native XDP program, or GRO was asked for (`rq->napi`).
    pub(super) fn veth_napi(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        device.up && (self.native_xdp(dev).is_some() || device.gro)
    }

    /// `xdp_do_flush()`: frames that were redirected go to the drivers (`veth_ndo_xdp_xmit()`), those for a CPU are
    /// taken up there.
    pub(super) fn xdp_do_flush(&mut self) -> Run<()> {
        for (to, xdp) in std::mem::take(&mut self.xdp_bulk) {
            match self.topology.dev(to).kind {
                DeviceKind::Nic(index) => self.nic_xdp_xmit(index, to, &xdp)?,
                DeviceKind::Tun { .. } => self.tun_xdp_xmit(to, &xdp)?,
                _ => self.veth_xdp_xmit(to, xdp, true)?,
            }
        }
        for (dev, xdp) in std::mem::take(&mut self.xdp_cpu) {
            // cpu_map_kthread_run(): an skb is built on the other CPU, and goes through its GRO
            let no = self.xdp_build_skb_from_frame(dev, &xdp)?;
            self.napi_gro_receive(dev, no)?;
        }
        Ok(())
    }

    /// `veth_xdp_flush()`: frames of `XDP_TX` go back over the wire. The other end is woken only when it has a
    /// program itself.
    pub(super) fn veth_xdp_flush(&mut self) -> Run<()> {
        for (dev, xdp) in std::mem::take(&mut self.xdp_tx) {
            let wake = match self.topology.dev(dev).kind {
                DeviceKind::Veth { peer } => self.native_xdp(peer).is_some(),
                _ => false,
            };
            self.veth_xdp_xmit(dev, xdp, wake)?;
        }
        Ok(())
    }

    /// `veth_xdp_xmit()`: into the ring of the other end.
    fn veth_xdp_xmit(&mut self, dev: DevId, xdp: XdpBuff, wake: bool) -> Run<()> {
        let peer = match self.topology.dev(dev).kind {
            DeviceKind::Veth { peer } if self.veth_napi(peer) => peer,
            _ => return self.xdp_return_frame(dev, &xdp, -6),
        };
        let len = self.xdp_get_buff_len(&xdp);
        if self.xdp_ok_fwd_dev(peer, len).is_err() {
            return self.xdp_return_frame(dev, &xdp, ENOSPC);
        }
        if wake {
            self.napi_queue_item(peer, Queued::Frame(xdp), Softirq::VethPoll(peer));
        } else {
            self.napi.of(peer).ring.push_back(Queued::Frame(xdp));
        }
        Ok(())
    }

    /// `veth_xdp_rcv_one()`: a frame in the ring meets the program of this end. Gives it back when it goes up.
    pub(super) fn veth_xdp_rcv_one(&mut self, dev: DevId, frame: XdpBuff) -> Run<Option<XdpBuff>> {
        let Some(program) = self.native_xdp(dev) else {
            return Ok(Some(frame));
        };
        // no skb is behind a frame
        let mut xdp = XdpBuff { skb: None, ..frame };
        match self.run_xdp(program, dev, &mut xdp)? {
            action::PASS => Ok(Some(xdp)),
            verdict @ (action::TX | action::REDIRECT) => {
                self.xdp_leaves(dev, xdp, verdict)?;
                Ok(None)
            }
            _ => {
                self.xdp_return_frame(dev, &xdp, 0)?;
                Ok(None)
            }
        }
    }

    /// `__xdp_build_skb_from_frame()`: an skb around the frame's buffer. Metadata are said while `data` is still at
    /// the MAC header, which is right for every design.
    pub(super) fn xdp_build_skb_from_frame(&mut self, dev: DevId, xdp: &XdpBuff) -> Run<SkbNo> {
        *self.buffers.shinfo_mut(xdp.head) = crate::skb::SharedInfo::default();
        *self.buffers.dataref_mut(xdp.head) = 1;
        let no = self.skb_around(xdp);
        self.skb_mut(no).head_frag = true;
        self.hand_over_metadata(no, xdp)?;
        self.xdp_update_skb_frags_info(no);
        let protocol = self.eth_type_trans(no, dev)?;
        self.skb_mut(no).protocol = protocol;
        Ok(no)
    }

    /// `generic_xdp_tx()` (`net/core/dev.c`): the driver gets the packet at once, past qdisc, TC and taps. Who redirects has
    /// set the device before (`xdp_do_generic_redirect()`, `dev_map_generic_redirect()`).
    pub(super) fn generic_xdp_tx(&mut self, no: SkbNo, dev: DevId) -> Run<()> {
        self.skb_mut(no).dev = Some(dev);
        self.traced("generic_xdp_tx", "net/core/dev.c", no, |k| {
            k.ndo_start_xmit(no, dev)?;
            Ok(())
        })
    }

    /// `xdp_do_generic_redirect()`. An error is dropped by the caller with the reason `XDP`.
    pub(super) fn xdp_do_generic_redirect(
        &mut self,
        no: SkbNo,
        dev: DevId,
    ) -> Run<Result<(), i64>> {
        let to = match self.xdp_redirect_info.take() {
            Some(XdpTarget::Device(index)) => {
                let netns = self.topology.dev(dev).netns;
                self.topology.dev_by_index(netns, index)
            }
            Some(XdpTarget::Cpu(_)) => {
                return self.cpu_map_generic_redirect(no, dev);
            }
            Some(XdpTarget::Socket(_)) => {
                return not_covered("xsk_generic_rcv: to an AF_XDP socket");
            }
            Some(XdpTarget::Devices {
                all,
                exclude_ingress,
            }) => return self.dev_map_redirect_multi(no, dev, &all, exclude_ingress),
            None => None,
        };
        let Some(to) = to else {
            return Ok(Err(EINVAL));
        };
        self.dev_map_generic_redirect(no, to)
    }

    /// `cpu_map_generic_redirect()` (`kernel/bpf/cpumap.c`): the packet waits for the thread of the map's entry.
    fn cpu_map_generic_redirect(&mut self, no: SkbNo, dev: DevId) -> Run<Result<(), i64>> {
        let skb = self.skb_mut(no);
        let mac_len = u32::from(skb.mac_len);
        skb.pull(mac_len)?;
        skb.redirected = true;
        self.raise_softirq(Softirq::CpuMap(dev, no));
        Ok(Ok(()))
    }

    /// `cpu_map_kthread_run()`: through the GRO of the map's entry, which is flushed when nothing else waits.
    pub(super) fn cpu_map_kthread_run(&mut self, dev: DevId, no: SkbNo) -> Run<()> {
        self.napi_gro_receive(dev, no)?;
        self.cpu_map_gro_flush(dev)
    }

    /// `xdp_return_frame()`: nobody takes the frame; its page goes back to the pool. The kernel says nothing, and no
    /// drop reason exists.
    pub(super) fn xdp_return_frame(&mut self, dev: DevId, xdp: &XdpBuff, error: i64) -> Run<()> {
        self.xdp_function("xdp_return_frame", "net/core/xdp.c", dev, xdp, error)
    }

    /// Drops a received packet on the verdict of an XDP program.
    pub(super) fn xdp_drop(&mut self, no: SkbNo) -> Run<()> {
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)
    }
}

/// `xdp_convert_buff_to_frame()`: `struct xdp_frame` must fit in front of the metadata.
pub(super) fn xdp_convert_buff_to_frame(xdp: &XdpBuff) -> Result<(), i64> {
    if xdp.data_meta < XDP_FRAME_SIZE {
        return Err(ENOSPC);
    }
    Ok(())
}
