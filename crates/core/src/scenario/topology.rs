//! Namespaces, devices, addresses and routes: what the set-up commands build.

use std::net::{IpAddr, Ipv4Addr};

pub use super::bridge::{Bridge, VlanGroup};
pub use super::clsact::{Action, ActionKind, Classifier, Clsact, Filter};
use super::command::{
    Ipv4Net, L2tpSession, L2tpTunnel, Mac, MacvlanMode, NetkitParms, Netns as NetnsName, RouteKind,
    Tunnel6Parms, TunnelParms, UdpTunnelParms, XdpMode,
};
pub use super::inet6::{Inet6, Lookup6, Route6};
pub use super::routes::{Encap, Lookup, Route, contains, prefix_mask};
pub use super::topology_error::TopologyError;
use crate::net::ethernet;
use crate::skb::TunInfo;
use crate::trace::DevRef;

/// Most devices a topology may have.
pub const MAX_DEVICES: usize = 256;

/// Index of a device in a [`Topology`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DevId(pub usize);

/// Index of a namespace in a [`Topology`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetnsId(pub usize);

/// Index of a loaded program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProgId(pub usize);

/// What a device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// One end of a veth pair.
    Veth {
        /// The other end.
        peer: DevId,
    },
    /// A GRE tunnel over IPv4, layer 3 (`ip tunnel add … mode gre`).
    Gre(TunnelParms),
    /// A GRE tunnel over IPv4 that carries Ethernet frames.
    Gretap(TunnelParms),
    /// IPv4 in IPv4.
    Ipip(TunnelParms),
    /// A GRE tunnel over IPv6, layer 3.
    Ip6Gre(Tunnel6Parms),
    /// A GRE tunnel over IPv6 that carries Ethernet frames.
    Ip6Gretap(Tunnel6Parms),
    /// IPv4 or IPv6 in IPv6.
    Ip6Tnl(Tunnel6Parms),
    /// IPv6 in IPv4.
    Sit(TunnelParms),
    /// An L2TPv3 pseudowire.
    L2tpEth(L2tpTunnel, L2tpSession),
    /// A network card with a driver of [`DRIVERS`](super::nic::DRIVERS).
    Nic(usize),
    /// Takes packets and drops them.
    Dummy,
    /// A VLAN on another device.
    Vlan {
        /// The device below.
        lower: DevId,
        /// `ETH_P_8021Q` or `ETH_P_8021AD`.
        protocol: u16,
        /// VLAN id.
        id: u16,
    },
    /// Ethernet frames in UDP, VXLAN.
    Vxlan(UdpTunnelParms),
    /// Ethernet frames in UDP, GENEVE.
    Geneve(UdpTunnelParms),
    /// A bridge; its ports have it as `master`.
    Bridge,
    /// One end of a netkit pair.
    Netkit {
        /// The other end.
        peer: DevId,
        /// This end's parameters.
        parms: NetkitParms,
        /// The end that was named first.
        primary: bool,
    },
    /// A device with its own MAC address on another device.
    Macvlan {
        /// The device below.
        lower: DevId,
        /// How devices on the same one see each other.
        mode: MacvlanMode,
    },
    /// `lo`.
    Loopback,
}

/// A network device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Name.
    pub name: String,
    /// Namespace.
    pub netns: NetnsId,
    /// Interface index in its namespace; `lo` is 1.
    pub ifindex: u32,
    /// Namespace in which it was made: a tunnel's outer packets are there (`tunnel->net`).
    pub home: NetnsId,
    /// The bridge it is a port of.
    pub master: Option<DevId>,
    /// `NETIF_F_GRO`.
    pub gro: bool,
    /// `napi_defer_hard_irqs`.
    pub napi_defer_hard_irqs: u32,
    /// `gro_flush_timeout`, nanoseconds.
    pub gro_flush_timeout: u32,
    /// MAC address; zero for a device without Ethernet header.
    pub mac: Mac,
    /// Kind and parameters.
    pub kind: DeviceKind,
    /// `IFF_UP`.
    pub up: bool,
    /// Bytes.
    pub mtu: u32,
    /// `hard_header_len`, bytes.
    pub hard_header_len: u32,
    /// `needed_headroom`, bytes.
    pub needed_headroom: u32,
    /// The XDP program and how it is attached.
    pub xdp: Option<(ProgId, XdpMode)>,
    /// What a bridge has beside a device.
    pub bridge: Option<Box<Bridge>>,
    /// VLANs of a bridge or one of its ports.
    pub vlans: VlanGroup,
    /// A MACVLAN device is on it (`macvlan_port`): frames go to `macvlan_handle_frame()`.
    pub macvlan_port: bool,
    /// Programs that run where a netkit device sends.
    pub netkit: Vec<ProgId>,
    /// `ip_tunnel.o_seqno`: the next GRE sequence number.
    pub o_seqno: u32,
    /// `ip_tunnel.i_seqno`: the least GRE sequence number that is taken; 0 before the first packet.
    pub i_seqno: u32,
    /// Next hops whose link header is cached (`hh_cache`).
    pub hh_cached: Vec<IpAddr>,
    /// Programs at tcx ingress, in the order in which they run.
    pub tcx_ingress: Vec<ProgId>,
    /// Programs at tcx egress.
    pub tcx_egress: Vec<ProgId>,
    /// The clsact qdisc, if it is there.
    pub clsact: Option<Clsact>,
}

