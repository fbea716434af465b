//! Room in the middle of a packet: `bpf_skb_adjust_room()` and `bpf_skb_change_proto()`.

use super::{BPF_SKB_MAX_LEN, EFAULT, EINVAL, ENOMEM, ENOTSUPP, FILE};
use crate::net::{ethernet, ipv4};
use crate::skb::{CHECKSUM_NONE, gso};
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

/// `sizeof(struct ipv6hdr)`.
const IPV6_HLEN: u32 = 40;
/// `-EALREADY`.
const EALREADY: i64 = -114;

/// Flags of `bpf_skb_adjust_room()` (`include/uapi/linux/bpf.h`).
mod flag {
    pub const FIXED_GSO: u64 = 1 << 0;
    pub const ENCAP_L3_IPV4: u64 = 1 << 1;
    pub const ENCAP_L3_IPV6: u64 = 1 << 2;
    pub const ENCAP_L4_GRE: u64 = 1 << 3;
    pub const ENCAP_L4_UDP: u64 = 1 << 4;
    pub const NO_CSUM_RESET: u64 = 1 << 5;
    pub const ENCAP_L2_ETH: u64 = 1 << 6;
    pub const DECAP_L3_IPV4: u64 = 1 << 7;
    pub const DECAP_L3_IPV6: u64 = 1 << 8;
    pub const ENCAP_L2_SHIFT: u32 = 56;
    pub const ENCAP_L3: u64 = ENCAP_L3_IPV4 | ENCAP_L3_IPV6;
    pub const DECAP_L3: u64 = DECAP_L3_IPV4 | DECAP_L3_IPV6;
    pub const ENCAP_L2: u64 = 0xff << ENCAP_L2_SHIFT;
    pub const ALL: u64 = FIXED_GSO
        | ENCAP_L3
        | ENCAP_L4_GRE
        | ENCAP_L4_UDP
        | ENCAP_L2_ETH
        | ENCAP_L2
        | DECAP_L3
        | NO_CSUM_RESET;
}

impl Kernel {
    /// `bpf_skb_generic_push()`: `len` zero bytes behind the first `off`. The caller has made headroom.
    fn bpf_skb_generic_push(&mut self, no: SkbNo, off: u32, len: u32) -> Run<i64> {
        self.traced("bpf_skb_generic_push", FILE, no, |k| {
            k.skb_mut(no).push(len)?;
            k.skb_postpush_data_move(no, len, off)?;
            k.zero(no, k.skb(no).data + off, len, "bpf_skb_generic_push");
            Ok(0)
        })
    }

    /// `bpf_skb_generic_pop()`: the `len` bytes behind the first `off` go.
    fn bpf_skb_generic_pop(&mut self, no: SkbNo, off: u32, len: u32) -> Run<i64> {
        self.traced("bpf_skb_generic_pop", FILE, no, |k| {
            if !k.pskb_may_pull(no, off.saturating_add(len))? {
                return Ok(ENOMEM);
            }
            let old = k.skb(no).data;
            k.skb_mut(no).pull(len)?;
            k.skb_postpull_rcsum(no, old + off, len);
            k.skb_postpull_data_move(no, len, off)?;
            Ok(0)
        })
    }

    /// `bpf_skb_net_hdr_push()`: the headers follow.
    fn bpf_skb_net_hdr_push(&mut self, no: SkbNo, off: u32, len: u32) -> Run<i64> {
        self.traced("bpf_skb_net_hdr_push", FILE, no, |k| {
            let ret = k.bpf_skb_generic_push(no, off, len)?;
            if ret == 0 {
                k.net_hdr_moved(no, -(len as i32));
            }
            Ok(ret)
        })
    }

    /// `bpf_skb_net_hdr_pop()`.
    fn bpf_skb_net_hdr_pop(&mut self, no: SkbNo, off: u32, len: u32) -> Run<i64> {
        self.traced("bpf_skb_net_hdr_pop", FILE, no, |k| {
            let ret = k.bpf_skb_generic_pop(no, off, len)?;
            if ret == 0 {
                k.net_hdr_moved(no, len as i32);
            }
            Ok(ret)
        })
    }

