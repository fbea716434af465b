//! The commands a person would type, as data. `parse` makes them, the stack's `execute` carries
//! them out, in order.

use super::bpf_map::MapChange;
use std::net::{Ipv4Addr, Ipv6Addr};

pub use super::bridge::{BridgeOptions, BridgeVlan};
pub use super::ip_fou::{FouPort, TunnelEncap};
pub use super::ip_ioam::IoamNamespace;
pub use super::ip_l2tp::{L2tpSession, L2tpTunnel};
pub use super::link_kind::{LinkFlags, LinkKind, MacvlanMode, NetkitParms};
pub use super::netfilter::NfChange;
pub use super::operand::{
    CfgValue, Ioam6, Ioam6Mode, Ipv4Net, Ipv6Net, LwtSections, Mac, MirredAction, NapiKnob, Netns,
    RouteEncap, RouteKind, Seg6Mode, TcHook, XdpMode,
};
pub use super::ping::{PingParms, Pmtudisc};
pub use super::prog_load::ProgLoad;
pub use super::socket::{CgroupAttach, SocketCommand};
pub use super::tc_action::{TcAction, TcActionKind, TcClassifier, TcProgram};
pub use super::tunnel_parms::{Tunnel6Parms, TunnelDf, TunnelParms, TunnelTtl, UdpTunnelParms};

