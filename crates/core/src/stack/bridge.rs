//! `net/bridge`: a bridge without STP and multicast snooping.

use super::af_packet::vlan_depth;
use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS, RxHandler};
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, vlan};
use crate::scenario::command::Mac;
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{Bridge, DevId};
use crate::skb::{CHECKSUM_PARTIAL, PacketType};
use crate::trace::SkbNo;

const INPUT: &str = "net/bridge/br_input.c";
const FORWARD: &str = "net/bridge/br_forward.c";

/// What `br_fdb_find_rcu()` knows of an address.
enum Target {
    /// It is one of the bridge's own.
    Local,
    /// It is behind a port.
    Port(DevId),
    /// Nothing.
    Unknown,
}

/// What a frame carries with it through the bridge (`struct br_input_skb_cb`).
#[derive(Clone, Copy)]
struct Input {
    bridge: DevId,
    /// The port it came by; `None` when the bridge device sends it.
    from: Option<DevId>,
    /// The VLAN it was let in for; `None` without filtering.
    vid: Option<u16>,
}

impl Kernel {
    /// `br_handle_frame()`: the `rx_handler` of a port.
    pub(super) fn br_handle_frame(&mut self, no: SkbNo, bridge: DevId) -> Run<RxHandler> {
        let mut answer = RxHandler::Consumed;
        self.traced("br_handle_frame", INPUT, no, |k| {
            answer = k.br_frame(no, bridge)?;
            Ok(answer as i64)
        })?;
        Ok(answer)
    }

    fn br_frame(&mut self, no: SkbNo, bridge: DevId) -> Run<RxHandler> {
        let Some(port) = self.skb(no).dev else {
            return not_covered("br_handle_frame of a packet without device");
        };
        let (dest, source) = self.eth_addresses(no);
        // is_valid_ether_addr()
        if source[0] & 1 == 1 || source == [0; 6] {
            self.kfree_skb(no, drop_reason::MAC_INVALID_SOURCE)?;
            return Ok(RxHandler::Consumed);
        }
        // IEEE 802.1D, table 7-10; STP is off, so its frames are forwarded (BR_NO_STP)
        let reserved = dest[..5] == [0x01, 0x80, 0xc2, 0, 0] && dest[5] < 0x10;
        if reserved && dest[5] == 1 {
            self.kfree_skb(no, drop_reason::MAC_IEEE_MAC_CONTROL)?;
            return Ok(RxHandler::Consumed);
        }
        if reserved && dest[5] != 0 {
            // 802.1AB (0e) goes up at once, the others by netfilter
            let state = NfState::bridge(NfHook::LocalIn, Some(port), None);
            if dest[5] != 0x0e && self.nf_hook(no, state)? != NF_ACCEPTED {
                return Ok(RxHandler::Consumed);
            }
            // __br_handle_local_finish()
            if let Some(vid) = self.br_should_learn(no, bridge, port) {
                self.br_fdb_update(bridge, source, vid, port);
            }
            return Ok(RxHandler::Pass);
        }
        // a port of a bridge that is down is disabled (br_stp_disable_bridge())
        if !self.topology.dev(bridge).up {
            self.kfree_skb(no, drop_reason::BRIDGE_INGRESS_STP_STATE)?;
            return Ok(RxHandler::Consumed);
        }
        if dest == self.topology.dev(bridge).mac {
            self.skb_mut(no).pkt_type = PacketType::Host;
        }
        // nf_hook_bridge_pre()
        let state = NfState::bridge(NfHook::PreRouting, Some(port), None);
        if self.nf_hook(no, state)? == NF_ACCEPTED {
            self.br_handle_frame_finish(no, bridge, port)?;
        }
        Ok(RxHandler::Consumed)
    }

    /// `br_handle_frame_finish()`: learns the source, finds the destination.
    fn br_handle_frame_finish(&mut self, no: SkbNo, bridge: DevId, port: DevId) -> Run<()> {
        self.traced("br_handle_frame_finish", INPUT, no, |k| {
            let Some(vid) = k.br_allowed_ingress(no, bridge, port)? else {
                return Ok(0);
            };
            let input = Input {
                bridge,
                from: Some(port),
                vid,
            };
            let (dest, source) = k.eth_addresses(no);
            k.br_fdb_update(bridge, source, vid.unwrap_or(0), port);
            // without an entry for the group, what is for many is flooded and goes up too
            let to_many = dest[0] & 1 == 1;
            let local_rcv = to_many || k.is_promisc(bridge);
            match k.br_fdb_find(bridge, dest, vid.unwrap_or(0)) {
                _ if to_many => k.br_flood(no, input, true)?,
                Target::Local => return k.br_pass_frame_up(no, input),
                Target::Port(to) => k.br_forward(no, Some(to), input, local_rcv)?,
                Target::Unknown => k.br_flood(no, input, local_rcv)?,
            }
            match local_rcv {
                true => k.br_pass_frame_up(no, input),
                false => Ok(0),
            }
        })?;
        Ok(())
    }

