//! `net/packet/af_packet.c`: a raw packet socket sends a frame (`orc send`, `send`).

use super::{Kernel, Run};
use crate::net::dissect::{Dissection, Start, be16, dissect, dissect_transport};
use crate::net::{ethernet, vlan};
use crate::scenario::topology::DevId;
use crate::trace::SkbNo;

impl Kernel {
    /// `packet_snd()`: a `SOCK_RAW` socket; a frame whose first byte is 0x45 goes to a device
    /// without Ethernet header as IPv4 (golden/README.md, `orc send`).
    pub(super) fn packet_snd(&mut self, dev: DevId, frame: &[u8]) -> Run<()> {
        let device = self.topology.dev(dev);
        let (reserved, hard_header_len, mtu) = (
            device.ll_reserved_space(),
            device.hard_header_len,
            device.mtu,
        );
        let len = frame.len() as u32;
        // packet_extra_vlan_len_allowed()
        let tagged = device.has_ethernet() && be16(frame, 12) == vlan::P_8021Q;
        let extra = if tagged { vlan::HLEN } else { 0 };
        if len > mtu + hard_header_len + extra {
            return super::not_covered(format!(
                "packet_snd: {len} bytes are more than {} takes (EMSGSIZE)",
                device.name
            ));
        }
        let no = self.packet_alloc_skb(reserved, len);
        let skb = self.skb_mut(no);
        skb.reset_network_header();
        // SOCK_RAW: the link header is part of the frame, so `data` goes back by its length
        skb.data -= hard_header_len;
        skb.tail -= hard_header_len;
        skb.dev = Some(dev);
        let start = if hard_header_len == 0 {
            Start::of_packet(frame)
        } else {
            Start::Ethernet
        };
        let transport = if self.recorder.quiet {
            let (head, data) = (self.skb(no).head, self.skb(no).data);
            self.buffers.write(head, data, frame, 0, 0);
            dissect_transport(frame, start).transport
        } else {
            let parts = dissect(frame, start);
            self.label_frame(no, frame, &parts);
            parts.transport
        };
        self.packet_parse_headers(no, frame, start, transport);
        self.dev_queue_xmit(no)?;
        Ok(())
    }

    /// `packet_alloc_skb()`: `prepad` bytes in front, `len` bytes of packet.
    fn packet_alloc_skb(&mut self, prepad: u32, len: u32) -> SkbNo {
        let no = self.alloc_skb(prepad + len);
        let skb = self.skb_mut(no);
        skb.reserve(prepad);
        skb.put(len);
        no
    }

    /// Copies the frame in, each header under its own name.
    fn label_frame(&mut self, no: SkbNo, frame: &[u8], parts: &Dissection) {
        let data = self.skb(no).data;
        for part in &parts.parts {
            let bytes = &frame[part.start..part.start + part.len];
            self.write_header(
                no,
                data + part.start as u32,
                bytes,
                part.layer,
                part.label.clone(),
                "packet_snd",
            );
        }
    }

    /// `packet_parse_headers()`: MAC header, protocol, and a transport header from the flow dissector
    /// (`skb_probe_transport_header()`), which looks through tunnels.
    fn packet_parse_headers(
        &mut self,
        no: SkbNo,
        frame: &[u8],
        start: Start,
        transport: Option<usize>,
    ) {
        let skb = self.skb_mut(no);
        skb.protocol = match start {
            Start::Ipv4 => ethernet::P_IP,
            Start::Ipv6 => ethernet::P_IPV6,
            Start::Ethernet => crate::net::dissect::be16(frame, 12),
        };
        skb.reset_mac_header();
        if let Some(depth) = vlan_depth(frame).filter(|_| start == Start::Ethernet) {
            skb.set_network_header(depth);
        }
        if let Some(transport) = transport {
            skb.transport_header = (skb.data + transport as u32) as u16;
        }
    }
}

/// `vlan_get_protocol_and_depth()` (`include/linux/if_vlan.h`): length of the link header of a frame with
/// VLAN tags.
pub(super) fn vlan_depth(frame: &[u8]) -> Option<u32> {
    /// `VLAN_MAX_DEPTH`.
    const MAX_DEPTH: u32 = 8;
    if !vlan::is_vlan(be16(frame, 12)) {
        return None;
    }
    (1..MAX_DEPTH)
        .map(|tags| ethernet::HLEN + tags * vlan::HLEN)
        .take_while(|depth| frame.len() >= *depth as usize)
        .find(|depth| !vlan::is_vlan(be16(frame, *depth as usize - 2)))
}

#[cfg(test)]
mod tests {
    use super::vlan_depth;

    /// golden E3-vlan-4b-native and E3-qinq-native, seq 1: the network header is 18 and 22 behind the frame's
    /// beginning.
    #[test]
    fn tags_belong_to_the_link_header() {
        let frame = |types: &[u8]| [&[0; 12][..], types, &[0; 20]].concat();
        assert_eq!(vlan_depth(&frame(&[0x08, 0])), None);
        assert_eq!(vlan_depth(&frame(&[0x81, 0, 0, 7, 0x08, 0])), Some(18));
        let qinq = [0x88, 0xa8, 0, 8, 0x81, 0, 0, 7, 0x08, 0];
        assert_eq!(vlan_depth(&frame(&qinq)), Some(22));
        assert_eq!(vlan_depth(&frame(&qinq)[..16]), None);
    }
}
