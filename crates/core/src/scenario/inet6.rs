//! IPv6 in a namespace: addresses, neighbours, routes, and the routing decision.

use std::net::{IpAddr, Ipv6Addr};

use super::command::{Ipv6Net, Mac, RouteKind};
use super::routes::Encap;
use super::topology::{DevId, NetnsId, Topology};

/// What IPv6 knows in a namespace.
#[derive(Debug, Clone, Default)]
pub struct Inet6 {
    /// Addresses of devices.
    pub addrs: Vec<(DevId, Ipv6Net)>,
    /// Configured neighbours.
    pub neigh: Vec<(DevId, Ipv6Addr, Mac)>,
    /// Routes, those made by addresses included.
    pub routes: Vec<Route6>,
    /// Prefixes whose packets are refused.
    pub refused: Vec<(Ipv6Net, RouteKind)>,
}

/// An IPv6 route: where packets for a destination go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route6 {
    /// Destination.
    pub dst: Ipv6Net,
    /// Gateway, unless the destination is on the link.
    pub via: Option<Ipv6Addr>,
    /// Output device.
    pub dev: DevId,
    /// What is put around the packets.
    pub encap: Option<Encap>,
}

/// What the routing tables say about a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup6 {
    /// An address of this host.
    Local,
    /// Sent on.
    Unicast(Route6),
    /// Refused by a route of another kind.
    Refused(RouteKind),
    /// Nobody knows.
    NoRoute,
}

impl Topology {
    /// Whether IPv6 runs on a device: `disable_ipv6` of all devices or of this one, whichever was set last.
    /// Where nobody has said anything, it runs once the namespace has an IPv6 address or route; a real kernel
    /// has it on from the beginning (docs/decisions).
    #[must_use]
    pub fn ipv6_enabled(&self, dev: DevId) -> bool {
        let netns = self.netns_of(dev);
        let name = self.dev(dev).name.replace('.', "/");
        let own = format!("net.ipv6.conf.{name}.disable_ipv6");
        let set = netns
            .sysctl
            .iter()
            .rev()
            .find(|(key, _)| key == "net.ipv6.conf.all.disable_ipv6" || *key == own);
        match set {
            Some((_, value)) => value.trim() == "0",
            None => !netns.inet6.addrs.is_empty() || !netns.inet6.routes.is_empty(),
        }
    }

    /// Whether an address belongs to one of the namespace's devices (`ipv6_chk_addr()`).
    #[must_use]
    pub fn is_local6(&self, netns: NetnsId, addr: Ipv6Addr) -> bool {
        let addrs = &self.netns[netns.0].inet6.addrs;
        addrs.iter().any(|(_, net)| net.addr == addr)
    }

    /// `ip6_pol_route()`: own addresses first, then the longest prefix; what refuses before what sends on.
    #[must_use]
    pub fn lookup6(&self, netns: NetnsId, dst: Ipv6Addr) -> Lookup6 {
        if self.is_local6(netns, dst) {
            return Lookup6::Local;
        }
        self.lookup6_main(netns, dst)
    }

    /// `net.ipv6.conf.*.forwarding` of a device: of all devices or of this one, whichever was set last.
    #[must_use]
    pub fn forwards6_own(&self, dev: DevId) -> bool {
        let name = self.dev(dev).name.replace('.', "/");
        let own = format!("net.ipv6.conf.{name}.forwarding");
        let mut set = self.netns_of(dev).sysctl.iter().rev();
        set.find(|(key, _)| key == "net.ipv6.conf.all.forwarding" || *key == own)
            .is_some_and(|(_, value)| value.trim() != "0")
    }