    /// Destination and source of the frame, by its MAC header.
    pub(super) fn eth_addresses(&self, no: SkbNo) -> (Mac, Mac) {
        let at = u32::from(self.skb(no).mac_header);
        let mut both = [Mac::default(); 2];
        for (address, at) in both.iter_mut().zip([at, at + 6]) {
            let bytes = self.bytes(no, at, 6);
            address[..bytes.len()].copy_from_slice(bytes);
        }
        (both[0], both[1])
    }

    /// What the bridge knows. Only bridges come here.
    pub(super) fn bridge_of(&self, bridge: DevId) -> &Bridge {
        match self.topology.dev(bridge).bridge.as_deref() {
            Some(bridge) => bridge,
            None => unreachable!("a bridge device is made with its bridge"),
        }
    }

    /// `br_fdb_update()`: the newest place of an address counts; the bridge's own addresses are not learned.
    fn br_fdb_update(&mut self, bridge: DevId, address: Mac, vid: u16, port: DevId) {
        if let Target::Local = self.br_fdb_find(bridge, address, vid) {
            return;
        }
        if let Some(state) = self.topology.dev_mut(bridge).bridge.as_deref_mut() {
            state
                .fdb
                .retain(|(known, of, _)| (*known, *of) != (address, vid));
            state.fdb.push((address, vid, port));
        }
    }

    /// `br_fdb_find_rcu()`: addresses of the bridge and its ports are its own, in VLAN 0 and in their VLANs
    /// (`fdb_add_local()`).
    fn br_fdb_find(&self, bridge: DevId, address: Mac, vid: u16) -> Target {
        let state = self.bridge_of(bridge);
        let own = |dev: &DevId| {
            let dev = self.topology.dev(*dev);
            dev.mac == address && (vid == 0 || dev.vlans.find(vid).is_some())
        };
        if own(&bridge) || state.ports.iter().any(own) {
            return Target::Local;
        }
        let mut learned = state.fdb.iter();
        let learned = learned.find(|(known, of, _)| (*known, *of) == (address, vid));
        learned.map_or(Target::Unknown, |(_, _, port)| Target::Port(*port))
    }

    /// `should_deliver()`: a port that is up, another than the one it came by, and in the frame's VLAN.
    fn should_deliver(&self, to: DevId, input: Input) -> bool {
        input.from != Some(to) && self.is_ready(to) && self.br_allowed_egress(to, input.vid)
    }

    /// `br_flood()`: all ports but the last one get clones; the last one too when the packet is to go up (`keep`,
    /// `local_rcv` in the kernel).
    fn br_flood(&mut self, no: SkbNo, input: Input, keep: bool) -> Run<()> {
        let ports = &self.bridge_of(input.bridge).ports;
        let ports: Vec<_> = ports
            .iter()
            .copied()
            .filter(|to| self.should_deliver(*to, input))
            .collect();
        let Some((last, others)) = ports.split_last() else {
            return match keep {
                true => Ok(()),
                false => self.kfree_skb(no, drop_reason::NO_TX_TARGET),
            };
        };
        for to in others {
            self.deliver_clone(no, *to, input)?;
        }
        match keep {
            true => self.deliver_clone(no, *last, input),
            false => self.__br_forward(no, *last, input),
        }
    }

    /// `deliver_clone()`.
    fn deliver_clone(&mut self, no: SkbNo, to: DevId, input: Input) -> Run<()> {
        let clone = self.skb_clone(no)?;
        self.__br_forward(clone, to, input)
    }

