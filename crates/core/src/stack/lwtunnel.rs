//! Light-weight tunnels: `net/core/lwtunnel.c` and `net/core/lwt_bpf.c`.

use std::net::IpAddr;

use super::ip_forward::Input;
use super::ip6_forward::Input6;
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::{ethernet, ipv6};
use crate::scenario::command::Seg6Mode;
use crate::scenario::topology::{DevId, Encap, LwtBpf, ProgId, Route, Route6};
use crate::trace::SkbNo;

const FILE: &str = "net/core/lwtunnel.c";
const BPF: &str = "net/core/lwt_bpf.c";
/// `LWTUNNEL_XMIT_DONE`: the packet is gone.
pub(super) const LWTUNNEL_XMIT_DONE: i64 = 0;
/// `LWTUNNEL_XMIT_CONTINUE`: the packet goes on to the neighbour.
pub(super) const LWTUNNEL_XMIT_CONTINUE: i64 = 256;
/// `-ENETDOWN`, `-EINVAL`, `-EPERM`, `-EOPNOTSUPP`, `-EAFNOSUPPORT`.
const ENETDOWN: i64 = -100;
const EINVAL: i64 = -22;
const EPERM: i64 = -1;
const EOPNOTSUPP: i64 = -95;
const EAFNOSUPPORT: i64 = -97;
/// Where `nexthdr` is in the IPv6 header.
const NHOFF: u32 = 6;

/// Verdicts of LWT programs (`enum bpf_ret_code`, `include/uapi/linux/bpf.h`).
const BPF_OK: i64 = 0;
const BPF_DROP: i64 = 2;
const BPF_REDIRECT: i64 = 7;
const BPF_LWT_REROUTE: i64 = 128;

/// The route that a packet has (`skb_dst()`).
#[derive(Debug, Clone, Copy)]
pub(super) enum Dst {
    V4(Route),
    V6(Route6),
}

impl Dst {
    fn dev(self) -> DevId {
        match self {
            Self::V4(route) => route.dev,
            Self::V6(route) => route.dev,
        }
    }
}

impl Kernel {
    /// `lwtunnel_headroom()` (`include/net/lwtunnel.h`): bytes that a route puts around its packets, which its MTU is less by.
    pub(super) fn lwtunnel_headroom(&self, encap: Option<Encap>) -> u32 {
        match encap {
            Some(Encap::Mpls(labels)) => labels.bytes(),
            // seg6_lwt_headroom(): the destination is one more segment of a header that is put in
            Some(Encap::Seg6(place, mode)) => {
                let list = self.topology.seg6.get(place);
                let segments = list.map_or(0, |segments| segments.list.len() as u32);
                match mode {
                    Seg6Mode::Inline => 8 + 16 * (segments + 1),
                    Seg6Mode::Encap | Seg6Mode::EncapRed => 8 + 16 * segments + ipv6::HLEN,
                    Seg6Mode::L2Encap | Seg6Mode::L2EncapRed => 0,
                }
            }
            Some(Encap::Bpf(_) | Encap::Ioam6(_) | Encap::Ip(_)) | None => 0,
        }
    }

    /// `dst_output()` of an IPv4 packet: by the route's own device, or through its light-weight tunnel.
    pub(super) fn dst_output(&mut self, no: SkbNo) -> Run<i64> {
        let route = self.skb(no).dst;
        let tunnel = route.and_then(|route| Some((route, route.encap?)));
        match tunnel.filter(|(_, encap)| encap.has_output()) {
            Some((route, encap)) => self.lwtunnel_output(no, Dst::V4(route), encap),
            None => self.ip_output(no),
        }
    }

    /// The same of an IPv6 packet.
    pub(super) fn dst_output6(&mut self, no: SkbNo) -> Run<i64> {
        let route = self.skb(no).dst6;
        let tunnel = route.and_then(|route| Some((route, route.encap?)));
        match tunnel.filter(|(_, encap)| encap.has_output()) {
            Some((route, encap)) => self.lwtunnel_output(no, Dst::V6(route), encap),
            None => self.ip6_output(no),
        }
    }

