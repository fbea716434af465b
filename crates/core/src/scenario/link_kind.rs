//! What kinds of devices there are, as commands make them.

use super::bridge::BridgeOptions;
use super::command::{Mac, Netns, Tunnel6Parms, TunnelParms, UdpTunnelParms};

/// What `ip link set` says of a device's flags; `None`: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkFlags {
    /// `promisc on|off` (`IFF_PROMISC`).
    pub promisc: Option<bool>,
    /// `arp on|off` (not `IFF_NOARP`).
    pub arp: Option<bool>,
}

/// What kind of device `ip link add` makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkKind {
    /// `type veth peer name NAME [address MAC] [netns NS]`.
    Veth {
        /// Name of the other end.
        peer: String,
        /// Its MAC address, if given.
        peer_address: Option<Mac>,
        /// Its namespace, if given.
        peer_netns: Netns,
    },
    /// `type gre …` or `ip tunnel add … mode gre …`.
    Gre(TunnelParms),
    /// `type gretap …`: GRE with an Ethernet header inside.
    Gretap(TunnelParms),
    /// `type ipip …` or `ip tunnel add … mode ipip …`.
    Ipip(TunnelParms),
    /// `link DEV … type vlan [protocol 802.1ad] id N`.
    Vlan {
        /// The device below.
        lower: String,
        /// `802.1Q` or `802.1ad`, as on the wire.
        protocol: u16,
        /// VLAN id.
        id: u16,
        /// The tag stands beside the packet on the device itself, too (`VLAN_FLAG_REORDER_HDR`); if not, in the frame.
        reorder_hdr: bool,
    },
    /// `type ip6gre …` or `ip -6 tunnel add … mode ip6gre …`: GRE over IPv6.
    Ip6Gre(Tunnel6Parms),
    /// `type ip6gretap …`: GRE over IPv6 with an Ethernet header inside.
    Ip6Gretap(Tunnel6Parms),
    /// `type ip6tnl …` or `ip -6 tunnel add … mode ipip6|ip6ip6|any …`: packets in IPv6.
    Ip6Tnl(Tunnel6Parms),
    /// `type sit …` or `ip tunnel add … mode sit …`: IPv6 in IPv4.
    Sit(TunnelParms),
    /// `nic add NAME driver DRIVER`: a network card; the number is a place in [`DRIVERS`](super::nic::DRIVERS).
    Nic(usize),
    /// `ip tuntap add … mode tun|tap`: its other side is a process.
    Tun {
        /// Frames (`tap`), not IP packets.
        tap: bool,
    },
    /// `type dummy`: takes packets and drops them.
    Dummy,
    /// `type vxlan id N …`.
    Vxlan(UdpTunnelParms, Option<String>),
    /// `type geneve id N …`.
    Geneve(UdpTunnelParms),
    /// `type bridge [vlan_filtering 1] …`.
    Bridge(BridgeOptions),
    /// `type netkit [mode l2|l3] … peer name NAME`.
    Netkit {
        /// The device that is named first (`primary`).
        parms: NetkitParms,
        /// Name of the other end.
        peer: String,
        /// Its parameters.
        peer_parms: NetkitParms,
        /// Its MAC address, if given.
        peer_address: Option<Mac>,
        /// Its namespace, if given.
        peer_netns: Netns,
    },
    /// `link DEV … type macvlan [mode MODE]`.
    Macvlan {
        /// The device below.
        lower: String,
        /// How devices on the same one see each other.
        mode: MacvlanMode,
    },
    /// A device type the simulator does not know: refused by name when it is carried out.
    Unknown(String),
}

/// One end of a netkit pair (`struct netkit`, `drivers/net/netkit.c`; defaults of `netkit_new_link()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetkitParms {
    /// `mode l2`: with MAC addresses and ARP; else both addresses are zero (`l3`).
    pub l2: bool,
    /// `blackhole`: what no program decides about is dropped.
    pub blackhole: bool,
    /// `scrub none` is false: mark and priority stay when the packet goes to another namespace.
    pub scrub: bool,
    /// `headroom`: what senders leave free in front, bytes.
    pub headroom: u16,
}

impl Default for NetkitParms {
    fn default() -> Self {
        Self {
            l2: false,
            blackhole: false,
            scrub: true,
            headroom: 0,
        }
    }
}

/// `enum macvlan_mode` (`include/uapi/linux/if_link.h`), without `source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MacvlanMode {
    /// Devices on the same lower one never see each other.
    Private,
    /// They do when the switch outside sends frames back.
    #[default]
    Vepa,
    /// They do, directly.
    Bridge,
    /// One device takes all that the lower one receives.
    Passthru,
}
