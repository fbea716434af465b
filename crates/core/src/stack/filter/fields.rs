//! Helpers that change or ask for a field: type, hash, congestion mark, time stamp, and bytes relative to a
//! header.

use super::csum::csum16_add;
use super::{EFAULT, EINVAL, FILE};
use crate::net::{ethernet, ipv4};
use crate::skb::{NOT_SET, PacketType};
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

/// `-EOPNOTSUPP`.
const EOPNOTSUPP: i64 = -95;
/// `INET_ECN_CE`, also the mask of the field.
const ECN_CE: u8 = 3;
/// `sizeof(struct ipv6hdr)`.
const IPV6_HLEN: u32 = 40;

impl Kernel {
    /// `bpf_skb_change_type()`: the four types of received packets.
    pub(in crate::stack) fn bpf_skb_change_type(&mut self, no: SkbNo, pkt_type: u32) -> i64 {
        let skb = self.skb_mut(no);
        let new = match pkt_type {
            0 => PacketType::Host,
            1 => PacketType::Broadcast,
            2 => PacketType::Multicast,
            3 => PacketType::OtherHost,
            _ => return EINVAL,
        };
        if skb.pkt_type == PacketType::Outgoing {
            return EINVAL;
        }
        skb.pkt_type = new;
        0
    }

    /// `skb_get_hash()`: computed once. The kernel's key is random, so the number is made up: FNV-1a of addresses,
    /// protocol and ports. A packet without IP has the hash of its first 14 bytes.
    pub(in crate::stack) fn skb_get_hash(&mut self, no: SkbNo) -> u32 {
        if let Some(hash) = self.skb(no).bpf.hash {
            return hash;
        }
        let skb = self.skb(no);
        let bytes = |at: u32, len: u32| self.buffers.get(skb.head).bytes(at, len).to_vec();
        let network = u32::from(skb.network_header);
        let mut keys = match skb.protocol {
            ethernet::P_IP => {
                let header = bytes(network, ipv4::HLEN);
                let len = u32::from(header.first().copied().unwrap_or(0) & 15) * 4;
                let fragment = header
                    .get(6..8)
                    .is_some_and(|b| b[0] & 0x3f != 0 || b[1] != 0);
                let mut keys = header.get(12..20).unwrap_or_default().to_vec();
                keys.extend(header.get(9));
                if !fragment {
                    keys.extend(bytes(network + len, 4));
                }
                keys
            }
            ethernet::P_IPV6 => {
                let header = bytes(network, IPV6_HLEN);
                let mut keys = header.get(8..40).unwrap_or_default().to_vec();
                keys.extend(header.get(6));
                keys.extend(bytes(network + IPV6_HLEN, 4));
                keys
            }
            _ => Vec::new(),
        };
        if keys.is_empty() {
            keys = bytes(skb.data, 14);
        }
        let hash = keys.iter().fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        // 0 means that there is none (`__flow_hash_from_keys()`).
        let hash = hash.max(1);
        let l4_hash = self.flow_keys_have_l4(no);
        let bpf = &mut self.skb_mut(no).bpf;
        (bpf.hash, bpf.l4_hash) = (Some(hash), l4_hash);
        hash
    }

    /// `flow_keys_have_l4()` of what `__skb_flow_dissect()` finds: ports, or an IPv6 flow label. `None` for packets in
    /// packets and behind extension headers, into which the kernel looks further.
    fn flow_keys_have_l4(&self, no: SkbNo) -> Option<bool> {
        let skb = self.skb(no);
        let network = u32::from(skb.network_header);
        let bytes = |at: u32, len: u32| self.buffers.get(skb.head).bytes(at, len);
        let (protocol, ports_at) = match skb.protocol {
            ethernet::P_IP => {
                let header = bytes(network, ipv4::HLEN);
                let len = u32::from(header.first()? & 15) * 4;
                let fragment = header.get(6)? & 0x3f != 0 || *header.get(7)? != 0;
                if fragment || len < ipv4::HLEN {
                    return Some(false);
                }
                (*header.get(9)?, network + len)
            }
            ethernet::P_IPV6 => {
                let header = bytes(network, IPV6_HLEN);
                if header.get(1)? & 0x0f != 0 || header.get(2..4)? != [0, 0] {
                    return Some(true);
                }
                (*header.get(6)?, network + IPV6_HLEN)
            }
            ethernet::P_ARP => return Some(false),
            _ => return None,
        };
        match protocol {
            // proto_ports_offset(): TCP, UDP, DCCP, ESP, SCTP, UDP-Lite
            6 | 17 | 33 | 50 | 132 | 136 => {
                let ports = bytes(ports_at, 4);
                let whole = ports_at + 4 <= skb.tail;
                Some(whole && ports.iter().any(|byte| *byte != 0))
            }
            // ICMP, ICMPv6
            1 | 58 => Some(false),
            _ => None,
        }
    }

