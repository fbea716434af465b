//! Generic XDP (`net/core/dev.c`): the program runs over an skb, for any device.

use super::{Kernel, Run};
use crate::net::dissect::be16;
use crate::scenario::command::XdpMode;
use crate::scenario::topology::{DevId, ProgId};
use crate::skb::{NET_SKB_PAD, PacketType, SHARED_INFO_SIZE};
use crate::trace::SkbNo;
use crate::xdp::{XDP_PACKET_HEADROOM, XdpBuff, action};

const FILE: &str = "net/core/dev.c";

impl Kernel {
    /// `do_xdp_generic()`, called for each received packet while any device has a generic program
    /// (`generic_xdp_needed_key`). Gives the packet, which may be a copy now; `None`: it did not get through.
    pub(super) fn do_xdp_generic(&mut self, no: SkbNo) -> Run<Option<SkbNo>> {
        if !self
            .topology
            .devices
            .iter()
            .any(|dev| matches!(dev.xdp, Some((_, XdpMode::Generic))))
        {
            return Ok(Some(no));
        }
        let mut now = no;
        let verdict = self.traced_pskb("do_xdp_generic", FILE, no, |k| {
            let dev = k.skb(no).dev;
            match dev.and_then(|dev| Some((dev, k.topology.dev(dev).xdp?))) {
                Some((dev, (program, XdpMode::Generic))) => {
                    let verdict = k.netif_receive_generic_xdp(&mut now, dev, program)?;
                    Ok((verdict, now))
                }
                _ => Ok((action::PASS as i64, no)),
            }
        })?;
        Ok((verdict == action::PASS as i64).then_some(now))
    }

    /// `netif_receive_generic_xdp()` and the verdict's consequences.
    fn netif_receive_generic_xdp(
        &mut self,
        pskb: &mut SkbNo,
        dev: DevId,
        program: ProgId,
    ) -> Run<i64> {
        let no = *pskb;
        if self.skb(no).redirected {
            // what act_mirred or a program reinjected gets no generic XDP
            return Ok(action::PASS as i64);
        }
        let skb = self.skb_mut(no);
        let mac_len = skb.data.saturating_sub(u32::from(skb.mac_header));
        skb.push(mac_len)?;
        let no = self.netif_skb_check_for_xdp(no, program)?;
        *pskb = no;
        self.skb_mut(no).pull(mac_len)?;
        let verdict = self.bpf_prog_run_generic_xdp(no, dev, program, mac_len)?;
        match verdict as u64 {
            action::PASS => Ok(verdict),
            action::TX => {
                self.generic_xdp_tx(no, dev)?;
                Ok(action::DROP as i64)
            }
            action::REDIRECT => {
                if self.xdp_do_generic_redirect(no, dev)?.is_err() {
                    self.kfree_skb(no, super::skbuff::drop_reason::XDP)?;
                }
                Ok(action::DROP as i64)
            }
            _ => {
                self.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                Ok(action::DROP as i64)
            }
        }
    }

    /// `netif_skb_check_for_xdp()`: XDP wants 256 bytes of headroom and a packet of its own. A program that knows
    /// fragments gets a copy in pages (`skb_cow_data_for_xdp()`), any other a packet in one piece.
    fn netif_skb_check_for_xdp(&mut self, no: SkbNo, program: ProgId) -> Run<SkbNo> {
        let skb = self.skb(no);
        let fits = skb.headroom() >= XDP_PACKET_HEADROOM && skb.data_len == 0;
        if fits && !self.skb_cloned(no) {
            return Ok(no);
        }
        if self.xdp_has_frags(program) {
            let system = None;
            if let Some(copy) = self.skb_pp_cow_data(system, no, XDP_PACKET_HEADROOM)? {
                return Ok(copy);
            }
        }
        let skb = self.skb(no);
        let missing = XDP_PACKET_HEADROOM.saturating_sub(skb.headroom());
        let behind = (skb.tail + skb.data_len).saturating_sub(self.buffers.get(skb.head).end());
        let more = if behind > 0 { behind + 128 } else { 0 };
        self.pskb_expand_head(no, missing.next_multiple_of(NET_SKB_PAD), more)?;
        self.skb_linearize(no)?;
        Ok(no)
    }

    /// `bpf_prog_run_generic_xdp()`. Series v3, patch 9, sets the metadata with `data` at the MAC header.
    fn bpf_prog_run_generic_xdp(
        &mut self,
        no: SkbNo,
        dev: DevId,
        program: ProgId,
        mac_len: u32,
    ) -> Run<i64> {
        self.traced("bpf_prog_run_generic_xdp", FILE, no, |k| {
            let skb = k.skb(no);
            let data = skb.data - mac_len;
            let mut xdp = XdpBuff {
                head: skb.head,
                data_meta: data,
                data,
                data_end: skb.data + skb.headlen(),
                frame_sz: k.buffers.get(skb.head).end() + SHARED_INFO_SIZE,
                frag_size: 0,
                skb: None,
            };
            let before = xdp;
            let ethernet_before = k.ethernet_seen(&xdp, dev);
            let verdict = k.run_xdp(program, dev, &mut xdp)?;
            k.follow_adjust_head(no, data, xdp.data)?;
            k.skb_follows_xdp(no, &xdp, &before);
            if k.ethernet_seen(&xdp, dev) != ethernet_before {
                k.skb_mut(no).push(crate::net::ethernet::HLEN)?;
                k.skb_mut(no).pkt_type = PacketType::Host;
                let protocol = k.eth_type_trans(no, dev)?;
                k.skb_mut(no).protocol = protocol;
            }
            if matches!(verdict, action::TX | action::REDIRECT) {
                k.skb_mut(no).push(mac_len)?;
            }
            if verdict == action::PASS {
                k.hand_over_generic(no, &xdp, mac_len)?;
            }
            Ok(verdict as i64)
        })
    }

    /// After `bpf_xdp_adjust_head()`: the skb follows.
    fn follow_adjust_head(&mut self, no: SkbNo, before: u32, now: u32) -> Run<()> {
        let skb = self.skb_mut(no);
        if now > before {
            skb.pull(now - before)?;
        } else {
            skb.push(before - now)?;
        }
        if now != before {
            skb.mac_header = (i32::from(skb.mac_header) + now as i32 - before as i32) as u16;
            skb.reset_network_header();
        }
        Ok(())
    }

    /// Protocol, *to us*, *to a group*: what the stack took from the Ethernet header already.
    fn ethernet_seen(&self, xdp: &XdpBuff, dev: DevId) -> (u16, bool, bool) {
        let header = self
            .buffers
            .get(xdp.head)
            .bytes(xdp.data, crate::net::ethernet::HLEN);
        let to_us = header
            .get(..6)
            .is_some_and(|dest| dest == self.topology.dev(dev).mac);
        (
            be16(header, 12),
            to_us,
            header.first().is_some_and(|first| first & 1 == 1),
        )
    }

    fn hand_over_generic(&mut self, no: SkbNo, xdp: &XdpBuff, mac_len: u32) -> Run<()> {
        if self.design.set_at_mac_header() {
            self.skb_mut(no).push(mac_len)?;
            self.hand_over_metadata(no, xdp)?;
            self.skb_mut(no).pull(mac_len)?;
        } else {
            self.hand_over_metadata(no, xdp)?;
        }
        Ok(())
    }
}
