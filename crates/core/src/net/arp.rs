//! ARP for IPv4 over Ethernet (RFC 826; `struct arphdr`, `include/uapi/linux/if_arp.h`, and the addresses behind it).

use std::net::Ipv4Addr;

use super::dissect::be16;
use super::ethernet;
use crate::scenario::command::Mac;

/// Length with both pairs of addresses, bytes (`arp_hdr_len()` of an Ethernet device).
pub const HLEN: u32 = 28;
/// `ARPOP_REQUEST`.
pub const REQUEST: u16 = 1;
/// `ARPOP_REPLY`.
pub const REPLY: u16 = 2;
/// `ARPHRD_ETHER`.
const ETHER: u16 = 1;
/// `ARPHRD_IEEE802`.
const IEEE802: u16 = 6;

/// Whether `arp_rcv()` and `arp_process()` of an Ethernet device take such a header: lengths 6 and 4, IPv4, and one
/// of the two hardware types.
#[must_use]
pub fn is_ethernet_ipv4(header: &[u8]) -> bool {
    header.get(4..6) == Some(&[6, 4])
        && matches!(be16(header, 0), ETHER | IEEE802)
        && be16(header, 2) == ethernet::P_IP
}

/// The link-layer address at `at`; zero behind the end.
#[must_use]
pub fn mac(header: &[u8], at: usize) -> Mac {
    let mut mac = [0; 6];
    if let Some(bytes) = header.get(at..at + 6) {
        mac.copy_from_slice(bytes);
    }
    mac
}

/// What `arp_create()` writes behind the Ethernet header: who speaks, and who is meant.
#[must_use]
pub fn frame(op: u16, from: (Mac, Ipv4Addr), to: (Mac, Ipv4Addr)) -> [u8; HLEN as usize] {
    let mut frame = [0; HLEN as usize];
    let words = [ETHER, ethernet::P_IP, 0x0604, op];
    for (place, word) in frame.chunks_exact_mut(2).zip(words) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    for (at, (mac, ip)) in [(8, from), (18, to)] {
        frame[at..at + 6].copy_from_slice(&mac);
        frame[at + 6..at + 10].copy_from_slice(&ip.octets());
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer in own recording E1-veth-arp-native, event 39 on: 10.0.0.1 tells 10.0.0.2.
    #[test]
    fn an_answer() {
        let from = ([2, 0, 0, 0, 0, 1], [10, 0, 0, 1].into());
        let to = ([2, 0, 0, 0, 0, 2], [10, 0, 0, 2].into());
        let expected = [
            0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2,
        ];
        let frame = frame(REPLY, from, to);
        assert_eq!(frame, expected);
        assert!(is_ethernet_ipv4(&frame));
        assert_eq!(mac(&frame, 18), to.0);
        let mut other = frame;
        other[3] = 6;
        assert!(!is_ethernet_ipv4(&other), "not IPv4");
        assert!(!is_ethernet_ipv4(&frame[..5]));
    }
}