/// One command, with its place in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// 1-based line number (or 1-based index in a `setup` array).
    pub number: usize,
    /// The text as it stood, without prompt.
    pub text: String,
    /// What it means.
    pub command: Command,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `ip netns add NAME`.
    NetnsAdd {
        /// Name.
        name: String,
    },
    /// `ip link add NAME [address MAC] [index N] type KIND …`, `ip tunnel add NAME …`.
    LinkAdd {
        /// Namespace in which the command runs.
        netns: Netns,
        /// Device name.
        name: String,
        /// MAC address, if given.
        address: Option<Mac>,
        /// Interface index, if given.
        index: Option<u32>,
        /// Device type and its options.
        kind: LinkKind,
    },
    /// `ip link set [dev] NAME [up|down] [address MAC] [netns NS] [mtu N] [promisc on|off] [arp on|off]`.
    LinkSet {
        /// Namespace in which the command runs.
        netns: Netns,
        /// Device.
        dev: String,
        /// `up` or `down`.
        up: Option<bool>,
        /// New MAC address.
        address: Option<Mac>,
        /// Namespace to move it to.
        to_netns: Option<String>,
        /// New MTU, bytes.
        mtu: Option<u32>,
        /// `master BRIDGE`; `Some(None)` is `nomaster`.
        master: Option<Option<String>>,
        /// Flags.
        flags: LinkFlags,
    },
    /// `ip link set dev BRIDGE type bridge OPTIONS`.
    BridgeSet {
        /// Namespace.
        netns: Netns,
        /// The bridge.
        dev: String,
        /// What changes.
        options: BridgeOptions,
    },
    /// `bridge vlan add|del …`.
    BridgeVlan {
        /// Namespace.
        netns: Netns,
        /// A port, or the bridge itself.
        dev: String,
        /// What is said about its VLANs.
        vlan: BridgeVlan,
    },
    /// `orc netkit PROG DEV primary|peer [NETNS]`: a program that runs where a netkit device sends.
    AttachNetkit {
        /// Namespace of the primary device.
        netns: Netns,
        /// Program name.
        program: String,
        /// The primary device.
        dev: String,
        /// Where the other end sends (`BPF_NETKIT_PEER`).
        peer: bool,
    },
    /// `ip addr add ADDR/LEN dev DEV`.
    AddrAdd {
        /// Namespace.
        netns: Netns,
        /// Address and prefix.
        addr: Ipv4Net,
        /// Device.
        dev: String,
    },
    /// `ip neigh add ADDR lladdr MAC dev DEV [nud permanent]`.
    NeighAdd {
        /// Namespace.
        netns: Netns,
        /// Neighbour.
        addr: Ipv4Addr,
        /// Its link-layer address.
        lladdr: Mac,
        /// Device.
        dev: String,
        /// `replace`, not `add`.
        replace: bool,
    },
    /// `ip route add [KIND] PREFIX|default [via ADDR] [dev DEV]`.
    RouteAdd {
        /// Namespace.
        netns: Netns,
        /// What becomes of the packets.
        kind: RouteKind,
        /// Destination; `0.0.0.0/0` for default.
        dst: Ipv4Net,
        /// `encap`.
        encap: Option<RouteEncap>,
        /// Gateway.
        via: Option<Ipv4Addr>,
        /// Device.
        dev: Option<String>,
        /// `replace`, not `add`.
        replace: bool,
    },
    /// `ip [-6] addr add ADDR/LEN dev DEV` of an IPv6 address.
    Addr6Add {
        /// Namespace.
        netns: Netns,
        /// Address and prefix.
        addr: Ipv6Net,
        /// Device.
        dev: String,
    },
    /// `ip [-6] neigh add ADDR lladdr MAC dev DEV` of an IPv6 address.
    Neigh6Add {
        /// Namespace.
        netns: Netns,
        /// Neighbour.
        addr: Ipv6Addr,
        /// Its link-layer address.
        lladdr: Mac,
        /// Device.
        dev: String,
    },
    /// `ip [-6] route add [KIND] PREFIX|default [via ADDR] [dev DEV]` of an IPv6 prefix.
    Route6Add {
        /// Namespace.
        netns: Netns,
        /// What becomes of the packets.
        kind: RouteKind,
        /// Destination; `::/0` for default.
        dst: Ipv6Net,
        /// `encap`.
        encap: Option<RouteEncap>,
        /// Gateway.
        via: Option<Ipv6Addr>,
        /// Device.
        dev: Option<String>,
    },
    /// `ping [-6] ADDR` of an IPv6 address.
    Ping6 {
        /// Namespace.
        netns: Netns,
        /// Destination.
        addr: Ipv6Addr,
        /// How many requests, and what they are like.
        parms: PingParms,
    },
    /// `ip ioam namespace add …`.
    IoamNamespaceAdd {
        /// Namespace in which the command runs.
        netns: Netns,
        /// The namespace of IOAM.
        namespace: IoamNamespace,
    },
    /// `ip fou add port PORT ipproto PROTO|gue`.
    FouAdd {
        /// Namespace.
        netns: Netns,
        /// UDP port.
        port: u16,
        /// What is behind the UDP header.
        kind: FouPort,
    },
    /// `ip l2tp add tunnel …`.
    L2tpTunnelAdd {
        /// Namespace.
        netns: Netns,
        /// The tunnel.
        tunnel: L2tpTunnel,
    },
    /// `ip l2tp add session …`.
    L2tpSessionAdd {
        /// Namespace.
        netns: Netns,
        /// Device name.
        name: String,
        /// The tunnel it is in.
        tunnel_id: u32,
        /// The session.
        session: L2tpSession,
    },
    /// `orc tun DEV HEX [NETNS]`: the process of a tun or tap device writes a packet.
    TunWrite {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// The packet; a frame for a tap device.
        packet: Vec<u8>,
    },
    /// `nic rx DEV HEX… [NETNS]`: frames come in by a network card, in one poll.
    NicReceive {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// The frames.
        frames: Vec<Vec<u8>>,
    },
    /// `orc burst DEV NETNS|- HEX HEX…`: several frames in a row.
    Burst {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// The frames.
        frames: Vec<Vec<u8>>,
    },
    /// `echo N > /nsys/class/net/DEV/napi_defer_hard_irqs|gro_flush_timeout|queues/rx-0/rps_cpus`.
    NapiTimer {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// Which of the two.
        knob: NapiKnob,
        /// Its value.
        value: u32,
    },
    /// `ethtool -K DEV FEATURE on|off`: a feature that counts when a packet is sent.
    SetFeatures {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// Of [`crate::skb::feature`].
        features: crate::skb::Features,
        /// `on`.
        on: bool,
    },
    /// `ethtool -K DEV gro on|off`.
    SetGro {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// On or off.
        on: bool,
    },
    /// `ip -f mpls route add LABEL [as LABELS] [via inet ADDR] dev DEV`: pops the label, or replaces it.
    MplsRouteAdd {
        /// Namespace.
        netns: Netns,
        /// Incoming label.
        label: u32,
        /// Labels that take its place.
        out: crate::net::mpls::Labels,
        /// Next hop; the device's own address when absent.
        via: Option<Ipv4Addr>,
        /// Output device.
        dev: String,
    },
    /// `sysctl [-q] [-w] KEY=VALUE`.
    Sysctl {
        /// Namespace.
        netns: Netns,
        /// Key with dots.
        key: String,
        /// Value.
        value: String,
    },
    /// `bpftool prog loadall OBJECT DIR`.
    ProgLoadAll {
        /// Object file as written, such as `progs.bpf.o`.
        object: String,
        /// Pin directory, such as `/sys/fs/bpf`.
        dir: String,
    },
    /// `bpftool prog load OBJECT PATH …`; `bpftool prog loadall OBJECT DIR …` with options.
    ProgLoad(ProgLoad),
    /// `orc xdp PROG DEV native|generic [NETNS]`; `bpftool net attach xdp|xdpgeneric|xdpdrv pinned PATH dev DEV`;
    /// `ip link set dev DEV xdp|xdpgeneric|xdpdrv pinned PATH`.
    AttachXdp {
        /// Namespace.
        netns: Netns,
        /// Program name (last part of a pin path).
        program: String,
        /// Device.
        dev: String,
        /// `None`: native where the driver has it (what plain `xdp` does).
        mode: Option<XdpMode>,
        /// `ip -force`, `bpftool … overwrite`: in the place of a program that is there (without `XDP_FLAGS_UPDATE_IF_NOEXIST`).
        force: bool,
    },
    /// `ip link set dev DEV xdp off`; `bpftool net detach xdp dev DEV`.
    DetachXdp {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// As at [`Command::AttachXdp`].
        mode: Option<XdpMode>,
    },
    /// `orc tcx PROG DEV ingress|egress [NETNS]`; `bpftool net attach tcx_ingress|tcx_egress pinned PATH dev DEV`.
    AttachTcx {
        /// Namespace.
        netns: Netns,
        /// Program name.
        program: String,
        /// Device.
        dev: String,
        /// Hook.
        hook: TcHook,
    },
    /// `ip netns exec NS ping -c1 ADDR`.
    Ping {
        /// Namespace.
        netns: Netns,
        /// Destination.
        addr: Ipv4Addr,
        /// How many requests, and what they are like.
        parms: PingParms,
    },
    /// `orc send DEV HEX [NETNS]`; `send DEV HEX`.
    Send {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// The frame; without Ethernet header when the first byte is 0x45.
        frame: Vec<u8>,
    },
    /// `orc tap DEV [NETNS]`: opens a packet socket for all protocols and keeps it open.
    Tap {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
    },
    /// `orc cfg KEY VALUE|DEV [NETNS]`: sets a knob of the programs (their array map `cfg`).
    Cfg {
        /// Namespace in which the device is.
        netns: Netns,
        /// Key.
        key: u32,
        /// Value.
        value: CfgValue,
    },
    /// `bpftool map update|delete …`.
    Map(MapChange),
    /// `nft add …`, `orc nf PROG …`.
    Netfilter {
        /// Namespace.
        netns: Netns,
        /// What changes.
        change: NfChange,
    },
    /// `orc sock udp PORT|raw PROTOCOL [filter PROG] [NETNS]`.
    Socket {
        /// Namespace.
        netns: Netns,
        /// The socket.
        socket: SocketCommand,
    },
    /// `bpftool cgroup attach …`.
    CgroupAttach(CgroupAttach),
    /// `headroom assume dynptr-everywhere`: from the first command on, programs of all types with an skb have
    /// `bpf_dynptr_from_skb_meta()`. No kernel does this; what follows is derived.
    AssumeDynptrEverywhere,
    /// `tc qdisc add dev DEV clsact`.
    ClsactAdd {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
    },
    /// `tc filter add dev DEV ingress|egress [protocol P] [pref N] matchall action …|bpf da …`.
    FilterAdd {
        /// Namespace.
        netns: Netns,
        /// Device.
        dev: String,
        /// Hook.
        hook: TcHook,
        /// Preference.
        pref: Option<u16>,
        /// Only packets of this protocol; absent: all.
        protocol: Option<u16>,
        /// Who decides.
        classifier: TcClassifier,
        /// What is done, in this order.
        actions: Vec<TcAction>,
    },
    /// A command that is understood as one, but that the simulator does not carry out
    /// (`tc qdisc add … htb`, `ip -f mpls …`): *not covered*, by name, never passed over.
    NotCovered {
        /// First words, such as `orc tap`.
        what: String,
    },
    /// A command that has no influence on what is simulated (`cat progs.bpf.c`, `bpftool prog tracelog`).
    NoEffect {
        /// Why it has none.
        why: &'static str,
    },
}
