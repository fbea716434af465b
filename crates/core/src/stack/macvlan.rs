//! `drivers/net/macvlan.c`: several MAC addresses on one device.

use super::dev_rx::{NET_RX_SUCCESS, RxHandler};
use super::execute::Cause;
use super::links::ethernet_device;
use super::skbuff::drop_reason;
use super::{Kernel, Run, Softirq, not_covered};
use crate::scenario::command::{Mac, MacvlanMode};
use crate::scenario::topology::{DevId, Device, DeviceKind, NetnsId, TopologyError};
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "drivers/net/macvlan.c";
const BROADCAST: Mac = [0xff; 6];
const GROUPS: &str = "macvlan: a frame to a group (mc_filter: which devices have joined it)";

impl Kernel {
    /// `macvlan_common_newlink()` and `macvlan_init()`: much is that of the device below; in mode passthru its MAC address
    /// too. A bridge port can't be below (`netdev_rx_handler_register()`, `EBUSY`), nor can a second device be beside one
    /// in mode passthru (`EINVAL`); a MACVLAN on a MACVLAN is one on what is below.
    pub(super) fn macvlan_device(
        &mut self,
        name: &str,
        netns: NetnsId,
        lower: DevId,
        mode: MacvlanMode,
    ) -> Result<Device, Cause> {
        let lower = match self.topology.dev(lower).kind {
            DeviceKind::Macvlan { lower, .. } => lower,
            _ => lower,
        };
        let below = self.topology.dev(lower);
        let others = self.macvlans(lower);
        let alone = |mode: &MacvlanMode| *mode == MacvlanMode::Passthru;
        let busy = below.master.is_some()
            || below.kind == DeviceKind::Loopback
            || !below.has_ethernet()
            || (!others.is_empty() && alone(&mode))
            || others.iter().any(|(_, mode)| alone(mode));
        if busy {
            return Err(TopologyError::NoMacvlan(below.name.clone()).into());
        }
        let mut device = ethernet_device(name, netns, DeviceKind::Macvlan { lower, mode });
        device.hard_header_len = below.hard_header_len;
        device.needed_headroom = below.needed_headroom;
        device.mtu = below.mtu;
        if alone(&mode) {
            device.mac = below.mac;
        }
        self.topology.dev_mut(lower).macvlan_port = true;
        Ok(device)
    }

    /// The MACVLAN devices on a device, in the order of `port->vlan_hash`: by the hash of their address, the latest
    /// first. A device that is down is not in it (`macvlan_open()` puts it in).
    fn macvlans(&self, below: DevId) -> Vec<(DevId, MacvlanMode)> {
        let devices = self.topology.devices.iter().enumerate().rev();
        let mut found: Vec<_> = devices
            .filter_map(|(id, dev)| match dev.kind {
                DeviceKind::Macvlan { lower, mode } if lower == below => {
                    Some((eth_hash(dev.mac), DevId(id), mode))
                }
                _ => None,
            })
            .collect();
        found.sort_by_key(|(hash, _, _)| *hash);
        found.into_iter().map(|(_, id, mode)| (id, mode)).collect()
    }

    /// `macvlan_hash_lookup()`.
    fn macvlan_hash_lookup(&self, below: DevId, address: Mac) -> Option<(DevId, MacvlanMode)> {
        self.macvlans(below)
            .into_iter()
            .find(|(id, _)| self.topology.dev(*id).up && self.topology.dev(*id).mac == address)
    }

    /// `macvlan_handle_frame()`: the `rx_handler` of the device below.
    pub(super) fn macvlan_handle_frame(&mut self, no: SkbNo, below: DevId) -> Run<RxHandler> {
        let mut answer = RxHandler::Pass;
        self.traced("macvlan_handle_frame", FILE, no, |k| {
            answer = k.macvlan_frame(no, below)?;
            Ok(answer as i64)
        })?;
        Ok(answer)
    }

    fn macvlan_frame(&mut self, no: SkbNo, below: DevId) -> Run<RxHandler> {
        let (dest, source) = self.eth_addresses(no);
        if dest[0] & 1 == 1 {
            return self.macvlan_multicast(no, below, dest, source);
        }
        let passthru = |found: &Vec<(DevId, MacvlanMode)>| {
            let first = found.first().copied();
            first.filter(|(_, mode)| *mode == MacvlanMode::Passthru)
        };
        let vlan =
            passthru(&self.macvlans(below)).or_else(|| self.macvlan_hash_lookup(below, dest));
        let Some((dev, _)) = vlan else {
            return Ok(RxHandler::Pass);
        };
        if !self.topology.dev(dev).up {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(RxHandler::Consumed);
        }
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        skb.pkt_type = PacketType::Host;
        Ok(RxHandler::Another)
    }

