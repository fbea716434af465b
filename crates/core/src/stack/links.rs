//! Makes devices and changes them, with the kernel's defaults.

use super::execute::Done;
use super::ip6_tunnel::ends;
use super::ipgre::gre_hlen;
use super::{Kernel, geneve, vxlan};
use crate::net::{ethernet, ipv6};
use crate::recording::DrawnMac;
use crate::scenario::command::{LinkKind, Mac, Netns, Tunnel6Parms, TunnelEncap, TunnelParms};
use crate::scenario::topology::{DevId, Device, DeviceKind, NetnsId, TopologyError, veth};

const IPV4_HLEN: u32 = 20;
/// `LL_MAX_HEADER` of a kernel with wireless and mesh: what is assumed without a route to the remote.
const LL_MAX_HEADER: u32 = 128;
/// `IP_TUNNEL_MAX_ADJ_HEADROOM` (`ip_tunnel_limit_headroom()`): most that a tunnel asks for, bytes.
pub(super) const MAX_TUNNEL_HEADROOM: u32 = 512;

impl Kernel {
    pub(super) fn link_add(
        &mut self,
        netns: &Netns,
        name: &str,
        (address, index): (Option<Mac>, Option<u32>),
        kind: &LinkKind,
    ) -> Done {
        let netns = self.topology.find_netns(netns)?;
        let mut device = match kind {
            LinkKind::Veth {
                peer,
                peer_address,
                peer_netns,
            } => {
                let peer_netns = if peer_netns.is_some() {
                    self.topology.find_netns(peer_netns)?
                } else {
                    netns
                };
                let first = (name, netns, address);
                return self.add_veth_pair(first, (peer, peer_netns, *peer_address), index);
            }
            LinkKind::Gre(parms) => {
                let below = self.underlay(netns, *parms);
                tunnel_device(name, netns, DeviceKind::Gre(*parms), *parms, below.as_ref())
            }
            LinkKind::Gretap(parms) => {
                let below = self.underlay(netns, *parms);
                let kind = DeviceKind::Gretap(*parms);
                tunnel_device(name, netns, kind, *parms, below.as_ref())
            }
            LinkKind::Ipip(parms) => {
                let below = self.underlay(netns, *parms);
                let kind = DeviceKind::Ipip(*parms);
                tunnel_device(name, netns, kind, *parms, below.as_ref())
            }
            LinkKind::Sit(parms) => {
                let below = self.underlay(netns, *parms);
                let mut device =
                    tunnel_device(name, netns, DeviceKind::Sit(*parms), *parms, below.as_ref());
                device.mtu = device.mtu.max(ipv6::MIN_MTU);
                device
            }
            LinkKind::Ip6Gre(parms) => self.tunnel6(name, netns, DeviceKind::Ip6Gre(*parms), parms),
            LinkKind::Ip6Gretap(parms) => {
                self.tunnel6(name, netns, DeviceKind::Ip6Gretap(*parms), parms)
            }
            LinkKind::Ip6Tnl(parms) => self.tunnel6(name, netns, DeviceKind::Ip6Tnl(*parms), parms),
            LinkKind::Nic(driver) => ethernet_device(name, netns, DeviceKind::Nic(*driver)),
            LinkKind::Tun { tap } => {
                let mut device = ethernet_device(name, netns, DeviceKind::Tun { tap: *tap });
                if !tap {
                    // tun_net_initialize(): no link header, ARPHRD_NONE
                    device.hard_header_len = 0;
                }
                device
            }
            LinkKind::Dummy => ethernet_device(name, netns, DeviceKind::Dummy),
            LinkKind::Vlan {
                lower,
                protocol,
                id,
                reorder_hdr,
            } => {
                let lower = self.topology.find_dev(netns, lower)?;
                let below = (lower, self.topology.dev(lower));
                let mut device = vlan_device(name, netns, below, *protocol, *id);
                device.reorder_hdr = *reorder_hdr;
                device
            }
            LinkKind::Vxlan(parms, lower) => {
                let below = match lower {
                    Some(lower) => Some(self.topology.find_dev(netns, lower)?),
                    None => None,
                };
                let below = below.map(|dev| self.topology.dev(dev));
                let mut device = ethernet_device(name, netns, DeviceKind::Vxlan(*parms));
                // vxlan_config_apply()
                let headroom = |ipv6| match ipv6 {
                    true => vxlan::HEADROOM6,
                    false => vxlan::HEADROOM,
                };
                device.needed_headroom = headroom(parms.over_ipv6() || parms.external)
                    + below.map_or(ethernet::HLEN, |dev| {
                        dev.hard_header_len + dev.needed_headroom
                    });
                device.mtu = below.map_or(device.mtu, |dev| {
                    dev.mtu.saturating_sub(headroom(parms.over_ipv6()))
                });
                device
            }
            LinkKind::Geneve(parms) => {
                let mut device = ethernet_device(name, netns, DeviceKind::Geneve(*parms));
                // geneve_configure() and geneve_link_config()
                let len = match parms.over_ipv6() || parms.external {
                    true => geneve::IPV6_HLEN,
                    false => geneve::IPV4_HLEN,
                };
                device.needed_headroom = len + ethernet::HLEN;
                let route = |remote| self.topology.route(netns, remote).ok();
                let route6 = |remote| self.topology.route6(netns, remote);
                let below = parms.remote.and_then(route).map(|route| route.dev);
                let below = below.or(parms.remote6.and_then(route6).map(|route| route.dev));
                if parms.external {
                    // the route to 0.0.0.0 is by lo, whose MTU of 65536 is more than `max_mtu`
                    const MAX_MTU: u32 = 65_535 - geneve::IPV6_HLEN;
                    device.mtu = MAX_MTU;
                }
                device.mtu = below.map_or(device.mtu, |dev| {
                    self.topology.dev(dev).mtu.saturating_sub(len)
                });
                device
            }
            LinkKind::Bridge(options) => self.bridge_device(name, netns, *options, address),
            LinkKind::Netkit {
                parms,
                peer,
                peer_parms,
                peer_address,
                peer_netns,
            } => {
                let peer_netns = match peer_netns {
                    Some(_) => self.topology.find_netns(peer_netns)?,
                    None => netns,
                };
                let primary = (name, netns, address, *parms);
                let other = (peer.as_str(), peer_netns, *peer_address, *peer_parms);
                return self.netkit_new_link(primary, other, index);
            }
            LinkKind::Macvlan { lower, mode } => {
                let lower = self.topology.find_dev(netns, lower)?;
                self.macvlan_device(name, netns, lower, *mode)?
            }
            LinkKind::Unknown(kind) => return Err(TopologyError::UnknownKind(kind.clone()).into()),
        };
        let number = self.topology.devices.len() + 1;
        if device.has_ethernet() && device.mac == [0; 6] {
            device.mac = self.eth_hw_addr_random(netns, name, number);
        }
        device.mac = address.unwrap_or(device.mac);
        if index.is_some() {
            device.ifindex = self.topology.dev_index_reserve(netns, index)?;
        }
        self.topology.add_dev(device)?;
        Ok(())
    }