    /// `dst_input()` of a packet to be forwarded: `ip_forward()`, or `lwtunnel_input()`.
    pub(super) fn forward_or_tunnel(&mut self, no: SkbNo, route: Route) -> Run<i64> {
        match route.encap.filter(|encap| encap.has_input()) {
            Some(encap) => {
                self.skb_mut(no).set_dst(Some(route));
                self.lwtunnel_input(no, Dst::V4(route), encap)
            }
            None => self.ip_forward(no, route),
        }
    }

    /// The same of an IPv6 packet.
    pub(super) fn forward_or_tunnel6(&mut self, no: SkbNo, route: Route6) -> Run<i64> {
        match route.encap.filter(|encap| encap.has_input()) {
            Some(encap) => {
                self.skb_mut(no).set_dst6(Some(route));
                self.lwtunnel_input(no, Dst::V6(route), encap)
            }
            None => self.ip6_forward(no, route),
        }
    }

    /// `lwtunnel_output()`.
    fn lwtunnel_output(&mut self, no: SkbNo, dst: Dst, encap: Encap) -> Run<i64> {
        self.lwtunnel(no, "lwtunnel_output", |k| match encap {
            Encap::Bpf(bpf) => k.bpf_output(no, dst, bpf),
            Encap::Seg6(at, _) => match k.topology.seg6.get(at).cloned() {
                Some(segments) => k.seg6_output(no, dst.dev(), &segments),
                None => k.unsupported(no),
            },
            Encap::Ioam6(at) => k.ioam6_output(no, at),
            Encap::Mpls(_) | Encap::Ip(_) => k.unsupported(no),
        })
    }

    /// `lwtunnel_input()`.
    fn lwtunnel_input(&mut self, no: SkbNo, dst: Dst, encap: Encap) -> Run<i64> {
        self.lwtunnel(no, "lwtunnel_input", |k| match encap {
            Encap::Bpf(bpf) => k.bpf_input(no, dst, bpf),
            Encap::Seg6(at, _) => match k.topology.seg6.get(at).cloned() {
                Some(segments) => k.seg6_input(no, dst.dev(), &segments),
                None => k.unsupported(no),
            },
            Encap::Mpls(_) | Encap::Ioam6(_) | Encap::Ip(_) => k.unsupported(no),
        })
    }

