//! `ip6_fragment()` (`net/ipv6/ip6_output.c`): a packet of this host that is too long leaves in pieces.

use super::fraglist::{EMSGSIZE, Geometry};
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::{icmpv6, ipv6};
use crate::scenario::topology::Route6;
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL};
use crate::trace::{Layer, SkbNo};

/// `sizeof(struct frag_hdr)`.
const FRAG_HLEN: u32 = 8;
/// `IP6_MF`.
const MF: u16 = 1;
/// `-EINVAL`.
const EINVAL: i64 = -22;
/// `offsetof(struct ipv6hdr, nexthdr)`, and of `payload_len`.
const NEXTHDR: u32 = 6;
const PAYLOAD_LEN: u32 = 4;

/// What all fragments of a packet have in common.
struct Common {
    /// Headers in front of the fragment header, the number of which is in them already.
    header: Vec<u8>,
    /// What the fragment header has as next header.
    nexthdr: u8,
    /// `identification`.
    id: u32,
}

impl Kernel {
    /// A packet that this host did not make is not put into pieces: its sender is told (`ignore_df`). Packets that lie in
    /// `frag_list` in fitting pieces leave as they are; of any other, each fragment is a copy.
    pub(super) fn ip6_fragment(&mut self, no: SkbNo, route: Route6, mtu: u32) -> Run<i64> {
        let Some((hlen, prevhdr)) = self.ip6_find_1stfragopt(no) else {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(EINVAL);
        };
        if !self.skb(no).ignore_df || mtu < hlen + FRAG_HLEN + 8 {
            self.icmp6_send(no, icmpv6::PKT_TOOBIG, 0, mtu)?;
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(EMSGSIZE);
        }
        // ipv6_select_ident() asks for a random number; here they are counted
        let id = u32::from(self.ip_select_ident());
        if self.skb(no).ip_summed == CHECKSUM_PARTIAL {
            self.skb_checksum_help(no)?;
        }
        let at = u32::from(self.skb(no).network_header);
        let mut header = self.bytes(no, at, hlen).to_vec();
        let nexthdr = match header.get_mut(prevhdr as usize) {
            Some(number) => std::mem::replace(number, ipv6::NEXTHDR_FRAGMENT),
            None => ipv6::NEXTHDR_NONE,
        };
        let common = Common {
            header,
            nexthdr,
            id,
        };
        let reserved = self.topology.dev(route.dev).ll_reserved_space();
        let geometry = Geometry {
            hlen,
            space: mtu - hlen - FRAG_HLEN,
            headroom: reserved + FRAG_HLEN,
            member_headroom: hlen + reserved + FRAG_HLEN,
        };
        match self.fraglist_fits(no, &geometry) {
            true => self.ip6_send_fraglist(no, route, prevhdr, &common),
            false => self.ip6_copy_fragments(no, route, &geometry, &common),
        }
    }

    /// `ip6_find_1stfragopt()` (`net/ipv6/output_core.c`): where the fragment header belongs, and where the number of what
    /// follows it is, from the network header. (A home address option, of Mobile IPv6, is not looked for.)
    fn ip6_find_1stfragopt(&self, no: SkbNo) -> Option<(u32, u32)> {
        let at = u32::from(self.skb(no).network_header);
        let linear = self.skb(no).tail.saturating_sub(at);
        let (mut offset, mut place, mut routing) = (ipv6::HLEN, NEXTHDR, false);
        while offset <= linear {
            match self.bytes(no, at + place, 1).first().copied()? {
                ipv6::NEXTHDR_HOP => {}
                ipv6::NEXTHDR_ROUTING => routing = true,
                ipv6::NEXTHDR_DEST if !routing => {}
                _ => return Some((offset, place)),
            }
            if offset + 2 > linear {
                return None;
            }
            place = offset;
            let units = self.bytes(no, at + offset + 1, 1).first().copied()?;
            offset += (u32::from(units) + 1) * 8;
        }
        None
    }

