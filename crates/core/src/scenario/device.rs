//! Network devices: what they are and what they have.

use std::net::IpAddr;

use super::bridge::{Bridge, VlanGroup};
use super::clsact::Clsact;
use super::command::{
    L2tpSession, L2tpTunnel, Mac, MacvlanMode, NetkitParms, Tunnel6Parms, TunnelParms,
    UdpTunnelParms, XdpMode,
};
use super::topology::{DevId, NetnsId, ProgId};
use crate::net::ethernet;

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
    /// A process is on the other side.
    Tun {
        /// Frames, not IP packets.
        tap: bool,
    },
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
    /// Features that somebody does not want (not in `dev->wanted_features`).
    pub unwanted: crate::skb::Features,
    /// `napi_defer_hard_irqs`.
    pub napi_defer_hard_irqs: u32,
    /// `gro_flush_timeout`, nanoseconds.
    pub gro_flush_timeout: u32,
    /// Its queue has CPUs for receive packet steering (`rps_map`).
    pub rps: bool,
    /// MAC address; zero for a device without Ethernet header.
    pub mac: Mac,
    /// Kind and parameters.
    pub kind: DeviceKind,
    /// `IFF_UP`.
    pub up: bool,
    /// `IFF_PROMISC`, as far as a command has set it.
    pub promisc: bool,
    /// What a command said of `IFF_NOARP`, or a device below; `None`: it is as such devices are.
    pub arp: Option<bool>,
    /// `VLAN_FLAG_REORDER_HDR`.
    pub reorder_hdr: bool,
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
                | DeviceKind::Tun { tap: false }
        )
    }

    /// Whether it has `header_ops`. `ipip_tunnel_setup()` sets them (without `create`, so no header is written);
    /// a GRE device with a remote or in external mode has none (`ipgre_tunnel_init()`, `net/ipv4/ip_gre.c`;
    /// `ip6gre_tunnel_init()`, `net/ipv6/ip6_gre.c`).
    #[must_use]
    pub fn has_header_ops(&self) -> bool {
        match self.kind {
            DeviceKind::Gre(parms) => parms.remote.is_none() && !parms.external,
            DeviceKind::Ip6Gre(parms) => parms.remote.is_none() && !parms.gre.external,
            _ => true,
        }
    }

    /// `IFF_NOARP`: nobody is asked for addresses on it.
    #[must_use]
    pub fn is_noarp(&self) -> bool {
        let quiet = match (self.arp, self.kind) {
            (Some(arp), _) => !arp,
            (None, DeviceKind::Netkit { parms, .. }) => !parms.l2,
            (None, DeviceKind::Dummy) => true,
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

/// A veth end before it knows its peer.
#[must_use]
pub fn veth(name: &str, netns: NetnsId, mac: Mac, peer: DevId) -> Device {
    Device {
        name: name.into(),
        netns,
        home: netns,
        master: None,
        gro: false,
        unwanted: 0,
        napi_defer_hard_irqs: 0,
        gro_flush_timeout: 0,
        rps: false,
        ifindex: 0,
        mac,
        kind: DeviceKind::Veth { peer },
        up: false,
        promisc: false,
        arp: None,
        reorder_hdr: true,
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
