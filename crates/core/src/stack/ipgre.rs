//! `net/ipv4/ip_gre.c` and `net/ipv4/gre_demux.c`: GRE over IPv4.

use super::ip_tunnel::{ParmsOf, TunnelInfo};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{ethernet, gre, icmp, ipv4};
use crate::scenario::command::TunnelParms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{CHECKSUM_PARTIAL, gso};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/ip_gre.c";
/// `PACKET_RCVD`: the tunnel took the packet.
const PACKET_RCVD: i64 = 0;
/// `PACKET_NEXT`: no tunnel of this kind fits.
const PACKET_NEXT: i64 = 2;

/// The parameters of a `gre` device.
fn gre(kind: &DeviceKind) -> Option<&TunnelParms> {
    match kind {
        DeviceKind::Gre(parms) => Some(parms),
        _ => None,
    }
}

/// The parameters of a `gretap` device.
fn gretap(kind: &DeviceKind) -> Option<&TunnelParms> {
    match kind {
        DeviceKind::Gretap(parms) => Some(parms),
        _ => None,
    }
}

impl Kernel {
    /// `gre_rcv()` (`net/ipv4/gre_demux.c`): takes the GRE header apart.
    pub(super) fn gre_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("gre_rcv", "net/ipv4/gre_demux.c", no, |k| {
            let Some((hdr_len, info)) = k.gre_parse_header(no, 12)? else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            if k.ipgre_rcv(no, hdr_len, info)? == PACKET_NEXT {
                k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            }
            Ok(0)
        })
    }

    /// `gre_parse_header()`: `None` for a header that is refused. Over IPv4 `gre_rcv()` wants 12 bytes (`least`):
    /// what is shorter can't hold an inner packet.
    pub(super) fn gre_parse_header(
        &mut self,
        no: SkbNo,
        least: usize,
    ) -> Run<Option<(u32, TunnelInfo)>> {
        if self.pskb_may_pull(no, gre::BASE_HLEN)? {
            let flags = be16(self.bytes(no, self.skb(no).data, 2), 0);
            self.pskb_may_pull(no, gre::header_len(flags))?;
        }
        let skb = self.skb(no);
        let header = self.packet(no, 0, 16.min(skb.len));
        if header.len() < least || be16(&header, 0) & (gre::VERSION | gre::ROUTING) != 0 {
            return Ok(None);
        }
        let flags = be16(&header, 0);
        if header.len() < gre::header_len(flags) as usize {
            return Ok(None);
        }
        let mut at = gre::BASE_HLEN as usize;
        let mut word = |present: bool| {
            present.then(|| {
                at += 4;
                be32(&header, at - 4)
            })
        };
        let csum = word(flags & gre::CSUM != 0).is_some();
        let info = TunnelInfo {
            proto: be16(&header, 2),
            csum,
            key: word(flags & gre::KEY != 0),
            seq: word(flags & gre::SEQ != 0),
        };
        if csum {
            if !self.skb_checksum_simple_validate(no) {
                return Ok(None);
            }
            self.skb_checksum_try_convert(no, None);
        }
        Ok(Some((gre::header_len(flags), info)))
    }

    /// `ipgre_rcv()`: frames are for gretap devices first, then for GRE devices (in external mode, says the kernel, but
    /// looks for any).
    fn ipgre_rcv(&mut self, no: SkbNo, hdr_len: u32, info: TunnelInfo) -> Run<i64> {
        if info.proto != ethernet::P_TEB {
            return self.ipgre_rcv_by(no, hdr_len, info, gre, false);
        }
        match self.ipgre_rcv_by(no, hdr_len, info, gretap, false)? {
            PACKET_NEXT => self.ipgre_rcv_by(no, hdr_len, info, gre, true),
            taken => Ok(taken),
        }
    }

    /// `__ipgre_rcv()`: pulls the header, moves the MAC header, hands over to the tunnel device.
    /// This is where `mac_header` leaves the metadata behind (patch-series.md, section 0).
    fn ipgre_rcv_by(
        &mut self,
        no: SkbNo,
        hdr_len: u32,
        info: TunnelInfo,
        kind: ParmsOf,
        raw_proto: bool,
    ) -> Run<i64> {
        self.traced("__ipgre_rcv", FILE, no, |k| {
            let Some((tunnel, parms)) = k.ip_tunnel_lookup(no, info.key, kind) else {
                return Ok(PACKET_NEXT);
            };
            k.iptunnel_pull_header_raw(no, hdr_len, info.proto, (false, raw_proto))?;
            let device = k.topology.dev(tunnel);
            let pops = matches!(device.kind, DeviceKind::Gre(_)) && device.has_header_ops();
            let skb = k.skb_mut(no);
            let before = skb.mac_header;
            if pops {
                // ipgre_header_ops: skb_pop_mac_header()
                skb.mac_header = skb.network_header;
            } else {
                skb.reset_mac_header();
            }
            k.metadata_after_decap(no, before);
            k.ip_tunnel_rcv(tunnel, parms, no, info)?;
            Ok(PACKET_RCVD)
        })
    }

    /// `ipgre_xmit()`: the tunnel device sends.
    pub(super) fn ipgre_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms) -> Run<i64> {
        self.traced("ipgre_xmit", FILE, no, |k| {
            if parms.external {
                let proto = k.skb(no).protocol;
                k.gre_fb_xmit(no, dev, proto)?;
                return Ok(0);
            }
            if parms.remote.is_none() {
                return not_covered("ipgre_xmit: a tunnel without remote (ipgre_header)");
            }
            let needed = k.topology.dev(dev).needed_headroom;
            k.skb_cow_head(no, needed)?;
            k.iptunnel_handle_offloads(no, gre_gso_type(&parms))?;
            let proto = k.skb(no).protocol;
            k.gre_xmit(no, dev, parms, proto)?;
            Ok(0)
        })
    }

    /// `gre_tap_xmit()`: the whole frame goes into the tunnel.
    pub(super) fn gre_tap_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms) -> Run<i64> {
        self.traced("gre_tap_xmit", FILE, no, |k| {
            if parms.external {
                k.gre_fb_xmit(no, dev, ethernet::P_TEB)?;
                return Ok(0);
            }
            k.iptunnel_handle_offloads(no, gre_gso_type(&parms))?;
            let needed = k.topology.dev(dev).needed_headroom;
            k.skb_cow_head(no, needed)?;
            k.gre_xmit(no, dev, parms, ethernet::P_TEB)?;
            Ok(0)
        })
    }

    /// `__gre_xmit()`.
    fn gre_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms, proto: u16) -> Run<()> {
        self.gre_build_header(no, dev, parms, proto)?;
        self.ip_tunnel_xmit(no, dev, parms, ipv4::PROTO_GRE)
    }

    /// `gre_build_header()` (`include/net/gre.h`), for GRE over IPv4 and over IPv6.
    pub(super) fn gre_build_header(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: TunnelParms,
        proto: u16,
    ) -> Run<()> {
        let device = self.topology.dev_mut(dev);
        let seq = parms.oseq.then_some(device.o_seqno);
        device.o_seqno = device.o_seqno.wrapping_add(u32::from(parms.oseq));
        let header = gre_header(proto, parms.ocsum, parms.okey, seq);
        let skb = self.skb_mut(no);
        skb.push(header.len() as u32)?;
        skb.inner_protocol = proto;
        skb.reset_transport_header();
        let (data, head, dev) = (skb.data, skb.head, skb.dev);
        let (label, writer, len) = ("GRE header".into(), "gre_build_header", header.len());
        let source = self.source(Layer::Gre, label, writer, dev, len as u32);
        let gso_type = self.buffers.get(head).shinfo.gso_type;
        let later = parms.ocsum && gso_type & (gso::GRE | gso::GRE_CSUM) != 0;
        if later {
            // the checksum is for gre_gso_segment() or the device: what was in its place shows through
            self.buffers.write(head, data, &header[..4], source, 0);
            self.buffers.write(head, data + 8, &header[8..], source, 8);
            return Ok(());
        }
        self.buffers.write(head, data, &header, source, 0);
        if parms.ocsum {
            self.gre_csum(no, data);
        }
        Ok(())
    }
}

