//! Why a set-up command cannot be carried out.

use std::net::IpAddr;

use thiserror::Error;

use super::meant::did_you_mean;
use super::topology::MAX_DEVICES;

/// The types that `ip link add` and `ip tunnel add` make.
pub(super) const KINDS: &str = "veth, gre, gretap, ipip, sit, ip6tnl, ip6gre, ip6gretap, vlan, vxlan, geneve, bridge, dummy, netkit, macvlan";

/// Types of devices that Linux has and that are not here (`ip link help`).
const OTHERS: [&str; 24] = [
    "amt",
    "bareudp",
    "bond",
    "can",
    "erspan",
    "gtp",
    "hsr",
    "ifb",
    "ip6erspan",
    "ipoib",
    "ipvlan",
    "ipvtap",
    "lowpan",
    "macsec",
    "macvtap",
    "nlmon",
    "team",
    "vcan",
    "vrf",
    "vti",
    "vti6",
    "vxcan",
    "wireguard",
    "xfrm",
];

/// *Did you mean …?* for a type that Linux does not have either.
fn slip_of_a_kind(kind: &str) -> String {
    match OTHERS.contains(&kind) {
        true => String::new(),
        false => did_you_mean(kind, KINDS),
    }
}

/// What a command asks for cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "each variant says it in its message")]
pub enum TopologyError {
    #[error("there is no network namespace `{0}`")]
    NoNetns(String),
    #[error("the network namespace `{0}` exists already")]
    NetnsExists(String),
    #[error("there is no device `{dev}` in {netns}{}; there are: {known}", did_you_mean(.dev, .known))]
    NoDevice {
        dev: String,
        netns: String,
        known: String,
    },
    #[error("a device `{dev}` exists already in {netns}")]
    DeviceExists { dev: String, netns: String },
    #[error(
        "the simulator has no device of type `{0}`{hint}; it has: {KINDS}",
        hint = slip_of_a_kind(.0)
    )]
    UnknownKind(String),
    #[error(
        "`{dev}` would be the same tunnel as `{other}` (kind, addresses, key or VNI, port): Linux answers *File exists*"
    )]
    TunnelExists { dev: String, other: String },
    #[error(
        "the interface index {index} is taken in {netns}, so Linux answers *Device or resource busy*"
    )]
    IndexTaken { index: u32, netns: String },
    #[error("a topology may have {MAX_DEVICES} devices, and this one has them all")]
    TooManyDevices,
    #[error("`{dev}` in {netns} is not a bridge")]
    NotABridge { dev: String, netns: String },
    #[error(
        "no macvlan can be on `{0}`: it is a bridge port, has no MAC address, or is in use by a macvlan in mode passthru"
    )]
    NoMacvlan(String),
    #[error("`{0}` is not a netkit device")]
    NotNetkit(String),
    #[error(
        "`{0}` is the peer of a netkit pair, so Linux answers *Permission denied*: programs of both ends are attached by the primary device"
    )]
    NetkitPeer(String),
    #[error(
        "`{0}` is no port of a bridge, so Linux answers *Operation not supported*; for a bridge's own VLANs it wants `self`"
    )]
    NoBridgePort(String),
    #[error(
        "a netkit device in mode l3 has no address of its own, so Linux answers *Operation not supported*; `mode l2` has"
    )]
    NetkitAddress,
    #[error("there is no route to {dst} in {netns}")]
    NoRoute { dst: IpAddr, netns: String },
}
