//! `llc_rcv()` (`net/llc/llc_input.c`): frames with a length instead of a type. Only bridges' spanning tree has a
//! service access point open (`stp_proto_register()`, `net/802/stp.c`).

use super::dev_rx::NET_RX_SUCCESS;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::ethernet;
use crate::skb::PacketType;
use crate::trace::SkbNo;

/// `LLC_SAP_BSPAN`.
const SAP_BSPAN: u8 = 0x42;
/// `struct llc_pdu_un`, bytes.
const PDU_UN: u32 = 3;
/// `LLC_PDU_TYPE_MASK` and `LLC_PDU_TYPE_U`.
const TYPE_MASK: u8 = 0x03;
const TYPE_U: u8 = 0x03;

impl Kernel {
    /// `llc_rcv()`: answers 0 whatever becomes of the frame.
    pub(super) fn llc_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("llc_rcv", "net/llc/llc_input.c", no, |k| {
            let other = k.skb(no).pkt_type == PacketType::OtherHost;
            let dsap = match other {
                true => None,
                false => k.llc_fixup_skb(no)?,
            };
            if dsap == Some(SAP_BSPAN) {
                return not_covered("llc_rcv: spanning tree (stp_pdu_rcv)");
            }
            k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            Ok(NET_RX_SUCCESS)
        })
    }

    /// `llc_fixup_skb()`: past the LLC header, padding cut off. Gives the destination's service access point, or
    /// `None` for a frame that is too short.
    fn llc_fixup_skb(&mut self, no: SkbNo) -> Run<Option<u8>> {
        if !self.pskb_may_pull(no, PDU_UN)? {
            return Ok(None);
        }
        let skb = self.skb(no);
        let (dsap, control) = match self.bytes(no, skb.data, PDU_UN) {
            [dsap, _, control] => (*dsap, *control),
            _ => return Ok(None),
        };
        let llc_len = if control & TYPE_MASK == TYPE_U { 3 } else { 4 };
        if !self.pskb_may_pull(no, llc_len)? {
            return Ok(None);
        }
        let skb = self.skb_mut(no);
        skb.pull(llc_len)?;
        skb.reset_transport_header();
        if skb.protocol != ethernet::P_802_2 {
            return Ok(Some(dsap));
        }
        let (mac_len, mac) = (u32::from(skb.mac_len), u32::from(skb.mac_header));
        let length = u32::from(be16(self.bytes(no, mac + 12, 2), 0));
        let size = length.checked_sub(llc_len);
        let Some(size) = size.filter(|size| mac_len >= ethernet::HLEN && *size <= self.skb(no).len)
        else {
            return Ok(None);
        };
        // pskb_trim_rcsum()
        self.pskb_trim_rcsum(no, size)?;
        Ok(Some(dsap))
    }
}
