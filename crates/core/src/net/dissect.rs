//! What the bytes of a frame are, header by header. Labels for origins, and the offset that the
//! kernel's flow dissector finds for the transport header.

pub use super::fields::{addr6, be16, be32, ipv4_label, ipv6_label};
use super::{ethernet, geneve, gre, icmp, icmpv6, ipv4, ipv6, mpls, tcp, udp, vlan, vxlan};
use crate::trace::Layer;

/// A header (or the payload) in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub layer: Layer,
    /// First byte, from the start of the frame.
    pub start: usize,
    /// Bytes.
    pub len: usize,
    /// For people, such as `IPv4 10.0.0.2 → 10.0.0.1`.
    pub label: String,
}

/// The parts of a frame, in order and without holes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dissection {
    /// Headers, then payload.
    pub parts: Vec<Part>,
    /// Where the innermost transport header begins, from the start of the frame
    /// (`flow_keys.control.thoff`, `net/core/flow_dissector.c`); `None` when no IP header was found.
    pub transport: Option<usize>,
}

/// What the first byte of a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// An Ethernet header.
    Ethernet,
    /// An IPv4 header.
    Ipv4,
    /// An IPv6 header.
    Ipv6,
}

impl Start {
    /// Of a packet without link header: IPv4 unless its first four bits say 6.
    #[must_use]
    pub fn of_packet(packet: &[u8]) -> Self {
        match packet.first().map(|first| first >> 4) {
            Some(6) => Self::Ipv6,
            _ => Self::Ipv4,
        }
    }
}

/// Most headers that are looked at; a frame of nested tunnels ends here as payload.
const MAX_HEADERS: usize = 32;

/// Takes a frame apart as far as its bytes reach.
#[must_use]
pub fn dissect(frame: &[u8], start: Start) -> Dissection {
    walk(frame, start, true)
}

/// As [`dissect`], for [`Dissection::transport`] alone: no parts, and no labels of them.
#[must_use]
pub fn dissect_transport(frame: &[u8], start: Start) -> Dissection {
    walk(frame, start, false)
}

fn walk(frame: &[u8], start: Start, named: bool) -> Dissection {
    let mut walk = Walk {
        frame,
        at: 0,
        headers: 0,
        named,
        ended: false,
        out: Dissection::default(),
    };
    let mut next = match start {
        Start::Ethernet => Next::Ethernet,
        Start::Ipv4 => Next::Ipv4,
        Start::Ipv6 => Next::Ipv6,
    };
    while next != Next::Payload && walk.headers < MAX_HEADERS {
        next = walk.header(next);
    }
    walk.payload();
    walk.out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Ethernet,
    Ipv4,
    Ipv6,
    Ipv6Ext(u8),
    Icmpv6,
    Vlan,
    Mpls,
    Gre,
    Icmp,
    Udp,
    Tcp,
    Vxlan,
    Geneve,
    Payload,
}

struct Walk<'f> {
    frame: &'f [u8],
    at: usize,
    /// Headers so far.
    headers: usize,
    /// Parts are kept.
    named: bool,
    /// The dissector has found its transport header; only labels are looked for now.
    ended: bool,
    out: Dissection,
}

