//! `bpf_lwt_push_encap()` (`net/core/filter.c`, `net/core/lwt_bpf.c`, Linux 7.2): a program of a light-weight tunnel
//! puts headers in front of the packet, and has it routed anew.

use super::lwtunnel::LWTUNNEL_XMIT_DONE;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{checksum, ethernet, ipv4, ipv6};
use crate::scenario::command::RouteKind;
use crate::scenario::topology::{DevId, Lookup, Lookup6};
use crate::trace::SkbNo;

const FILE: &str = "net/core/filter.c";
const BPF: &str = "net/core/lwt_bpf.c";
/// `enum bpf_lwt_encap_mode` (`include/uapi/linux/bpf.h`).
const ENCAP_SEG6: u32 = 0;
const ENCAP_SEG6_INLINE: u32 = 1;
const ENCAP_IP: u32 = 2;
/// `LWT_BPF_MAX_HEADROOM`.
const MAX_HEADROOM: usize = 256;
/// `sizeof(struct udphdr)`.
const UDP_HLEN: usize = 8;
const EACCES: i64 = -13;
const EINVAL: i64 = -22;
const EBADMSG: i64 = -74;
const EAFNOSUPPORT: i64 = -97;
const ENETUNREACH: i64 = -101;
const EHOSTUNREACH: i64 = -113;

/// `fib_props[]`, `ip6_rt_type_to_error()`: what a route of another kind says.
fn error_of(kind: RouteKind) -> i64 {
    match kind {
        RouteKind::Unicast => 0,
        RouteKind::Blackhole => EINVAL,
        RouteKind::Unreachable => EHOSTUNREACH,
        RouteKind::Prohibit => EACCES,
    }
}

/// What is in front of an IP header that a program made: its version and where UDP begins, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outer {
    is_ipv4: bool,
    udp: Option<usize>,
}

/// The checks at the start of `bpf_lwt_push_ip_encap()`.
fn outer(header: &[u8]) -> Option<Outer> {
    const V4: usize = ipv4::HLEN as usize;
    const V6: usize = ipv6::HLEN as usize;
    let [first, ..] = header else { return None };
    if header.len() < V4 || header.len() > MAX_HEADROOM {
        return None;
    }
    let (is_ipv4, end, protocol) = match first >> 4 {
        4 => (true, usize::from(first & 0xf) * 4, header[9]),
        6 => (false, V6, header[6]),
        _ => return None,
    };
    let udp = (protocol == ipv4::PROTO_UDP).then_some(end);
    let wanted = end + udp.map_or(0, |_| UDP_HLEN);
    (header.len() >= wanted).then_some(Outer { is_ipv4, udp })
}

/// `seg6_validate_srh()` (`net/ipv6/seg6.c`), not reduced: lengths that fit, and whole TLVs behind the segments.
fn is_srh(srh: &[u8]) -> bool {
    const TYPE_4: u8 = 4;
    let &[_, hdrlen, kind, left, first, ..] = srh else {
        return false;
    };
    if srh.len() < 8 || kind != TYPE_4 || (usize::from(hdrlen) + 1) * 8 != srh.len() {
        return false;
    }
    // the last one that there is room for; without room the kernel's number is -1
    if left > first || i32::from(first) > i32::from(hdrlen) / 2 - 1 {
        return false;
    }
    let mut at = 8 + 16 * (usize::from(first) + 1);
    if at > srh.len() {
        return false;
    }
    while at < srh.len() {
        let Some(len) = srh.get(at + 1) else {
            return false;
        };
        at += 2 + usize::from(*len);
    }
    at == srh.len()
}

impl Kernel {
    /// `bpf_lwt_in_push_encap()` (at input), `bpf_lwt_xmit_push_encap()`: 0, or an error.
    pub(super) fn bpf_lwt_push_encap(
        &mut self,
        no: SkbNo,
        mode: u32,
        header: &[u8],
        ingress: bool,
        source: u16,
    ) -> Run<i64> {
        match mode {
            ENCAP_SEG6 | ENCAP_SEG6_INLINE if ingress => {
                self.bpf_push_seg6_encap(no, mode == ENCAP_SEG6_INLINE, header)
            }
            ENCAP_IP => self.bpf_lwt_push_ip_encap(no, header, ingress, source),
            _ => Ok(EINVAL),
        }
    }

    /// The device of the packet's route.
    fn dst_dev(&self, no: SkbNo) -> Option<DevId> {
        let skb = self.skb(no);
        let v6 = skb.dst6.map(|route| route.dev);
        skb.dst.map(|route| route.dev).or(v6).or(skb.dev)
    }

