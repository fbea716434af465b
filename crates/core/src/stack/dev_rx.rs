//! `net/core/dev.c`, receive, and `net/ethernet/eth.c`.

use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::ethernet;
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

    /// `process_backlog()`: one packet out of the backlog.
    pub(super) fn process_backlog(&mut self, no: SkbNo) -> Run<()> {
        self.traced("__netif_receive_skb", FILE, no, |k| {
            k.traced("__netif_receive_skb_one_core", FILE, no, |k| {
                let Some(to) = k.netif_receive_skb_core(no)? else {
                    return Ok(NET_RX_DROP);
                };
                match to {
                    Deliver::Ip => k.ip_rcv(no),
                }
            })
        })?;
        Ok(())
    }

    /// `netif_receive_skb_list_internal()` for a list of one, as NAPI hands it up.
    pub(super) fn netif_receive_skb_list(&mut self, no: SkbNo) -> Run<()> {
        match self.netif_receive_skb_core(no)? {
            Some(Deliver::Ip) => self.ip_list_rcv(no),
            None => Ok(()),
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
            if !k.do_xdp_generic(no)? || !k.sch_handle_ingress(no)? {
                return Ok(NET_RX_DROP);
            }
            deliver = Some(k.protocol_handler(no)?);
            Ok(NET_RX_SUCCESS)
        })?;
        Ok(deliver)
    }

    /// Which `packet_type` takes the packet.
    fn protocol_handler(&self, no: SkbNo) -> Run<Deliver> {
        match self.skb(no).protocol {
            ethernet::P_IP => Ok(Deliver::Ip),
            other => not_covered(format!(
                "__netif_receive_skb_core: protocol 0x{other:04x} (IPv4 is 0x0800)"
            )),
        }
    }
}

/// Who gets a received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deliver {
    /// `ip_rcv()` or `ip_list_rcv()`.
    Ip,
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
fn eth_protocol(header: &[u8]) -> u16 {
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