    /// `lwtunnel_xmit()`: the route puts something around the packet where that is sent.
    pub(super) fn lwtunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        encap: Encap,
        next_hop: IpAddr,
    ) -> Run<i64> {
        self.lwtunnel(no, "lwtunnel_xmit", |k| match encap {
            Encap::Mpls(label) => k.mpls_xmit(no, dev, label, next_hop),
            Encap::Bpf(bpf) => k.bpf_xmit(no, dev, bpf),
            Encap::Seg6(..) | Encap::Ioam6(_) | Encap::Ip(_) => k.unsupported(no),
        })
    }

    /// What `lwtunnel_input()`, `lwtunnel_output()` and `lwtunnel_xmit()` have in common: a limit on how often packets
    /// may come back, and since 7.2 metadata are cleared first, because outer headers are pushed over them
    /// (patch-series.md, section 5).
    fn lwtunnel(
        &mut self,
        no: SkbNo,
        name: &'static str,
        body: impl FnOnce(&mut Self) -> Run<i64>,
    ) -> Run<i64> {
        self.traced(name, FILE, no, |k| {
            if k.dev_xmit_recursion() {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENETDOWN);
            }
            if k.design.lwt_clears() {
                k.skb_metadata_clear(no);
            }
            k.xmit_recursion += 1;
            let result = body(k);
            k.xmit_recursion -= 1;
            result
        })
    }

    /// `-EOPNOTSUPP`: this kind of tunnel has no such function.
    fn unsupported(&mut self, no: SkbNo) -> Run<i64> {
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
        Ok(EOPNOTSUPP)
    }

    /// `run_lwt_bpf()` and what it makes of the verdict; `Err` when the packet is gone, with what is returned.
    fn lwt_verdict(
        &mut self,
        no: SkbNo,
        dev: DevId,
        hook: &'static str,
        program: ProgId,
    ) -> Run<Result<i64, i64>> {
        let cb = std::mem::take(&mut self.skb_mut(no).bpf.cb);
        let verdict = self.run_lwt_bpf(program, hook, dev, no)?;
        self.skb_mut(no).bpf.cb = cb;
        match verdict {
            BPF_OK | BPF_LWT_REROUTE => Ok(Ok(verdict)),
            BPF_REDIRECT if hook == "lwt_xmit" => {
                self.skb_mut(no).reset_mac_header();
                self.skb_do_redirect(no)?;
                Ok(Err(LWTUNNEL_XMIT_DONE))
            }
            // "Illegal redirect return code": it goes on
            BPF_REDIRECT => Ok(Ok(BPF_OK)),
            BPF_DROP => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(Err(EPERM))
            }
            _ => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(Err(EINVAL))
            }
        }
    }

    /// `bpf_input()`: the program of `encap bpf in`, then `ip_forward()` as without it (`orig_input`), or a new routing
    /// decision (`bpf_lwt_input_reroute()`).
    fn bpf_input(&mut self, no: SkbNo, dst: Dst, bpf: LwtBpf) -> Run<i64> {
        self.traced("bpf_input", BPF, no, |k| {
            if let Some(program) = bpf.input {
                match k.lwt_verdict(no, dst.dev(), "lwt_in", program)? {
                    Err(ret) => return Ok(ret),
                    Ok(BPF_LWT_REROUTE) => return k.bpf_lwt_input_reroute(no, dst),
                    Ok(_) => {}
                }
            }
            match dst {
                Dst::V4(route) => k.ip_forward(no, route),
                // bpf_push_seg6_encap() may have changed it
                Dst::V6(route) => {
                    let route = k.skb(no).dst6.unwrap_or(route);
                    k.ip6_forward(no, route)
                }
            }
        })
    }

    /// `bpf_lwt_input_reroute()`: as if received by the route's device. A route that says no drops with `-EINVAL`.
    fn bpf_lwt_input_reroute(&mut self, no: SkbNo, dst: Dst) -> Run<i64> {
        self.skb_mut(no).drop_dst();
        match self.skb(no).protocol {
            ethernet::P_IP => {
                let input = self.ip_route_input(no, dst.dev())?;
                if let Input::Martian(_) = input {
                    self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    return Ok(EINVAL);
                }
                self.dst_input(no, input)
            }
            ethernet::P_IPV6 => {
                let input = self.ip6_route_input(no)?;
                if let Input6::Error { .. } = input {
                    self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    return Ok(EINVAL);
                }
                self.dst_input6(no, input, NHOFF)
            }
            _ => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(EAFNOSUPPORT)
            }
        }
    }

    /// `bpf_output()`: the program of `encap bpf out`, then `ip_output()` as without it (`orig_output`).
    fn bpf_output(&mut self, no: SkbNo, dst: Dst, bpf: LwtBpf) -> Run<i64> {
        self.traced("bpf_output", BPF, no, |k| {
            if let Some(program) = bpf.output
                && let Err(ret) = k.lwt_verdict(no, dst.dev(), "lwt_out", program)?
            {
                return Ok(ret);
            }
            match dst {
                Dst::V4(_) => k.ip_output(no),
                Dst::V6(_) => k.ip6_output(no),
            }
        })
    }

    /// `bpf_xmit()`: a program does it; afterwards there must be room for the link header.
    fn bpf_xmit(&mut self, no: SkbNo, dev: DevId, bpf: LwtBpf) -> Run<i64> {
        self.traced("bpf_xmit", BPF, no, |k| {
            let Some(program) = bpf.xmit else {
                return Ok(LWTUNNEL_XMIT_CONTINUE);
            };
            let room = k.topology.dev(dev).ll_reserved_space();
            let protocol = k.skb(no).protocol;
            match k.lwt_verdict(no, dev, "lwt_xmit", program)? {
                Err(ret) => Ok(ret),
                Ok(BPF_LWT_REROUTE) => k.bpf_lwt_xmit_reroute(no, dev),
                Ok(_) if k.skb(no).protocol != protocol => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(EINVAL)
                }
                Ok(_) => {
                    // xmit_check_headroom()
                    let missing = room.saturating_sub(k.skb(no).headroom());
                    if missing > 0 {
                        k.pskb_expand_head(no, missing, 0)?;
                    }
                    Ok(LWTUNNEL_XMIT_CONTINUE)
                }
            }
        })
    }
}