    /// Frames to a group: a broadcast waits as a clone for a worker (`macvlan_broadcast_enqueue()`), which gives it to all
    /// devices; a device of mode private or passthru that hears its own frame again gets that.
    fn macvlan_multicast(
        &mut self,
        no: SkbNo,
        below: DevId,
        dest: Mac,
        source: Mac,
    ) -> Run<RxHandler> {
        if dest != BROADCAST {
            return not_covered(
                "macvlan_handle_frame: a frame to a group (which devices joined it)",
            );
        }
        let src = self.macvlan_hash_lookup(below, source);
        match src {
            Some((dev, MacvlanMode::Private | MacvlanMode::Passthru)) => {
                self.macvlan_broadcast_one(no, dev, false)?;
                self.__netif_rx(no)?;
                Ok(RxHandler::Consumed)
            }
            _ => {
                let clone = self.skb_clone(no)?;
                self.raise_softirq(Softirq::MacvlanBroadcast(below, clone));
                Ok(RxHandler::Pass)
            }
        }
    }

    /// `macvlan_process_broadcast()`: the worker, after the packets that are on their way.
    pub(super) fn macvlan_process_broadcast(&mut self, below: DevId, no: SkbNo) -> Run<()> {
        let (_, source) = self.eth_addresses(no);
        // macvlan_multicast_rx()
        match self.macvlan_hash_lookup(below, source) {
            None => self.macvlan_broadcast(no, below, None, |_| true)?,
            Some((dev, MacvlanMode::Vepa)) => {
                self.macvlan_broadcast(no, below, Some(dev), vepa_or_bridge)?;
            }
            Some(_) => self.macvlan_broadcast(no, below, None, vepa_or_bridge)?,
        }
        self.consume_skb(no)
    }

    /// `macvlan_broadcast()`: a clone for each device of these modes. Only frames of a device in mode bridge come here
    /// with a sender; then they are scrubbed as between the ends of a pair.
    fn macvlan_broadcast(
        &mut self,
        no: SkbNo,
        below: DevId,
        src: Option<DevId>,
        modes: impl Fn(MacvlanMode) -> bool,
    ) -> Run<()> {
        self.macvlan_broadcast_as(no, below, src, modes, false)
    }

    fn macvlan_broadcast_as(
        &mut self,
        no: SkbNo,
        below: DevId,
        src: Option<DevId>,
        modes: impl Fn(MacvlanMode) -> bool,
        local: bool,
    ) -> Run<()> {
        for (dev, mode) in self.macvlans(below) {
            if Some(dev) == src || !modes(mode) || !self.topology.dev(dev).up {
                continue;
            }
            let clone = self.skb_clone(no)?;
            if self.macvlan_broadcast_one(clone, dev, local)? == NET_RX_SUCCESS {
                self.netif_rx(clone)?;
            }
        }
        Ok(())
    }

    /// `macvlan_broadcast_one()`.
    fn macvlan_broadcast_one(&mut self, no: SkbNo, dev: DevId, local: bool) -> Run<i64> {
        if local {
            return self.dev_forward_skb(no, dev);
        }
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        skb.pkt_type = PacketType::Broadcast;
        Ok(NET_RX_SUCCESS)
    }

    /// `macvlan_start_xmit()` and `macvlan_queue_xmit()`: out by the device below; in mode bridge straight to another
    /// device of that mode, which receives it through the device below.
    pub(super) fn macvlan_start_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        lower: DevId,
        mode: MacvlanMode,
    ) -> Run<i64> {
        self.traced("macvlan_start_xmit", FILE, no, |k| {
            if mode == MacvlanMode::Bridge {
                k.skb_mut(no).reset_mac_header();
                let (dest, _) = k.eth_addresses(no);
                if dest[0] & 1 == 1 {
                    if dest != BROADCAST {
                        return not_covered(GROUPS);
                    }
                    let bridge = |mode| mode == MacvlanMode::Bridge;
                    k.macvlan_broadcast_as(no, lower, Some(dev), bridge, true)?;
                } else if let Some((_, MacvlanMode::Bridge)) = k.macvlan_hash_lookup(lower, dest) {
                    k.dev_forward_skb_rx(no, lower)?;
                    return Ok(0);
                }
            }
            k.skb_mut(no).dev = Some(lower);
            k.dev_queue_xmit(no)
        })
    }
}

fn vepa_or_bridge(mode: MacvlanMode) -> bool {
    matches!(mode, MacvlanMode::Vepa | MacvlanMode::Bridge)
}

/// `macvlan_eth_hash()`: `hash_64()` (`include/linux/hash.h`) of the address, 8 bits, on a little-endian machine.
fn eth_hash(address: Mac) -> u8 {
    const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;
    let mut value = [0; 8];
    value[2..].copy_from_slice(&address);
    (u64::from_le_bytes(value).wrapping_mul(GOLDEN_RATIO_64) >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::eth_hash;

    /// By hand: 02:00:00:00:00:01 is 0x0100_0000_0002_0000 after the shift by 16; times the golden ratio the upper byte is
    /// that of 0xeb00_0000_0000_0000 + 0x86_4680_b583_eb << 17, modulo 2^64.
    #[test]
    fn order_of_addresses() {
        let low = (0x61c8_8646_80b5_83eb_u128 << 17) + (0xeb_u128 << 56);
        assert_eq!(eth_hash([2, 0, 0, 0, 0, 1]), (low >> 56) as u8);
        assert_eq!(eth_hash([0; 6]), 0);
    }
}