    /// The fast path: the headers of the first one move down to make room, the others get theirs in front of their data.
    fn ip6_send_fraglist(
        &mut self,
        no: SkbNo,
        route: Route6,
        prevhdr: u32,
        common: &Common,
    ) -> Run<i64> {
        let list = self.take_fraglist(no);
        self.ip6_fraglist_init(no, prevhdr, common)?;
        let headers = common.header.len() as u32 + FRAG_HLEN;
        let (mut skb, mut offset) = (no, 0);
        let mut rest = list.into_iter().peekable();
        loop {
            let next = rest.next();
            if let Some(member) = next {
                offset += self.skb(skb).len - headers;
                let more = if rest.peek().is_some() { MF } else { 0 };
                self.ip6_fraglist_prepare(member, skb, offset as u16 | more, common)?;
            }
            let err = self.ip6_finish_output2(skb, route)?;
            if err != 0 {
                self.kfree_rest(next.into_iter().chain(rest))?;
                return Ok(err);
            }
            match next {
                Some(member) => skb = member,
                None => return Ok(0),
            }
        }
    }

    /// `ip6_fraglist_init()`, after [`Kernel::take_fraglist`].
    fn ip6_fraglist_init(&mut self, no: SkbNo, prevhdr: u32, common: &Common) -> Run<()> {
        let hlen = common.header.len() as u32;
        let skb = self.skb_mut(no);
        skb.push(FRAG_HLEN)?;
        skb.reset_network_header();
        let (head, at) = (skb.head, skb.data);
        self.buffers.memmove(head, at + FRAG_HLEN, at, hlen);
        self.buffers
            .patch(head, at + prevhdr, &[ipv6::NEXTHDR_FRAGMENT]);
        self.ip6_write_frag_hdr(no, at + hlen, MF, common, "ip6_fraglist_init");
        self.ip6_set_payload_len(no);
        Ok(())
    }

    /// `ip6_fraglist_prepare()`.
    fn ip6_fraglist_prepare(
        &mut self,
        member: SkbNo,
        from: SkbNo,
        frag_off: u16,
        common: &Common,
    ) -> Run<()> {
        const WRITER: &str = "ip6_fraglist_prepare";
        let hlen = common.header.len() as u32;
        let skb = self.skb_mut(member);
        skb.ip_summed = CHECKSUM_NONE;
        skb.reset_transport_header();
        skb.push(FRAG_HLEN + hlen)?;
        skb.reset_network_header();
        let at = skb.data;
        self.write_ipv6(member, at, &common.header, WRITER);
        self.ip6_write_frag_hdr(member, at + hlen, frag_off, common, WRITER);
        self.ip6_set_payload_len(member);
        self.ip_copy_metadata(member, from);
        Ok(())
    }

    /// The slow path: each fragment is a packet of its own, without what the old one had in front of its data.
    fn ip6_copy_fragments(
        &mut self,
        no: SkbNo,
        route: Route6,
        geometry: &Geometry,
        common: &Common,
    ) -> Run<i64> {
        let total = self.skb(no).len - geometry.hlen;
        let mut from = 0;
        while from < total {
            let len = geometry.next_len(total - from);
            let more = if from + len < total { MF } else { 0 };
            let fragment = self.ip6_frag_next(no, geometry, len, from as u16 | more, common);
            let err = self.ip6_finish_output2(fragment, route)?;
            if err != 0 {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(err);
            }
            from += len;
        }
        self.consume_skb(no)?;
        Ok(0)
    }

    /// `ip6_frag_next()`: `len` bytes of the payload, behind headers of their own.
    fn ip6_frag_next(
        &mut self,
        no: SkbNo,
        geometry: &Geometry,
        len: u32,
        frag_off: u16,
        common: &Common,
    ) -> SkbNo {
        const WRITER: &str = "ip6_frag_next";
        let headers = geometry.hlen + FRAG_HLEN;
        // hroom: without what the fast path needs for its fragment header
        let room = geometry.headroom - FRAG_HLEN;
        let fragment = self.alloc_skb(len + headers + room);
        self.ip_copy_metadata(fragment, no);
        self.metadata_left_behind(no, fragment);
        let skb = self.skb_mut(fragment);
        skb.reserve(room);
        skb.put(len + headers);
        skb.reset_network_header();
        skb.transport_header = skb.network_header + headers as u16;
        let (head, at) = (skb.head, skb.data);
        self.write_ipv6(fragment, at, &common.header, WRITER);
        self.ip6_write_frag_hdr(fragment, at + geometry.hlen, frag_off, common, WRITER);
        let from = geometry.hlen + u32::from(frag_off & !7);
        self.skb_copy_bits(no, from, (head, at + headers), len);
        self.ip6_set_payload_len(fragment);
        fragment
    }

