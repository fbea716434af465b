//! `action mpls`: `tcf_mpls_act()` (`net/sched/act_mpls.c`), `skb_mpls_push()` and `skb_mpls_pop()`
//! (`net/core/skbuff.c`). They move the link header with a plain memmove and know nothing of metadata: a push
//! overwrites the last four bytes of them, a pop leaves a gap of four.

use super::tc::act;
use super::{Kernel, Run};
use crate::net::dissect::be32;
use crate::net::ethernet;
use crate::net::mpls::{self, Entry};
use crate::scenario::tc_action::{MplsAction, MplsFields};
use crate::trace::{Layer, SkbNo};
use crate::xdp::EINVAL;

const SKBUFF: &str = "net/core/skbuff.c";
/// `ETH_P_MPLS_MC`.
const P_MPLS_MC: u16 = 0x8848;

/// `eth_p_mpls()`.
fn eth_p_mpls(protocol: u16) -> bool {
    matches!(protocol, mpls::P_MPLS_UC | P_MPLS_MC)
}

/// `tcf_mpls_get_lse()`: an entry with what the action sets. Without a word on it, `set_bos` marks the bottom.
fn label_entry(old: Entry, fields: MplsFields, set_bos: bool) -> Entry {
    Entry {
        label: fields.label.unwrap_or(old.label),
        ttl: fields.ttl.unwrap_or(old.ttl),
        tc: fields.tc.unwrap_or(old.tc),
        bos: fields.bos.unwrap_or(old.bos || set_bos),
    }
}

impl Kernel {
    /// `tcf_mpls_act()`.
    pub(super) fn tcf_mpls_act(&mut self, no: SkbNo, action: MplsAction, control: i64) -> Run<i64> {
        self.traced("tcf_mpls_act", "net/sched/act_mpls.c", no, |k| {
            let at_ingress = k.skb(no).tc_at_ingress;
            let mac_len = if at_ingress {
                let mac_len = u32::from(k.skb(no).mac_len);
                k.skb_push_rcsum(no, mac_len)?;
                mac_len
            } else {
                k.skb(no).network_offset().unsigned_abs()
            };
            if k.mpls_act(no, action, mac_len)? != 0 {
                return Ok(act::SHOT);
            }
            if at_ingress {
                let mac_len = u32::from(k.skb(no).mac_len);
                k.skb_pull_rcsum(no, mac_len)?;
            }
            Ok(control)
        })
    }

    fn mpls_act(&mut self, no: SkbNo, action: MplsAction, mac_len: u32) -> Run<i64> {
        let dev = self.skb(no).dev;
        let ethernet = dev.is_some_and(|dev| self.topology.dev(dev).has_ethernet());
        let empty = Entry::decode(0);
        match action {
            MplsAction::Pop(protocol) => self.skb_mpls_pop(no, protocol, mac_len, ethernet),
            MplsAction::Push(protocol, fields) => {
                let bottom = !eth_p_mpls(self.skb_protocol(no));
                let entry = label_entry(empty, fields, bottom);
                self.skb_mpls_push(no, entry, protocol, mac_len, ethernet)
            }
            MplsAction::MacPush(protocol, fields) => {
                self.vlan_tag_inside(no)?;
                let bottom = mac_len != 0 || !eth_p_mpls(self.skb(no).protocol);
                let entry = label_entry(empty, fields, bottom);
                self.skb_mpls_push(no, entry, protocol, 0, false)
            }
            MplsAction::Modify(fields) => {
                let Some(old) = self.label_at_network_header(no) else {
                    return Ok(EINVAL);
                };
                self.skb_mpls_update_lse(no, label_entry(old, fields, false))
            }
            MplsAction::DecTtl => {
                let old = self.label_at_network_header(no);
                match old.filter(|old| old.ttl > 1 && eth_p_mpls(self.skb(no).protocol)) {
                    Some(old) => {
                        let ttl = old.ttl - 1;
                        self.skb_mpls_update_lse(no, Entry { ttl, ..old })
                    }
                    None => Ok(EINVAL),
                }
            }
        }
    }

    /// The part of `tcf_mpls_act()` for `mac_push` of a packet with an accelerated tag: the tag goes into the packet.
    fn vlan_tag_inside(&mut self, no: SkbNo) -> Run<()> {
        let skb = self.skb(no);
        if !skb.vlan_present {
            return Ok(());
        }
        let (proto, tci) = (skb.vlan_proto, skb.vlan_tci);
        self.__vlan_insert_tag(no, proto, tci)?;
        let skb = self.skb_mut(no);
        skb.protocol = proto;
        skb.clear_vlan_tag();
        Ok(())
    }

    /// The label at the network header, if the packet holds it.
    fn label_at_network_header(&self, no: SkbNo) -> Option<Entry> {
        let skb = self.skb(no);
        let at = u32::from(skb.network_header);
        let inside = at + mpls::HLEN <= skb.tail;
        inside.then(|| Entry::decode(be32(self.bytes(no, at, mpls::HLEN), 0)))
    }