    /// `eth_hw_addr_random()`: the recorded one, or one by the device's number.
    fn eth_hw_addr_random(&self, netns: NetnsId, name: &str, number: usize) -> Mac {
        let netns = &self.topology.netns[netns.0].name;
        let recorded = |drawn: &&DrawnMac| drawn.netns == *netns && drawn.dev == name;
        let recorded = self.macs.iter().find(recorded).map(|drawn| drawn.mac);
        recorded.unwrap_or([0x02, 0, 0, 0, 0, number as u8])
    }

    /// Both ends, each knowing the other. A device without a given address gets a local one by its number.
    fn add_veth_pair(
        &mut self,
        a: (&str, NetnsId, Option<Mac>),
        b: (&str, NetnsId, Option<Mac>),
        index: Option<u32>,
    ) -> Done {
        let first = self.topology.devices.len();
        let ends = [a, b].into_iter().enumerate();
        let mut ends = ends.map(|(i, (name, netns, address))| {
            let drawn = || self.eth_hw_addr_random(netns, name, first + i + 1);
            let mac = address.unwrap_or_else(drawn);
            veth(name, netns, mac, DevId(first + 1 - i))
        });
        if let (Some(a), Some(b)) = (ends.next(), ends.next()) {
            self.add_pair(a, b, index)?;
        }
        Ok(())
    }

