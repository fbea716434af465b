//! `net/bridge`: a bridge without STP, VLAN filtering and multicast snooping.

use super::dev_rx::{NET_RX_SUCCESS, RxHandler};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::ethernet;
use crate::scenario::command::Mac;
use crate::scenario::topology::DevId;
use crate::skb::PacketType;
use crate::trace::SkbNo;

const INPUT: &str = "net/bridge/br_input.c";
const FORWARD: &str = "net/bridge/br_forward.c";

/// Where a frame goes, by its destination.
enum Target {
    /// To the bridge itself.
    Up,
    /// Out by one port.
    Port(DevId),
    /// Out by all ports but the one it came from.
    Flood,
}

impl Kernel {
    /// `br_handle_frame()`: the `rx_handler` of a port.
    pub(super) fn br_handle_frame(&mut self, no: SkbNo, bridge: DevId) -> Run<RxHandler> {
        self.traced("br_handle_frame", INPUT, no, |k| {
            let Some(port) = k.skb(no).dev else {
                return not_covered("br_handle_frame of a packet without device");
            };
            let (dest, source) = k.eth_addresses(no);
            let valid = source[0] & 1 == 0 && source != [0; 6];
            if !valid || !k.topology.dev(bridge).up {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(RxHandler::Consumed as i64);
            }
            if dest[..5] == [0x01, 0x80, 0xc2, 0, 0] && dest[5] < 0x10 {
                return not_covered("br_handle_frame: a reserved address (01:80:c2:00:00:0x)");
            }
            if dest == k.topology.dev(bridge).mac {
                k.skb_mut(no).pkt_type = PacketType::Host;
            }
            k.br_handle_frame_finish(no, bridge, port)?;
            Ok(RxHandler::Consumed as i64)
        })?;
        Ok(RxHandler::Consumed)
    }

    /// `br_handle_frame_finish()`: learns the source, finds the destination.
    fn br_handle_frame_finish(&mut self, no: SkbNo, bridge: DevId, port: DevId) -> Run<()> {
        self.traced("br_handle_frame_finish", INPUT, no, |k| {
            let (dest, source) = k.eth_addresses(no);
            k.br_fdb_update(bridge, source, port);
            if dest[0] & 1 == 1 {
                // snooping is off (mcast_snooping 0): group frames are flooded and go up too
                k.br_flood(no, bridge, Some(port), true)?;
                k.br_pass_frame_up(no, bridge)?;
                return Ok(0);
            }
            match k.br_fdb_find(bridge, dest) {
                Target::Up => k.br_pass_frame_up(no, bridge)?,
                Target::Port(to) if to == port => k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?,
                Target::Port(to) => k.br_forward(no, to, false)?,
                Target::Flood => k.br_flood(no, bridge, Some(port), false)?,
            }
            Ok(0)
        })?;
        Ok(())
    }

    fn eth_addresses(&self, no: SkbNo) -> (Mac, Mac) {
        let at = u32::from(self.skb(no).mac_header);
        let mut both = [Mac::default(); 2];
        for (address, at) in both.iter_mut().zip([at, at + 6]) {
            let bytes = self.bytes(no, at, 6);
            address[..bytes.len()].copy_from_slice(bytes);
        }
        (both[0], both[1])
    }

    /// `br_fdb_update()`: the newest place of an address counts.
    fn br_fdb_update(&mut self, bridge: DevId, address: Mac, port: DevId) {
        let fdb = &mut self.topology.dev_mut(bridge).fdb;
        fdb.retain(|(known, _)| *known != address);
        fdb.push((address, port));
    }

    /// `br_fdb_find_rcu()`: addresses of the bridge and its ports are its own.
    fn br_fdb_find(&self, bridge: DevId, address: Mac) -> Target {
        let device = self.topology.dev(bridge);
        let is_port = |dev: &&crate::scenario::topology::Device| dev.master == Some(bridge);
        let mut ports = self.topology.devices.iter().filter(is_port);
        if device.mac == address || ports.any(|port| port.mac == address) {
            return Target::Up;
        }
        let learned = device.fdb.iter().find(|(known, _)| *known == address);
        learned.map_or(Target::Flood, |(_, port)| Target::Port(*port))
    }

