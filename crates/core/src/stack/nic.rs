//! A driver receives a frame: XDP over its buffers, then an skb in the driver's own way.
//!
//! Where the drivers differ is how much of a frame goes into one buffer, when they say that there are metadata
//! (`skb_metadata_set()`), and whether the bytes are there at all (patch-series.md, section 3, patches 1–6 and 8, and
//! section 6b). Rings, DMA and page recycling are not simulated.

use super::{Kernel, Run, not_covered};
use crate::net::dissect::{Start, dissect};
use crate::net::headlen::headers_len;
use crate::scenario::nic::{DRIVERS, NicDriver, RxBuffers};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{Frag, PAGE_SIZE, SHARED_INFO_SIZE};
use crate::xdp::{XdpBuff, action};

impl Kernel {
    /// Frames come from the wire: the driver's poll function, from the descriptors to `napi_gro_receive()`, and the end of
    /// the poll.
    pub(super) fn nic_poll(&mut self, dev: DevId, frames: &[Vec<u8>]) -> Run<()> {
        let DeviceKind::Nic(driver) = self.topology.dev(dev).kind else {
            let name = &self.topology.dev(dev).name;
            return not_covered(format!("nic rx: {name} is no network card"));
        };
        let Some(driver) = DRIVERS.get(driver).copied() else {
            return not_covered("nic rx: a driver that is not there");
        };
        self.local_bh(|k| {
            let old = k.napi_held(dev);
            for frame in frames {
                k.nic_receive(dev, driver, frame)?;
            }
            k.xdp_do_flush()?;
            k.napi_complete_done(dev, true, &old)
        })
    }

    fn nic_receive(
        &mut self,
        dev: DevId,
        (name, driver, function): (&str, NicDriver, &str),
        frame: &[u8],
    ) -> Run<()> {
        let buffers = RxBuffers::of(name);
        let (len, device) = (frame.len() as u32, self.topology.dev(dev));
        if len > buffers.first && buffers.next == 0 {
            return not_covered(format!("{function}: a frame in more than one buffer"));
        }
        if len > buffers.first && len > device.mtu + buffers.pad {
            return not_covered(format!(
                "nic rx: a frame of {len} bytes, which the card drops: {} has an MTU of {}",
                device.name, device.mtu
            ));
        }
        if !device.up {
            return Ok(());
        }
        let first = match driver {
            NicDriver::HeaderSplit if len > buffers.first => headers_len(frame),
            _ => buffers.first,
        };
        let mut xdp = self.frame_in_pages(frame, dev, RxBuffers { first, ..buffers });
        if driver == NicDriver::Forgetful {
            xdp.set_data_meta_invalid();
        }
        let before = xdp;
        if let Some(program) = self.native_xdp(dev) {
            if self.xdp_frags_size(xdp.head) > 0 && !self.xdp_has_frags(program) {
                return not_covered(format!("{function}: the MTU was raised under a program"));
            }
            match self.run_xdp(program, dev, &mut xdp)? {
                action::PASS => {}
                verdict @ (action::TX | action::REDIRECT) => {
                    return self.nic_xdp_leaves(dev, xdp, verdict);
                }
                _ => return self.xdp_return_frame(dev, &xdp, 0),
            }
        }
        if driver == NicDriver::AllFrags {
            return self.otx2_receive(&xdp, &before, dev);
        }
        let no = self.skb_of_driver(driver, &xdp, dev)?;
        self.napi_gro_receive(dev, no)
    }

    /// The frame as the card has written it: in one buffer, or in several, of which all but the first are fragments.
    fn frame_in_pages(&mut self, frame: &[u8], dev: DevId, buffers: RxBuffers) -> XdpBuff {
        let frame_sz = match buffers.headroom {
            room if room < 128 => 1024,
            _ => PAGE_SIZE,
        };
        let head = self.buffers.alloc(frame_sz - SHARED_INFO_SIZE);
        let len = frame.len() as u32;
        let linear = len.min(buffers.first);
        let xdp = XdpBuff {
            head,
            data_meta: buffers.headroom,
            data: buffers.headroom,
            data_end: buffers.headroom + linear,
            frame_sz,
            frag_size: buffers.frag_size,
            skb: None,
        };
        let mut done = linear;
        while done < len {
            let size = (len - done).min(buffers.next);
            let page = self.buffers.alloc(PAGE_SIZE);
            let offset = 0;
            self.buffers
                .frags_mut(head)
                .push(Frag { page, offset, size });
            done += size;
        }
        for part in dissect(frame, Start::Ethernet).parts {
            let bytes = &frame[part.start..part.start + part.len];
            let len = part.len as u32;
            let source = self.source(part.layer, part.label, "the wire", Some(dev), len);
            let mut from = 0;
            for to in self.xdp_stretches(&xdp, part.start as u32, len) {
                let piece = &bytes[from as usize..(from + to.len) as usize];
                self.buffers
                    .write(to.buffer, to.at, piece, source, from as u16);
                from += to.len;
            }
        }
        xdp
    }

    /// `ndo_bpf()` of the drivers. `Err`: what they say.
    pub(super) fn nic_xdp_set(&self, dev: DevId, driver: usize, frags: bool) -> Result<(), String> {
        let Some((name, driver, _)) = DRIVERS.get(driver).copied() else {
            return Ok(());
        };
        if driver == NicDriver::HeaderSplit {
            return Err(
                "its card writes headers and payload into different buffers, and bnxt takes no \
                 program then (bnxt_xdp_set(), EOPNOTSUPP)"
                    .to_owned(),
            );
        }
        let (buffers, mtu) = (RxBuffers::of(name), self.topology.dev(dev).mtu);
        if mtu + buffers.pad <= buffers.first || buffers.xdp_frags && frags {
            return Ok(());
        }
        let hint = match buffers.xdp_frags {
            true => "a program in a section `xdp.frags` may see such frames",
            false => "its driver has no XDP for frames in several",
        };
        Err(format!(
            "a frame of its MTU, {mtu}, does not fit into one buffer of {} bytes; {hint}",
            buffers.first
        ))
    }

    /// What a card sends leaves the simulated world.
    pub(super) fn nic_xmit(&mut self, no: crate::trace::SkbNo) -> Run<i64> {
        self.consume_skb(no)?;
        Ok(0)
    }

    /// `eth_type_trans()` as a driver calls it.
    pub(super) fn driver_type(&mut self, no: crate::trace::SkbNo, dev: DevId) -> Run<()> {
        let protocol = self.eth_type_trans(no, dev)?;
        self.skb_mut(no).protocol = protocol;
        Ok(())
    }
}
