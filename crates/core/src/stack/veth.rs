//! `drivers/net/veth.c`.

use super::{Kernel, Run, Softirq};
use crate::scenario::command::XdpMode;
use crate::scenario::topology::{DevId, ProgId};
use crate::skb::SHARED_INFO_SIZE;
use crate::trace::SkbNo;
use crate::xdp::{XDP_PACKET_HEADROOM, XdpBuff, action};

const FILE: &str = "drivers/net/veth.c";
/// `NET_XMIT_DROP`.
const NET_XMIT_DROP: i64 = 1;

impl Kernel {
    /// `veth_xmit()`: what one end sends, the other receives.
    pub(super) fn veth_xmit(&mut self, no: SkbNo, peer: DevId) -> Run<i64> {
        self.traced("veth_xmit", FILE, no, |k| {
            // NAPI runs on the receiving end only while it has a native XDP program (or GRO is on)
            let use_napi = k.native_xdp(peer).is_some();
            if k.dev_forward_skb(no, peer)? != 0 {
                // the other end is down, or the frame is longer than it takes
                return Ok(NET_XMIT_DROP);
            }
            if use_napi {
                k.napi_queue(peer, no, Softirq::VethPoll(peer));
                Ok(0)
            } else {
                k.__netif_rx(no)
            }
        })
    }

    pub(super) fn native_xdp(&self, dev: DevId) -> Option<ProgId> {
        match self.topology.dev(dev).xdp {
            Some((program, XdpMode::Native)) => Some(program),
            _ => None,
        }
    }

    /// `veth_xdp_rcv_skb()`: runs the native XDP program over a packet that came as an skb.
    pub(super) fn veth_xdp_rcv_skb(&mut self, dev: DevId, no: SkbNo) -> Run<Option<SkbNo>> {
        self.traced("veth_xdp_rcv_skb", FILE, no, |k| {
            let Some(program) = k.native_xdp(dev) else {
                return Ok(Some(no));
            };
            let skb = k.skb_mut(no);
            skb.push(skb.data.saturating_sub(u32::from(skb.mac_header)))?;
            let Some(no) = k.veth_convert_skb_to_xdp_buff(no)? else {
                return Ok(None);
            };
            let mut xdp = k.xdp_of(no);
            let before = xdp;
            match k.run_xdp(program, dev, &mut xdp)? {
                action::PASS => {}
                verdict @ (action::TX | action::REDIRECT) => {
                    k.veth_xdp_leaves(no, dev, xdp, verdict)?;
                    return Ok(None);
                }
                _ => {
                    k.xdp_drop(no)?;
                    return Ok(None);
                }
            }
            k.veth_xdp_pass(no, dev, &xdp, &before)?;
            Ok(Some(no))
        })
    }

    /// What `veth_xdp_rcv_skb()` does after `XDP_PASS`. Series v3, patch 7, sets the metadata before
    /// `eth_type_trans()` pulls the MAC header; Linux 7.2 after.
    fn veth_xdp_pass(&mut self, no: SkbNo, dev: DevId, xdp: &XdpBuff, before: &XdpBuff) -> Run<()> {
        let skb = self.skb_mut(no);
        if xdp.data < before.data {
            skb.push(before.data - xdp.data)?;
        } else {
            skb.pull(xdp.data - before.data)?;
        }
        skb.reset_mac_header();
        self.skb_follows_xdp(no, xdp, before);
        let early = self.design.veth_sets_at_mac_header();
        if early {
            self.hand_over_metadata(no, xdp)?;
        }
        let protocol = self.eth_type_trans(no, dev)?;
        self.skb_mut(no).protocol = protocol;
        if !early {
            self.hand_over_metadata(no, xdp)?;
        }
        Ok(())
    }

    /// `veth_convert_skb_to_xdp_buff()`: XDP needs a page fragment of its own (`skb_head_is_locked()`)
    /// with 256 bytes of headroom; what is longer than a page is in fragments afterwards. `None`: the packet is too long
    /// even so, and gone.
    fn veth_convert_skb_to_xdp_buff(&mut self, no: SkbNo) -> Run<Option<SkbNo>> {
        let skb = self.skb(no);
        let locked = !skb.head_frag || self.skb_cloned(no);
        let linear = skb.data_len == 0;
        if !self.skb_shared(no) && !locked && linear && skb.headroom() >= XDP_PACKET_HEADROOM {
            return Ok(Some(no));
        }
        let pool = self.skb(no).dev;
        let copy = self.skb_pp_cow_data(pool, no, XDP_PACKET_HEADROOM)?;
        if copy.is_none() {
            self.consume_skb(no)?;
        }
        Ok(copy)
    }

    /// `xdp_init_buff()` and `xdp_prepare_buff()` over a packet whose `data` is at the MAC header.
    fn xdp_of(&self, no: SkbNo) -> XdpBuff {
        let skb = self.skb(no);
        XdpBuff {
            head: skb.head,
            data_meta: skb.data,
            data: skb.data,
            data_end: skb.data + skb.headlen(),
            frame_sz: self.buffers.get(skb.head).end() + SHARED_INFO_SIZE,
            frag_size: 0,
            skb: Some(no),
        }
    }
}
