//! Namespaces, devices, addresses and routes: what the set-up commands build.

use std::net::Ipv4Addr;

pub use super::bridge::{Bridge, VlanGroup};
pub use super::clsact::{Action, ActionKind, Classifier, Clsact, Filter};
use super::command::{
    FouPort, IoamNamespace, Ipv4Net, L2tpTunnel, Mac, Netns as NetnsName, RouteKind,
};
pub use super::device::{Device, DeviceKind, loopback, veth};
pub use super::inet6::{Inet6, Lookup6, Route6};
pub use super::netfilter::Netfilter;
pub use super::routes::{Encap, Ioam6Lwt, Lookup, LwtBpf, Route, Segments, contains, prefix_mask};
pub use super::socket::{CgroupHook, Socket};
pub use super::topology_error::TopologyError;
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
    /// What stands at netfilter's hooks.
    pub netfilter: Netfilter,
    /// Open sockets.
    pub sockets: Vec<Socket>,
    /// UDP ports behind which other protocols begin.
    pub fou: Vec<(u16, FouPort)>,
    /// L2TP tunnels.
    pub l2tp: Vec<L2tpTunnel>,
    /// Namespaces of IOAM.
    pub ioam: Vec<IoamNamespace>,
    /// The interface index that is tried next (`net->ifindex`); those below 2 are `lo`'s.
    pub ifindex: u32,
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

    /// As [`Netns::flag`], for the sysctl `before` + device name + `after`; a dot in a name is a slash there.
    #[must_use]
    pub fn device_flag(&self, before: &str, device: &str, after: &str) -> bool {
        let is_device = |name: &str| {
            let chars = device.bytes().map(|c| if c == b'.' { b'/' } else { c });
            chars.eq(name.bytes())
        };
        let is_it = |key: &str| {
            let rest = key.strip_prefix(before);
            rest.and_then(|rest| rest.strip_suffix(after))
                .is_some_and(is_device)
        };
        self.sysctl
            .iter()
            .rev()
            .find(|(key, _)| is_it(key))
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
    pub seg6: Vec<Segments>,
    /// Traces that routes put into packets (`encap ioam6`).
    pub ioam6: Vec<Ioam6Lwt>,
    /// What routes say to tunnel devices in external mode (`encap ip`, `encap ip6`).
    pub tun_infos: Vec<TunInfo>,
    /// Programs of the root cgroup where packets come to a socket, and where they leave.
    pub cgroup: [CgroupHook; 2],
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            netns: vec![Netns::default()],
            devices: Vec::new(),
            seg6: Vec::new(),
            ioam6: Vec::new(),
            tun_infos: Vec::new(),
            cgroup: Default::default(),
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

    /// `dev_index_reserve()` (`net/core/dev.c`): an interface index that nobody has: `wanted`, or the next one (`xa_alloc_cyclic()`).
    ///
    /// # Errors
    /// [`TopologyError::IndexTaken`].
    pub fn dev_index_reserve(
        &mut self,
        netns: NetnsId,
        wanted: Option<u32>,
    ) -> Result<u32, TopologyError> {
        const LOOPBACK_IFINDEX: u32 = 1;
        let devices = &self.devices;
        let taken = |index: u32| {
            index == LOOPBACK_IFINDEX
                || devices
                    .iter()
                    .any(|dev| (dev.netns, dev.ifindex) == (netns, index))
        };
        match wanted {
            Some(index) if taken(index) => Err(TopologyError::IndexTaken {
                index,
                netns: self.netns[netns.0].display_name(),
            }),
            Some(index) => Ok(index),
            None => {
                let next = &mut self.netns[netns.0].ifindex;
                let from = (*next).max(LOOPBACK_IFINDEX + 1);
                let index = (from..).find(|index| !taken(*index)).unwrap_or(from);
                *next = index.saturating_add(1);
                Ok(index)
            }
        }
    }

    /// Adds a device; one that has no interface index gets the next one in its namespace.
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
        if dev.kind == DeviceKind::Loopback {
            dev.ifindex = 1;
        }
        if dev.ifindex == 0 {
            dev.ifindex = self.dev_index_reserve(dev.netns, None)?;
        }
        self.devices.push(dev);
        Ok(DevId(self.devices.len() - 1))
    }
}
