//! The routing decision and the neighbour behind it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::command::{Ioam6, Ipv4Net, Mac, RouteKind, Seg6Mode};
use super::topology::{DevId, DeviceKind, NetnsId, ProgId, Topology, TopologyError};

/// A route: where packets for a destination go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Destination.
    pub dst: Ipv4Net,
    /// Gateway, unless the destination is on the link.
    pub via: Option<Ipv4Addr>,
    /// Output device.
    pub dev: DevId,
    /// Source address the kernel prefers.
    pub src: Option<Ipv4Addr>,
    /// What is put around them.
    pub encap: Option<Encap>,
}

impl Route {
    /// `ip_dst_mtu_maybe_forward()` (`include/net/ip.h`): longest packet, for a device with this MTU.
    #[must_use]
    pub fn mtu(&self, device: u32) -> u32 {
        let headroom = self.encap.map_or(0, Encap::headroom);
        match headroom < device {
            true => device - headroom,
            false => device,
        }
    }
}

/// What a route puts around a packet (`struct lwtunnel_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encap {
    /// MPLS labels.
    Mpls(crate::net::mpls::Labels),
    /// What programs make of it.
    Bpf(LwtBpf),
    /// IPv6 segments; a place in [`Topology::seg6`], and whether the frame goes along.
    Seg6(usize, Seg6Mode),
    /// A trace of nodes; a place in [`Topology::ioam6`].
    Ioam6(usize),
    /// What a tunnel device in external mode is to do (`LWTUNNEL_ENCAP_IP`, `…_IP6`); a place in
    /// [`Topology::tun_infos`].
    Ip(usize),
}

/// Programs of a route (`struct bpf_lwt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LwtBpf {
    /// `in`: over what is received for the route.
    pub input: Option<ProgId>,
    /// `out`: over what is sent by it.
    pub output: Option<ProgId>,
    /// `xmit`: the same, later.
    pub xmit: Option<ProgId>,
}

/// Segments that a route puts around packets (`struct seg6_iptunnel_encap`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// In the order in which they are passed.
    pub list: Vec<Ipv6Addr>,
    /// How they are put there.
    pub mode: Seg6Mode,
}

/// What a route knows of its trace (`struct ioam6_lwt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ioam6Lwt {
    /// As it was given.
    pub what: Ioam6,
    /// `pkt_cnt`: packets that came by, with a trace or without.
    pub pkt_cnt: u32,
    /// Where packets go afterwards is in the `dst_cache`.
    pub cached: bool,
}

impl Encap {
    /// `lwtunnel_xmit_redirect()`: it is put around the packet where that is sent. Segments are at output, and what a
    /// tunnel device is told is only told.
    #[must_use]
    pub fn has_xmit(self) -> bool {
        match self {
            Self::Mpls(_) => true,
            Self::Bpf(bpf) => bpf.xmit.is_some(),
            Self::Seg6(..) | Self::Ioam6(_) | Self::Ip(_) => false,
        }
    }

    /// `lwtunnel_headroom()` (`include/net/lwtunnel.h`): bytes that packets of the route must be shorter than its device
    /// allows, for what is put around them when they are sent (`mpls_encap_size()`; none for programs, as `headroom` is
    /// not among what can be given). Segments are put around packets before a length is asked for.
    #[must_use]
    pub fn headroom(self) -> u32 {
        match self {
            Self::Mpls(labels) => labels.bytes(),
            Self::Bpf(_) | Self::Seg6(..) | Self::Ioam6(_) | Self::Ip(_) => 0,
        }
    }

    /// `lwtunnel_output_redirect()`: it takes the place of `ip_output()` or `ip6_output()`.
    #[must_use]
    pub fn has_output(self) -> bool {
        match self {
            Self::Bpf(bpf) => bpf.output.is_some(),
            Self::Seg6(_, mode) => !mode.is_l2(),
            Self::Ioam6(_) => true,
            Self::Mpls(_) | Self::Ip(_) => false,
        }
    }

    /// `lwtunnel_input_redirect()`: it takes the place of `ip_forward()` or `ip6_forward()`.
    #[must_use]
    pub fn has_input(self) -> bool {
        match self {
            Self::Bpf(bpf) => bpf.input.is_some(),
            Self::Seg6(..) => true,
            Self::Mpls(_) | Self::Ioam6(_) | Self::Ip(_) => false,
        }
    }
}

/// What the routing tables say about a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// An address of this host.
    Local,
    /// Sent on.
    Unicast(Route),
    /// Refused by a route of another kind.
    Refused(RouteKind),
    /// Nobody knows.
    NoRoute,
}

impl Topology {
    /// Whether an address belongs to one of the namespace's devices.
    #[must_use]
    pub fn is_local(&self, netns: NetnsId, addr: Ipv4Addr) -> bool {
        self.netns[netns.0]
            .addrs
            .iter()
            .any(|(_, net)| net.addr == addr)
    }

    /// `fib_lookup()`: own addresses first, then the longest prefix; the latest among equals, and what
    /// refuses before what sends on.
    #[must_use]
    pub fn lookup(&self, netns: NetnsId, dst: Ipv4Addr) -> Lookup {
        if self.is_local(netns, dst) {
            return Lookup::Local;
        }
        self.lookup_main(netns, dst, None)
    }

