//! `net/core/dev.c`, receive, and `net/ethernet/eth.c`.

use super::skbuff::drop_reason;
use super::taps::TapId;
use super::tc::Ingress;
use super::vlan::VlanReceived;
use super::{Kernel, Run, Softirq};
use crate::net::dissect::be16;
use crate::net::{ethernet, mpls, vlan};
use crate::scenario::topology::DevId;
use crate::skb::{NOT_SET, PacketType, SkbList};
use crate::trace::SkbNo;

const FILE: &str = "net/core/dev.c";
/// `NET_RX_SUCCESS`.
pub(super) const NET_RX_SUCCESS: i64 = 0;
/// `NET_RX_DROP`.
pub(super) const NET_RX_DROP: i64 = 1;

impl Kernel {
    /// `eth_type_trans()` (`net/ethernet/eth.c`): the MAC header is here, the packet behind it;
    /// says whom the frame is for and which protocol it carries.
    pub(super) fn eth_type_trans(&mut self, no: SkbNo, dev: DevId) -> Run<u16> {
        let protocol = self.traced("eth_type_trans", "net/ethernet/eth.c", no, |k| {
            let skb = k.skb_mut(no);
            skb.dev = Some(dev);
            let (data, before) = (skb.data, skb.mac_header);
            skb.reset_mac_header();
            k.metadata_after_decap(no, before);
            let header = k.bytes(no, data, ethernet::HLEN);
            let pkt_type = packet_type(header, &k.topology.dev(dev).mac);
            let protocol = eth_protocol(header);
            let skb = k.skb_mut(no);
            skb.pull(ethernet::HLEN)?;
            skb.pkt_type = pkt_type;
            // IPX over raw 802.3 has no 802.2 header and begins with ffff
            Ok(i64::from(match protocol {
                ethernet::P_802_2 if *k.packet(no, 0, 2) == [0xff, 0xff] => ethernet::P_802_3,
                protocol => protocol,
            }))
        })?;
        Ok(protocol as u16)
    }

    /// `process_backlog()`: all packets of the backlog, those included that come in the meantime.
    pub(super) fn process_backlog(&mut self) -> Run<()> {
        self.in_backlog = true;
        let mut result = Ok(());
        while let (Ok(()), Some(no)) = (&result, self.backlog.pop_front()) {
            result = self.__netif_receive_skb(no).map(drop);
        }
        self.in_backlog = false;
        result
    }

    /// `netif_receive_skb()`: a packet that somebody hands up outside of NAPI.
    pub(super) fn netif_receive_skb(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("netif_receive_skb", FILE, no, |k| {
            if k.get_rps_cpu(no) {
                k.enqueue_to_backlog(no);
                return Ok(NET_RX_SUCCESS);
            }
            k.__netif_receive_skb(no)
        })
    }

    /// `get_rps_cpu()`: whether a CPU is named for the packet, which is chosen by its hash. How many there are is not simulated: the packet
    /// waits in a backlog, whosever it is.
    pub(super) fn get_rps_cpu(&mut self, no: SkbNo) -> bool {
        let dev = self.skb(no).dev;
        if !dev.is_some_and(|dev| self.topology.dev(dev).rps) {
            return false;
        }
        self.skb_mut(no).reset_network_header();
        self.skb_get_hash(no);
        true
    }

    /// `enqueue_to_backlog()`.
    pub(super) fn enqueue_to_backlog(&mut self, no: SkbNo) {
        self.backlog.push_back(no);
        if self.backlog.len() == 1 && !self.in_backlog {
            self.raise_softirq(Softirq::Backlog);
        }
    }

    /// `__netif_receive_skb()` → `__netif_receive_skb_one_core()`.
    fn __netif_receive_skb(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("__netif_receive_skb", FILE, no, |k| {
            k.traced("__netif_receive_skb_one_core", FILE, no, |k| {
                match k.netif_receive_skb_core(no)? {
                    Received::For(handler, no) => k.give_to(no, handler),
                    Received::Done(ret) => Ok(ret),
                }
            })
        })
    }

    /// `netif_receive_skb_list_internal()` and `__netif_receive_skb_list_core()`: packets in a row for the same
    /// handler, that came by the same device, go there together.
    pub(super) fn netif_receive_skb_list(&mut self, list: &[SkbNo]) -> Run<()> {
        let mut sublist = SkbList::new();
        let mut current = None;
        for &no in list {
            if self.get_rps_cpu(no) {
                self.enqueue_to_backlog(no);
                continue;
            }
            let dev = self.skb(no).dev;
            let Received::For(handler, no) = self.netif_receive_skb_core(no)? else {
                continue;
            };
            if current != Some((handler, dev)) {
                self.deliver_list(current, &sublist)?;
                sublist.clear();
                current = Some((handler, dev));
            }
            sublist.push(no);
        }
        self.deliver_list(current, &sublist)
    }

