//! `net/core/dev.c`, receive, and `net/ethernet/eth.c`.

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{ethernet, mpls, vlan};
use crate::scenario::topology::DevId;
use crate::skb::{NOT_SET, PacketType};
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
            skb.reset_mac_header();
            let data = skb.data;
            let header = k.bytes(no, data, ethernet::HLEN).to_vec();
            k.skb_mut(no).pull(ethernet::HLEN)?;
            k.skb_mut(no).pkt_type = packet_type(&header, &k.topology.dev(dev).mac);
            Ok(i64::from(eth_protocol(&header)))
        })?;
        Ok(protocol as u16)
    }

    /// `netif_receive_skb()`: straight up, without backlog or NAPI.
    pub(super) fn netif_receive_skb(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("netif_receive_skb", FILE, no, |k| {
            k.process_backlog(no)?;
            Ok(NET_RX_SUCCESS)
        })
    }

    /// `process_backlog()`: one packet out of the backlog.
    pub(super) fn process_backlog(&mut self, no: SkbNo) -> Run<()> {
        self.traced("__netif_receive_skb", FILE, no, |k| {
            k.traced("__netif_receive_skb_one_core", FILE, no, |k| {
                let Some(to) = k.netif_receive_skb_core(no)? else {
                    return Ok(NET_RX_DROP);
                };
                match to {
                    Deliver::Ip => k.ip_rcv(no),
                    Deliver::Mpls => k.mpls_forward(no),
                    Deliver::Nobody => Ok(NET_RX_SUCCESS),
                }
            })
        })?;
        Ok(())
    }

    /// `netif_receive_skb_list_internal()` for a list of one, as NAPI hands it up.
    pub(super) fn netif_receive_skb_list(&mut self, no: SkbNo) -> Run<()> {
        match self.netif_receive_skb_core(no)? {
            Some(Deliver::Ip) => self.ip_list_rcv(no),
            Some(Deliver::Mpls) => self.mpls_forward(no).map(drop),
            Some(Deliver::Nobody) | None => Ok(()),
        }
    }

    /// `__netif_receive_skb_core()`: resets the headers, runs generic XDP and TC, finds the protocol.
    /// `None`: the packet did not get through.
    fn netif_receive_skb_core(&mut self, no: SkbNo) -> Run<Option<Deliver>> {
        let mut deliver = None;
        self.traced("__netif_receive_skb_core", FILE, no, |k| {
            let skb = k.skb_mut(no);
            skb.reset_network_header();
            if skb.transport_header == NOT_SET {
                skb.reset_transport_header();
            }
            skb.reset_mac_len();
            deliver = loop {
                match k.receive_round(no)? {
                    Round::Another => {}
                    Round::Gone => return Ok(NET_RX_DROP),
                    Round::Taken => break Some(Deliver::Nobody),
                    Round::Up => match k.protocol_handler(no)? {
                        Some(handler) => break Some(handler),
                        None => {
                            k.kfree_skb(no, drop_reason::UNHANDLED_PROTO)?;
                            return Ok(NET_RX_DROP);
                        }
                    },
                }
            };
            Ok(NET_RX_SUCCESS)
        })?;
        Ok(deliver)
    }

    /// One round of `__netif_receive_skb_core()`: the packet is looked at on one device.
    fn receive_round(&mut self, no: SkbNo) -> Run<Round> {
        if !self.do_xdp_generic(no)? {
            return Ok(Round::Gone);
        }
        if vlan::is_vlan(self.skb(no).protocol) && self.skb_vlan_untag(no)?.is_none() {
            return Ok(Round::Gone);
        }
        if !self.sch_handle_ingress(no)? {
            return Ok(Round::Gone);
        }
        if self.skb(no).vlan_present && self.vlan_do_receive(no)? {
            return Ok(Round::Another);
        }
        let bridge = self
            .skb(no)
            .dev
            .and_then(|dev| self.topology.dev(dev).master);
        if let Some(bridge) = bridge {
            let RxHandler::Consumed = self.br_handle_frame(no, bridge)?;
            return Ok(Round::Taken);
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
                    return Ok(Round::Gone);
                }
                if self.vlan_do_receive(no)? {
                    return Ok(Round::Another);
                }
                continue;
            }
            self.skb_mut(no).clear_vlan_tag();
        }
        Ok(Round::Up)
    }

    /// Which `packet_type` takes the packet, if any.
    fn protocol_handler(&self, no: SkbNo) -> Run<Option<Deliver>> {
        const P_IPV6: u16 = 0x86dd;
        match self.skb(no).protocol {
            ethernet::P_IP => Ok(Some(Deliver::Ip)),
            mpls::P_MPLS_UC => Ok(Some(Deliver::Mpls)),
            other @ (ethernet::P_ARP | P_IPV6 | ethernet::P_802_2) => not_covered(format!(
                "__netif_receive_skb_core: protocol 0x{other:04x} (IPv4 is 0x0800)"
            )),
            _ => Ok(None),
        }
    }
}

/// Who gets a received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deliver {
    /// `ip_rcv()` or `ip_list_rcv()`.
    Ip,
    /// `mpls_forward()`.
    Mpls,
    /// The device's `rx_handler` has it already.
    Nobody,
}

/// How a round of `__netif_receive_skb_core()` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// `goto another_round`: the packet is on another device now.
    Another,
    /// It was dropped, or a program took it.
    Gone,
    /// The device's `rx_handler` took it.
    Taken,
    /// On to the protocols.
    Up,
}

/// What an `rx_handler` answers (`enum rx_handler_result`); a bridge that passes frames of reserved
/// addresses on is not simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RxHandler {
    /// `RX_HANDLER_CONSUMED`.
    Consumed = 0,
}

/// `eth_skb_pkt_type()`: whom a frame is for.
fn packet_type(header: &[u8], mac: &[u8; 6]) -> PacketType {
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