impl Kernel {
    /// The checksum of `gre_build_header()`: left to the device, unless it has an inner one to finish already.
    fn gre_csum(&mut self, no: SkbNo, data: u32) {
        if self.skb(no).ip_summed == CHECKSUM_PARTIAL {
            let (head, sum) = (self.skb(no).head, self.lco_csum(no, data));
            let at = data + gre::BASE_HLEN;
            self.buffers.patch(head, at, &(!sum).to_be_bytes());
        } else {
            let skb = self.skb_mut(no);
            skb.ip_summed = CHECKSUM_PARTIAL;
            skb.csum_start = data as u16;
            skb.csum_offset = gre::BASE_HLEN as u16;
        }
    }
}

/// `gre_handle_offloads()`: what GRE adds to `gso_type`.
pub(super) fn gre_gso_type(parms: &TunnelParms) -> u32 {
    match parms.ocsum {
        true => gso::GRE_CSUM,
        false => gso::GRE,
    }
}

/// `gre_calc_hlen()`: length of the header that a device sends.
pub(super) fn gre_hlen(parms: &TunnelParms) -> u32 {
    gre::header_len(
        [
            (parms.ocsum, gre::CSUM),
            (parms.okey.is_some(), gre::KEY),
            (parms.oseq, gre::SEQ),
        ]
        .into_iter()
        .filter(|(on, _)| *on)
        .map(|(_, flag)| flag)
        .sum(),
    )
}

/// The header with its optional words; the checksum is still 0.
fn gre_header(proto: u16, csum: bool, key: Option<u32>, seq: Option<u32>) -> Vec<u8> {
    let words = [
        (gre::CSUM, csum.then_some(0)),
        (gre::KEY, key),
        (gre::SEQ, seq),
    ];
    let present = || {
        words
            .iter()
            .filter_map(|(flag, word)| Some((flag, (*word)?)))
    };
    let flags: u16 = present().map(|(flag, _)| flag).sum();
    let mut header = [flags.to_be_bytes(), proto.to_be_bytes()].concat();
    header.extend(present().flat_map(|(_, word)| word.to_be_bytes()));
    header
}

#[cfg(test)]
mod tests {
    use super::gre_header;

    /// RFC 2784: no flags, version 0, protocol 0x0800: the four bytes of the seed mail.
    #[test]
    fn plain_header_is_the_garbage_of_the_seed_mail() {
        assert_eq!(
            gre_header(0x0800, false, None, None),
            [0x00, 0x00, 0x08, 0x00]
        );
    }

    /// RFC 2890, section 2: checksum, key, sequence number, in that order.
    #[test]
    fn header_with_all_words() {
        let header = gre_header(0x6558, true, Some(5), Some(7));
        assert_eq!(header[..4], [0xb0, 0x00, 0x65, 0x58]);
        assert_eq!(header[4..], [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 7]);
    }

    /// RFC 2890, section 2: K is bit 2 of the first byte, the key follows the base header.
    #[test]
    fn header_with_a_key() {
        assert_eq!(
            gre_header(0x0800, false, Some(5), None),
            [0x20, 0x00, 0x08, 0x00, 0, 0, 0, 5]
        );
    }
}