    /// `__netif_receive_skb_list_ptype()`.
    fn deliver_list(&mut self, to: Option<(Handler, Option<DevId>)>, list: &[SkbNo]) -> Run<()> {
        let Some((handler, _)) = to else {
            return Ok(());
        };
        match handler {
            Handler::Ip => return self.ip_list_rcv(list),
            Handler::Ipv6 => return self.ipv6_list_rcv(list),
            _ => {}
        }
        for &no in list {
            self.give_to(no, handler)?;
        }
        Ok(())
    }

    /// `pt_prev->func()`.
    fn give_to(&mut self, no: SkbNo, handler: Handler) -> Run<i64> {
        match handler {
            Handler::Ip => self.ip_rcv(no),
            Handler::Ipv6 => self.ipv6_rcv(no),
            Handler::Mpls => self.mpls_forward(no),
            Handler::Arp => self.arp_rcv(no),
            Handler::Llc => self.llc_rcv(no),
            Handler::Tap(tap) => self.packet_rcv(no, tap),
        }
    }

    /// `__netif_receive_skb_core()`: resets the headers, runs generic XDP, taps and TC, finds the protocol.
    fn netif_receive_skb_core(&mut self, no: SkbNo) -> Run<Received> {
        let mut received = Received::Done(NET_RX_DROP);
        self.traced_pskb("__netif_receive_skb_core", FILE, no, |k| {
            let mut now = no;
            received = k.receive(&mut now)?;
            let ret = match received {
                Received::For(..) => NET_RX_SUCCESS,
                Received::Done(ret) => ret,
            };
            Ok((ret, now))
        })?;
        Ok(received)
    }

    /// The body of `__netif_receive_skb_core()`. `previous` is the handler that was found last (`pt_prev`): it is
    /// given the packet as soon as the next one is found, so that only the last one need not share it. Generic XDP may put
    /// a copy in the packet's place.
    fn receive(&mut self, pskb: &mut SkbNo) -> Run<Received> {
        let skb = self.skb_mut(*pskb);
        skb.reset_network_header();
        if skb.transport_header == NOT_SET {
            skb.reset_transport_header();
        }
        skb.reset_mac_len();
        let mut previous = None;
        loop {
            match self.receive_round(pskb, &mut previous)? {
                Round::Another => {}
                Round::Done(ret) => return Ok(Received::Done(ret)),
                Round::Up => break,
            }
        }
        let no = *pskb;
        self.find_protocol_handler(no, &mut previous)?;
        match previous {
            Some(handler) => Ok(Received::For(handler, no)),
            None => {
                self.kfree_skb(no, drop_reason::UNHANDLED_PROTO)?;
                Ok(Received::Done(NET_RX_DROP))
            }
        }
    }

    /// One round of `__netif_receive_skb_core()`: the packet is looked at on one device.
    fn receive_round(&mut self, pskb: &mut SkbNo, previous: &mut Option<Handler>) -> Run<Round> {
        if let Some(dev) = self.skb(*pskb).dev {
            self.skb_mut(*pskb).skb_iif = self.topology.dev(dev).ifindex;
        }
        let Some(now) = self.do_xdp_generic(*pskb)? else {
            return Ok(Round::Done(NET_RX_DROP));
        };
        *pskb = now;
        let no = now;
        if vlan::is_vlan(self.skb(no).protocol) && self.skb_vlan_untag(no)?.is_none() {
            return Ok(Round::Done(NET_RX_DROP));
        }
        for tap in self.taps_of(self.skb(no).dev) {
            self.found(no, previous, Handler::Tap(tap))?;
        }
        match self.sch_handle_ingress(no, previous)? {
            Ingress::Continue => {}
            Ingress::Done(ret) => return Ok(Round::Done(ret)),
            Ingress::Another => return Ok(Round::Another),
        }
        self.skb_mut(no).redirected = false;
        if self.skb(no).vlan_present {
            self.deliver_previous(no, previous)?;
            match self.vlan_do_receive(no)? {
                VlanReceived::Another => return Ok(Round::Another),
                VlanReceived::Gone => return Ok(Round::Done(NET_RX_DROP)),
                VlanReceived::Nobody => {}
            }
        }
        let dev = self.skb(no).dev;
        if let Some(bridge) = dev.and_then(|dev| self.topology.dev(dev).master) {
            self.deliver_previous(no, previous)?;
            if self.br_handle_frame(no, bridge)? == RxHandler::Consumed {
                return Ok(Round::Done(NET_RX_SUCCESS));
            }
        }
        if let Some(dev) = dev.filter(|dev| self.topology.dev(*dev).macvlan_port) {
            self.deliver_previous(no, previous)?;
            match self.macvlan_handle_frame(no, dev)? {
                RxHandler::Consumed => return Ok(Round::Done(NET_RX_SUCCESS)),
                RxHandler::Another => return Ok(Round::Another),
                RxHandler::Pass => {}
            }
        }
        self.check_vlan_id(no)
    }

