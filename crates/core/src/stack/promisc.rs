//! `IFF_PROMISC`: what a command sets, and what devices above ask for (`dev_set_promiscuity()`). Only a bridge treats packets otherwise
//! then: `eth_type_trans()` says of a frame for somebody else that it is, whatever the device takes.

use super::Kernel;
use crate::scenario::command::MacvlanMode;
use crate::scenario::topology::{DevId, DeviceKind};

impl Kernel {
    /// `dev->flags & IFF_PROMISC`.
    pub(super) fn is_promisc(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        let devices = self.topology.devices.iter().enumerate();
        // a device that is down asks for nothing (vlan_dev_change_rx_flags(), macvlan_open())
        let mut above = devices.filter(|(_, above)| above.up);
        device.promisc
            || device
                .master
                .is_some_and(|bridge| self.br_port_is_promisc(dev, bridge))
            || above.any(|(id, above)| match above.kind {
                DeviceKind::Vlan { lower, .. } => lower == dev && self.is_promisc(DevId(id)),
                DeviceKind::Macvlan { lower, mode } => {
                    lower == dev && (mode == MacvlanMode::Passthru || self.is_promisc(DevId(id)))
                }
                _ => false,
            })
    }

    /// `br_manage_promisc()` (`net/bridge/br_if.c`): ports take all frames, unless the bridge knows VLANs and this is the only port
    /// that learns, on a device that can filter by address (`IFF_UNICAST_FLT`).
    fn br_port_is_promisc(&self, port: DevId, bridge: DevId) -> bool {
        let state = self.bridge_of(bridge);
        let filters = matches!(
            self.topology.dev(port).kind,
            DeviceKind::Vlan { .. } | DeviceKind::Macvlan { .. }
        );
        !state.vlan_filtering
            || !filters
            || state.ports.len() > 1
            || self.topology.dev(bridge).promisc
    }

    /// `br_handle_vlan()`: a bridge device that takes all frames takes those of other VLANs as they are.
    pub(super) fn bridge_takes_all(&self, to: DevId) -> bool {
        self.topology.dev(to).kind == DeviceKind::Bridge && self.is_promisc(to)
    }
}
