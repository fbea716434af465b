//! Parameters of tunnel devices.

use std::net::Ipv4Addr;

/// Parameters of an IPv4 tunnel device (`ip tunnel add … mode gre`, `ip link add … type gre`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TunnelParms {
    /// `local`; unspecified when absent.
    pub local: Option<Ipv4Addr>,
    /// `remote`; unspecified when absent.
    pub remote: Option<Ipv4Addr>,
    /// `ikey` (or `key`).
    pub ikey: Option<u32>,
    /// `okey` (or `key`).
    pub okey: Option<u32>,
    /// `icsum` (or `csum`).
    pub icsum: bool,
    /// `ocsum` (or `csum`).
    pub ocsum: bool,
    /// `iseq` (or `seq`).
    pub iseq: bool,
    /// `oseq` (or `seq`).
    pub oseq: bool,
    /// `ttl`; 0 is *inherit*.
    pub ttl: u8,
    /// `tos`; 1 is *inherit*.
    pub tos: u8,
    /// `nopmtudisc`: do not set DF on the outer header.
    pub nopmtudisc: bool,
}

/// Parameters of a device that puts frames into UDP (`type vxlan`, `type geneve`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpTunnelParms {
    /// `id` or `vni`: the network identifier, 24 bits.
    pub vni: u32,
    /// `local`; unspecified when absent.
    pub local: Option<Ipv4Addr>,
    /// `remote`; unspecified when absent.
    pub remote: Option<Ipv4Addr>,
    /// `dstport`.
    pub dstport: u16,
    /// `srcport LOW HIGH`; absent: the range of local ports.
    pub srcport: Option<(u16, u16)>,
    /// `ttl`.
    pub ttl: TunnelTtl,
    /// `tos`; 1 is *inherit*.
    pub tos: u8,
    /// `df`.
    pub df: TunnelDf,
    /// `udpcsum`: a UDP checksum on the outer header.
    pub udpcsum: bool,
    /// `learning`: remember where inner MAC addresses come from.
    pub learning: bool,
    /// `dev`: the lower device, whose MTU and headroom it takes.
    pub lower: bool,
}

/// `ttl` of a VXLAN or GENEVE device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TunnelTtl {
    /// `auto` or nothing: the namespace's default.
    #[default]
    Default,
    /// Of the inner packet.
    Inherit,
    /// A number.
    Fixed(u8),
}

/// `df` of a VXLAN or GENEVE device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TunnelDf {
    /// Not set.
    #[default]
    Unset,
    /// Always set.
    Set,
    /// Of the inner packet.
    Inherit,
}
