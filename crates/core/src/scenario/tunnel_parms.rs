//! Parameters of tunnel devices.

use std::net::{Ipv4Addr, Ipv6Addr};

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
    /// `external`: each packet says where it goes (`collect_md`).
    pub external: bool,
    /// `encap fou|gue …`: the packets are in UDP.
    pub encap: Option<super::ip_fou::TunnelEncap>,
    /// IPIP and SIT: whatever can stand in IPv4 (protocol 0), as `ip link add` asks for; `ip tunnel add` names one.
    pub any: bool,
}

/// Parameters of a tunnel over IPv6 (`struct __ip6_tnl_parm`; defaults as iproute2 sets them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunnel6Parms {
    /// `local`; unspecified when absent.
    pub local: Option<Ipv6Addr>,
    /// `remote`; unspecified when absent.
    pub remote: Option<Ipv6Addr>,
    /// What it carries (`mode`): 4, 41, or 0 for any.
    pub proto: u8,
    /// `hoplimit`; 0 is *inherit*.
    pub hop_limit: u8,
    /// `encaplimit`; `None` when no limit goes with the packet.
    pub encap_limit: Option<u8>,
    /// `tclass`; `None` is *inherit*.
    pub tclass: Option<u8>,
    /// `flowlabel`, 20 bits; `None` is *inherit*.
    pub flowlabel: Option<u32>,
    /// GRE's key, checksum and sequence number; the addresses in it are not used.
    pub gre: TunnelParms,
}

impl Default for Tunnel6Parms {
    /// `IPV6_DEFAULT_TNL_ENCAP_LIMIT` is 4, `DEFAULT_TNL_HOP_LIMIT` 64.
    fn default() -> Self {
        Self {
            local: None,
            remote: None,
            proto: 0,
            hop_limit: 64,
            encap_limit: Some(4),
            tclass: Some(0),
            flowlabel: Some(0),
            gre: TunnelParms::default(),
        }
    }
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
    /// `local` of a tunnel over IPv6.
    pub local6: Option<Ipv6Addr>,
    /// `remote` of a tunnel over IPv6 (or `remote6`).
    pub remote6: Option<Ipv6Addr>,
    /// No UDP checksum over IPv6 (`udp6zerocsumtx`).
    pub udp6zerocsumtx: bool,
    /// Takes packets without UDP checksum over IPv6 (`udp6zerocsumrx`).
    pub udp6zerocsumrx: bool,
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
    /// `external`: each packet says where it goes (`collect_md`).
    pub external: bool,
}

impl UdpTunnelParms {
    /// Whether the outer header is one of IPv6: an end of the tunnel is given so.
    #[must_use]
    pub fn over_ipv6(&self) -> bool {
        self.remote6.is_some() || self.local6.is_some()
    }
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
