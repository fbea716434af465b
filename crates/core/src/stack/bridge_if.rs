//! `net/bridge/br_if.c` and `net/bridge/br_vlan.c`: a bridge and its ports, as commands make them.

use super::Kernel;
use super::execute::{Cause, Done};
use super::links::ethernet_device;
use crate::scenario::command::{BridgeOptions, BridgeVlan, Mac};
use crate::scenario::topology::{
    Bridge, DevId, Device, DeviceKind, NetnsId, TopologyError, VlanGroup,
};

impl Kernel {
    /// `br_dev_setup()` and `br_vlan_init()`: the bridge is in its default VLAN itself.
    pub(super) fn bridge_device(
        &self,
        name: &str,
        netns: NetnsId,
        options: BridgeOptions,
        address: Option<Mac>,
    ) -> Device {
        let mut device = ethernet_device(name, netns, DeviceKind::Bridge);
        let mut bridge = Bridge {
            address_set: address.is_some(),
            ..Bridge::default()
        };
        apply(&mut bridge, options);
        device.vlans = VlanGroup::with_default(bridge.default_pvid);
        device.bridge = Some(Box::new(bridge));
        device
    }

    /// `br_changelink()`. A new default VLAN takes the place of the old one (`__br_vlan_set_default_pvid()`).
    pub(super) fn bridge_set(&mut self, id: DevId, options: BridgeOptions) -> Done {
        let device = self.topology.dev_mut(id);
        let Some(bridge) = device.bridge.as_deref_mut() else {
            return Err(self.not_a_bridge(id));
        };
        let before = bridge.default_pvid;
        apply(bridge, options);
        let (now, mut members) = (bridge.default_pvid, bridge.ports.clone());
        members.push(id);
        for member in members.into_iter().filter(|_| now != before) {
            let group = &mut self.topology.dev_mut(member).vlans;
            // a VLAN that a person made the pvid, or made tagged, stays
            if group.pvid == before && group.find(before) == Some(true) {
                group.change(vlan(before, false));
                if now != 0 {
                    group.change(vlan(now, true));
                }
            }
        }
        Ok(())
    }

    /// `br_vlan_info()` (`net/bridge/br_netlink.c`): VLANs of a port, or with `self` of the bridge.
    pub(super) fn bridge_vlan(&mut self, id: DevId, vlan: BridgeVlan) -> Done {
        let device = self.topology.dev_mut(id);
        let there = if vlan.own {
            device.bridge.is_some()
        } else {
            device.master.is_some()
        };
        if !there {
            return Err(TopologyError::NoBridgePort(device.name.clone()).into());
        }
        device.vlans.change(vlan);
        Ok(())
    }

    fn not_a_bridge(&self, id: DevId) -> Cause {
        let device = self.topology.dev(id);
        TopologyError::NotABridge {
            dev: device.name.clone(),
            netns: self.topology.netns[device.netns.0].display_name(),
        }
        .into()
    }

    /// `br_del_if()`: the port's addresses are forgotten.
    fn br_del_if(&mut self, id: DevId) {
        let Some(bridge) = self.topology.dev_mut(id).master.take() else {
            return;
        };
        self.topology.dev_mut(id).vlans = VlanGroup::default();
        if let Some(bridge) = self.topology.dev_mut(bridge).bridge.as_deref_mut() {
            bridge.ports.retain(|port| *port != id);
            bridge.fdb.retain(|(_, _, port)| *port != id);
        }
        self.br_port_changed(bridge);
    }

    /// What follows a port's MAC address and MTU: `br_stp_recalculate_bridge_id()` takes the lowest address of the ports,
    /// `br_mtu_auto_adjust()` the smallest MTU, unless a person chose.
    pub(super) fn br_port_changed(&mut self, bridge: DevId) {
        let Some(state) = self.topology.dev(bridge).bridge.as_deref() else {
            return;
        };
        let ports = || state.ports.iter().map(|port| self.topology.dev(*port));
        let mac = ports()
            .map(|port| port.mac)
            .min()
            .filter(|_| !state.address_set);
        let mtu = ports()
            .map(|port| port.mtu)
            .min()
            .filter(|_| !state.mtu_set);
        let device = self.topology.dev_mut(bridge);
        device.mac = mac.unwrap_or(device.mac);
        device.mtu = mtu.unwrap_or(device.mtu);
    }

    /// `br_add_if()` and `br_del_if()`: ports leave as much headroom as the neediest of them.
    pub(super) fn link_master(&mut self, id: DevId, master: Option<&str>) -> Done {
        let Some(name) = master else {
            self.br_del_if(id);
            return Ok(());
        };
        let netns = self.topology.dev(id).netns;
        let bridge = self.topology.find_dev(netns, name)?;
        // br_add_if(): a bridge is no port of a bridge (ELOOP)
        let bridges = self.topology.dev(id).bridge.is_some();
        let Some(state) = self
            .topology
            .dev_mut(bridge)
            .bridge
            .as_deref_mut()
            .filter(|_| !bridges)
        else {
            return Err(self.not_a_bridge(if bridges { id } else { bridge }));
        };
        state.ports.retain(|port| *port != id);
        state.ports.insert(0, id);
        let default = state.default_pvid;
        self.br_del_if(id);
        let device = self.topology.dev_mut(id);
        device.master = Some(bridge);
        device.vlans = VlanGroup::with_default(default);
        self.br_port_changed(bridge);
        // netdev_get_fwd_headroom(): that of veth and netkit is phony
        let device = self.topology.dev(id);
        let needs = match device.kind {
            DeviceKind::Veth { .. } | DeviceKind::Netkit { .. } => 0,
            _ => device.needed_headroom,
        };
        let room = self.topology.dev(bridge).needed_headroom.max(needs);
        self.topology.dev_mut(bridge).needed_headroom = room;
        // veth_set_rx_headroom(), netkit_set_headroom(): both ends take it
        let ports: Vec<_> = self
            .topology
            .devices
            .iter()
            .enumerate()
            .filter_map(|(port, dev)| match dev.kind {
                DeviceKind::Veth { peer } | DeviceKind::Netkit { peer, .. }
                    if dev.master == Some(bridge) =>
                {
                    Some([DevId(port), peer])
                }
                _ => None,
            })
            .flatten()
            .collect();
        for port in ports {
            let port = self.topology.dev_mut(port);
            port.needed_headroom = port.needed_headroom.max(room);
        }
        Ok(())
    }
}

fn apply(bridge: &mut Bridge, options: BridgeOptions) {
    bridge.vlan_filtering = options.vlan_filtering.unwrap_or(bridge.vlan_filtering);
    bridge.vlan_protocol = options.vlan_protocol.unwrap_or(bridge.vlan_protocol);
    bridge.default_pvid = options.vlan_default_pvid.unwrap_or(bridge.default_pvid);
}

/// The default VLAN, added or taken away.
fn vlan(vid: u16, add: bool) -> BridgeVlan {
    BridgeVlan {
        add,
        first: vid,
        last: vid,
        pvid: add,
        untagged: true,
        own: false,
    }
}
