//! `skb->csum` under `CHECKSUM_COMPLETE`, as `bpf_csum_update()` shows it behind tunnels whose checksum was right. Sums are worked out
//! here, from the packet's bytes: those of `csum_partial()` are little-endian words, modulo 2^32 - 1.

mod world;

use headroom_core::design::DesignName::MacHeader;
use world::{ECHO4, WIRE, whole};

const MODULUS: u64 = 0xffff_ffff;

fn echo() -> Vec<u8> {
    (0..ECHO4.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&ECHO4[at..at + 2], 16).expect("hex"))
        .collect()
}

/// The sum of words from the first byte on.
fn words(bytes: &[u8]) -> u64 {
    let word = |part: &[u8]| {
        let shifted = part
            .iter()
            .enumerate()
            .map(|(at, b)| u64::from(*b) << (8 * at));
        shifted.sum::<u64>()
    };
    bytes.chunks(4).map(word).sum::<u64>() % MODULUS
}

/// The same of two bytes that stand at an odd place, and the other way round.
fn less(a: u64, b: u64) -> u64 {
    (a + MODULUS - b % MODULUS) % MODULUS
}

/// What is equal in a header: the sum modulo 2^16 - 1, of words in network order.
fn sixteen(sum: u64) -> u64 {
    let sum = sum % 0xffff;
    (sum & 0xff) << 8 | sum >> 8
}

fn in_network_order(bytes: &[u8]) -> u64 {
    let word = |w: &[u8]| u64::from(w[0]) << 8 | u64::from(w.get(1).copied().unwrap_or(0));
    bytes.chunks(2).map(word).sum::<u64>() % 0xffff
}

/// A tunnel and how its packets look from outside.
#[derive(Clone, Copy, Debug)]
enum Tunnel {
    Gre,
    Gretap,
    Vxlan,
}

impl Tunnel {
    fn device(self) -> &'static str {
        match self {
            Tunnel::Gre => "type gre local 10.0.0.1 remote 10.0.0.2 csum",
            Tunnel::Gretap => "type gretap local 10.0.0.1 remote 10.0.0.2 csum",
            Tunnel::Vxlan => "type vxlan id 42 local 10.0.0.1 remote 10.0.0.2 dstport 4789 udpcsum",
        }
    }

    /// IPv4 protocol, what stands behind that header, and where its checksum is.
    fn around(self, inner: &[u8]) -> (u8, Vec<u8>, usize) {
        let len = (inner.len() as u16 + 16).to_be_bytes();
        match self {
            Tunnel::Gre => (47, [&[0x80, 0, 8, 0, 0, 0, 0, 0], inner].concat(), 4),
            Tunnel::Gretap => (47, [&[0x80, 0, 0x65, 0x58, 0, 0, 0, 0], inner].concat(), 4),
            Tunnel::Vxlan => {
                let udp = [0x30, 0x39, 0x12, 0xb5, len[0], len[1], 0, 0];
                (17, [&udp, &[8, 0, 0, 0, 0, 0, 42, 0], inner].concat(), 6)
            }
        }
    }

    /// The whole frame, its checksums right.
    fn frame(self, inner: &[u8]) -> Vec<u8> {
        let (protocol, mut payload, at) = self.around(inner);
        let hosts = [10, 0, 0, 2, 10, 0, 0, 1];
        let pseudo = match self {
            Tunnel::Vxlan => in_network_order(&hosts) + 17 + payload.len() as u64,
            _ => 0,
        };
        let check = 0xffff - (in_network_order(&payload) + pseudo) % 0xffff;
        payload[at..at + 2].copy_from_slice(&(check as u16).to_be_bytes());
        let total = (payload.len() as u16 + 20).to_be_bytes();
        let mut ip = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0];
        ip.extend(hosts);
        let check = 0xffff - in_network_order(&ip);
        ip[10..12].copy_from_slice(&(check as u16).to_be_bytes());
        let ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        [&ethernet[..], &ip, &payload].concat()
    }
}

