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
    /// `encap seg6 mode MODE segs A,B,…`: a list of segments, with an IPv6 header or in the packet's own.
    Seg6 {
        /// The segments, in the order in which they are passed.
        segs: Vec<Ipv6Addr>,
        /// `mode`.
        mode: Seg6Mode,
    },
    /// `encap ioam6 …`: a trace of the nodes that are passed.
    Ioam6(Ioam6),
    /// `encap ip id N dst A …`, `encap ip6 …`: what a tunnel device in external mode is to do.
    Ip(crate::skb::TunInfo),
    /// `encap bpf [headroom N] in|out|xmit obj FILE section NAME …`: programs do it.
    Bpf(LwtSections),
}

/// What `encap seg6` does (`SEG6_IPTUN_MODE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seg6Mode {
    /// Into the packet's own IPv6 header.
    Inline,
    /// Around the packet.
    Encap,
    /// Around it, without the first segment, which is the destination anyway.
    EncapRed,
    /// Around the frame.
    L2Encap,
    /// Both.
    L2EncapRed,
}

impl Seg6Mode {
    /// The frame goes along: only what was received has one, so that it is at input alone.
    #[must_use]
    pub fn is_l2(self) -> bool {
        matches!(self, Self::L2Encap | Self::L2EncapRed)
    }

    /// The first segment is left out.
    #[must_use]
    pub fn is_reduced(self) -> bool {
        matches!(self, Self::EncapRed | Self::L2EncapRed)
    }
}

/// How `encap ioam6` puts its options into a packet (`IOAM6_IPTUNNEL_MODE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ioam6Mode {
    /// Behind the packet's own IPv6 header.
    Inline,
    /// Behind one that is put around it.
    Encap,
    /// Inline for what this host sends, around what it forwards.
    Auto,
}

/// `encap ioam6 [freq K/N] [mode MODE] [tunsrc A] [tundst B] trace prealloc type T ns N size S`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ioam6 {
    /// Of so many packets (the second), so many get it.
    pub freq: (u32, u32),
    /// `mode`.
    pub mode: Ioam6Mode,
    /// `tunsrc`.
    pub tunsrc: Option<Ipv6Addr>,
    /// `tundst`.
    pub tundst: Option<Ipv6Addr>,
    /// `type`: which fields a node fills in, the first one is the highest bit.
    pub trace_type: u32,
    /// `ns`.
    pub ns: u16,
    /// `size`: room for what nodes fill in, bytes.
    pub size: u8,
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

/// Attributes of a device that change when and where its packets are taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapiKnob {
    /// `napi_defer_hard_irqs`: polls that a timer makes, before packets do again.
    DeferHardIrqs,
    /// `gro_flush_timeout`, nanoseconds.
    GroFlushTimeout,
    /// `queues/rx-0/rps_cpus`: CPUs that take up what comes; any but 0 is one that is there.
    RpsCpus,
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