    /// `br_flood()`: one port gets the packet, others would get clones; when the packet is to go up too
    /// (`keep`, `local_rcv` in the kernel), the port gets a clone (`deliver_clone()`).
    fn br_flood(&mut self, no: SkbNo, bridge: DevId, from: Option<DevId>, keep: bool) -> Run<()> {
        let ports: Vec<_> = self
            .topology
            .devices
            .iter()
            .enumerate()
            .filter(|(id, dev)| dev.master == Some(bridge) && dev.up && from != Some(DevId(*id)))
            .map(|(id, _)| DevId(id))
            .collect();
        match ports[..] {
            [] if keep => Ok(()),
            [] => self.kfree_skb(no, drop_reason::NOT_SPECIFIED),
            [port] if keep => {
                let clone = self.skb_clone(no)?;
                self.br_forward(clone, port, from.is_none())
            }
            [port] => self.br_forward(no, port, from.is_none()),
            _ => not_covered("br_flood to more than one port (clones)"),
        }
    }

    /// `__br_forward()`, to the end of `br_forward_finish()`.
    fn br_forward(&mut self, no: SkbNo, to: DevId, local: bool) -> Run<()> {
        self.br_handle_vlan(no)?;
        self.skb_mut(no).dev = Some(to);
        if !local {
            self.skb_forward_csum(no);
        }
        self.traced("br_forward_finish", FORWARD, no, |k| {
            k.br_dev_queue_push_xmit(no, to)
        })?;
        Ok(())
    }

    /// `br_dev_queue_push_xmit()`: `data` goes back to the MAC header, the frame out.
    fn br_dev_queue_push_xmit(&mut self, no: SkbNo, to: DevId) -> Run<i64> {
        self.traced("br_dev_queue_push_xmit", FORWARD, no, |k| {
            k.skb_mut(no).push(ethernet::HLEN)?;
            // is_skb_forwardable()
            const VLAN_HLEN: u32 = 4;
            let device = k.topology.dev(to);
            let largest = device.mtu + device.hard_header_len + VLAN_HLEN;
            if !device.up || k.skb(no).len > largest {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.dev_queue_xmit(no)?;
            Ok(0)
        })
    }

    /// `br_handle_vlan()`: nothing to do without VLAN filtering.
    fn br_handle_vlan(&mut self, no: SkbNo) -> Run<()> {
        self.traced("br_handle_vlan", "net/bridge/br_vlan.c", no, |_| {
            Ok(Some(no))
        })?;
        Ok(())
    }

    /// `br_pass_frame_up()`: the frame is for the bridge device.
    fn br_pass_frame_up(&mut self, no: SkbNo, bridge: DevId) -> Run<()> {
        self.traced("br_pass_frame_up", INPUT, no, |k| {
            k.skb_mut(no).dev = Some(bridge);
            k.br_handle_vlan(no)?;
            k.netif_receive_skb(no)
        })?;
        Ok(())
    }

    /// `br_dev_xmit()` (`net/bridge/br_device.c`): the bridge device sends.
    pub(super) fn br_dev_xmit(&mut self, no: SkbNo, bridge: DevId) -> Run<i64> {
        self.traced("br_dev_xmit", "net/bridge/br_device.c", no, |k| {
            let skb = k.skb_mut(no);
            skb.reset_mac_header();
            skb.pull(ethernet::HLEN)?;
            let (dest, _) = k.eth_addresses(no);
            match k.br_fdb_find(bridge, dest) {
                Target::Port(to) if dest[0] & 1 == 0 => k.br_forward(no, to, true)?,
                Target::Up if dest[0] & 1 == 0 => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                }
                _ => k.br_flood(no, bridge, None, false)?,
            }
            Ok(NET_RX_SUCCESS)
        })
    }
}
