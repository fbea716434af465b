//! A driver receives a frame: XDP over its buffer, then an skb in the driver's own way.
//!
//! Where the drivers differ is when they say that there are metadata (`skb_metadata_set()`), and whether the bytes are
//! there at all (patch-series.md, section 3, patches 1–6 and 8, and section 6b). The buffer is a page with
//! `XDP_PACKET_HEADROOM` in front of the frame; rings, DMA and page recycling are not simulated.

use super::xdp_frame::{EOPNOTSUPP, xdp_convert_buff_to_frame};
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{Start, dissect};
use crate::scenario::nic::{DRIVERS, NicDriver, xdp_tx};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{NET_SKB_PAD, PAGE_SIZE, SHARED_INFO_SIZE};
use crate::trace::SkbNo;
use crate::xdp::{XDP_PACKET_HEADROOM, XdpBuff, action};

/// `napi_alloc_skb()`: a fragment of 1 KiB holds packets of up to so many bytes with their headroom.
const SMALL_FRAG: u32 = 1024 - SHARED_INFO_SIZE;

impl Kernel {
    /// A frame comes from the wire: the driver's poll function, from the descriptor to `napi_gro_receive()`.
    pub(super) fn nic_receive(&mut self, dev: DevId, frame: &[u8]) -> Run<()> {
        let DeviceKind::Nic(index) = self.topology.dev(dev).kind else {
            let name = &self.topology.dev(dev).name;
            return not_covered(format!("nic rx: {name} is no network card"));
        };
        let Some((_, driver, _)) = DRIVERS.get(index).copied() else {
            return not_covered("nic rx: a driver that is not there");
        };
        if frame.len() as u32 > PAGE_SIZE - SHARED_INFO_SIZE - XDP_PACKET_HEADROOM {
            return not_covered("nic rx: a frame in more than one page (XDP frags)");
        }
        if !self.topology.dev(dev).up {
            return Ok(());
        }
        self.local_bh(|k| {
            let mut xdp = k.frame_in_page(frame, dev);
            if let Some(program) = k.native_xdp(dev) {
                match k.run_xdp(program, dev, &mut xdp)? {
                    action::PASS => {}
                    action::TX => return k.nic_xdp_tx(index, dev, &xdp),
                    action::REDIRECT => {
                        let old = k.napi_held(dev);
                        k.xdp_leaves(dev, xdp, action::REDIRECT)?;
                        k.xdp_do_flush()?;
                        return k.napi_complete_done(dev, true, &old);
                    }
                    _ => return k.xdp_return_frame(dev, &xdp, 0),
                }
            }
            let no = k.skb_of_driver(driver, &xdp, dev)?;
            let old = k.napi_held(dev);
            k.napi_gro_receive(dev, no)?;
            k.napi_complete_done(dev, true, &old)
        })
    }

    /// The frame as the card has written it.
    fn frame_in_page(&mut self, frame: &[u8], dev: DevId) -> XdpBuff {
        let head = self.buffers.alloc(PAGE_SIZE - SHARED_INFO_SIZE);
        for part in dissect(frame, Start::Ethernet).parts {
            let bytes = &frame[part.start..part.start + part.len];
            let len = part.len as u32;
            let source = self.source(part.layer, part.label, "the wire", Some(dev), len);
            let at = XDP_PACKET_HEADROOM + part.start as u32;
            self.buffers.write(head, at, bytes, source, 0);
        }
        XdpBuff {
            head,
            data_meta: XDP_PACKET_HEADROOM,
            data: XDP_PACKET_HEADROOM,
            data_end: XDP_PACKET_HEADROOM + frame.len() as u32,
            frame_sz: PAGE_SIZE,
        }
    }

