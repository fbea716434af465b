//! What commands are about: names, addresses, what a route does, where programs are attached.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A MAC address, in transmission order.
pub type Mac = [u8; 6];

/// Name of a network namespace; `None` is the one in which the commands start.
pub type Netns = Option<String>;

/// An IPv4 address with its prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Net {
    /// Address.
    pub addr: Ipv4Addr,
    /// Prefix length, bits.
    pub prefix: u8,
}

/// An IPv6 address with its prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6Net {
    /// Address.
    pub addr: Ipv6Addr,
    /// Prefix length, bits.
    pub prefix: u8,
}

/// What becomes of packets that match a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouteKind {
    /// Sent on.
    #[default]
    Unicast,
    /// Dropped silently (`EINVAL`).
    Blackhole,
    /// Refused with *host unreachable* (`EHOSTUNREACH`).
    Unreachable,
    /// Refused with *filtered* (`EACCES`).
    Prohibit,
}

/// What a route puts around a packet (`encap …`, a light-weight tunnel).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteEncap {
    /// `encap mpls LABELS`.
    Mpls {
        /// The labels.
        labels: crate::net::mpls::Labels,
    },
    /// `encap seg6 mode encap|inline segs A,B,…`: a list of segments, with an IPv6 header or in the packet's own.
    Seg6 {
        /// The segments, in the order in which they are passed.
        segs: Vec<Ipv6Addr>,
        /// `mode inline`.
        inline: bool,
    },
    /// `encap ip id N dst A …`, `encap ip6 …`: what a tunnel device in external mode is to do.
    Ip(crate::skb::TunInfo),
    /// `encap bpf [headroom N] in|out|xmit obj FILE section NAME …`: programs do it.
    Bpf(LwtSections),
}

/// Sections (or names of pinned programs) of a route's programs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LwtSections {
    /// `in`.
    pub input: Option<String>,
    /// `out`.
    pub output: Option<String>,
    /// `xmit`.
    pub xmit: Option<String>,
}

/// Attributes of a device that make its polls wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapiKnob {
    /// `napi_defer_hard_irqs`: polls that a timer makes, before packets do again.
    DeferHardIrqs,
    /// `gro_flush_timeout`, nanoseconds.
    GroFlushTimeout,
}

/// `native` (drv) or `generic` (skb) XDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XdpMode {
    /// In the driver.
    Native,
    /// `netif_receive_generic_xdp()`.
    Generic,
}

/// A TC hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcHook {
    /// `tcx/ingress`.
    Ingress,
    /// `tcx/egress`.
    Egress,
}

/// What `action mirred` does with a packet: `egress|ingress redirect|mirror dev DEV`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirredAction {
    /// To which side of the other device: sent by it, or received on it.
    pub to: TcHook,
    /// The packet itself goes there (`redirect`), not a copy (`mirror`).
    pub redirect: bool,
}

/// What a knob is set to: `orc cfg KEY VALUE|DEV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CfgValue {
    /// A number.
    Number(u32),
    /// The interface index of a device.
    Device(String),
}