impl Walk<'_> {
    fn header(&mut self, kind: Next) -> Next {
        let rest = &self.frame[self.at..];
        match kind {
            Next::Ethernet if rest.len() >= ethernet::HLEN as usize => {
                let proto = be16(rest, 12);
                self.take(Layer::Ethernet, ethernet::HLEN as usize, &|| {
                    "Ethernet".into()
                });
                self.by_type(proto)
            }
            Next::Vlan if rest.len() >= vlan::HLEN as usize => {
                let (tci, proto) = (be16(rest, 0), be16(rest, 2));
                let label = || format!("VLAN tag {}", tci & vlan::VID_MASK);
                self.take(Layer::Vlan, vlan::HLEN as usize, &label);
                self.by_type(proto)
            }
            Next::Mpls if rest.len() >= mpls::HLEN as usize => self.mpls(rest),
            Next::Ipv4 if rest.len() >= ipv4::HLEN as usize && rest[0] >> 4 == 4 => self.ipv4(rest),
            Next::Ipv6 if rest.len() >= ipv6::HLEN as usize && rest[0] >> 4 == 6 => {
                let next = rest[6];
                self.take(Layer::Ipv6, ipv6::HLEN as usize, &|| ipv6_label(rest));
                self.by_next_header(next)
            }
            Next::Ipv6Ext(kind) => self.ipv6_ext(rest, kind),
            Next::Icmpv6 if rest.len() >= icmpv6::HLEN as usize => {
                let label = match rest[0] {
                    icmpv6::ECHO_REQUEST => "ICMPv6 echo request",
                    icmpv6::ECHO_REPLY => "ICMPv6 echo reply",
                    _ => "ICMPv6",
                };
                self.take(Layer::Icmpv6, icmpv6::HLEN as usize, &|| label.into());
                Next::Payload
            }
            Next::Gre if rest.len() >= gre::BASE_HLEN as usize => self.gre(rest),
            Next::Udp if rest.len() >= udp::HLEN as usize => {
                let port = be16(rest, 2);
                self.ended = true;
                self.take(Layer::Udp, udp::HLEN as usize, &|| "UDP header".into());
                match port {
                    vxlan::PORT => Next::Vxlan,
                    geneve::PORT => Next::Geneve,
                    _ => Next::Payload,
                }
            }
            Next::Tcp if rest.len() >= tcp::HLEN as usize => {
                let len = usize::from(rest[12] >> 4) * 4;
                let len = len.clamp(tcp::HLEN as usize, rest.len());
                self.take(Layer::Tcp, len, &|| "TCP header".into());
                Next::Payload
            }
            Next::Vxlan if rest.len() >= vxlan::HLEN as usize => {
                let label = || format!("VXLAN header, VNI {}", be32(rest, 4) >> 8);
                self.take(Layer::Vxlan, vxlan::HLEN as usize, &label);
                Next::Ethernet
            }
            Next::Geneve => self.geneve(rest),
            Next::Icmp if rest.len() >= icmp::HLEN as usize => {
                let label = match rest[0] {
                    icmp::ECHO => "ICMP echo request",
                    icmp::ECHO_REPLY => "ICMP echo reply",
                    _ => "ICMP",
                };
                self.take(Layer::Icmp, icmp::HLEN as usize, &|| label.into());
                Next::Payload
            }
            _ => Next::Payload,
        }
    }

    fn ipv4(&mut self, rest: &[u8]) -> Next {
        let ihl = usize::from(rest[0] & 0x0f) * 4;
        if ihl < ipv4::HLEN as usize || rest.len() < ihl {
            return Next::Payload;
        }
        let protocol = rest[9];
        self.take(Layer::Ipv4, ihl, &|| ipv4_label(rest));
        if !self.ended {
            self.out.transport = Some(self.at);
        }
        if be16(rest, 6) & ipv4::FRAGMENT != 0 {
            self.ended = true;
            return Next::Payload;
        }
        match protocol {
            ipv4::PROTO_ICMP => Next::Icmp,
            ipv4::PROTO_GRE => Next::Gre,
            ipv4::PROTO_IPIP => Next::Ipv4,
            ipv6::NEXTHDR_IPV6 => Next::Ipv6,
            mpls::PROTO_MPLS => Next::Mpls,
            ipv4::PROTO_UDP => Next::Udp,
            ipv4::PROTO_TCP => Next::Tcp,
            _ => Next::Payload,
        }
    }

    /// What stands behind an IPv6 header or one of its extension headers.
    fn by_next_header(&mut self, next: u8) -> Next {
        if !self.ended {
            self.out.transport = Some(self.at);
        }
        match next {
            ipv6::NEXTHDR_ICMP => Next::Icmpv6,
            ipv6::NEXTHDR_IPV6 => Next::Ipv6,
            ipv4::PROTO_IPIP => Next::Ipv4,
            ipv4::PROTO_GRE => Next::Gre,
            mpls::PROTO_MPLS => Next::Mpls,
            ipv4::PROTO_UDP => Next::Udp,
            ipv4::PROTO_TCP => Next::Tcp,
            ipv6::NEXTHDR_HOP
            | ipv6::NEXTHDR_ROUTING
            | ipv6::NEXTHDR_FRAGMENT
            | ipv6::NEXTHDR_DEST => Next::Ipv6Ext(next),
            _ => Next::Payload,
        }
    }

    fn ipv6_ext(&mut self, rest: &[u8], kind: u8) -> Next {
        let hdrlen = rest.get(1).copied().unwrap_or(0);
        let len = ipv6::ext_len(kind, hdrlen).unwrap_or(0) as usize;
        if len == 0 || rest.len() < len {
            return Next::Payload;
        }
        let label = match kind {
            ipv6::NEXTHDR_HOP => "IPv6 hop-by-hop options",
            ipv6::NEXTHDR_ROUTING => "IPv6 routing header",
            ipv6::NEXTHDR_FRAGMENT => "IPv6 fragment header",
            _ => "IPv6 destination options",
        };
        let (next, fragment) = (rest[0], be16(rest, 2) & 0xfff9 != 0);
        self.take(Layer::Ipv6Ext, len, &|| label.into());
        if kind == ipv6::NEXTHDR_FRAGMENT && fragment {
            self.end_search();
            return Next::Payload;
        }
        self.by_next_header(next)
    }

    fn geneve(&mut self, rest: &[u8]) -> Next {
        let len = rest
            .first()
            .map(|first| geneve::header_len(*first) as usize);
        let Some(len) = len.filter(|len| rest.len() >= *len) else {
            return Next::Payload;
        };
        let label = || format!("GENEVE header, VNI {}", be32(rest, 4) >> 8);
        self.take(Layer::Geneve, len, &label);
        self.by_type(be16(rest, 2))
    }

    fn gre(&mut self, rest: &[u8]) -> Next {
        let flags = be16(rest, 0);
        let len = gre::header_len(flags) as usize;
        if flags & (gre::VERSION | gre::ROUTING) != 0 || rest.len() < len {
            return Next::Payload;
        }
        let proto = be16(rest, 2);
        self.take(Layer::Gre, len, &|| "GRE header".into());
        self.by_type(proto)
    }

    /// What stands behind a type field.
    fn by_type(&mut self, proto: u16) -> Next {
        match proto {
            ethernet::P_IP => Next::Ipv4,
            ethernet::P_IPV6 => Next::Ipv6,
            ethernet::P_TEB => Next::Ethernet,
            mpls::P_MPLS_UC => Next::Mpls,
            proto if vlan::is_vlan(proto) => Next::Vlan,
            ethernet::P_ARP => {
                self.end_search();
                Next::Payload
            }
            // __skb_flow_dissect() gives up: no transport header at all
            _ => {
                if !self.ended {
                    self.out.transport = None;
                }
                Next::Payload
            }
        }
    }

    /// The dissector stops behind the first label; names go on.
    fn mpls(&mut self, rest: &[u8]) -> Next {
        let entry = mpls::Entry::decode(be32(rest, 0));
        let label = || format!("MPLS label {}", entry.label);
        self.take(Layer::Mpls, mpls::HLEN as usize, &label);
        self.end_search();
        match rest.get(mpls::HLEN as usize).map(|first| first >> 4) {
            _ if !entry.bos => Next::Mpls,
            Some(6) => Next::Ipv6,
            _ => Next::Ipv4,
        }
    }

    /// `FLOW_DISSECT_RET_OUT_GOOD`: here the transport header begins, for want of a better place.
    fn end_search(&mut self) {
        if !self.ended {
            self.out.transport = Some(self.at);
            self.ended = true;
        }
    }

    fn payload(&mut self) {
        let len = self.frame.len() - self.at;
        if len > 0 {
            self.take(Layer::Payload, len, &|| "payload".into());
        }
    }

    fn take(&mut self, layer: Layer, len: usize, label: &dyn Fn() -> String) {
        if self.named {
            self.out.parts.push(Part {
                layer,
                start: self.at,
                len,
                label: label(),
            });
        }
        self.headers += 1;
        self.at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The frame of golden E2-gre-veth-key-native: Ethernet, IPv4, GRE with key, IPv4, ICMP, payload.
    const KEYED: &str = "02000000000102000000000208004500005011110000402f556c0a0000020a000001200008000000000545000034222200004001d4a3c0000202c00002010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .filter_map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok())
            .collect()
    }

    /// 14 + 20 + 8 + 20 + 8 + 24 = 94 bytes; seq 1 has the frame at 2 and transport_header 64.
    #[test]
    fn keyed_gre_frame() {
        let found = dissect(&hex(KEYED), Start::Ethernet);
        let shape: Vec<_> = found
            .parts
            .iter()
            .map(|part| (part.layer, part.start, part.len))
            .collect();
        assert_eq!(
            shape,
            [
                (Layer::Ethernet, 0, 14),
                (Layer::Ipv4, 14, 20),
                (Layer::Gre, 34, 8),
                (Layer::Ipv4, 42, 20),
                (Layer::Icmp, 62, 8),
                (Layer::Payload, 70, 24),
            ]
        );
        assert_eq!(found.transport, Some(64 - 2));
        assert_eq!(found.parts[1].label, "IPv4 10.0.0.2 → 10.0.0.1");
    }

    /// RFC 2473: destination options of 8 bytes between the outer header and the inner one: 40 + 8 + 40.
    #[test]
    fn an_ipv6_tunnel_with_an_encapsulation_limit() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 48, ipv6::NEXTHDR_DEST, 64];
        packet.resize(40, 0);
        packet.extend([ipv6::NEXTHDR_IPV6, 0, 4, 1, 4, 1, 1, 0]);
        packet.extend([0x60, 0, 0, 0, 0, 0, ipv6::NEXTHDR_NONE, 64]);
        packet.resize(88, 0);
        let found = dissect(&packet, Start::Ipv6);
        let shape: Vec<_> = found.parts.iter().map(|p| (p.layer, p.start)).collect();
        assert_eq!(
            shape,
            [(Layer::Ipv6, 0), (Layer::Ipv6Ext, 40), (Layer::Ipv6, 48)]
        );
        assert_eq!(found.transport, Some(88));
    }

    proptest! {
        #[test]
        fn parts_cover_the_frame_without_holes(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            for start in [Start::Ethernet, Start::Ipv4, Start::Ipv6] {
                let mut at = 0;
                let found = dissect(&frame, start);
                prop_assert_eq!(dissect_transport(&frame, start).transport, found.transport);
                for part in found.parts {
                    prop_assert_eq!(part.start, at);
                    at += part.len;
                }
                prop_assert_eq!(at, frame.len());
            }
        }
    }

    /// A frame may end anywhere, for one right behind the UDP header of a GENEVE tunnel.
    #[test]
    fn a_frame_cut_off_anywhere() {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0]);
        frame.extend([10, 0, 0, 2, 10, 0, 0, 1]);
        // to port 6081, then a GENEVE header with one option, then a frame
        frame.extend([0xc0, 0, 0x17, 0xc1, 0, 40, 0, 0]);
        frame.extend([1, 0, 0x65, 0x58, 0, 0, 7, 0, 0, 0, 0, 0]);
        frame.extend([0; 14]);
        for len in 0..=frame.len() {
            let parts = dissect(&frame[..len], Start::Ethernet).parts;
            let named: usize = parts.iter().map(|part| part.len).sum();
            assert_eq!(named, len, "{len} bytes");
        }
        let whole = dissect(&frame, Start::Ethernet).parts;
        let layers: Vec<Layer> = whole.iter().map(|part| part.layer).collect();
        let tunnel = [
            Layer::Ethernet,
            Layer::Ipv4,
            Layer::Udp,
            Layer::Geneve,
            Layer::Ethernet,
        ];
        assert_eq!(layers, tunnel);
    }
}