    /// `veth_newlink()`, `netkit_new_link()`: the other end is registered first, and has the lower interface index where both are in
    /// one namespace; `index` is that of the first.
    pub(super) fn add_pair(
        &mut self,
        mut a: Device,
        mut b: Device,
        index: Option<u32>,
    ) -> Result<(), TopologyError> {
        b.ifindex = self.topology.dev_index_reserve(b.netns, None)?;
        if a.netns == b.netns && index == Some(b.ifindex) {
            let netns = self.topology.netns[a.netns.0].display_name();
            let index = b.ifindex;
            return Err(TopologyError::IndexTaken { index, netns });
        }
        a.ifindex = self.topology.dev_index_reserve(a.netns, index)?;
        self.topology.add_dev(a)?;
        self.topology.add_dev(b)?;
        Ok(())
    }

    /// A tunnel over IPv6: `ip6gre_tunnel_init_common()`, `ip6gre_tnl_link_config_route()` (`net/ipv6/ip6_gre.c`),
    /// `ip6_tnl_dev_init_gen()` and `ip6_tnl_link_config()` (`net/ipv6/ip6_tunnel.c`).
    fn tunnel6(
        &self,
        name: &str,
        netns: NetnsId,
        kind: DeviceKind,
        parms: &Tunnel6Parms,
    ) -> Device {
        let (gre, ethernet) = match kind {
            DeviceKind::Ip6Gretap(_) => (true, ethernet::HLEN),
            DeviceKind::Ip6Gre(_) => (true, 0),
            _ => (false, 0),
        };
        let tun_hlen = if gre { gre_hlen(&parms.gre) } else { 0 };
        let t_hlen = tun_hlen + ipv6::HLEN;
        let own = t_hlen + ethernet + if parms.encap_limit.is_some() { 8 } else { 0 };
        let mut device = ethernet_device(name, netns, kind);
        device.hard_header_len = ethernet;
        device.mtu = 1500 - own;
        device.needed_headroom = if gre { LL_MAX_HEADER + t_hlen } else { 0 };
        let below = ends(parms)
            .and_then(|(_, remote)| self.topology.route6(netns, remote))
            .map(|route| self.topology.dev(route.dev));
        if let Some(below) = below {
            // GRE does not ask for what the device below needs itself
            let more = if gre { 0 } else { below.needed_headroom };
            device.needed_headroom =
                (below.hard_header_len + more + t_hlen).min(MAX_TUNNEL_HEADROOM);
            device.mtu = below.mtu.saturating_sub(own).max(ipv6::MIN_MTU);
        }
        device
    }

    /// The device a tunnel's packets will leave by, as `ip_tunnel_bind_dev()` guesses it.
    fn underlay(&self, netns: NetnsId, parms: TunnelParms) -> Option<Device> {
        let route = self.topology.route(netns, parms.remote?).ok()?;
        Some(self.topology.dev(route.dev).clone())
    }
}

/// `ether_setup()`: what devices with an Ethernet header begin with.
pub(super) fn ethernet_device(name: &str, netns: NetnsId, kind: DeviceKind) -> Device {
    let mut device = veth(name, netns, [0; 6], DevId(0));
    device.kind = kind;
    device.gro = true;
    device
}

/// `register_vlan_device()`, `vlan_setup()` and `vlan_dev_init()`: much is that of the device below.
fn vlan_device(
    name: &str,
    netns: NetnsId,
    (lower, below): (DevId, &Device),
    protocol: u16,
    id: u16,
) -> Device {
    let kind = DeviceKind::Vlan {
        lower,
        protocol,
        id,
    };
    let mut device = ethernet_device(name, netns, kind);
    device.mac = below.mac;
    device.mtu = below.mtu;
    // it has the flags of the device below
    device.arp = below.is_noarp().then_some(false);
    device.hard_header_len = below.hard_header_len;
    device.needed_headroom = below.needed_headroom + crate::net::vlan::HLEN;
    device
}