    /// `fib_table_lookup()` in the main table, where own addresses are not; with a device, only routes through it.
    #[must_use]
    pub fn lookup_main(&self, netns: NetnsId, dst: Ipv4Addr, through: Option<DevId>) -> Lookup {
        let here = &self.netns[netns.0];
        let refused = here
            .refused
            .iter()
            .filter(|(net, _)| contains(*net, dst))
            .max_by_key(|(net, _)| net.prefix);
        let route = here
            .routes
            .iter()
            .filter(|route| contains(route.dst, dst) && self.dev(route.dev).up)
            .filter(|route| through.is_none_or(|dev| route.dev == dev))
            .max_by_key(|route| route.dst.prefix);
        match (refused, route) {
            (Some((net, kind)), Some(route)) if net.prefix >= route.dst.prefix => {
                Lookup::Refused(*kind)
            }
            (_, Some(route)) => Lookup::Unicast(*route),
            (Some((_, kind)), None) => Lookup::Refused(*kind),
            (None, None) => Lookup::NoRoute,
        }
    }

    /// `ip_route_output_key()`, for a destination that is not this host.
    ///
    /// # Errors
    /// [`TopologyError::NoRoute`]; also when the destination is this host or is refused.
    pub fn route(&self, netns: NetnsId, dst: Ipv4Addr) -> Result<Route, TopologyError> {
        match self.lookup(netns, dst) {
            Lookup::Unicast(route) => Ok(route),
            Lookup::Local | Lookup::Refused(_) | Lookup::NoRoute => Err(TopologyError::NoRoute {
                dst: dst.into(),
                netns: self.netns[netns.0].display_name(),
            }),
        }
    }

    /// Whether a packet to this address is for this host among others: the limited broadcast, the broadcast address of
    /// a prefix (`fib_add_ifaddr()`), the group of all hosts, which every device has joined.
    #[must_use]
    pub fn is_to_many(&self, netns: NetnsId, addr: Ipv4Addr) -> bool {
        const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
        let of_prefix = |net: &Ipv4Net| {
            net.prefix < 31 && u32::from(net.addr) | !prefix_mask(net.prefix) == u32::from(addr)
        };
        let mut own = self.netns[netns.0].addrs.iter();
        addr.is_broadcast() || addr == ALL_HOSTS || own.any(|(_, net)| of_prefix(net))
    }

    /// `inet_select_addr()`: an address of the device, of the target's prefix if there is one; else of any device.
    #[must_use]
    pub fn select_addr(&self, dev: DevId, target: Ipv4Addr) -> Ipv4Addr {
        let addrs = &self.netns_of(dev).addrs;
        let own = || addrs.iter().filter(|(d, _)| *d == dev).map(|(_, net)| *net);
        let best = own().find(|net| contains(*net, target));
        let any = best.or_else(|| own().next());
        any.or_else(|| addrs.first().map(|(_, net)| *net))
            .map_or(Ipv4Addr::UNSPECIFIED, |net| net.addr)
    }

    /// The link-layer address of a neighbour: configured, or of the device at the other end of the
    /// link that has the address (for runs without ARP).
    #[must_use]
    pub fn neighbour(&self, dev: DevId, addr: IpAddr) -> Option<Mac> {
        if let Some(mac) = self.configured_neighbour(dev, addr) {
            return Some(mac);
        }
        let device = self.dev(dev);
        // arp_constructor(): the device's own address with IFF_NOARP, and on `lo`, where it is all zero
        if device.kind == DeviceKind::Loopback || (device.has_ethernet() && device.is_noarp()) {
            return Some(device.mac);
        }
        let peer = match device.kind {
            DeviceKind::Veth { peer } => peer,
            DeviceKind::Netkit { peer, parms, .. } if parms.l2 => peer,
            _ => return None,
        };
        let there = self.dev(peer).netns;
        let answers = match addr {
            IpAddr::V4(addr) => self.is_local(there, addr),
            IpAddr::V6(addr) => self.is_local6(there, addr),
        };
        answers.then(|| self.dev(peer).mac)
    }
}

/// Whether an address lies in a prefix.
#[must_use]
pub fn contains(net: Ipv4Net, addr: Ipv4Addr) -> bool {
    let mask = prefix_mask(net.prefix);
    u32::from(net.addr) & mask == u32::from(addr) & mask
}

/// The netmask of a prefix length; lengths over 32 count as 32.
#[must_use]
pub fn prefix_mask(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::topology::veth;

    #[test]
    fn masks_at_both_ends() {
        assert_eq!(prefix_mask(0), 0);
        assert_eq!(prefix_mask(24), 0xffff_ff00);
        assert_eq!(prefix_mask(32), u32::MAX);
    }

    /// golden E10: `blackhole 10.1.0.1/32` beside 10.1.0.0/24 on the link.
    #[test]
    fn a_longer_prefix_that_refuses_wins() {
        let net = |addr: [u8; 4], prefix| Ipv4Net {
            addr: addr.into(),
            prefix,
        };
        let mut topology = Topology::default();
        let mut far = veth("far", NetnsId(0), [0; 6], DevId(0));
        far.up = true;
        let route = Route {
            dst: net([10, 1, 0, 0], 24),
            via: None,
            dev: topology.add_dev(far).unwrap(),
            src: None,
            encap: None,
        };
        topology.netns[0].routes.push(route);
        topology.netns[0]
            .refused
            .push((net([10, 1, 0, 1], 32), RouteKind::Blackhole));
        let lookup = |last| topology.lookup(NetnsId(0), [10, 1, 0, last].into());
        assert_eq!(lookup(1), Lookup::Refused(RouteKind::Blackhole));
        assert_eq!(lookup(3), Lookup::Unicast(route));
        assert_eq!(
            topology.lookup(NetnsId(0), [10, 2, 0, 5].into()),
            Lookup::NoRoute
        );
    }
}