    /// `br_forward()`: a clone, when the frame is to go up too (`keep`, `local_rcv` in the kernel). An address of the bridge's own
    /// has no port.
    fn br_forward(&mut self, no: SkbNo, to: Option<DevId>, input: Input, keep: bool) -> Run<()> {
        match to.filter(|to| self.should_deliver(*to, input)) {
            Some(to) if keep => self.deliver_clone(no, to, input),
            Some(to) => self.__br_forward(no, to, input),
            None if keep => Ok(()),
            None => self.kfree_skb(no, drop_reason::NOT_SPECIFIED),
        }
    }

    /// `__br_forward()`, to the end of `br_forward_finish()`.
    fn __br_forward(&mut self, no: SkbNo, to: DevId, input: Input) -> Run<()> {
        if !self.br_handle_vlan(no, to, input.vid)? {
            return Ok(());
        }
        self.skb_mut(no).dev = Some(to);
        let hook = match input.from {
            Some(_) => NfHook::Forward,
            None => NfHook::LocalOut,
        };
        if input.from.is_some() {
            self.skb_forward_csum(no);
        }
        let state = NfState::bridge(hook, input.from, Some(to));
        if self.nf_hook(no, state)? != NF_ACCEPTED {
            return Ok(());
        }
        self.traced("br_forward_finish", FORWARD, no, |k| {
            (k.skb_mut(no).bpf.tstamp, k.skb_mut(no).bpf.tstamp_type) = (0, 0);
            let state = NfState::bridge(NfHook::PostRouting, None, Some(to));
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.br_dev_queue_push_xmit(no, to)
        })?;
        Ok(())
    }

    /// `br_dev_queue_push_xmit()`: `data` goes back to the MAC header, the frame out.
    fn br_dev_queue_push_xmit(&mut self, no: SkbNo, to: DevId) -> Run<i64> {
        self.traced("br_dev_queue_push_xmit", FORWARD, no, |k| {
            k.skb_mut(no).push(ethernet::HLEN)?;
            if !k.is_skb_forwardable(no, to, true) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let skb = k.skb(no);
            if skb.ip_summed == CHECKSUM_PARTIAL && vlan::is_vlan(skb.protocol) {
                let frame = k.bytes(no, skb.data, skb.headlen());
                match vlan_depth(frame) {
                    Some(depth) => k.skb_mut(no).set_network_header(depth),
                    None => {
                        k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                        return Ok(0);
                    }
                }
            }
            k.dev_queue_xmit(no)?;
            Ok(0)
        })
    }

    /// `br_pass_frame_up()`: the frame is for the bridge device, if that is in its VLAN, or takes all (`IFF_PROMISC`).
    fn br_pass_frame_up(&mut self, no: SkbNo, input: Input) -> Run<i64> {
        self.traced("br_pass_frame_up", INPUT, no, |k| {
            let Input { bridge, vid, from } = input;
            if !k.is_promisc(bridge) && !k.br_allowed_egress(bridge, vid) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(NET_RX_DROP);
            }
            k.skb_mut(no).dev = Some(bridge);
            if !k.br_handle_vlan(no, bridge, vid)? {
                return Ok(NET_RX_DROP);
            }
            let state = NfState::bridge(NfHook::LocalIn, from, None);
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.netif_receive_skb(no)
        })
    }

    /// `br_dev_xmit()` (`net/bridge/br_device.c`): the bridge device sends.
    pub(super) fn br_dev_xmit(&mut self, no: SkbNo, bridge: DevId) -> Run<i64> {
        self.traced("br_dev_xmit", "net/bridge/br_device.c", no, |k| {
            if k.skb(no).len < ethernet::HLEN {
                k.kfree_skb(no, drop_reason::PKT_TOO_SMALL)?;
                return Ok(NET_RX_SUCCESS);
            }
            let skb = k.skb_mut(no);
            skb.reset_mac_header();
            skb.pull(ethernet::HLEN)?;
            let Some(vid) = k.br_allowed_ingress(no, bridge, bridge)? else {
                return Ok(NET_RX_SUCCESS);
            };
            let input = Input {
                bridge,
                from: None,
                vid,
            };
            let (dest, _) = k.eth_addresses(no);
            match k.br_fdb_find(bridge, dest, vid.unwrap_or(0)) {
                Target::Port(to) if dest[0] & 1 == 0 => k.br_forward(no, Some(to), input, false)?,
                Target::Local if dest[0] & 1 == 0 => k.br_forward(no, None, input, false)?,
                _ => k.br_flood(no, input, false)?,
            }
            Ok(NET_RX_SUCCESS)
        })
    }
}