impl Device {
    /// Whether its packets have an Ethernet header (`ARPHRD_ETHER`, and `lo`): `dev_has_header()` and
    /// `dev_is_mac_header_xmit()` (`include/linux/if_arp.h`), which agree for the devices that are here.
    #[must_use]
    pub fn has_ethernet(&self) -> bool {
        !matches!(
            self.kind,
            DeviceKind::Gre(_)
                | DeviceKind::Ipip(_)
                | DeviceKind::Ip6Gre(_)
                | DeviceKind::Ip6Tnl(_)
                | DeviceKind::Sit(_)
        )
    }

    /// Whether it has `header_ops`. `ipip_tunnel_setup()` sets them (without `create`, so no header is written);
    /// a GRE device with a remote or in external mode has none (`ipgre_tunnel_init()`, `net/ipv4/ip_gre.c`).
    #[must_use]
    pub fn has_header_ops(&self) -> bool {
        match self.kind {
            DeviceKind::Gre(parms) => parms.remote.is_none() && !parms.external,
            _ => true,
        }
    }

    /// `IFF_NOARP`: nobody is asked for addresses on it.
    #[must_use]
    pub fn is_noarp(&self) -> bool {
        let quiet = match self.kind {
            DeviceKind::Netkit { parms, .. } => !parms.l2,
            DeviceKind::Dummy => true,
            _ => false,
        };
        quiet || !self.has_ethernet()
    }

    /// `LL_RESERVED_SPACE()` (`include/linux/netdevice.h`): what senders leave free in front, bytes.
    #[must_use]
    pub fn ll_reserved_space(&self) -> u32 {
        const HH_DATA_MOD: u32 = 16;
        ((self.hard_header_len + self.needed_headroom) & !(HH_DATA_MOD - 1)) + HH_DATA_MOD
    }
}

/// What becomes of packets with a label (`struct mpls_route`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MplsRoute {
    /// Incoming label.
    pub label: u32,
    /// Labels that take its place.
    pub out: crate::net::mpls::Labels,
    /// Next hop; the device's own address when there is none.
    pub via: Option<Ipv4Addr>,
    /// Output device.
    pub dev: DevId,
}

/// A network namespace.
#[derive(Debug, Clone, Default)]
pub struct Netns {
    /// Name; `None` for the one in which the commands start.
    pub name: NetnsName,
    /// Addresses of devices.
    pub addrs: Vec<(DevId, Ipv4Net)>,
    /// Configured neighbours.
    pub neigh: Vec<(DevId, Ipv4Addr, Mac)>,
    /// Routes, those made by addresses included.
    pub routes: Vec<Route>,
    /// What IPv6 knows.
    pub inet6: Inet6,
    /// Prefixes whose packets are refused.
    pub refused: Vec<(Ipv4Net, RouteKind)>,
    /// Incoming MPLS labels that are popped, and the device behind.
    pub mpls: Vec<MplsRoute>,
    /// L2TP tunnels.
    pub l2tp: Vec<L2tpTunnel>,
    /// Sysctls, as set.
    pub sysctl: Vec<(String, String)>,
}

impl Netns {
    /// A sysctl that is set to a number other than 0.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.sysctl
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .is_some_and(|(_, value)| value.trim() != "0")
    }

    /// Name for messages.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.name.as_ref().map_or_else(
            || "the first namespace".into(),
            |name| format!("namespace `{name}`"),
        )
    }
}

/// Everything the set-up commands have built.
#[derive(Debug, Clone)]
pub struct Topology {
    /// Namespaces; the first is where the commands start.
    pub netns: Vec<Netns>,
    /// Devices of all namespaces.
    pub devices: Vec<Device>,
    /// Lists of segments that routes put around packets (`encap seg6`).
    pub seg6: Vec<Vec<std::net::Ipv6Addr>>,
    /// What routes say to tunnel devices in external mode (`encap ip`, `encap ip6`).
    pub tun_infos: Vec<TunInfo>,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            netns: vec![Netns::default()],
            devices: Vec::new(),
            seg6: Vec::new(),
            tun_infos: Vec::new(),
        }
    }
}

impl Topology {
    /// The device. Ids come from this topology only, so it is there.
    #[must_use]
    pub fn dev(&self, id: DevId) -> &Device {
        &self.devices[id.0]
    }

    /// The device, to change it.
    pub fn dev_mut(&mut self, id: DevId) -> &mut Device {
        &mut self.devices[id.0]
    }

    /// The namespace of a device.
    #[must_use]
    pub fn netns_of(&self, dev: DevId) -> &Netns {
        &self.netns[self.dev(dev).netns.0]
    }

    /// Name of the device and its namespace.
    #[must_use]
    pub fn dev_ref(&self, id: DevId) -> DevRef {
        DevRef {
            name: self.dev(id).name.clone(),
            netns: self.netns_of(id).name.clone(),
        }
    }

