//! `bpf_fib_lookup()` and `bpf_check_mtu()` (`net/core/filter.c`): what a program asks of routes, neighbours and devices.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::{Kernel, Run};
use crate::scenario::command::RouteKind;
use crate::scenario::topology::{DevId, Lookup};
use crate::trace::SkbNo;

/// `-ENODEV`, `-EINVAL`, `-EAFNOSUPPORT`.
pub(super) const ENODEV: i64 = -19;
const EINVAL: i64 = -22;
const EAFNOSUPPORT: i64 = -97;

/// `BPF_FIB_LKUP_RET_*` (include/uapi/linux/bpf.h).
pub(super) mod ret {
    pub const SUCCESS: i64 = 0;
    pub const BLACKHOLE: i64 = 1;
    pub const UNREACHABLE: i64 = 2;
    pub const PROHIBIT: i64 = 3;
    pub const NOT_FWDED: i64 = 4;
    pub const FWD_DISABLED: i64 = 5;
    pub const UNSUPP_LWT: i64 = 6;
    pub const NO_NEIGH: i64 = 7;
    pub const FRAG_NEEDED: i64 = 8;
    pub const NO_SRC_ADDR: i64 = 9;
}

/// `BPF_FIB_LOOKUP_*`.
pub(super) mod flag {
    pub const DIRECT: u32 = 1;
    pub const OUTPUT: u32 = 2;
    pub const SKIP_NEIGH: u32 = 4;
    pub const TBID: u32 = 8;
    pub const SRC: u32 = 16;
    pub const ALL: u32 = 63;
}

/// `struct bpf_fib_lookup`: 64 bytes, and where its members are.
const SIZE: usize = 64;
pub(super) const TOT_LEN: usize = 6;
pub(super) const IFINDEX: usize = 8;
pub(super) const RT_METRIC: usize = 12;
pub(super) const SRC: usize = 16;
pub(super) const DST: usize = 32;
pub(super) const VLAN: usize = 48;
pub(super) const SMAC: usize = 52;
pub(super) const DMAC: usize = 58;

pub(super) struct Params<'p>(&'p mut [u8; SIZE]);

impl Params<'_> {
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    pub fn word(&self, at: usize) -> [u8; 4] {
        self.0
            .get(at..)
            .and_then(|rest| rest.first_chunk().copied())
            .unwrap_or_default()
    }

    pub fn ifindex(&self) -> u32 {
        u32::from_le_bytes(self.word(IFINDEX))
    }

    pub fn address6(&self, at: usize) -> Ipv6Addr {
        let bytes: Option<[u8; 16]> = self
            .0
            .get(at..)
            .and_then(|rest| rest.first_chunk().copied());
        Ipv6Addr::from(bytes.unwrap_or_default())
    }

    pub fn tot_len(&self) -> u16 {
        u16::from_le_bytes([self.0[TOT_LEN], self.0[TOT_LEN + 1]])
    }
}

impl Kernel {
    /// `bpf_xdp_fib_lookup()`, and with the packet `bpf_skb_fib_lookup()`.
    pub(in crate::stack) fn bpf_fib_lookup(
        &mut self,
        dev: DevId,
        skb: Option<SkbNo>,
        params: &mut [u8],
        flags: u32,
    ) -> Run<i64> {
        const AF_INET: u8 = 2;
        const AF_INET6: u8 = 10;
        let Some(params) = params.first_chunk_mut::<SIZE>() else {
            return Ok(EINVAL);
        };
        if flags & !flag::ALL != 0 {
            return Ok(EINVAL);
        }
        let mut params = Params(params);
        let check_mtu = skb.is_none() || params.tot_len() != 0;
        let ret = match params.0[0] {
            AF_INET => self.bpf_ipv4_fib_lookup(dev, &mut params, flags, check_mtu),
            AF_INET6 => self.bpf_ipv6_fib_lookup(dev, &mut params, flags, check_mtu),
            _ => return Ok(EAFNOSUPPORT),
        };
        match skb {
            Some(no) if ret == ret::SUCCESS && !check_mtu => Ok(self.fits_device(dev, no, params)),
            _ => Ok(ret),
        }
    }

    /// `is_skb_forwardable()`: without a length from the program, the packet's own counts.
    fn fits_device(&self, dev: DevId, no: SkbNo, mut params: Params<'_>) -> i64 {
        const VLAN_HLEN: u32 = 4;
        let netns = self.topology.dev(dev).netns;
        let Some(to) = self.topology.dev_by_index(netns, params.ifindex()) else {
            return ENODEV;
        };
        let (device, skb) = (self.topology.dev(to), self.skb(no));
        let gso = self.buffers.get(skb.head).shinfo.gso_size != 0;
        let fits = gso || skb.len <= device.mtu + device.hard_header_len + VLAN_HLEN;
        params.put(TOT_LEN, &(device.mtu as u16).to_le_bytes());
        if device.up && fits {
            ret::SUCCESS
        } else {
            ret::FRAG_NEEDED
        }
    }

