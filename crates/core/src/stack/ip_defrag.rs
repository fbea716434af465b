//! Reassembly of IPv4: `net/ipv4/ip_fragment.c`.

use super::inet_fragment::{Key, Place, Queue, ecn_of};
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::ipv4;
use crate::scenario::topology::DevId;
use crate::skb::{CHECKSUM_NONE, CHECKSUM_UNNECESSARY};
use crate::trace::SkbNo;

/// `IP_MF`.
const MF: u16 = 0x2000;
/// `IP_OFFSET`: in units of eight bytes.
const OFFSET: u16 = 0x1fff;
/// Longest IPv4 packet.
const LARGEST: u32 = 65_535;

impl Kernel {
    /// `ip_defrag()`: whether `no` is the whole packet now. If not, it waits or is gone.
    pub(super) fn ip_defrag(&mut self, no: SkbNo) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("ip_defrag of a packet without device");
        };
        let at = u32::from(self.skb(no).network_header);
        let header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let (id, protocol) = (be16(&header, 4), header.get(9).copied().unwrap_or(0));
        let netns = self.topology.dev(dev).netns;
        let (saddr, daddr) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
        let key = Key::V4(netns, saddr, daddr, id, protocol);
        let place = self.frag_place(no, &header);
        match self.inet_frag_queue(no, key, &place)? {
            Some(queue) => {
                self.ip_frag_reasm(no, dev, queue)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The first half of `ip_frag_queue()`: the fragment's place.
    fn frag_place(&mut self, no: SkbNo, header: &[u8]) -> Place {
        let word = be16(header, 6);
        let ihl = u32::from(header.first().copied().unwrap_or(0x45) & 0x0f) * 4;
        let offset = u32::from(word & OFFSET) * 8;
        let skb = self.skb_mut(no);
        let mut end = offset + skb.len.saturating_sub(ihl);
        let more = word & MF != 0;
        if more && end & 7 != 0 {
            end &= !7;
            if skb.ip_summed != CHECKSUM_UNNECESSARY {
                skb.ip_summed = CHECKSUM_NONE;
            }
        }
        let tos = header.get(1).copied().unwrap_or(0);
        let (df, ecn) = (word & ipv4::DF != 0, 1 << (tos & 3));
        Place {
            offset,
            end,
            more,
            ihl,
            df,
            ecn,
        }
    }

    /// `ip_frag_reasm()`: the packet that came last becomes the whole, with the header of the first.
    fn ip_frag_reasm(&mut self, no: SkbNo, dev: DevId, queue: Queue) -> Run<()> {
        let mut parts: Vec<SkbNo> = queue.parts.iter().map(|part| part.2).collect();
        self.inet_frag_reasm_prepare(no, &mut parts)?;
        self.inet_frag_reasm_finish(no, &parts)?;
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        let (head, at) = (skb.head, u32::from(skb.network_header));
        let ihl = u32::from(self.bytes(no, at, 1).first().copied().unwrap_or(0x45) & 0x0f) * 4;
        let len = ihl + queue.len;
        if len > LARGEST {
            return not_covered("ip_frag_reasm: a packet of more than 65535 bytes");
        }
        let tos = self.bytes(no, at + 1, 1).first().copied().unwrap_or(0);
        let tos = tos | ecn_of(queue.ecn).unwrap_or(0);
        // a packet whose largest fragment must not be fragmented must not be either
        let df = queue.max_df_size == queue.max_size;
        let frag_off = if df { ipv4::DF } else { 0 };
        self.buffers.patch(head, at + 1, &[tos]);
        self.buffers
            .patch(head, at + 2, &(len as u16).to_be_bytes());
        self.buffers.patch(head, at + 6, &frag_off.to_be_bytes());
        self.ip_fix_check(no, at);
        Ok(())
    }
}