/// A tunnel straight over IPv4: `ipgre_tunnel_init()`, `gre_tap_init()` (`net/ipv4/ip_gre.c`),
/// `ipip_tunnel_init()` (`net/ipv4/ipip.c`) and `ip_tunnel_bind_dev()` (`net/ipv4/ip_tunnel.c`).
fn tunnel_device(
    name: &str,
    netns: NetnsId,
    kind: DeviceKind,
    parms: TunnelParms,
    underlay: Option<&Device>,
) -> Device {
    let (tun_hlen, ethernet) = match kind {
        DeviceKind::Ipip(_) | DeviceKind::Sit(_) => (0, 0),
        DeviceKind::Gretap(_) => (gre_hlen(&parms), ethernet::HLEN),
        _ => (gre_hlen(&parms), 0),
    };
    let encap_hlen = parms.encap.map_or(0, TunnelEncap::hlen);
    let t_hlen = tun_hlen + encap_hlen + IPV4_HLEN;
    let below = underlay.map_or(LL_MAX_HEADER, |dev| {
        dev.hard_header_len + dev.needed_headroom
    });
    let mtu = underlay.map_or(1500, |dev| dev.mtu);
    let mut device = ethernet_device(name, netns, kind);
    device.hard_header_len = ethernet;
    device.needed_headroom = (t_hlen + below).min(MAX_TUNNEL_HEADROOM);
    device.mtu = mtu.saturating_sub(t_hlen + ethernet).max(68);
    device
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::DesignName;

    fn below() -> Device {
        veth("tx", NetnsId(0), [2; 6], DevId(0))
    }

    fn shape(device: &Device) -> (u32, u32, u32) {
        (
            device.needed_headroom,
            device.mtu,
            device.ll_reserved_space(),
        )
    }

    /// golden E2-gre-veth-full: a packet socket on `encap` reserves 48 bytes: 24 + 14 = 38, rounded.
    #[test]
    fn headroom_of_tunnels_over_veth() {
        let parms = TunnelParms::default();
        let tunnel = |kind| tunnel_device("t", NetnsId(0), kind, parms, Some(&below()));
        assert_eq!(shape(&tunnel(DeviceKind::Gre(parms))), (38, 1476, 48));
        assert_eq!(shape(&tunnel(DeviceKind::Gretap(parms))), (38, 1462, 64));
        assert_eq!(shape(&tunnel(DeviceKind::Ipip(parms))), (34, 1480, 48));
    }

    /// The interface index of each device, by name.
    fn indexes(commands: &str) -> Result<Vec<(String, u32)>, String> {
        let mut kernel = Kernel::new("test", DesignName::MacHeader.design());
        for line in crate::scenario::parse(commands).expect("commands").lines {
            kernel.execute(&line).map_err(|error| error.to_string())?;
        }
        let devices = kernel.topology.devices.iter();
        Ok(devices.map(|dev| (dev.name.clone(), dev.ifindex)).collect())
    }

    /// `dev_index_reserve()`: an index that is asked for leaves the one that comes next as it is (`xa_insert()`, `xa_alloc_cyclic()`), which
    /// passes those that are taken. The other end of a pair is registered first (`veth_newlink()`).
    #[test]
    fn interface_indexes() {
        let of = |commands: &str| indexes(commands).expect("devices");
        let pair =
            |a: (&str, u32), b: (&str, u32)| vec![(a.0.to_owned(), a.1), (b.0.to_owned(), b.1)];
        let both = "ip link add a type veth peer name b";
        assert_eq!(of(both), pair(("a", 3), ("b", 2)));
        let netns = "ip netns add n\nip link add a type veth peer name b netns n";
        assert_eq!(of(netns), pair(("a", 2), ("b", 2)));
        assert_eq!(
            of("ip link add a index 2 type dummy\nip link add b type dummy"),
            pair(("a", 2), ("b", 3))
        );
        assert_eq!(
            of("ip link add a index 9 type dummy\nip link add b type dummy"),
            pair(("a", 9), ("b", 2))
        );
        // index 5 of the other namespace is free here; the next one is none that had been given before
        let moved = "ip netns add n\nip link add a type dummy\nip link set a netns n\nip link add b type dummy";
        assert_eq!(of(moved), pair(("a", 2), ("b", 3)));
        for taken in [1, 2] {
            let text = format!("ip link add a type dummy\nip link add b index {taken} type dummy");
            let error = indexes(&text).expect_err("taken");
            assert!(
                error.contains(&format!("the interface index {taken} is taken")),
                "{error}"
            );
        }
        assert!(indexes("ip link add a index 2 type veth peer name b").is_err());
    }

    /// golden E3-vlan-hwaccel-native, seq 1: a frame on `tx.7` stands at 18 = 32 − 14.
    #[test]
    fn a_vlan_device_leaves_room_for_its_tag() {
        let vlan = vlan_device("tx.7", NetnsId(0), (DevId(0), &below()), 0x8100, 7);
        assert_eq!(shape(&vlan), (4, 1500, 32));
        assert_eq!(vlan.mac, [2; 6]);
    }
}