    /// `struct frag_hdr`.
    fn ip6_write_frag_hdr(
        &mut self,
        no: SkbNo,
        at: u32,
        frag_off: u16,
        common: &Common,
        writer: &'static str,
    ) {
        let mut header = vec![common.nexthdr, 0];
        header.extend(frag_off.to_be_bytes());
        header.extend(common.id.to_be_bytes());
        let label = format!("IPv6 fragment header, from byte {}", frag_off & !7);
        self.write_header(no, at, &header, Layer::Ipv6Ext, label, writer);
    }

    fn ip6_set_payload_len(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        let (head, at) = (skb.head, u32::from(skb.network_header));
        let len = skb.len.saturating_sub(ipv6::HLEN) as u16;
        self.buffers
            .patch(head, at + PAYLOAD_LEN, &len.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use crate::design::DesignName;
    use crate::scenario::parse;
    use crate::scenario::topology::{Lookup6, NetnsId};
    use crate::stack::Kernel;
    use crate::stack::ip6_output::Datagram6;
    use crate::trace::{Edge, PacketFields, StepKind};

    const WORLD: &str = "\
ip netns add tx
ip link add rx type veth peer name tx netns tx
ip link set dev rx up
ip -n tx link set dev tx up
ip -6 addr add 2001:db8::1/64 dev rx nodad
ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev rx nud permanent
";

    /// A list that a clone has too is copied: 1500 - 48 = 1452 bytes of room, thus 1448, and 560 of 2008. veth reserves 16 bytes
    /// (`LL_RESERVED_SPACE()`), so the network header is there.
    #[test]
    fn a_cloned_list_is_copied() {
        let mut k = Kernel::new("test", DesignName::MacHeader.design());
        for line in parse(WORLD).expect("commands").lines {
            k.execute(&line).expect("a command");
        }
        let daddr = "2001:db8::2".parse().expect("an address");
        let Lookup6::Unicast(route) = k.topology.lookup6(NetnsId(0), daddr) else {
            panic!("no route")
        };
        let payload: Vec<u8> = (0..2008u32).map(|at| (at * 7 + at / 256) as u8).collect();
        let datagram = Datagram6 {
            saddr: "2001:db8::1".parse().expect("an address"),
            daddr,
            protocol: 253,
            tclass: 0,
            hop_limit: 64,
            payload: &payload,
            writer: "test",
        };
        let no = k.ip6_make_skb(route, &datagram).expect("a packet");
        k.skb_clone(no).expect("a clone");
        let geometry = super::Geometry {
            hlen: 40,
            space: 1452,
            headroom: 24,
            member_headroom: 64,
        };
        let common = super::Common {
            header: vec![0; 40],
            nexthdr: 253,
            id: 5,
        };
        let last = k.ip6_frag_next(no, &geometry, 560, 1448, &common);
        assert_eq!((k.skb(last).data, k.skb(last).len), (16, 608));
        assert_eq!(k.packet(last, 40, 8)[..], [253, 0, 5, 168, 0, 0, 0, 5]);
        assert!(k.packet(last, 48, 560)[..] == payload[1448..]);
        k.ip6_send_skb(no).expect("sent");
        let trace = k.into_trace();
        let sent = trace.steps.iter().filter_map(|step| match step.kind {
            StepKind::Function {
                name: "ip6_finish_output2",
                edge: Edge::Entry,
                ..
            } => match &trace.fields[step.fields?] {
                PacketFields::Skb(skb) => Some((skb.len, skb.data, skb.data_len)),
                PacketFields::Xdp(_) => None,
            },
            _ => None,
        });
        assert_eq!(sent.collect::<Vec<_>>(), [(1496, 16, 0), (608, 16, 0)]);
    }
}
