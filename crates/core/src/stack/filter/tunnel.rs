//! `bpf_skb_get_tunnel_key()`, `bpf_skb_set_tunnel_key()` and their options.

use super::EINVAL;
use crate::skb::TunInfo;
use crate::stack::Kernel;
use crate::trace::SkbNo;

/// `-ENOENT`.
const ENOENT: i64 = -2;
/// `-ENOMEM`.
const ENOMEM: i64 = -12;
/// `-EPROTO`.
const EPROTO: i64 = -71;

/// `sizeof(struct bpf_tunnel_key)`, and the shorter forms of older programs: up to `local_ipv6`, `tunnel_label`,
/// `tunnel_ext`, and `remote_ipv6[1]`.
const KEY: usize = 44;
const LOCAL: usize = 28;
const LABEL: usize = 24;
const EXT: usize = 22;
const REMOTE_1: usize = 8;

/// `BPF_F_TUNINFO_IPV6`, `BPF_F_ZERO_CSUM_TX`, `BPF_F_DONT_FRAGMENT`, `BPF_F_SEQ_NUMBER`,
/// `BPF_F_NO_TUNNEL_KEY`, `BPF_F_TUNINFO_FLAGS`.
mod flag {
    pub const IPV6: u64 = 1;
    pub const ZERO_CSUM_TX: u64 = 2;
    pub const DONT_FRAGMENT: u64 = 4;
    pub const SEQ_NUMBER: u64 = 8;
    pub const NO_TUNNEL_KEY: u64 = 16;
    pub const FLAGS: u64 = 16;
    pub const SET: u64 = IPV6 | ZERO_CSUM_TX | DONT_FRAGMENT | SEQ_NUMBER | NO_TUNNEL_KEY;
}

/// Bits of `key.tun_flags` (`IP_TUNNEL_*_BIT`, include/uapi/linux/if_tunnel.h).
pub(in crate::stack) mod bit {
    pub const CSUM: u16 = 1 << 0;
    pub const KEY: u16 = 1 << 2;
    pub const SEQ: u16 = 1 << 3;
    pub const DONT_FRAGMENT: u16 = 1 << 8;
    pub const NOCACHE: u16 = 1 << 13;
    /// `ip_tunnel_set_options_present()`: GENEVE, VXLAN, ERSPAN; GTP has bit 15.
    /// A packet of GENEVE's own, and one with options that must be understood.
    pub const CRIT_OPT: u16 = 1 << 10;
    pub const OAM: u16 = 1 << 9;
    pub const GENEVE_OPT: u16 = 1 << 11;
    pub const OPTIONS: u16 = 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15;
}

/// An address as `struct bpf_tunnel_key` has it: IPv4 in host order, IPv6 as in the packet.
fn shown(address: &[u8; 16], ipv6: bool) -> [u8; 16] {
    let mut out = *address;
    if !ipv6 {
        out[..4].reverse();
        out[4..].fill(0);
    }
    out
}

impl Kernel {
    /// `bpf_skb_get_tunnel_key()`.
    pub(in crate::stack) fn bpf_skb_get_tunnel_key(
        &self,
        no: SkbNo,
        into: &mut [u8],
        flags: u64,
    ) -> i64 {
        let Some(info) = self.skb_tunnel_info(no) else {
            return EINVAL;
        };
        if flags & !(flag::IPV6 | flag::FLAGS) != 0 {
            return EINVAL;
        }
        if info.ipv6 != (flags & flag::IPV6 != 0) {
            return EPROTO;
        }
        match into.len() {
            KEY | LOCAL | LABEL | EXT => {}
            REMOTE_1 if !info.ipv6 => {}
            _ => return EINVAL,
        }
        let mut key = [0; KEY];
        key[..4].copy_from_slice(&(info.tun_id as u32).to_le_bytes());
        key[4..20].copy_from_slice(&shown(&info.src, info.ipv6));
        key[20] = info.tos;
        key[21] = info.ttl;
        if flags & flag::FLAGS != 0 {
            key[22..24].copy_from_slice(&info.tun_flags.to_be_bytes());
        }
        if info.ipv6 {
            key[24..28].copy_from_slice(&info.label.to_le_bytes());
        }
        key[28..].copy_from_slice(&shown(&info.dst, info.ipv6));
        let len = into.len();
        into.copy_from_slice(&key[..len]);
        0
    }

    /// `bpf_skb_set_tunnel_key()`: the packet's route gives way to the key.
    pub(in crate::stack) fn bpf_skb_set_tunnel_key(
        &mut self,
        no: SkbNo,
        from: &[u8],
        flags: u64,
    ) -> i64 {
        if flags & !flag::SET != 0 || !matches!(from.len(), KEY | LOCAL | LABEL | EXT | REMOTE_1) {
            return EINVAL;
        }
        let mut key = [0; KEY];
        key[..from.len()].copy_from_slice(from);
        let word = |at: usize| u32::from_le_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
        let (ipv6, ext, label) = (flags & flag::IPV6 != 0, [key[22], key[23]], word(24));
        if !ipv6 && label != 0 || ext != [0, 0] {
            return EINVAL;
        }
        let address = |at: usize| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&key[at..at + 16]);
            shown(&bytes, ipv6)
        };
        let mut tun_flags = bit::NOCACHE;
        for (bit, on) in [
            (bit::DONT_FRAGMENT, flags & flag::DONT_FRAGMENT != 0),
            (bit::CSUM, flags & flag::ZERO_CSUM_TX == 0),
            (bit::SEQ, flags & flag::SEQ_NUMBER != 0),
            (bit::KEY, flags & flag::NO_TUNNEL_KEY == 0),
        ] {
            tun_flags |= if on { bit } else { 0 };
        }
        // IPV6_FLOWLABEL_MASK
        const FLOWLABEL: u32 = 0x000f_ffff;
        let info = TunInfo {
            tun_id: u64::from(word(0)),
            ipv6,
            src: address(28),
            dst: address(4),
            tos: key[20],
            ttl: key[21],
            label: label & FLOWLABEL,
            tx: true,
            tun_flags,
            options: Vec::new(),
        };
        let skb = self.skb_mut(no);
        skb.dst = None;
        skb.dst6 = None;
        skb.bpf.tun_info = Some(Box::new(info));
        0
    }

    /// `bpf_skb_get_tunnel_opt()`: the length of the options.
    pub(in crate::stack) fn bpf_skb_get_tunnel_opt(&self, no: SkbNo, into: &mut [u8]) -> i64 {
        let info = self.skb_tunnel_info(no);
        let Some(info) = info.filter(|info| info.tun_flags & bit::OPTIONS != 0) else {
            return ENOENT;
        };
        let Some(place) = into.get_mut(..info.options.len()) else {
            return ENOMEM;
        };
        place.copy_from_slice(&info.options);
        info.options.len() as i64
    }

    /// `bpf_skb_set_tunnel_opt()`: only behind a key that a program set.
    pub(in crate::stack) fn bpf_skb_set_tunnel_opt(&mut self, no: SkbNo, options: &[u8]) -> i64 {
        const IP_TUNNEL_OPTS_MAX: usize = 255;
        // `info != &md->u.tun_info`: what a packet came with is not changed
        let info = self.skb_mut(no).bpf.tun_info.as_mut();
        let Some(info) = info.filter(|info| info.tx) else {
            return EINVAL;
        };
        if !options.len().is_multiple_of(4) {
            return EINVAL;
        }
        if options.len() > IP_TUNNEL_OPTS_MAX {
            return ENOMEM;
        }
        info.tun_flags |= bit::OPTIONS;
        info.options = options.to_vec();
        0
    }
}
