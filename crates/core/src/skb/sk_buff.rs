//! `struct sk_buff`: the offsets, and the moves of `data` and `tail`.

use thiserror::Error;

use super::bpf_fields::BpfFields;
use crate::scenario::topology::{DevId, Route, Route6};
use crate::trace::{BufferNo, SkbNo};

/// A header offset that is not set (`(typeof(skb->mac_header))~0U`).
pub const NOT_SET: u16 = 0xffff;
/// `CHECKSUM_NONE`.
pub const CHECKSUM_NONE: u8 = 0;
/// `CHECKSUM_UNNECESSARY`.
pub const CHECKSUM_UNNECESSARY: u8 = 1;
/// `CHECKSUM_COMPLETE`: summed by software, as `icmp_rcv()` leaves it.
pub const CHECKSUM_COMPLETE: u8 = 2;
/// `CHECKSUM_PARTIAL`: the device is to finish the checksum.
pub const CHECKSUM_PARTIAL: u8 = 3;

/// `skb->pkt_type` (`include/uapi/linux/if_packet.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum PacketType {
    /// To us.
    #[default]
    Host = 0,
    /// To all.
    Broadcast = 1,
    /// To a group.
    Multicast = 2,
    /// To someone else.
    OtherHost = 3,
    /// From us, as a listener sees it.
    Outgoing = 4,
}

/// What the kernel would answer with a panic.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SkbError {
    /// `skb_under_panic()`: a push below `head`.
    #[error(
        "skb {skb}: push of {len} bytes with only {headroom} bytes of headroom (skb_under_panic)"
    )]
    Under {
        /// Packet number.
        skb: u32,
        /// Bytes asked for.
        len: u32,
        /// Bytes there.
        headroom: u32,
    },
    /// A pull of more bytes than the packet has.
    #[error("skb {skb}: pull of {len} bytes from a packet of {have} bytes")]
    Pull {
        /// Packet number.
        skb: u32,
        /// Bytes asked for.
        len: u32,
        /// Bytes there.
        have: u32,
    },
}

/// A header offset as an option; the kernel stores 0xffff for *not set*.
#[must_use]
pub fn header(raw: u16) -> Option<u32> {
    (raw != NOT_SET).then_some(u32::from(raw))
}

/// `struct bpf_skb_data_end` (`include/linux/filter.h`): the pointers that a TC program loads from its context, as
/// `bpf_compute_data_pointers()` left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BpfSkbDataEnd {
    /// What `__sk_buff->data_meta` shows, offset from `head`; negative below it.
    pub data_meta: i32,
    /// What `__sk_buff->data_end` shows, offset from `head`.
    pub data_end: u32,
}

/// `struct sk_buff`. Field names are the kernel's (`include/linux/skbuff.h`); offsets are bytes from `head`.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "names and meaning are the kernel's")]
pub struct SkBuff {
    pub no: SkbNo,
    pub head: BufferNo,
    pub dev: Option<DevId>,
    pub data: u32,
    pub tail: u32,
    pub len: u32,
    pub data_len: u32,
    pub mac_header: u16,
    pub network_header: u16,
    pub transport_header: u16,
    pub inner_mac_header: u16,
    pub inner_network_header: u16,
    pub inner_transport_header: u16,
    /// Protocol of what `inner_network_header` is at; 0 when nobody said so. A number other than 0 also stands for
    /// `inner_ipproto`, which shares its place.
    pub inner_protocol: u16,
    pub mac_len: u16,
    /// Host order.
    pub protocol: u16,
    pub pkt_type: PacketType,
    pub vlan_present: bool,
    pub vlan_tci: u16,
    pub vlan_proto: u16,
    pub encapsulation: bool,
    pub cloned: bool,
    /// The buffer is a page fragment, not from kmalloc.
    pub head_frag: bool,
    pub ip_summed: u8,
    pub csum_valid: bool,
    pub csum_start: u16,
    pub csum_offset: u16,
    pub mark: u32,
    pub priority: u32,
    pub skb_iif: u32,
    pub users: u32,
    /// `tc_at_ingress`: what `skb_at_tc_ingress()` asks.
    pub tc_at_ingress: bool,
    /// A socket of this host sends it, and it has not come to `ip_finish_output()` yet: the `sk` that is handed
    /// along, as far as it is that of the skb.
    pub from_socket: bool,
    /// A socket of this host made it, so that it may be put into pieces (`ip6_sk_ignore_df()`).
    pub ignore_df: bool,
    /// `IPSKB_FORWARDED`: this host forwards it.
    pub forwarded: bool,
    /// A TC action or program sent it elsewhere (`skb_set_redirected()`).
    pub redirected: bool,
    /// How often `act_mirred` had it received again (two bits).
    pub tc_depth: u8,
    /// `struct bpf_skb_data_end` in `skb->cb`.
    pub cb: BpfSkbDataEnd,
    /// `skb_dst()`: where an outgoing packet goes.
    pub dst: Option<Route>,
    /// `skb_dst()` of an outgoing IPv6 packet.
    pub dst6: Option<Route6>,
    /// What only programs read and write.
    pub bpf: BpfFields,
}

