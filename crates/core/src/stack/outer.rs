//! The outer IPv4 header of a tunnel (`iptunnel_xmit()`, `net/ipv4/ip_tunnel_core.c`; `include/net/inet_ecn.h`).

use std::net::Ipv4Addr;

use crate::net::ipv4;

/// `INET_ECN_MASK` and `INET_ECN_CE`: Congestion Experienced.
pub(super) const ECN_MASK: u8 = 3;
/// `net.ipv4.ip_default_ttl` (`ip4_dst_hoplimit()`).
pub(super) const DEFAULT_TTL: u8 = 64;

/// What a tunnel inherits of the packet it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InnerHeader {
    pub tos: u8,
    pub ttl: u8,
    pub df: bool,
}

/// What a tunnel's outer IPv4 header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outer {
    pub saddr: Ipv4Addr,
    pub daddr: Ipv4Addr,
    pub protocol: u8,
    pub tos: u8,
    pub ttl: u8,
    pub df: bool,
}

/// The header, without id, length and checksum.
pub(super) fn outer_ipv4(outer: Outer) -> [u8; ipv4::HLEN as usize] {
    let mut header = [0; ipv4::HLEN as usize];
    header[0] = 0x45;
    header[1] = outer.tos;
    let frag_off = if outer.df { ipv4::DF } else { 0 };
    header[6..8].copy_from_slice(&frag_off.to_be_bytes());
    header[8] = outer.ttl;
    header[9] = outer.protocol;
    header[12..16].copy_from_slice(&outer.saddr.octets());
    header[16..20].copy_from_slice(&outer.daddr.octets());
    header
}

/// `INET_ECN_encapsulate()` (RFC 6040): the inner ECN field goes out, CE as ECT(0).
pub(super) fn ecn_encapsulate(outer: u8, inner: u8) -> u8 {
    const ECT_0: u8 = 2;
    let ecn = if inner & ECN_MASK == ECN_MASK {
        ECT_0
    } else {
        inner & ECN_MASK
    };
    (outer & !ECN_MASK) | ecn
}

#[cfg(test)]
mod tests {
    use super::ecn_encapsulate;

    /// RFC 6040, section 4.1, compatibility with RFC 3168 full-functionality: CE is not copied out.
    #[test]
    fn ecn_goes_out_but_ce_does_not() {
        assert_eq!(ecn_encapsulate(0, 0), 0);
        assert_eq!(ecn_encapsulate(0, 1), 1);
        assert_eq!(ecn_encapsulate(0, 2), 2);
        assert_eq!(ecn_encapsulate(0, 3), 2);
        assert_eq!(ecn_encapsulate(0xb8, 1), 0xb9);
    }
}
