//! A frame for Scapy, field by field, computed ones included: `bytes()` of it is the very frame.

use super::hex;
use crate::packet::{Kind, Layer, Spec, explicit, print_value};

/// Our field name and Scapy's. A field that is left out is Scapy's own business (`Dot1Q` of a service
/// tag is `Dot1AD`; `version` of GRE is 0).
fn names(kind: Kind) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match kind {
        Kind::Ethernet => (
            "Ether",
            &[("h_dest", "dst"), ("h_source", "src"), ("h_proto", "type")],
        ),
        Kind::Vlan => (
            "Dot1Q",
            &[
                ("pcp", "prio"),
                ("dei", "dei"),
                ("id", "vlan"),
                ("type", "type"),
            ],
        ),
        Kind::Mpls => (
            "MPLS",
            &[
                ("label", "label"),
                ("tc", "cos"),
                ("bottom", "s"),
                ("ttl", "ttl"),
            ],
        ),
        Kind::Ipv4 => (
            "IP",
            &[
                ("version", "version"),
                ("ihl", "ihl"),
                ("tos", "tos"),
                ("tot_len", "len"),
                ("id", "id"),
                ("frag_off", "frag"),
                ("ttl", "ttl"),
                ("protocol", "proto"),
                ("check", "chksum"),
                ("saddr", "src"),
                ("daddr", "dst"),
            ],
        ),
        Kind::Ipv6 => (
            "IPv6",
            &[
                ("version", "version"),
                ("traffic_class", "tc"),
                ("flow_lbl", "fl"),
                ("payload_len", "plen"),
                ("nexthdr", "nh"),
                ("hop_limit", "hlim"),
                ("saddr", "src"),
                ("daddr", "dst"),
            ],
        ),
        Kind::Gre => (
            "GRE",
            &[
                ("protocol", "proto"),
                ("csum", "chksum"),
                ("key", "key"),
                ("seq", "seqence_number"),
            ],
        ),
        Kind::Udp => (
            "UDP",
            &[
                ("source", "sport"),
                ("dest", "dport"),
                ("len", "len"),
                ("check", "chksum"),
            ],
        ),
        Kind::Vxlan => (
            "VXLAN",
            &[
                ("vx_flags", "flags"),
                ("reserved1", "reserved1"),
                ("vni", "vni"),
                ("reserved2", "reserved2"),
            ],
        ),
        Kind::Geneve => (
            "GENEVE",
            &[
                ("ver", "version"),
                ("opt_len", "optionlen"),
                ("oam", "oam"),
                ("critical", "critical"),
                ("rsvd1", "reserved"),
                ("proto_type", "proto"),
                ("vni", "vni"),
                ("rsvd2", "reserved2"),
            ],
        ),
        Kind::Icmp => (
            "ICMP",
            &[
                ("type", "type"),
                ("code", "code"),
                ("checksum", "chksum"),
                ("id", "id"),
                ("sequence", "seq"),
            ],
        ),
        Kind::Tcp => (
            "TCP",
            &[
                ("source", "sport"),
                ("dest", "dport"),
                ("seq", "seq"),
                ("ack_seq", "ack"),
                ("doff", "dataofs"),
                ("reserved", "reserved"),
                ("flags", "flags"),
                ("window", "window"),
                ("check", "chksum"),
                ("urg_ptr", "urgptr"),
            ],
        ),
        Kind::Payload => ("Raw", &[]),
    }
}

/// The expression, on one line: at a prompt of Python a line that begins with `/` is a mistake. Layers whose
/// options Scapy would write in its own way are `Raw` bytes, with all that is behind them.
#[must_use]
pub fn scapy(frame: &[u8]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    for (layer, len) in explicit(frame) {
        let plain = layer.bytes.is_empty() && layer.kind != Kind::Payload;
        // An echo under IPv6 is a class of its own in Scapy.
        let foreign = layer.kind == Kind::Icmp && layer.given("type") == Some(128);
        if !plain || foreign {
            break;
        }
        parts.push(call(&layer));
        at += len;
    }
    if at < frame.len() {
        parts.push(format!("Raw(bytes.fromhex(\"{}\"))", hex(&frame[at..])));
    }
    parts.join(" / ")
}

fn call(layer: &Layer) -> String {
    let (class, names) = names(layer.kind);
    let spec = |name: &str| layer.kind.fields().iter().find(|spec| spec.name == name);
    let mut arguments: Vec<String> = Vec::new();
    for (own, scapys) in names {
        let (Some(spec), Some(value)) = (spec(own), layer.given(own)) else {
            continue;
        };
        if layer.kind == Kind::Gre && *own != "protocol" {
            let flag = match *own {
                "csum" => "chksum_present",
                "key" => "key_present",
                _ => "seqnum_present",
            };
            arguments.push(format!("{flag}=1"));
        }
        arguments.push(format!("{scapys}={}", literal(spec, value)));
    }
    if layer.kind == Kind::Ipv4 {
        let bit = |name: &str| layer.given(name).unwrap_or(0);
        let flags = bit("reserved") << 2 | bit("df") << 1 | bit("mf");
        arguments.push(format!("flags={flags}"));
    }
    format!("{class}({})", arguments.join(", "))
}

fn literal(spec: &Spec, value: u128) -> String {
    use crate::packet::Form;
    let text = print_value(spec, value);
    match spec.form {
        Form::Mac | Form::V4 | Form::V6 => format!("\"{text}\""),
        Form::Decimal | Form::Hex => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same was given to Scapy, whose `bytes()` of it is this frame; so were all frames of the recordings.
    #[test]
    fn an_echo_request() {
        let frame = "020000000001020000000002080045000024222200004001d4b3c0000202c00002010800\
                     db85070700016162636465666768"
            .replace(' ', "");
        let bytes: Vec<u8> = (0..frame.len() / 2)
            .map(|at| u8::from_str_radix(&frame[at * 2..at * 2 + 2], 16).expect("hex"))
            .collect();
        assert_eq!(
            scapy(&bytes),
            "Ether(dst=\"02:00:00:00:00:01\", src=\"02:00:00:00:00:02\", type=0x0800) \
             / IP(version=4, ihl=5, tos=0x00, len=36, id=0x2222, frag=0, ttl=64, proto=1, chksum=0xd4b3, \
             src=\"192.0.2.2\", dst=\"192.0.2.1\", flags=0) \
             / ICMP(type=8, code=0, chksum=0xdb85, id=0x0707, seq=1) \
             / Raw(bytes.fromhex(\"6162636465666768\"))"
        );
    }
}