impl SkBuff {
    /// A packet in a fresh buffer: everything 0, headers not set, as `__build_skb_around()` leaves it.
    #[must_use]
    pub fn new(no: SkbNo, head: BufferNo) -> Self {
        Self {
            no,
            head,
            dev: None,
            data: 0,
            tail: 0,
            len: 0,
            data_len: 0,
            mac_header: NOT_SET,
            network_header: 0,
            transport_header: NOT_SET,
            inner_mac_header: 0,
            inner_network_header: 0,
            inner_transport_header: 0,
            inner_protocol: 0,
            mac_len: 0,
            protocol: 0,
            pkt_type: PacketType::Host,
            vlan_present: false,
            vlan_tci: 0,
            vlan_proto: 0,
            encapsulation: false,
            cloned: false,
            head_frag: false,
            ip_summed: CHECKSUM_NONE,
            csum_valid: false,
            csum_start: 0,
            csum_offset: 0,
            mark: 0,
            priority: 0,
            skb_iif: 0,
            users: 1,
            tc_at_ingress: false,
            from_socket: false,
            ignore_df: false,
            forwarded: false,
            redirected: false,
            tc_depth: 0,
            cb: BpfSkbDataEnd::default(),
            dst: None,
            bpf: BpfFields::default(),
            dst6: None,
        }
    }

    /// `skb_dst_drop()`: where the packet was to go is forgotten.
    pub fn drop_dst(&mut self) {
        self.dst = None;
        self.dst6 = None;
        self.bpf.tun_info = None;
    }

    /// `skb_dst_set()`: a `metadata_dst` that stood there is forgotten.
    pub fn set_dst(&mut self, route: Option<Route>) {
        self.dst = route;
        self.bpf.tun_info = None;
    }

    /// The same of a packet of IPv6.
    pub fn set_dst6(&mut self, route: Option<Route6>) {
        self.dst6 = route;
        self.bpf.tun_info = None;
    }

    /// `skb_headroom()`: bytes between `head` and `data`.
    #[must_use]
    pub fn headroom(&self) -> u32 {
        self.data
    }

    /// `skb_headlen()`: bytes of packet in the linear buffer.
    #[must_use]
    pub fn headlen(&self) -> u32 {
        self.len.saturating_sub(self.data_len)
    }

    /// `skb_network_offset()`: from `data` to the network header; negative when `data` is past it.
    #[must_use]
    pub fn network_offset(&self) -> i32 {
        i32::from(self.network_header) - self.data as i32
    }

    /// `skb_mac_header_len()`: from the MAC to the network header.
    #[must_use]
    pub fn mac_header_len(&self) -> u32 {
        u32::from(self.network_header.wrapping_sub(self.mac_header))
    }

    /// `skb_tailroom()` of a linear packet in a buffer that ends at `end`; a non-linear packet has none.
    #[must_use]
    pub fn tailroom(&self, end: u32) -> u32 {
        if self.data_len > 0 {
            0
        } else {
            end.saturating_sub(self.tail)
        }
    }

    /// The packet got other bytes: a sum over all of it (`CHECKSUM_COMPLETE`) holds no more.
    pub fn forget_complete_checksum(&mut self) {
        if self.ip_summed == CHECKSUM_COMPLETE {
            self.ip_summed = CHECKSUM_NONE;
        }
    }

    /// `skb_reserve()`: moves `data` and `tail` of an empty packet up.
    pub fn reserve(&mut self, len: u32) {
        self.data += len;
        self.tail += len;
    }

    /// `skb_put()`: more packet at the end.
    pub fn put(&mut self, len: u32) {
        self.tail += len;
        self.len += len;
    }

    /// `skb_push()`: more packet in front.
    ///
    /// # Errors
    /// [`SkbError::Under`] when the headroom is too small.
    pub fn push(&mut self, len: u32) -> Result<(), SkbError> {
        if len > self.data {
            return Err(SkbError::Under {
                skb: self.no.0,
                len,
                headroom: self.data,
            });
        }
        self.data -= len;
        self.len += len;
        Ok(())
    }