    /// `bpf_skb_ecn_set_ce()`: 1 when the packet is marked now, 0 when it is not or cannot be.
    pub(in crate::stack) fn bpf_skb_ecn_set_ce(&mut self, no: SkbNo, source: u16) -> Run<i64> {
        self.traced("bpf_skb_ecn_set_ce", FILE, no, |k| {
            let skb = k.skb(no);
            let (head, at) = (skb.head, u32::from(skb.network_header));
            let protocol = k.skb_protocol(no);
            let len = match protocol {
                ethernet::P_IP => ipv4::HLEN,
                ethernet::P_IPV6 => IPV6_HLEN,
                _ => return Ok(0),
            };
            if skb.headlen() < len || k.skb_cloned(no) || at + len > skb.tail {
                return Ok(0);
            }
            let header = k.buffers.get(head).bytes(at, len).to_vec();
            let byte = |i: usize| header.get(i).copied().unwrap_or(0);
            if protocol == ethernet::P_IPV6 {
                // the field is in the low half of the second byte's upper half
                if byte(1) >> 4 & ECN_CE == 0 {
                    return Ok(0);
                }
                let marked = byte(1) | ECN_CE << 4;
                k.buffers.write(head, at + 1, &[marked], source, 0);
                return Ok(1);
            }
            // IP_ECN_set_ce()
            let ecn = (byte(1) & ECN_CE).wrapping_add(1) & ECN_CE;
            if ecn & 2 == 0 {
                return Ok(i64::from(ecn == 0));
            }
            let add = 0xfffb_u16.to_be().wrapping_add(u16::from(ecn).to_be());
            let check = csum16_add(u16::from_le_bytes([byte(10), byte(11)]), add);
            k.buffers
                .write(head, at + 10, &check.to_le_bytes(), source, 0);
            k.buffers
                .write(head, at + 1, &[byte(1) | ECN_CE], source, 0);
            Ok(1)
        })
    }

    /// `bpf_skb_load_bytes_relative()`: from the MAC header (0) or the network header (1) on.
    pub(in crate::stack) fn bpf_skb_load_bytes_relative(
        &self,
        no: SkbNo,
        offset: u32,
        into: &mut [u8],
        from: u32,
    ) -> i64 {
        let skb = self.skb(no);
        let start = match from {
            0 if skb.mac_header != NOT_SET => skb.mac_header,
            1 => skb.network_header,
            _ => return EFAULT,
        };
        let len = into.len() as u32;
        let at = u32::from(start) + offset.min(0x1_0000);
        if offset > 0xffff || at.saturating_add(len) > skb.tail {
            return EFAULT;
        }
        let bytes = self.buffers.get(skb.head).bytes(at, len);
        into[..bytes.len()].copy_from_slice(bytes);
        0
    }

    /// `bpf_skb_set_tstamp()`.
    pub(in crate::stack) fn bpf_skb_set_tstamp(
        &mut self,
        no: SkbNo,
        tstamp: u64,
        tstamp_type: u32,
    ) -> i64 {
        const REALTIME: u32 = 0;
        const MONOTONIC: u32 = 1;
        const TAI: u32 = 2;
        let skb = self.skb_mut(no);
        if !matches!(skb.protocol, ethernet::P_IP | ethernet::P_IPV6) {
            return EOPNOTSUPP;
        }
        match tstamp_type {
            REALTIME => {}
            MONOTONIC | TAI if tstamp != 0 => {}
            _ => return EINVAL,
        }
        skb.bpf.tstamp = tstamp;
        skb.bpf.tstamp_type = tstamp_type as u8;
        0
    }
}
