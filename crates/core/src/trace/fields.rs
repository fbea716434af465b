//! The fields of a packet at one moment. Offsets are bytes from `head`
//! (`data_hard_start` for XDP); `None` is *not set* (0xffff in the kernel).

use serde::{Deserialize, Serialize};

use super::step::{BufferNo, SkbNo};

/// Fields of an skb or of an `xdp_buff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PacketFields {
    /// An `sk_buff` with its `skb_shared_info`.
    Skb(SkbFields),
    /// An `xdp_buff`.
    Xdp(XdpFields),
}

/// Where the metadata are by the design's own formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaFields {
    /// `skb_metadata_len()`, bytes.
    pub len: u32,
    /// `end - len`; `None` when the design's end is not set.
    pub start: Option<u32>,
    /// `mac_header` or `meta_end`.
    pub end: Option<u32>,
}

/// A part of a packet that lies outside of its linear buffer: a page fragment (`skb_frag_t`), or what a packet of
/// `frag_list` has in its own linear buffer. They follow each other as the packet's bytes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// The packet of `frag_list` it belongs to; `None` for a fragment of the packet itself.
    pub skb: Option<SkbNo>,
    /// The buffer or page that holds the bytes.
    pub buffer: BufferNo,
    /// Where they begin in it, bytes.
    pub offset: u32,
    /// How many they are.
    pub len: u32,
}

/// `struct sk_buff` and `struct skb_shared_info`, what the recordings hold of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "names and meaning are the kernel's, include/linux/skbuff.h"
)]
pub struct SkbFields {
    pub data: u32,
    pub tail: u32,
    pub end: u32,
    pub len: u32,
    pub data_len: u32,
    pub mac_header: Option<u32>,
    pub network_header: Option<u32>,
    pub transport_header: Option<u32>,
    pub inner_mac_header: Option<u32>,
    pub inner_network_header: Option<u32>,
    pub mac_len: u32,
    /// Host order, 2048 = 0x0800.
    pub protocol: u16,
    pub pkt_type: u8,
    pub vlan_present: bool,
    pub vlan_tci: u16,
    pub vlan_proto: u16,
    pub encapsulation: bool,
    pub cloned: bool,
    pub ip_summed: u8,
    pub gso_size: u16,
    pub nr_frags: u8,
    pub dataref: u32,
    pub users: u32,
    pub meta: MetaFields,
    /// The raw field; only in designs that have it.
    pub meta_end: Option<u32>,
    /// Where the bytes behind the linear part are, `data_len` in all. A recording does not have them.
    pub fragments: Vec<Fragment>,
}

/// `struct xdp_buff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "names and meaning are the kernel's, include/net/xdp.h"
)]
pub struct XdpFields {
    pub data_meta: u32,
    pub data: u32,
    pub data_end: u32,
    pub frame_sz: u32,
    /// Fragments of a frame in more than one buffer. A recording does not have them.
    pub fragments: Vec<Fragment>,
}