    /// `__skb_pull()`: less packet in front.
    ///
    /// # Errors
    /// [`SkbError::Pull`] when the linear part is shorter.
    pub fn pull(&mut self, len: u32) -> Result<(), SkbError> {
        if len > self.headlen() {
            return Err(SkbError::Pull {
                skb: self.no.0,
                len,
                have: self.headlen(),
            });
        }
        self.data += len;
        self.len -= len;
        Ok(())
    }

    /// `skb_reset_mac_header()`: the MAC header is where `data` is.
    pub fn reset_mac_header(&mut self) {
        self.mac_header = self.data as u16;
    }

    /// `skb_reset_network_header()`.
    pub fn reset_network_header(&mut self) {
        self.network_header = self.data as u16;
    }

    /// `skb_set_network_header()`: at `data + offset`.
    pub fn set_network_header(&mut self, offset: u32) {
        self.network_header = (self.data + offset) as u16;
    }

    /// `skb_reset_transport_header()`.
    pub fn reset_transport_header(&mut self) {
        self.transport_header = self.data as u16;
    }

    /// `__vlan_hwaccel_put_tag()`: the tag stands beside the packet.
    pub fn put_vlan_tag(&mut self, protocol: u16, tci: u16) {
        self.vlan_present = true;
        self.vlan_proto = protocol;
        self.vlan_tci = tci;
    }

    /// `__vlan_hwaccel_clear_tag()`.
    pub fn clear_vlan_tag(&mut self) {
        self.vlan_present = false;
        self.vlan_proto = 0;
        self.vlan_tci = 0;
    }

    /// `skb_reset_mac_len()`: the distance from MAC to network header.
    pub fn reset_mac_len(&mut self) {
        let set = u16::from(self.mac_header != NOT_SET);
        self.mac_len = set * self.network_header.wrapping_sub(self.mac_header);
    }

    /// `skb_reset_inner_headers()`: what is outer now becomes inner.
    pub fn reset_inner_headers(&mut self) {
        self.inner_mac_header = self.mac_header;
        self.inner_network_header = self.network_header;
        self.inner_transport_header = self.transport_header;
    }

    /// `skb_headers_offset_update()`: the buffer's content lies `off` bytes further from `head`.
    /// Only the MAC header is asked whether it is set; the others wrap as in the kernel.
    pub fn headers_offset_update(&mut self, off: i32) {
        let shift = |header: u16| header.wrapping_add(off as u16);
        self.transport_header = shift(self.transport_header);
        self.network_header = shift(self.network_header);
        if self.mac_header != NOT_SET {
            self.mac_header = shift(self.mac_header);
        }
        if self.ip_summed == CHECKSUM_PARTIAL {
            self.csum_start = shift(self.csum_start);
        }
        self.inner_transport_header = shift(self.inner_transport_header);
        self.inner_network_header = shift(self.inner_network_header);
        self.inner_mac_header = shift(self.inner_mac_header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(data: u32, len: u32) -> SkBuff {
        let mut skb = SkBuff::new(SkbNo(1), BufferNo(1));
        skb.reserve(data);
        skb.put(len);
        skb
    }

    #[test]
    fn push_below_head_is_an_error_and_changes_nothing() {
        let mut skb = packet(10, 20);
        assert_eq!(
            skb.push(11),
            Err(SkbError::Under {
                skb: 1,
                len: 11,
                headroom: 10
            })
        );
        assert_eq!((skb.data, skb.len), (10, 20));
    }

    /// `__build_skb_around()` leaves inner offsets 0; a copy with 254 more bytes of headroom shows 254
    /// (golden E1-veth-4b-native, seq 15).
    #[test]
    fn inner_headers_that_were_never_set_move_too() {
        let mut skb = packet(2, 66);
        skb.headers_offset_update(254);
        assert_eq!(skb.inner_mac_header, 254);
        assert_eq!(skb.mac_header, NOT_SET);
    }

    proptest! {
        #[test]
        fn push_undoes_pull(data in 0u32..300, len in 0u32..300, n in 0u32..300) {
            let mut skb = packet(data, len);
            if skb.pull(n).is_ok() {
                prop_assert!(skb.data <= skb.tail);
                prop_assert_eq!(skb.push(n), Ok(()));
            }
            prop_assert_eq!((skb.data, skb.len, skb.tail), (data, len, data + len));
        }
    }
}
