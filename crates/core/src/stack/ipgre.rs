//! `net/ipv4/ip_gre.c` and `net/ipv4/gre_demux.c`: GRE over IPv4.

use super::ip_tunnel::TunnelInfo;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{gre, icmp, ipv4};
use crate::scenario::command::TunnelParms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/ip_gre.c";
/// `ETH_P_TEB`: an Ethernet frame inside GRE (gretap).
const P_TEB: u16 = 0x6558;
/// `PACKET_RCVD`: the tunnel took the packet.
const PACKET_RCVD: i64 = 0;
/// `PACKET_NEXT`: no tunnel of this kind fits.
const PACKET_NEXT: i64 = 2;

impl Kernel {
    /// `gre_rcv()` (`net/ipv4/gre_demux.c`): takes the GRE header apart.
    pub(super) fn gre_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("gre_rcv", "net/ipv4/gre_demux.c", no, |k| {
            let Some((hdr_len, info)) = k.gre_parse_header(no)? else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            if info.proto == P_TEB {
                return not_covered("gre_rcv: an Ethernet frame inside GRE (gretap)");
            }
            if k.ipgre_rcv(no, hdr_len, info)? == PACKET_NEXT {
                k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            }
            Ok(0)
        })
    }

    /// `gre_parse_header()`: `None` for a header that is refused.
    fn gre_parse_header(&mut self, no: SkbNo) -> Run<Option<(u32, TunnelInfo)>> {
        let skb = self.skb(no);
        let header = self.bytes(no, skb.data, skb.headlen().min(16)).to_vec();
        // gre_demux wants 12 bytes: what is shorter can't hold an inner packet
        if header.len() < 12 || be16(&header, 0) & (gre::VERSION | gre::ROUTING) != 0 {
            return Ok(None);
        }
        let flags = be16(&header, 0);
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
        if csum && !self.skb_checksum_simple_validate(no) {
            return Ok(None);
        }
        Ok(Some((gre::header_len(flags), info)))
    }

    /// `__ipgre_rcv()`: pulls the header, moves the MAC header, hands over to the tunnel device.
    /// This is where `mac_header` leaves the metadata behind (patch-series.md, section 0).
    fn ipgre_rcv(&mut self, no: SkbNo, hdr_len: u32, info: TunnelInfo) -> Run<i64> {
        self.traced("__ipgre_rcv", FILE, no, |k| {
            let Some((tunnel, parms)) = k.tunnel_of(no, info.key) else {
                return Ok(PACKET_NEXT);
            };
            k.iptunnel_pull_header(no, hdr_len, info.proto, false)?;
            let skb = k.skb_mut(no);
            if parms.remote.is_none() {
                // ipgre_header_ops: skb_pop_mac_header()
                skb.mac_header = skb.network_header;
            } else {
                skb.reset_mac_header();
            }
            k.ip_tunnel_rcv(tunnel, parms, no, info)?;
            Ok(PACKET_RCVD)
        })
    }

    /// The tunnel whose addresses and key fit the packet.
    fn tunnel_of(&self, no: SkbNo, key: Option<u32>) -> Option<(DevId, TunnelParms)> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let tunnel = self.ip_tunnel_lookup(
            netns,
            self.ip_hdr_addr(no, 12),
            self.ip_hdr_addr(no, 16),
            key,
        )?;
        match self.topology.dev(tunnel).kind {
            DeviceKind::Gre(parms) => Some((tunnel, parms)),
            DeviceKind::Veth { .. } => None,
        }
    }

    /// `ipgre_xmit()`: the tunnel device sends.
    pub(super) fn ipgre_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms) -> Run<i64> {
        self.traced("ipgre_xmit", FILE, no, |k| {
            if parms.remote.is_none() {
                return not_covered("ipgre_xmit: a tunnel without remote (ipgre_header)");
            }
            let needed = k.topology.dev(dev).needed_headroom;
            k.skb_cow_head(no, needed)?;
            k.iptunnel_handle_offloads(no)?;
            k.gre_xmit(no, dev, parms)?;
            Ok(0)
        })
    }

    /// `__gre_xmit()` and `gre_build_header()`.
    fn gre_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms) -> Run<()> {
        if parms.ocsum || parms.oseq {
            return not_covered("gre_build_header: checksum and sequence number");
        }
        let header = gre_header(parms.okey, self.skb(no).protocol);
        let skb = self.skb_mut(no);
        skb.push(header.len() as u32)?;
        skb.reset_transport_header();
        let data = skb.data;
        self.write_header(
            no,
            data,
            &header,
            Layer::Gre,
            "GRE header".into(),
            "gre_build_header",
        );
        self.ip_tunnel_xmit(no, dev, parms, ipv4::PROTO_GRE)
    }
}

/// The header with a key, if there is one.
fn gre_header(key: Option<u32>, proto: u16) -> Vec<u8> {
    let flags = if key.is_some() { gre::KEY } else { 0 };
    let mut header = [flags.to_be_bytes(), proto.to_be_bytes()].concat();
    header.extend(key.iter().flat_map(|key| key.to_be_bytes()));
    header
}

#[cfg(test)]
mod tests {
    use super::gre_header;

    /// RFC 2784: no flags, version 0, protocol 0x0800: the four bytes of the seed mail.
    #[test]
    fn plain_header_is_the_garbage_of_the_seed_mail() {
        assert_eq!(gre_header(None, 0x0800), [0x00, 0x00, 0x08, 0x00]);
    }

    /// RFC 2890, section 2: K is bit 2 of the first byte, the key follows the base header.
    #[test]
    fn header_with_a_key() {
        assert_eq!(
            gre_header(Some(5), 0x0800),
            [0x20, 0x00, 0x08, 0x00, 0, 0, 0, 5]
        );
    }
}