/// The numbers that a program behind a tunnel prints. The frame comes from outside, with its checksum: nobody but this
/// host can say that it is right.
fn said(tunnel: Tunnel, inner: &[u8], program: &str) -> Vec<u64> {
    let frame: String = tunnel
        .frame(inner)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let device = tunnel.device();
    let text = format!(
        "{WIRE}ip link add d {device}\nip link set dev d up\norc tcx {program} d ingress\norc send tx {frame} tx"
    );
    let trace = whole(&text, MacHeader);
    let number = |line: &String| {
        let last = line.rsplit(' ').next().expect("a word");
        u64::from_str_radix(last, 16).expect("a number")
    };
    trace.printk.iter().map(number).collect()
}

/// To a group, so that every device takes it.
const ETHERNET: &str = "ffffffffffff0200000000bb0800";

fn ethernet() -> Vec<u8> {
    let bytes = (0..ETHERNET.len()).step_by(2);
    bytes
        .map(|at| u8::from_str_radix(&ETHERNET[at..at + 2], 16).expect("hex"))
        .collect()
}

fn framed() -> Vec<u8> {
    [ethernet(), echo()].concat()
}

/// The GRE header, eight bytes, is summed and taken off: what is left is the inner packet, in whole words.
#[test]
fn behind_gre() {
    let said = said(Tunnel::Gre, &echo(), "csum_show");
    let sum = words(&echo());
    assert_eq!(said[..2], [sum, (sum + 5) % MODULUS]);
}

/// The Ethernet header, 14 bytes, is taken off as words from its own start.
#[test]
fn behind_gretap_and_vxlan() {
    let frame = framed();
    let sum = less(words(&frame), words(&ethernet()));
    assert_eq!(sixteen(sum), in_network_order(&echo()));
    for kind in [Tunnel::Gretap, Tunnel::Vxlan] {
        let said = said(kind, &framed(), "csum_show");
        assert_eq!(said[..2], [sum, (sum + 5) % MODULUS], "{kind:?}");
    }
}

/// Two bytes at an odd place: the sum is that of the new packet, and the 5 that the program put there (as it is in
/// memory).
#[test]
fn a_store_at_an_odd_place() {
    let mut packet = echo();
    packet[33..35].copy_from_slice(&[0xab, 0xcd]);
    let last = said(Tunnel::Gre, &echo(), "csum_show")[2];
    assert_eq!(sixteen(less(last, 5)), in_network_order(&packet));
    let mut packet = echo();
    packet[33 - 14..35 - 14].copy_from_slice(&[0xab, 0xcd]);
    let last = said(Tunnel::Gretap, &framed(), "csum_show")[2];
    assert_eq!(sixteen(less(last, 5)), in_network_order(&packet));
}

/// Tag 7 and the old protocol stand behind 14 bytes that are not summed; without them it is as before.
#[test]
fn a_tag_in_the_packet() {
    let said = said(Tunnel::Gretap, &framed(), "csum_vlan");
    let with_tag = [&[0, 7, 8, 0][..], &echo()].concat();
    assert_eq!(sixteen(said[0]), in_network_order(&with_tag));
    assert_eq!(sixteen(said[1]), in_network_order(&echo()));
}

/// `inet_proto_csum_replace4()`, `inet_proto_csum_replace_by_diff()`: only what is no part of the packet changes its sum: 1 by 3
/// less two, a difference of nine less nine; none for IPv6.
#[test]
fn a_pseudo_header() {
    let said = said(Tunnel::Gre, &echo(), "csum_l4");
    assert_eq!(said[1], said[0]);
    assert_eq!(said[2], less(said[1], 2));
    assert_eq!(said[3], less(said[2], 9));
    assert_eq!(said[4], said[3]);
}

/// -ENOTSUPP is 524.
#[test]
fn without_a_sum() {
    let trace = whole(
        &format!(
            "{WIRE}orc tcx csum_show rx ingress\norc send tx 020000000001020000000002{}{ECHO4} tx",
            "0800"
        ),
        MacHeader,
    );
    assert_eq!(trace.printk[0], format!("csum {:x}", -524i64));
    assert_eq!(trace.printk[1], format!("plus 5 {:x}", -524i64));
}

/// `BPF_F_INVALIDATE_HASH`.
#[test]
fn a_store_that_forgets_the_hash() {
    let trace = whole(
        &format!(
            "{WIRE}orc tcx hash_forgotten rx ingress\norc send tx 0200000000010200000000020800{ECHO4} tx"
        ),
        MacHeader,
    );
    assert_eq!(trace.printk, ["kept 77", "forgotten 0"]);
}