    /// `skb_mpls_push()`.
    fn skb_mpls_push(
        &mut self,
        no: SkbNo,
        entry: Entry,
        protocol: u16,
        mac_len: u32,
        ethernet: bool,
    ) -> Run<i64> {
        self.traced("skb_mpls_push", SKBUFF, no, |k| {
            if !eth_p_mpls(protocol) || k.skb(no).encapsulation {
                return Ok(EINVAL);
            }
            k.skb_cow_head(no, mpls::HLEN)?;
            let skb = k.skb_mut(no);
            if skb.inner_protocol == 0 {
                skb.inner_network_header = skb.network_header;
                skb.inner_protocol = skb.protocol;
            }
            skb.push(mpls::HLEN)?;
            let (head, mac, data) = (skb.head, u32::from(skb.mac_header), skb.data);
            let to = mac.saturating_sub(mpls::HLEN);
            k.buffers.memmove(head, mac, to, mac_len);
            let skb = k.skb_mut(no);
            skb.reset_mac_header();
            skb.set_network_header(mac_len);
            skb.reset_mac_len();
            let (at, label) = (data + mac_len, format!("MPLS label {}", entry.label));
            let bytes = entry.encode().to_be_bytes();
            k.write_header(no, at, &bytes, Layer::Mpls, label, "skb_mpls_push");
            k.skb_postpush_rcsum(no, at, mpls::HLEN, 0);
            k.mpls_ethertype(no, protocol, mac_len, ethernet);
            Ok(0)
        })
    }

    /// `skb_mpls_pop()`: a packet without label stays as it is.
    fn skb_mpls_pop(&mut self, no: SkbNo, protocol: u16, mac_len: u32, ethernet: bool) -> Run<i64> {
        self.traced("skb_mpls_pop", SKBUFF, no, |k| {
            if !eth_p_mpls(k.skb(no).protocol) {
                return Ok(0);
            }
            let err = k.skb_ensure_writable(no, mac_len + mpls::HLEN)?;
            if err != 0 {
                return Ok(err);
            }
            let skb = k.skb(no);
            let (head, mac) = (skb.head, u32::from(skb.mac_header));
            let label = u32::from(skb.network_header);
            k.skb_postpull_rcsum(no, label, mpls::HLEN);
            k.buffers.memmove(head, mac, mac + mpls::HLEN, mac_len);
            let skb = k.skb_mut(no);
            skb.pull(mpls::HLEN)?;
            skb.reset_mac_header();
            skb.set_network_header(mac_len);
            k.mpls_ethertype(no, protocol, mac_len, ethernet);
            if !eth_p_mpls(protocol) {
                k.skb_mut(no).inner_protocol = 0;
            }
            Ok(0)
        })
    }

    /// `skb_mod_eth_type()` in front of the network header, behind VLAN tags too; and the packet's protocol.
    fn mpls_ethertype(&mut self, no: SkbNo, protocol: u16, mac_len: u32, ethernet: bool) {
        let skb = self.skb_mut(no);
        skb.protocol = protocol;
        let (head, at) = (skb.head, u32::from(skb.network_header));
        if ethernet && mac_len >= ethernet::HLEN && at >= 2 {
            let old = self.bytes(no, at - 2, 2).to_vec();
            self.csum_follows(no, &old, &protocol.to_be_bytes());
            self.buffers.patch(head, at - 2, &protocol.to_be_bytes());
        }
    }

    /// `skb_mpls_update_lse()`.
    fn skb_mpls_update_lse(&mut self, no: SkbNo, entry: Entry) -> Run<i64> {
        if !eth_p_mpls(self.skb(no).protocol) {
            return Ok(EINVAL);
        }
        let len = u32::from(self.skb(no).mac_len) + mpls::HLEN;
        let err = self.skb_ensure_writable(no, len)?;
        if err == 0 {
            let (head, at) = (self.skb(no).head, u32::from(self.skb(no).network_header));
            let bytes = entry.encode().to_be_bytes();
            let old = self.bytes(no, at, mpls::HLEN).to_vec();
            self.csum_follows(no, &old, &bytes);
            self.buffers.patch(head, at, &bytes);
        }
        Ok(err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3032, section 2.1: label 100, class 0, bottom, ttl 255.
    #[test]
    fn a_pushed_label() {
        let fields = MplsFields {
            label: Some(100),
            ttl: Some(255),
            ..MplsFields::default()
        };
        let entry = label_entry(Entry::decode(0), fields, true);
        assert_eq!(entry.encode(), 0x0006_41ff);
        let inner = label_entry(Entry::decode(0), fields, false);
        assert_eq!(inner.encode(), 0x0006_40ff, "another label is below it");
    }
}
