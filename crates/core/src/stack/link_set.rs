//! Changes devices: `ip link set`.

use super::Kernel;
use super::execute::{Cause, Done};
use crate::scenario::command::{LinkFlags, Mac};
use crate::scenario::topology::{DevId, Device, DeviceKind, TopologyError};

impl Kernel {
    /// Up or down, another address, another MTU.
    pub(super) fn link_set(
        &mut self,
        id: DevId,
        up: Option<bool>,
        address: Option<Mac>,
        mtu: Option<u32>,
    ) {
        let device = self.topology.dev(id);
        let down = device.up && up == Some(false);
        // arp_ifdown(), arp_netdev_event(), ndisc_netdev_event(): whoever was known is forgotten, configured or not
        if down || address.is_some_and(|address| address != device.mac) {
            self.neigh_flush_dev(id);
        }
        let device = self.topology.dev_mut(id);
        device.up = up.unwrap_or(device.up);
        device.mac = address.unwrap_or(device.mac);
        device.mtu = mtu.unwrap_or(device.mtu);
        if let Some(bridge) = device.bridge.as_deref_mut() {
            bridge.address_set |= address.is_some();
            bridge.mtu_set |= mtu.is_some();
        }
        if let Some(bridge) = device.master.filter(|_| address.is_some() || mtu.is_some()) {
            self.br_port_changed(bridge);
        }
    }

    /// `netif_change_flags()`. Whoever changes `IFF_NOARP` has the neighbours forgotten.
    pub(super) fn link_flags(&mut self, id: DevId, flags: LinkFlags) {
        let device = self.topology.dev_mut(id);
        device.promisc = flags.promisc.unwrap_or(device.promisc);
        let before = device.is_noarp();
        device.arp = flags.arp.or(device.arp);
        if device.is_noarp() != before {
            self.neigh_flush_dev(id);
        }
    }

    /// `dev_change_net_namespace()`: the device goes down, and what was configured on it is gone. A
    /// tunnel's outer packets stay in the namespace in which it was made.
    pub(super) fn link_move(&mut self, id: DevId, to: &str) -> Done {
        let to = self.topology.find_netns(&Some(to.to_owned()))?;
        let name = self.topology.dev(id).name.clone();
        let from = self.topology.dev(id).netns;
        if from == to {
            return Ok(());
        }
        if self.topology.find_dev(to, &name).is_ok() {
            let netns = self.topology.netns[to.0].display_name();
            return Err(TopologyError::DeviceExists { dev: name, netns }.into());
        }
        let uses = |dev: &Device| match dev.kind {
            DeviceKind::Vlan { lower, .. } | DeviceKind::Macvlan { lower, .. } => lower == id,
            _ => false,
        };
        if self.topology.devices.iter().any(uses) || self.topology.dev(id).master.is_some() {
            let what = "moving a device with VLANs, or a bridge port, to another namespace";
            return Err(Cause::NotCovered(what.into()));
        }
        let here = &mut self.topology.netns[from.0];
        here.addrs.retain(|(dev, _)| *dev != id);
        here.neigh.retain(|(dev, _, _)| *dev != id);
        here.routes.retain(|route| route.dev != id);
        here.inet6.addrs.retain(|(dev, _)| *dev != id);
        here.inet6.neigh.retain(|(dev, _, _)| *dev != id);
        here.inet6.routes.retain(|route| route.dev != id);
        let wanted = Some(self.topology.dev(id).ifindex);
        let kept = self.topology.dev_index_reserve(to, wanted);
        let ifindex = kept.or_else(|_| self.topology.dev_index_reserve(to, None))?;
        let device = self.topology.dev_mut(id);
        (device.netns, device.up, device.ifindex) = (to, false, ifindex);
        device.hh_cached.clear();
        Ok(())
    }
}
