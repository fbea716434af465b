//! `drivers/net/tun.c`: a device whose other side is a process. What the process writes is received, what is sent waits
//! for it to be read.

use super::skbuff::drop_reason;
use super::xdp_frame::xdp_convert_buff_to_frame;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{Start, dissect};
use crate::net::ethernet;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{NET_SKB_PAD, PAGE_SIZE, SHARED_INFO_SIZE, data_align};
use crate::trace::SkbNo;
use crate::xdp::{XDP_PACKET_HEADROOM, XdpBuff, action};

impl Kernel {
    /// `tun_get_user()`: the process writes a packet (`IFF_NO_PI`, without `IFF_VNET_HDR`, not blocking). A tap device
    /// builds an skb around a page fragment (`tun_build_skb()`), with XDP in front of that; a tun device, and a frame
    /// that does not fit into a page, gets a buffer from kmalloc (`tun_alloc_skb()`).
    pub(super) fn tun_get_user(&mut self, dev: DevId, packet: &[u8]) -> Run<()> {
        let DeviceKind::Tun { tap } = self.topology.dev(dev).kind else {
            let name = &self.topology.dev(dev).name;
            return not_covered(format!("tun_get_user: {name} is no tun or tap device"));
        };
        let start = match (tap, packet.first().map(|first| first >> 4)) {
            (true, _) if packet.len() >= ethernet::HLEN as usize => Start::Ethernet,
            (false, Some(4)) => Start::Ipv4,
            (false, Some(6)) => Start::Ipv6,
            _ => return not_covered("tun_get_user: no IP version, or no Ethernet header (EINVAL)"),
        };
        let room = if self.native_xdp(dev).is_some() {
            NET_SKB_PAD + XDP_PACKET_HEADROOM
        } else {
            NET_SKB_PAD
        };
        let size = data_align(packet.len() as u32 + room);
        let fits = size + SHARED_INFO_SIZE <= PAGE_SIZE;
        let built = if tap && fits {
            self.tun_build_skb(dev, packet, room)?
        } else {
            Some(self.tun_alloc_skb(dev, packet, start))
        };
        match built {
            Some(no) => self.tun_receive(no, dev, packet, start),
            None => Ok(()),
        }
    }

    /// `tun_build_skb()`: XDP over the fragment; metadata are said while `data` is at the MAC header
    /// (`__tun_build_skb()`), so that `eth_type_trans()` comes after. `None`: the program kept the frame.
    fn tun_build_skb(&mut self, dev: DevId, frame: &[u8], room: u32) -> Run<Option<SkbNo>> {
        let len = frame.len() as u32;
        let size = data_align(len + room);
        let head = self.buffers.alloc(size);
        self.recorder.trace.cost.buffer_allocations += 1;
        self.write_packet(head, room, frame, Start::Ethernet, dev);
        let mut xdp = XdpBuff {
            head,
            data_meta: room,
            data: room,
            data_end: room + len,
            frame_sz: size + SHARED_INFO_SIZE,
            frag_size: 0,
            skb: None,
        };
        if let Some(program) = self.native_xdp(dev) {
            match self.local_bh(|k| k.run_xdp(program, dev, &mut xdp))? {
                action::PASS => {}
                action::TX => {
                    // tun_xdp_tx(): back to the process
                    match xdp_convert_buff_to_frame(&xdp) {
                        Ok(()) => self.tun_xdp_xmit(dev, &xdp)?,
                        Err(error) => self.xdp_return_frame(dev, &xdp, error)?,
                    }
                    return Ok(None);
                }
                action::REDIRECT => {
                    self.local_bh(|k| {
                        k.xdp_leaves(dev, xdp, action::REDIRECT)?;
                        k.xdp_do_flush()
                    })?;
                    return Ok(None);
                }
                _ => return Ok(None),
            }
        }
        let no = self.skb_around(&xdp);
        self.skb_mut(no).head_frag = true;
        self.hand_over_metadata(no, &xdp)?;
        Ok(Some(no))
    }

    /// `tun_alloc_skb()`: `NET_SKB_PAD` bytes in front.
    fn tun_alloc_skb(&mut self, dev: DevId, packet: &[u8], start: Start) -> SkbNo {
        let len = packet.len() as u32;
        let no = self.alloc_skb(NET_SKB_PAD + len);
        let skb = self.skb_mut(no);
        skb.reserve(NET_SKB_PAD);
        skb.put(len);
        let (head, at) = (skb.head, skb.data);
        self.write_packet(head, at, packet, start, dev);
        no
    }

    fn write_packet(
        &mut self,
        head: crate::trace::BufferNo,
        at: u32,
        packet: &[u8],
        start: Start,
        dev: DevId,
    ) {
        for part in dissect(packet, start).parts {
            let bytes = &packet[part.start..part.start + part.len];
            let len = part.len as u32;
            let source = self.source(part.layer, part.label, "tun_get_user", Some(dev), len);
            let place = at + part.start as u32;
            self.buffers.write(head, place, bytes, source, 0);
        }
    }

    /// The rest of `tun_get_user()`, and `tun_rx_batched()` without a batch.
    fn tun_receive(&mut self, no: SkbNo, dev: DevId, packet: &[u8], start: Start) -> Run<()> {
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        // __virtio_net_hdr_to_skb(), which is asked without such a header too
        skb.reset_mac_header();
        let protocol = match start {
            Start::Ethernet => {
                self.skb_mut(no).set_network_header(ethernet::HLEN);
                self.eth_type_trans(no, dev)?
            }
            Start::Ipv4 => ethernet::P_IP,
            Start::Ipv6 => ethernet::P_IPV6,
        };
        // skb_probe_transport_header()
        let transport = dissect(packet, start).transport;
        let skb = self.skb_mut(no);
        skb.protocol = protocol;
        skb.reset_network_header();
        if let Some(transport) = transport {
            let begin = match start {
                Start::Ethernet => skb.data - ethernet::HLEN,
                _ => skb.data,
            };
            skb.transport_header = (begin + transport as u32) as u16;
        }
        if !self.topology.dev(dev).up {
            return self.kfree_skb(no, drop_reason::DEV_READY);
        }
        self.local_bh(|k| k.netif_receive_skb(no)).map(drop)
    }

    /// `tun_xdp_xmit()`: a frame into the ring; the process reads it, and one was sent.
    pub(super) fn tun_xdp_xmit(&mut self, dev: DevId, xdp: &XdpBuff) -> Run<()> {
        self.xdp_function("tun_xdp_xmit", "drivers/net/tun.c", dev, xdp, 1)
    }

    /// `tun_net_xmit()`: into the ring; the process reads it at once (`tun_do_read()`), and it is used up.
    pub(super) fn tun_net_xmit(&mut self, no: SkbNo) -> Run<i64> {
        let sent = self.traced("tun_net_xmit", "drivers/net/tun.c", no, |k| {
            (k.skb_mut(no).bpf.tstamp, k.skb_mut(no).bpf.tstamp_type) = (0, 0);
            Ok(0i64)
        })?;
        self.consume_skb(no)?;
        Ok(sent)
    }
}