    /// MAC and network header lie `by` bytes further; a transport header that was at the network header stays there.
    fn net_hdr_moved(&mut self, no: SkbNo, by: i32) {
        let skb = self.skb_mut(no);
        let same = skb.transport_header == skb.network_header;
        skb.mac_header = skb.mac_header.wrapping_add(by as u16);
        skb.network_header = skb.network_header.wrapping_add(by as u16);
        if same {
            skb.transport_header = skb.network_header;
        }
    }

    /// The packet is one of another protocol now, and its route is void (`skb_valid_dst()`: a tunnel's key stays).
    fn bpf_skb_change_protocol(&mut self, no: SkbNo, protocol: u16) {
        let skb = self.skb_mut(no);
        skb.protocol = protocol;
        (skb.dst, skb.dst6) = (None, None);
    }

    /// `bpf_skb_change_proto()`: room for the other kind of IP header; the program fills it in.
    pub(in crate::stack) fn bpf_skb_change_proto(
        &mut self,
        no: SkbNo,
        protocol: u16,
        flags: u64,
    ) -> Run<i64> {
        self.traced("bpf_skb_change_proto", FILE, no, |k| {
            if flags != 0 {
                return Ok(EINVAL);
            }
            let ret = k.bpf_skb_proto_xlat(no, protocol)?;
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }

    /// `bpf_skb_proto_xlat()`: IPv4 to IPv6 asks for headroom for the metadata too; the other way only unclones.
    fn bpf_skb_proto_xlat(&mut self, no: SkbNo, to: u16) -> Run<i64> {
        const LEN_DIFF: u32 = IPV6_HLEN - ipv4::HLEN;
        let off = self.skb(no).mac_header_len();
        let ret = match (self.skb(no).protocol, to) {
            (ethernet::P_IP, ethernet::P_IPV6) => {
                self.skb_cow(no, self.meta_len(no) + LEN_DIFF)?;
                self.bpf_skb_net_hdr_push(no, off, LEN_DIFF)?
            }
            (ethernet::P_IPV6, ethernet::P_IP) => {
                self.skb_unclone(no)?;
                self.bpf_skb_net_hdr_pop(no, off, LEN_DIFF)?
            }
            _ => return Ok(ENOTSUPP),
        };
        if ret == 0 {
            self.gso_proto_xlat(no, to);
            // skb_clear_hash()
            self.skb_mut(no).bpf.hash = None;
            self.bpf_skb_change_protocol(no, to);
        }
        Ok(ret)
    }

    /// A merged packet is cut as one of the other protocol later, and its headers are checked then.
    fn gso_proto_xlat(&mut self, no: SkbNo, to: u16) {
        if !self.skb_is_gso(no) {
            return;
        }
        let (old, new) = match to {
            ethernet::P_IPV6 => (gso::TCPV4, gso::TCPV6),
            _ => (gso::TCPV6, gso::TCPV4),
        };
        let head = self.skb(no).head;
        let gso_type = &mut self.buffers.shinfo_mut(head).gso_type;
        if *gso_type & old != 0 {
            *gso_type = *gso_type & !old | new;
        }
        *gso_type |= gso::DODGY;
    }

    /// Whether room can't be made or taken in a merged packet: only TCP may be cut at other places.
    fn gso_keeps_room(&self, no: SkbNo) -> bool {
        let gso_type = self.buffers.get(self.skb(no).head).shinfo.gso_type;
        self.skb_is_gso(no) && gso_type & gso::TCP == 0
    }

    /// The segments of a merged packet are shorter by `by`, or longer when it is negative, unless the program says that
    /// they are not; `gso_type` gets what is said of the tunnel.
    fn gso_adjust_room(&mut self, no: SkbNo, by: i32, gso_type: u32, flags: u64) -> Run<()> {
        if !self.skb_is_gso(no) {
            return Ok(());
        }
        let head = self.skb(no).head;
        let shinfo = self.buffers.shinfo_mut(head);
        shinfo.gso_type |= gso_type | gso::DODGY;
        shinfo.gso_segs = 0;
        if flags & flag::FIXED_GSO != 0 {
            return Ok(());
        }
        // skb_decrease_gso_size(), skb_increase_gso_size()
        shinfo.gso_size = (i32::from(shinfo.gso_size) - by) as u16;
        if by > 0 && !self.buffers.get(head).frag_list.is_empty() {
            self.skb_linearize(no)?;
        }
        Ok(())
    }

    fn meta_len(&self, no: SkbNo) -> u32 {
        self.room_for_metadata(no)
    }

    /// `bpf_skb_adjust_room()`.
    pub(in crate::stack) fn bpf_skb_adjust_room(
        &mut self,
        no: SkbNo,
        len_diff: i32,
        mode: u32,
        flags: u64,
    ) -> Run<i64> {
        self.traced("bpf_skb_adjust_room", FILE, no, |k| {
            let off = match k.room_offset(no, len_diff, mode, flags) {
                Ok(off) => off,
                Err(error) => return Ok(error),
            };
            let len = len_diff.unsigned_abs();
            let ret = if len_diff < 0 {
                k.bpf_skb_net_shrink(no, off, len, flags)?
            } else {
                k.bpf_skb_net_grow(no, off, len, flags)?
            };
            if ret == 0 && flags & flag::NO_CSUM_RESET == 0 {
                k.skb_reset_checksum_unnecessary(no);
            }
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }

    /// The checks of `bpf_skb_adjust_room()`; gives the offset at which bytes are put in or taken out.
    fn room_offset(&self, no: SkbNo, len_diff: i32, mode: u32, flags: u64) -> Result<u32, i64> {
        const BPF_ADJ_ROOM_NET: u32 = 0;
        const BPF_ADJ_ROOM_MAC: u32 = 1;
        let (skb, len, shrink) = (self.skb(no), len_diff.unsigned_abs(), len_diff < 0);
        if flags & !flag::ALL != 0 {
            return Err(EINVAL);
        }
        if len > 0xfff {
            return Err(EFAULT);
        }
        let base_len = match skb.protocol {
            ethernet::P_IP => ipv4::HLEN,
            ethernet::P_IPV6 => IPV6_HLEN,
            _ => return Err(ENOTSUPP),
        };
        let off = match mode {
            BPF_ADJ_ROOM_NET => skb.mac_header_len() + base_len,
            BPF_ADJ_ROOM_MAC => skb.mac_header_len(),
            _ => return Err(ENOTSUPP),
        };
        let len_min = match flags & flag::DECAP_L3 {
            0 => base_len,
            _ if !shrink => return Err(EINVAL),
            flag::DECAP_L3_IPV4 => ipv4::HLEN,
            flag::DECAP_L3_IPV6 => IPV6_HLEN,
            _ => return Err(EINVAL),
        };
        let len_cur = skb.len.wrapping_add_signed(-skb.network_offset());
        let too_small = shrink && (len >= len_cur || len_cur - len < len_min);
        let gso = self.buffers.get(skb.head).shinfo.gso_size != 0;
        let too_large = !shrink && skb.len + len > BPF_SKB_MAX_LEN && !gso;
        if too_small || too_large {
            return Err(ENOTSUPP);
        }
        Ok(off)
    }

    /// `bpf_skb_net_grow()`: asks for headroom for the metadata too; with an encapsulation flag what was outer
    /// becomes inner.
    fn bpf_skb_net_grow(&mut self, no: SkbNo, off: u32, len_diff: u32, flags: u64) -> Run<i64> {
        if self.gso_keeps_room(no) {
            return Ok(ENOTSUPP);
        }
        let ret = self.__bpf_skb_net_grow(no, off, len_diff, flags)?;
        if ret == 0 {
            let has = |of: u64| flags & of != 0;
            let gso_type = match has(flag::ENCAP_L3) {
                false => 0,
                _ if has(flag::ENCAP_L4_UDP) => gso::UDP_TUNNEL,
                _ if has(flag::ENCAP_L4_GRE) => gso::GRE,
                _ if has(flag::ENCAP_L3_IPV6) => gso::IPXIP6,
                _ => gso::IPXIP4,
            };
            self.gso_adjust_room(no, len_diff as i32, gso_type, flags)?;
        }
        Ok(ret)
    }

    fn __bpf_skb_net_grow(&mut self, no: SkbNo, off: u32, len_diff: u32, flags: u64) -> Run<i64> {
        self.skb_cow_head(no, self.meta_len(no) + len_diff)?;
        let before = self.skb(no).clone();
        let encap = flags & flag::ENCAP_L3 != 0;
        let inner_mac_len = (flags >> flag::ENCAP_L2_SHIFT) as u16;
        if encap {
            let both = |flags_of: u64| flags & flags_of == flags_of;
            if both(flag::ENCAP_L3) || both(flag::ENCAP_L4_GRE | flag::ENCAP_L4_UDP) {
                return Ok(EINVAL);
            }
            let ethernet = flags & flag::ENCAP_L2_ETH != 0;
            if ethernet && u32::from(inner_mac_len) < ethernet::HLEN {
                return Ok(EINVAL);
            }
            if before.encapsulation {
                return Ok(EALREADY);
            }
            if u32::from(inner_mac_len) > len_diff {
                return Ok(EINVAL);
            }
        }
        let ret = self.bpf_skb_net_hdr_push(no, off, len_diff)?;
        if ret != 0 || !encap {
            return Ok(ret);
        }
        let mac_len = before.mac_header_len();
        let to_ipv6 = flags & flag::ENCAP_L3_IPV6 != 0;
        let skb = self.skb_mut(no);
        skb.inner_mac_header = before.network_header.wrapping_sub(inner_mac_len);
        skb.inner_network_header = before.network_header;
        skb.inner_transport_header = before.transport_header;
        skb.inner_protocol = match flags & flag::ENCAP_L2_ETH {
            0 => skb.protocol,
            _ => ethernet::P_TEB,
        };
        skb.encapsulation = true;
        skb.set_network_header(mac_len);
        if flags & (flag::ENCAP_L4_GRE | flag::ENCAP_L4_UDP) != 0 {
            let nh_len = if to_ipv6 { IPV6_HLEN } else { ipv4::HLEN };
            skb.transport_header = (skb.data + mac_len + nh_len) as u16;
        }
        let outer = if to_ipv6 {
            ethernet::P_IPV6
        } else {
            ethernet::P_IP
        };
        self.bpf_skb_change_protocol(no, outer);
        Ok(0)
    }

    /// `bpf_skb_net_shrink()`.
    fn bpf_skb_net_shrink(&mut self, no: SkbNo, off: u32, len_diff: u32, flags: u64) -> Run<i64> {
        if flags & !(flag::FIXED_GSO | flag::DECAP_L3 | flag::NO_CSUM_RESET) != 0 {
            return Ok(EINVAL);
        }
        if self.gso_keeps_room(no) {
            return Ok(ENOTSUPP);
        }
        self.skb_unclone(no)?;
        let ret = self.bpf_skb_net_hdr_pop(no, off, len_diff)?;
        if ret == 0 {
            self.gso_adjust_room(no, -(len_diff as i32), 0, flags)?;
            match flags & flag::DECAP_L3 {
                flag::DECAP_L3_IPV6 => self.bpf_skb_change_protocol(no, ethernet::P_IPV6),
                flag::DECAP_L3_IPV4 => self.bpf_skb_change_protocol(no, ethernet::P_IP),
                _ => {}
            }
        }
        Ok(ret)
    }

    /// `__skb_reset_checksum_unnecessary()`: what hardware verified is not verified any more.
    fn skb_reset_checksum_unnecessary(&mut self, no: SkbNo) {
        let skb = self.skb_mut(no);
        if skb.ip_summed == crate::skb::CHECKSUM_UNNECESSARY {
            skb.ip_summed = CHECKSUM_NONE;
        }
    }
}