    /// The driver's own function, to the end of `eth_type_trans()`.
    fn skb_of_driver(&mut self, driver: NicDriver, xdp: &XdpBuff, dev: DevId) -> Run<SkbNo> {
        let meta_len = xdp.meta_len();
        match driver {
            NicDriver::InPlace => {
                let no = self.napi_build_skb(xdp);
                self.driver_metadata(no, xdp)?;
                self.driver_type(no, dev)?;
                Ok(no)
            }
            NicDriver::AfterType => {
                let no = self.napi_build_skb(xdp);
                self.driver_type(no, dev)?;
                self.driver_metadata(no, xdp)?;
                Ok(no)
            }
            NicDriver::Copy => {
                let no = self.napi_alloc_skb(xdp, xdp.data_meta);
                // patches 1–6 and 8 change the order of these two
                let early = !self.design.set_at_mac_header();
                if early {
                    self.driver_metadata(no, xdp)?;
                }
                self.skb_mut(no).pull(meta_len)?;
                if !early {
                    self.driver_metadata(no, xdp)?;
                }
                self.driver_type(no, dev)?;
                Ok(no)
            }
            NicDriver::Frags => {
                // skb_metadata_set() on an empty head, then napi_frags_finish()
                let no = self.napi_alloc_skb(xdp, xdp.data);
                self.driver_metadata(no, xdp)?;
                self.driver_type(no, dev)?;
                Ok(no)
            }
            NicDriver::Forgetful => {
                let no = self.napi_alloc_skb(xdp, xdp.data);
                self.driver_type(no, dev)?;
                self.driver_metadata(no, xdp)?;
                Ok(no)
            }
        }
    }

    /// `skb_metadata_set()`, if the program left any; the judge is told which bytes they are in the page.
    fn driver_metadata(&mut self, no: SkbNo, xdp: &XdpBuff) -> Run<()> {
        let origins = self
            .buffers
            .get(xdp.head)
            .origins(xdp.data_meta, xdp.meta_len());
        let origins = origins.to_vec();
        let start = if self.skb(no).head == xdp.head {
            xdp.data_meta
        } else {
            NET_SKB_PAD
        };
        self.hand_over(no, start, xdp.meta_len(), &origins)
    }

    fn driver_type(&mut self, no: SkbNo, dev: DevId) -> Run<()> {
        let protocol = self.eth_type_trans(no, dev)?;
        self.skb_mut(no).protocol = protocol;
        Ok(())
    }

    /// `napi_build_skb()`: around the page, `data` at the frame.
    fn napi_build_skb(&mut self, xdp: &XdpBuff) -> SkbNo {
        let no = self.skb_around(xdp);
        self.skb_mut(no).head_frag = true;
        no
    }

    /// `napi_alloc_skb()` and a memcpy of the page from `from` on.
    fn napi_alloc_skb(&mut self, xdp: &XdpBuff, from: u32) -> SkbNo {
        let len = xdp.data_end - from;
        let small = len + NET_SKB_PAD <= SMALL_FRAG;
        let no = if small {
            let head = self.buffers.alloc(SMALL_FRAG);
            self.recorder.trace.cost.buffer_allocations += 1;
            self.new_skb(head)
        } else {
            self.alloc_skb(len + NET_SKB_PAD)
        };
        let skb = self.skb_mut(no);
        skb.head_frag = small;
        skb.reserve(NET_SKB_PAD);
        skb.put(len);
        let (to, at) = (skb.head, skb.data);
        self.buffers.memcpy(to, at, xdp.head, from, len);
        no
    }

    /// `XDP_TX`: the driver sends the frame back by the card, and it leaves the simulated world.
    fn nic_xdp_tx(&mut self, index: usize, dev: DevId, xdp: &XdpBuff) -> Run<()> {
        let Some(driver) = xdp_tx(index) else {
            return not_covered("XDP_TX of xsk: the card's driver sends, and there is none");
        };
        if let Err(error) = xdp_convert_buff_to_frame(xdp) {
            return self.xdp_return_frame(dev, xdp, error);
        }
        self.xdp_function(driver.tx, driver.file, dev, xdp, 0)
    }

    /// `ndo_xdp_xmit` of a card: one frame sent.
    pub(super) fn nic_xdp_xmit(&mut self, index: usize, to: DevId, xdp: &XdpBuff) -> Run<()> {
        match xdp_tx(index).and_then(|driver| Some((driver.xmit?, driver.file))) {
            Some((xmit, file)) => self.xdp_function(xmit, file, to, xdp, 1),
            None => self.xdp_return_frame(to, xdp, EOPNOTSUPP),
        }
    }

    /// What a card sends leaves the simulated world.
    pub(super) fn nic_xmit(&mut self, no: SkbNo) -> Run<i64> {
        self.consume_skb(no)?;
        Ok(0)
    }
}