    /// Namespace by name.
    ///
    /// # Errors
    /// [`TopologyError::NoNetns`].
    pub fn find_netns(&self, name: &NetnsName) -> Result<NetnsId, TopologyError> {
        self.netns
            .iter()
            .position(|netns| netns.name == *name)
            .map(NetnsId)
            .ok_or_else(|| TopologyError::NoNetns(name.clone().unwrap_or_default()))
    }

    /// Adds a namespace.
    ///
    /// # Errors
    /// [`TopologyError::NetnsExists`].
    pub fn add_netns(&mut self, name: &str) -> Result<(), TopologyError> {
        if self
            .netns
            .iter()
            .any(|netns| netns.name.as_deref() == Some(name))
        {
            return Err(TopologyError::NetnsExists(name.into()));
        }
        self.netns.push(Netns {
            name: Some(name.into()),
            ..Netns::default()
        });
        Ok(())
    }

    /// Device by name in a namespace.
    ///
    /// # Errors
    /// [`TopologyError::NoDevice`], with the devices that are there.
    pub fn find_dev(&self, netns: NetnsId, name: &str) -> Result<DevId, TopologyError> {
        let here = |dev: &&Device| dev.netns == netns;
        self.devices
            .iter()
            .position(|dev| dev.netns == netns && dev.name == name)
            .map(DevId)
            .ok_or_else(|| {
                let known: Vec<_> = self
                    .devices
                    .iter()
                    .filter(here)
                    .map(|dev| dev.name.as_str())
                    .collect();
                TopologyError::NoDevice {
                    dev: name.into(),
                    netns: self.netns[netns.0].display_name(),
                    known: if known.is_empty() {
                        "none".into()
                    } else {
                        known.join(", ")
                    },
                }
            })
    }

    /// Device by interface index in a namespace.
    #[must_use]
    pub fn dev_by_index(&self, netns: NetnsId, ifindex: u32) -> Option<DevId> {
        self.devices
            .iter()
            .position(|dev| dev.netns == netns && dev.ifindex == ifindex)
            .map(DevId)
    }

    /// Adds a device; its interface index is the next one in its namespace.
    ///
    /// # Errors
    /// [`TopologyError::DeviceExists`], [`TopologyError::TooManyDevices`].
    pub fn add_dev(&mut self, mut dev: Device) -> Result<DevId, TopologyError> {
        if self.devices.len() >= MAX_DEVICES {
            return Err(TopologyError::TooManyDevices);
        }
        if self.find_dev(dev.netns, &dev.name).is_ok() {
            let netns = self.netns[dev.netns.0].display_name();
            return Err(TopologyError::DeviceExists {
                dev: dev.name,
                netns,
            });
        }
        let same = |other: &&Device| other.home == dev.home && dev.kind.is_same_tunnel(&other.kind);
        if let Some(other) = self.devices.iter().find(same) {
            return Err(TopologyError::TunnelExists {
                dev: dev.name,
                other: other.name.clone(),
            });
        }
        dev.ifindex = 2 + self
            .devices
            .iter()
            .filter(|other| other.netns == dev.netns && other.kind != DeviceKind::Loopback)
            .count() as u32;
        if dev.kind == DeviceKind::Loopback {
            dev.ifindex = 1;
        }
        self.devices.push(dev);
        Ok(DevId(self.devices.len() - 1))
    }
}

/// A veth end before it knows its peer.
#[must_use]
pub fn veth(name: &str, netns: NetnsId, mac: Mac, peer: DevId) -> Device {
    Device {
        name: name.into(),
        netns,
        home: netns,
        master: None,
        gro: false,
        napi_defer_hard_irqs: 0,
        gro_flush_timeout: 0,
        ifindex: 0,
        mac,
        kind: DeviceKind::Veth { peer },
        up: false,
        mtu: 1500,
        hard_header_len: ethernet::HLEN,
        needed_headroom: 0,
        xdp: None,
        bridge: None,
        vlans: VlanGroup::default(),
        macvlan_port: false,
        netkit: Vec::new(),
        o_seqno: 0,
        i_seqno: 0,
        hh_cached: Vec::new(),
        tcx_ingress: Vec::new(),
        tcx_egress: Vec::new(),
        clsact: None,
    }
}

/// `lo`, up.
#[must_use]
pub fn loopback(netns: NetnsId) -> Device {
    let mut device = veth("lo", netns, [0; 6], DevId(0));
    device.kind = DeviceKind::Loopback;
    device.up = true;
    device.mtu = 65_536;
    device.gro = true;
    device
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden E1: tx (14 + 0) reserves 16 bytes; encap (0 + 38) reserves 48.
    #[test]
    fn reserved_space_is_rounded_as_the_kernel_does() {
        let mut dev = veth("tx", NetnsId(0), [0; 6], DevId(0));
        assert_eq!(dev.ll_reserved_space(), 16);
        (dev.hard_header_len, dev.needed_headroom) = (0, 38);
        assert_eq!(dev.ll_reserved_space(), 48);
    }
}
