//! Frames for a chain of devices, written from the protocols' RFCs, with right lengths and checksums.

use super::Random;

/// What a device of the chain takes off.
#[derive(Debug, Clone, Copy)]
pub enum Layer {
    Gre { key: bool },
    Ipip,
    Gretap,
    Vxlan { vni: u8 },
    Geneve { vni: u8 },
    Vlan { id: u16, ad: bool },
}

/// Id 1, and it may be cut.
const PLAIN: (u16, bool) = (1, false);

/// RFC 1071.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// An IPv4 packet; `id` comes with whether it may not be cut.
pub fn ipv4(
    protocol: u8,
    from: [u8; 4],
    to: [u8; 4],
    payload: &[u8],
    (id, df): (u16, bool),
) -> Vec<u8> {
    let len = (20 + payload.len() as u16).to_be_bytes();
    let id = id.to_be_bytes();
    let frag_off = if df { 0x40 } else { 0 };
    let mut header = vec![
        0x45, 0, len[0], len[1], id[0], id[1], frag_off, 0, 64, protocol, 0, 0,
    ];
    header.extend(from);
    header.extend(to);
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum);
    header.extend(payload);
    header
}

/// RFC 8200, section 3.
pub fn ipv6(next_header: u8, hosts: [[u8; 16]; 2], payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, len[0], len[1], next_header, 64];
    packet.extend(hosts.concat());
    packet.extend(payload);
    packet
}

/// A TCP segment without options; `hosts` are the addresses, source first.
pub fn tcp(hosts: &[u8], sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![0x03, 0xe8, 0x07, 0xd0];
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 1, 0x50, 0x10, 3, 0xe8, 0, 0, 0, 0]);
    segment.extend(payload);
    let sum = over(hosts, 6, &segment);
    segment[16..18].copy_from_slice(&sum);
    segment
}

/// A UDP datagram over IPv4, without a checksum.
pub fn udp4(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    udp(from, to, payload)
}

/// The same over IPv6, where it needs one.
pub fn udp6(hosts: [[u8; 16]; 2], from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp(from, to, payload);
    let sum = over(&hosts.concat(), 17, &datagram);
    datagram[6..8].copy_from_slice(&sum);
    datagram
}

/// The checksum of a protocol with a pseudo header (RFC 768, RFC 8200, section 8.1), whose fields sum up alike.
fn over(hosts: &[u8], protocol: u8, payload: &[u8]) -> [u8; 2] {
    let len = (payload.len() as u16).to_be_bytes();
    checksum(&[hosts, &[0, protocol, len[0], len[1]], payload].concat())
}

/// A frame from the sending host.
pub fn ethernet_to(to: [u8; 6], kind: [u8; 2], payload: &[u8]) -> Vec<u8> {
    [&to[..], &[2, 0, 0, 0, 0, 2], &kind, payload].concat()
}

fn ethernet(level: u8, protocol: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let to = if level == 0 {
        [2, 0, 0, 0, 0, 1]
    } else {
        [2, 0, 0, 0, level, 1]
    };
    let from = if level == 0 {
        [2, 0, 0, 0, 0, 2]
    } else {
        [2, 0, 0, 0, level, 2]
    };
    [&to[..], &from, &protocol, payload].concat()
}

/// Without a checksum, as RFC 768 permits.
fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len() as u16;
    let words = [from, to, len, 0].map(u16::to_be_bytes);
    [&words.concat()[..], payload].concat()
}

/// An echo request, or a UDP datagram to a port that nobody listens on.
fn innermost(level: u8, random: &mut Random) -> Vec<u8> {
    let to = match random.below(4) {
        0 => [10, 8, 0, 5],
        _ => [10, level, 0, 1],
    };
    let from = [10, level, 0, 2];
    let data: Vec<u8> = (0..random.of(&[0, 1, 24, 56, 400]))
        .map(|at| at as u8)
        .collect();
    if random.one_in(4) {
        return ipv4(17, from, to, &udp(1000, 2000, &data), PLAIN);
    }
    let mut icmp = vec![8, 0, 0, 0, 0, 7, 0, 1];
    icmp.extend(data);
    let sum = checksum(&icmp);
    icmp[2..4].copy_from_slice(&sum);
    ipv4(1, from, to, &icmp, PLAIN)
}

/// What is being put together, from the inside out.
struct Packet {
    bytes: Vec<u8>,
    /// The EtherType of `bytes`; none: they begin with an Ethernet header.
    kind: Option<[u8; 2]>,
    /// Devices below the one that gets `bytes`.
    level: u8,
}

const IPV4: [u8; 2] = [8, 0];

impl Packet {
    /// As a frame of its device.
    fn frame(&self) -> Vec<u8> {
        match self.kind {
            None => self.bytes.clone(),
            Some(kind) => ethernet(self.level, kind, &self.bytes),
        }
    }

    /// In an IPv4 packet of the device below.
    fn in_ipv4(&mut self, protocol: u8, payload: &[u8]) {
        self.level -= 1;
        let (from, to) = ([10, self.level, 0, 2], [10, self.level, 0, 1]);
        self.bytes = ipv4(protocol, from, to, payload, PLAIN);
        self.kind = Some(IPV4);
    }

    fn wrap(&mut self, layer: Layer) {
        match layer {
            Layer::Ipip => {
                let inner = self.bytes.clone();
                self.in_ipv4(4, &inner);
            }
            Layer::Gre { key } => {
                let header: &[u8] = match key {
                    true => &[0x20, 0, 8, 0, 0, 0, 0, 7],
                    false => &[0, 0, 8, 0],
                };
                let inner = [header, &self.bytes].concat();
                self.in_ipv4(47, &inner);
            }
            Layer::Gretap => {
                let inner = [&[0, 0, 0x65, 0x58][..], &self.frame()].concat();
                self.in_ipv4(47, &inner);
            }
            Layer::Vxlan { vni } => {
                let inner = [&[8, 0, 0, 0, 0, 0, vni, 0][..], &self.frame()].concat();
                self.in_ipv4(17, &udp(40000, 4789, &inner));
            }
            Layer::Geneve { vni } => {
                let inner = [&[0, 0, 0x65, 0x58, 0, 0, vni, 0][..], &self.frame()].concat();
                self.in_ipv4(17, &udp(40000, 6081, &inner));
            }
            // the tag goes between the addresses and the type; the frame is for the device below
            Layer::Vlan { id, ad } => {
                let inner = self.frame();
                let tag = if ad { 0x88a8 } else { 0x8100u16 };
                let [a, b, c, d] = [tag.to_be_bytes(), id.to_be_bytes()].concat()[..] else {
                    return;
                };
                self.bytes = [&[a, b, c, d][2..], &inner[12..]].concat();
                self.kind = Some([a, b]);
                self.level -= 1;
            }
        }
    }
}

/// A frame for the outermost device.
pub fn build(layers: &[Layer], random: &mut Random) -> Vec<u8> {
    let level = layers.len() as u8;
    let mut packet = Packet {
        bytes: innermost(level, random),
        kind: Some(IPV4),
        level,
    };
    for layer in layers.iter().rev() {
        packet.wrap(*layer);
    }
    packet.frame()
}