    /// `bpf_lwt_push_ip_encap()`.
    fn bpf_lwt_push_ip_encap(
        &mut self,
        no: SkbNo,
        header: &[u8],
        ingress: bool,
        source: u16,
    ) -> Run<i64> {
        self.traced("bpf_lwt_push_ip_encap", BPF, no, |k| {
            let Some(outer) = outer(header) else {
                return Ok(EINVAL);
            };
            let room = match k.dst_dev(no) {
                _ if ingress => u32::from(k.skb(no).mac_len),
                Some(dev) => k.topology.dev(dev).ll_reserved_space(),
                None => 0,
            };
            let len = header.len() as u32;
            k.skb_cow_head(no, len + room)?;
            let skb = k.skb_mut(no);
            skb.reset_inner_headers();
            skb.inner_mac_header = skb.data as u16;
            skb.inner_protocol = skb.protocol;
            skb.encapsulation = true;
            skb.push(len)?;
            skb.reset_network_header();
            let (head, at) = (skb.head, skb.data);
            if let Some(udp) = outer.udp {
                skb.transport_header = (at + udp as u32) as u16;
            }
            skb.bpf.hash = None;
            skb.protocol = match outer.is_ipv4 {
                true => ethernet::P_IP,
                false => ethernet::P_IPV6,
            };
            let mut header = header.to_vec();
            if outer.is_ipv4 && header[10..12] == [0, 0] {
                let end = usize::from(header[0] & 0xf) * 4;
                let sum = checksum::internet(&header[..end]);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            k.buffers.write(head, at, &header, source, 0);
            if ingress {
                k.skb_postpush_rcsum(no, at, len, 0);
            }
            k.bpf_compute_data_pointers(no);
            if k.buffers.get(head).shinfo.gso_size != 0 {
                return not_covered("handle_gso_encap");
            }
            Ok(0)
        })
    }

    /// `bpf_push_seg6_encap()`: a segment routing header, in front of the packet or in it; then the packet has the
    /// route of its new destination (`seg6_lookup_nexthop()`).
    fn bpf_push_seg6_encap(&mut self, no: SkbNo, inline: bool, srh: &[u8]) -> Run<i64> {
        self.traced("bpf_push_seg6_encap", FILE, no, |k| {
            if !is_srh(srh) {
                return Ok(EINVAL);
            }
            // sr_has_hmac(): the flag, whatever stands behind the segments
            if srh[5] & 1 << 3 != 0 {
                return not_covered("seg6_push_hmac");
            }
            if inline {
                if k.skb(no).protocol != ethernet::P_IPV6 {
                    return Ok(EBADMSG);
                }
                k.seg6_do_srh_inline(no, srh.to_vec())?;
            } else {
                let skb = k.skb_mut(no);
                skb.reset_inner_headers();
                skb.encapsulation = true;
                let Some(dev) = k.dst_dev(no) else {
                    return not_covered("bpf_push_seg6_encap of a packet without route");
                };
                k.seg6_do_srh_encap(no, dev, srh.to_vec(), ipv6::NEXTHDR_IPV6)?;
            }
            k.bpf_compute_data_pointers(no);
            let skb = k.skb_mut(no);
            skb.transport_header = (skb.data + ipv6::HLEN) as u16;
            k.seg6_lookup_nexthop(no)
        })
    }

    /// `seg6_lookup_nexthop()` (`net/ipv6/seg6_local.c`): a destination that is this host is a blackhole.
    fn seg6_lookup_nexthop(&mut self, no: SkbNo) -> Run<i64> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("seg6_lookup_nexthop of a packet without device");
        };
        let netns = self.topology.dev(dev).netns;
        let daddr = self.ipv6_hdr_addr(no, 24);
        let found = self.topology.lookup6(netns, daddr);
        let skb = self.skb_mut(no);
        skb.drop_dst();
        Ok(match found {
            Lookup6::Unicast(route) => {
                skb.set_dst6(Some(route));
                0
            }
            Lookup6::Local => EINVAL,
            Lookup6::Refused(kind) => error_of(kind),
            Lookup6::NoRoute => ENETUNREACH,
        })
    }

    /// `bpf_lwt_xmit_reroute()`: the packet is sent as if this host had made it, by the route of its header.
    pub(super) fn bpf_lwt_xmit_reroute(&mut self, no: SkbNo, dev: DevId) -> Run<i64> {
        let netns = self.topology.dev(dev).netns;
        let found = match self.skb(no).protocol {
            ethernet::P_IP => match self.topology.lookup(netns, self.ip_hdr_addr(no, 16)) {
                Lookup::Unicast(route) => Ok((route.dev, Some(route), None)),
                Lookup::Local => return not_covered("bpf_lwt_xmit_reroute to this host"),
                Lookup::Refused(kind) => Err(error_of(kind)),
                Lookup::NoRoute => Err(ENETUNREACH),
            },
            ethernet::P_IPV6 => match self.topology.lookup6(netns, self.ipv6_hdr_addr(no, 24)) {
                Lookup6::Unicast(route) => Ok((route.dev, None, Some(route))),
                Lookup6::Local => return not_covered("bpf_lwt_xmit_reroute to this host"),
                Lookup6::Refused(kind) => Err(error_of(kind)),
                Lookup6::NoRoute => Err(ENETUNREACH),
            },
            _ => Err(EAFNOSUPPORT),
        };
        let (out, v4, v6) = match found {
            Ok(found) => found,
            Err(error) => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(error);
            }
        };
        let room = self.topology.dev(out).ll_reserved_space();
        self.skb_cow_head(no, room)?;
        let skb = self.skb_mut(no);
        skb.drop_dst();
        let error = if v4.is_some() {
            skb.set_dst(v4);
            self.dst_output(no)?
        } else {
            skb.set_dst6(v6);
            self.dst_output6(no)?
        };
        // net_xmit_errno(): -ENOBUFS, but for a packet that was noted as congested
        const NET_XMIT_CN: i64 = 2;
        const ENOBUFS: i64 = -105;
        Ok(match error {
            0 => LWTUNNEL_XMIT_DONE,
            NET_XMIT_CN => 0,
            _ => ENOBUFS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `net/core/lwt_bpf.c`: at least 20 bytes, at most 256, whole headers.
    #[test]
    fn headers_that_a_program_may_push() {
        let v4 = |len: usize, ihl: u8, protocol: u8| {
            let mut bytes = vec![0; len];
            (bytes[0], bytes[9]) = (0x40 | ihl, protocol);
            outer(&bytes)
        };
        let ip = |udp| Some(Outer { is_ipv4: true, udp });
        assert_eq!(outer(&[0x45; 19]), None);
        assert_eq!(v4(20, 5, 47), ip(None));
        assert_eq!(v4(256, 5, 47), ip(None));
        assert_eq!(v4(257, 5, 47), None);
        assert_eq!(v4(20, 6, 47), None);
        assert_eq!((v4(27, 5, 17), v4(28, 5, 17)), (None, ip(Some(20))));
        assert_eq!((v4(31, 6, 17), v4(32, 6, 17)), (None, ip(Some(24))));
        let v6 = |len: usize, next: u8| {
            let mut bytes = vec![0; len];
            (bytes[0], bytes[6]) = (0x60, next);
            outer(&bytes).map(|o| (o.is_ipv4, o.udp))
        };
        assert_eq!((v6(39, 4), v6(40, 4)), (None, Some((false, None))));
        assert_eq!((v6(47, 17), v6(48, 17)), (None, Some((false, Some(40)))));
        assert_eq!(outer(&[0x50; 40]), None);
    }

    /// `seg6_validate_srh()`, field by field.
    #[test]
    fn segment_routing_headers() {
        let srh = |hdrlen: u8, kind: u8, left: u8, first: u8, more: &[u8]| {
            let mut bytes = vec![41, hdrlen, kind, left, first, 0, 0, 0];
            bytes.extend([0; 16]);
            bytes.extend(more);
            is_srh(&bytes)
        };
        assert!(srh(2, 4, 0, 0, &[]));
        assert!(!srh(2, 3, 0, 0, &[])); // type
        assert!(!srh(3, 4, 0, 0, &[])); // longer than it is
        assert!(!srh(2, 4, 1, 0, &[])); // more left than there are
        assert!(!srh(2, 4, 0, 1, &[])); // two segments in one's place
        assert!(!is_srh(&[41, 0, 4, 0, 0, 0, 0, 0])); // no segment
        assert!(!is_srh(&[41, 0, 4, 0, 0]));
        // a TLV of eight bytes, one that is too long
        assert!(srh(3, 4, 0, 0, &[4, 6, 0, 0, 0, 0, 0, 0]));
        assert!(!srh(3, 4, 0, 0, &[4, 7, 0, 0, 0, 0, 0, 0]));
        // its second byte is missing
        assert!(!srh(3, 4, 0, 0, &[4, 5, 0, 0, 0, 0, 0, 4]));
    }
}