    /// `bpf_ipv4_fib_lookup()`. A route here has no MTU and no metric of its own, and the room that an encapsulation
    /// needs is not taken off; one with an encapsulation is refused anyhow.
    fn bpf_ipv4_fib_lookup(
        &self,
        dev: DevId,
        params: &mut Params<'_>,
        flags: u32,
        check_mtu: bool,
    ) -> i64 {
        let netns = self.topology.dev(dev).netns;
        let Some(from) = self.topology.dev_by_index(netns, params.ifindex()) else {
            return ENODEV;
        };
        if !self.forwards(from) {
            return ret::FWD_DISABLED;
        }
        let dst = Ipv4Addr::from(params.word(DST));
        let route = match self.fib_lookup(from, dst, params, flags) {
            Lookup::Unicast(route) => route,
            Lookup::Refused(RouteKind::Blackhole) => return ret::BLACKHOLE,
            Lookup::Refused(RouteKind::Unreachable) => return ret::UNREACHABLE,
            Lookup::Refused(RouteKind::Prohibit) => return ret::PROHIBIT,
            Lookup::Local | Lookup::Refused(_) | Lookup::NoRoute => return ret::NOT_FWDED,
        };
        let device = self.topology.dev(route.dev);
        let mtu = (device.mtu as u16).to_le_bytes();
        if check_mtu && u32::from(params.tot_len()) > device.mtu {
            params.put(TOT_LEN, &mtu);
            return ret::FRAG_NEEDED;
        }
        if route.encap.is_some() {
            return ret::UNSUPP_LWT;
        }
        params.put(RT_METRIC, &[0; 4]);
        params.put(IFINDEX, &device.ifindex.to_le_bytes());
        if flags & flag::SRC != 0 {
            let mut own = self.topology.netns[netns.0].addrs.iter();
            let first = own
                .find(|(of, _)| *of == route.dev)
                .map(|(_, net)| net.addr);
            let source = route.src.or(first).unwrap_or(Ipv4Addr::UNSPECIFIED);
            params.put(SRC, &source.octets());
        }
        let next_hop = route.via.unwrap_or(dst);
        params.put(DST, &next_hop.octets());
        if flags & flag::SKIP_NEIGH == 0 {
            let Some(mac) = self.topology.neighbour(route.dev, IpAddr::V4(next_hop)) else {
                return ret::NO_NEIGH;
            };
            params.put(DMAC, &mac);
            params.put(SMAC, &device.mac);
        }
        params.put(VLAN, &[0; 4]);
        if check_mtu {
            params.put(TOT_LEN, &mtu);
        }
        ret::SUCCESS
    }

    /// `fib_lookup()`, or `fib_table_lookup()` in one table: the main one, which is the only one that routes are in.
    fn fib_lookup(
        &self,
        from: DevId,
        dst: Ipv4Addr,
        params: &mut Params<'_>,
        flags: u32,
    ) -> Lookup {
        const UNSPEC: u32 = 0;
        const MAIN: u32 = 254;
        let netns = self.topology.dev(from).netns;
        let through = (flags & flag::OUTPUT != 0).then_some(from);
        if flags & flag::DIRECT == 0 {
            let own = self.topology.is_local(netns, dst) || self.topology.is_to_many(netns, dst);
            return if own {
                Lookup::Local
            } else {
                self.topology.lookup_main(netns, dst, through)
            };
        }
        if flags & flag::TBID != 0 {
            let table = u32::from_le_bytes(params.word(VLAN));
            params.put(VLAN, &[0; 4]);
            if !matches!(table, UNSPEC | MAIN) {
                return Lookup::NoRoute;
            }
        }
        self.topology.lookup_main(netns, dst, through)
    }

    /// `bpf_xdp_check_mtu()`, and with the packet `bpf_skb_check_mtu()`. `len` is that of the packet with its link
    /// header; `mtu_len` what the program says instead, and the MTU afterwards.
    pub(in crate::stack) fn bpf_check_mtu(
        &self,
        dev: DevId,
        skb: Option<SkbNo>,
        len: u32,
        [ifindex, len_diff]: [u32; 2],
        mtu_len: &mut u32,
        flags: u64,
    ) -> Run<i64> {
        const SEGS: u64 = 1;
        const FRAG_NEEDED: i64 = 1;
        const SEGS_TOOBIG: i64 = 2;
        let known = if skb.is_some() { SEGS } else { 0 };
        if flags & !known != 0 || flags & SEGS != 0 && (len_diff != 0 || *mtu_len != 0) {
            return Ok(EINVAL);
        }
        let netns = self.topology.dev(dev).netns;
        let found = match ifindex {
            0 => Some(dev),
            index => self.topology.dev_by_index(netns, index),
        };
        let Some(to) = found else {
            return Ok(ENODEV);
        };
        let device = self.topology.dev(to);
        let mut len = len as i32;
        if *mtu_len != 0 {
            len = mtu_len.wrapping_add(device.hard_header_len) as i32;
        }
        let fits =
            len.wrapping_add(len_diff as i32) <= (device.mtu + device.hard_header_len) as i32;
        let gso = skb.is_some_and(|no| self.buffers.get(self.skb(no).head).shinfo.gso_size != 0);
        let mut verdict = if fits || gso { 0 } else { FRAG_NEEDED };
        if let Some(no) = skb.filter(|_| !fits && gso && flags & SEGS != 0) {
            if self.skb(no).transport_header == crate::skb::NOT_SET {
                return Ok(EINVAL);
            }
            if !self.skb_gso_validate_network_len(no, device.mtu) {
                verdict = SEGS_TOOBIG;
            }
        }
        *mtu_len = device.mtu;
        Ok(verdict)
    }
}