    /// The label of that name in `__netif_receive_skb_core()`: a tag that no device wanted. A packet of
    /// another VLAN is for somebody else; priority tags (id 0) are taken off.
    fn check_vlan_id(&mut self, no: SkbNo) -> Run<Round> {
        while self.skb(no).vlan_present {
            if self.skb(no).vlan_tci & vlan::VID_MASK != 0 {
                self.skb_mut(no).pkt_type = PacketType::OtherHost;
            } else if vlan::is_vlan(self.skb(no).protocol) {
                self.skb_mut(no).clear_vlan_tag();
                if self.skb_vlan_untag(no)?.is_none() {
                    return Ok(Round::Done(NET_RX_DROP));
                }
                match self.vlan_do_receive(no)? {
                    VlanReceived::Another => return Ok(Round::Another),
                    VlanReceived::Gone => return Ok(Round::Done(NET_RX_DROP)),
                    VlanReceived::Nobody => {}
                }
                continue;
            }
            self.skb_mut(no).clear_vlan_tag();
        }
        Ok(Round::Up)
    }

    /// `deliver_ptype_list_skb()`: which `packet_type` takes the packet's protocol.
    fn find_protocol_handler(&mut self, no: SkbNo, previous: &mut Option<Handler>) -> Run<()> {
        match self.skb(no).protocol {
            ethernet::P_IP => self.found(no, previous, Handler::Ip),
            ethernet::P_IPV6 => self.found(no, previous, Handler::Ipv6),
            mpls::P_MPLS_UC => self.found(no, previous, Handler::Mpls),
            ethernet::P_ARP => self.found(no, previous, Handler::Arp),
            ethernet::P_802_2 => self.found(no, previous, Handler::Llc),
            _ => Ok(()),
        }
    }

    /// Another handler: the one before it gets the packet now.
    fn found(&mut self, no: SkbNo, previous: &mut Option<Handler>, handler: Handler) -> Run<()> {
        self.deliver_previous(no, previous)?;
        *previous = Some(handler);
        Ok(())
    }

    /// `deliver_skb()` to the handler found before, if any: it shares the packet.
    pub(super) fn deliver_previous(
        &mut self,
        no: SkbNo,
        previous: &mut Option<Handler>,
    ) -> Run<()> {
        let Some(handler) = previous.take() else {
            return Ok(());
        };
        self.skb_mut(no).users += 1;
        self.give_to(no, handler).map(drop)
    }
}

/// What became of a received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    /// It is to be given to the last handler found.
    For(Handler, SkbNo),
    /// Somebody has taken or dropped it; what the function returns.
    Done(i64),
}

/// Who gets a received packet (`struct packet_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handler {
    /// A packet socket.
    Tap(TapId),
    /// `ip_rcv()` or `ip_list_rcv()`.
    Ip,
    /// `ipv6_rcv()`.
    Ipv6,
    /// `mpls_forward()`.
    Mpls,
    /// `arp_rcv()`.
    Arp,
    /// `llc_rcv()`.
    Llc,
}

/// How a round of `__netif_receive_skb_core()` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// `goto another_round`: the packet is on another device now.
    Another,
    /// Somebody has taken or dropped it; what the function returns.
    Done(i64),
    /// On to the protocols.
    Up,
}

/// What an `rx_handler` answers (`enum rx_handler_result`, `include/linux/netdevice.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RxHandler {
    /// `RX_HANDLER_CONSUMED`.
    Consumed = 0,
    /// `RX_HANDLER_ANOTHER`: on another device now.
    Another = 1,
    /// `RX_HANDLER_PASS`.
    Pass = 3,
}

/// `eth_skb_pkt_type()`: whom a frame is for.
pub(super) fn packet_type(header: &[u8], mac: &[u8; 6]) -> PacketType {
    let Some(dest) = header.get(..6) else {
        return PacketType::Host;
    };
    if dest == mac {
        PacketType::Host
    } else if dest == [0xff; 6] {
        PacketType::Broadcast
    } else if dest[0] & 1 == 1 {
        PacketType::Multicast
    } else {
        PacketType::OtherHost
    }
}

/// The type field, or `ETH_P_802_2` when it is a length.
pub(super) fn eth_protocol(header: &[u8]) -> u16 {
    match be16(header, 12) {
        proto if proto >= ethernet::P_802_3_MIN => proto,
        _ => ethernet::P_802_2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn whom_a_frame_is_for() {
        let to = |dest: [u8; 6]| [&dest[..], &[0; 8]].concat();
        assert_eq!(packet_type(&to(MAC), &MAC), PacketType::Host);
        assert_eq!(packet_type(&to([0xff; 6]), &MAC), PacketType::Broadcast);
        assert_eq!(
            packet_type(&to([1, 0, 0x5e, 0, 0, 1]), &MAC),
            PacketType::Multicast
        );
        assert_eq!(
            packet_type(&to([2, 0, 0, 0, 0, 9]), &MAC),
            PacketType::OtherHost
        );
    }

    #[test]
    fn a_length_field_is_no_protocol() {
        let with = |proto: [u8; 2]| [&[0; 12][..], &proto].concat();
        assert_eq!(eth_protocol(&with([0x08, 0x00])), 0x0800);
        assert_eq!(eth_protocol(&with([0x05, 0xdc])), ethernet::P_802_2);
    }
}