    /// The same in the main table, which has no own addresses.
    #[must_use]
    pub fn lookup6_main(&self, netns: NetnsId, dst: Ipv6Addr) -> Lookup6 {
        let here = &self.netns[netns.0].inet6;
        let refused = here
            .refused
            .iter()
            .filter(|(net, _)| contains6(*net, dst))
            .max_by_key(|(net, _)| net.prefix);
        let route = here
            .routes
            .iter()
            .filter(|route| contains6(route.dst, dst) && self.dev(route.dev).up)
            .max_by_key(|route| route.dst.prefix);
        match (refused, route) {
            (Some((net, kind)), Some(route)) if net.prefix >= route.dst.prefix => {
                Lookup6::Refused(*kind)
            }
            (_, Some(route)) => Lookup6::Unicast(*route),
            (Some((_, kind)), None) => Lookup6::Refused(*kind),
            (None, None) => Lookup6::NoRoute,
        }
    }

    /// `ip6_route_output()` to another host.
    #[must_use]
    pub fn route6(&self, netns: NetnsId, dst: Ipv6Addr) -> Option<Route6> {
        match self.lookup6(netns, dst) {
            Lookup6::Unicast(route) => Some(route),
            _ => None,
        }
    }

    /// `ipv6_dev_get_saddr()`: the address that shares the longest prefix with the destination; those of the
    /// output device before others (RFC 6724, rules 5 and 8).
    #[must_use]
    pub fn source6(&self, netns: NetnsId, dev: DevId, dst: Ipv6Addr) -> Option<Ipv6Addr> {
        let common = |addr: Ipv6Addr| (u128::from(addr) ^ u128::from(dst)).leading_zeros();
        let addrs = self.netns[netns.0].inet6.addrs.iter();
        addrs
            .rev()
            .map(|(of, net)| (*of == dev, common(net.addr), net.addr))
            .max_by_key(|(own, common, _)| (*own, *common))
            .map(|(_, _, addr)| addr)
    }

    /// The configured neighbour of a device, of either protocol.
    pub(crate) fn configured_neighbour(&self, dev: DevId, addr: IpAddr) -> Option<Mac> {
        let netns = self.netns_of(dev);
        match addr {
            IpAddr::V4(addr) => netns
                .neigh
                .iter()
                .find(|(d, a, _)| *d == dev && *a == addr)
                .map(|(_, _, mac)| *mac),
            IpAddr::V6(addr) => {
                let mut neigh = netns.inet6.neigh.iter();
                neigh
                    .find(|(d, a, _)| *d == dev && *a == addr)
                    .map(|(_, _, mac)| *mac)
            }
        }
    }
}

/// Whether an address lies in a prefix.
#[must_use]
pub fn contains6(net: Ipv6Net, addr: Ipv6Addr) -> bool {
    let mask = prefix_mask6(net.prefix);
    u128::from(net.addr) & mask == u128::from(addr) & mask
}

/// The netmask of a prefix length; lengths over 128 count as 128.
#[must_use]
pub fn prefix_mask6(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix.min(128)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::topology::veth;

    fn net(text: &str, prefix: u8) -> Ipv6Net {
        Ipv6Net {
            addr: text.parse().unwrap(),
            prefix,
        }
    }

    /// RFC 4291: 2001:db8::/32 holds 2001:db8:ffff::1 and not 2001:db9::1.
    #[test]
    fn prefixes() {
        assert_eq!((prefix_mask6(0), prefix_mask6(128)), (0, u128::MAX));
        let documentation = net("2001:db8::", 32);
        assert!(contains6(
            documentation,
            "2001:db8:ffff::1".parse().unwrap()
        ));
        assert!(!contains6(documentation, "2001:db9::1".parse().unwrap()));
    }

    /// RFC 6724, rule 8: of two addresses the one with the longer common prefix is the source.
    #[test]
    fn the_source_is_the_nearest_address() {
        let mut topology = Topology::default();
        let dev = topology
            .add_dev(veth("tx", NetnsId(0), [2; 6], DevId(0)))
            .unwrap();
        let addrs = [net("2001:db8:1::1", 64), net("2001:db8:2::1", 64)];
        topology.netns[0].inet6.addrs = addrs.map(|net| (dev, net)).to_vec();
        let near = topology.source6(NetnsId(0), dev, "2001:db8:2::9".parse().unwrap());
        assert_eq!(near, Some(addrs[1].addr));
    }
}
