//! Ethernet II (`struct ethhdr`, `include/uapi/linux/if_ether.h`).

use super::{Field, field};

/// Length of the header, bytes (`ETH_HLEN`).
pub const HLEN: u32 = 14;
/// The address of all (`eth_broadcast_addr()`).
pub const BROADCAST: [u8; 6] = [0xff; 6];
/// `ETH_P_IP`.
pub const P_IP: u16 = 0x0800;
/// `ETH_P_TEB`: an Ethernet frame inside a tunnel.
pub const P_TEB: u16 = 0x6558;
/// `ETH_P_IPV6`.
pub const P_IPV6: u16 = 0x86dd;
/// `ETH_P_ARP`.
pub const P_ARP: u16 = 0x0806;
/// `ETH_P_802_3`: IPX in raw 802.3.
pub const P_802_3: u16 = 0x0001;
/// `ETH_P_802_2`: what `eth_type_trans()` answers for a length field.
pub const P_802_2: u16 = 0x0004;
/// Smallest value of the type field that is a type and not a length (`ETH_P_802_3_MIN`).
pub const P_802_3_MIN: u16 = 0x0600;

/// The header.
pub const FIELDS: [Field; 3] = [
    field("h_dest", 0, 6),
    field("h_source", 6, 6),
    field("h_proto", 12, 2),
];
