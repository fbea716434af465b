//! VLAN tags (IEEE 802.1Q, 802.1ad; `struct vlan_hdr`, `include/linux/if_vlan.h`).

use super::{Field, field};

/// Length of a tag as it stands behind the MAC addresses and their type, bytes (`VLAN_HLEN`).
pub const HLEN: u32 = 4;
/// `ETH_P_8021Q`.
pub const P_8021Q: u16 = 0x8100;
/// `ETH_P_8021AD`.
pub const P_8021AD: u16 = 0x88a8;
/// `VLAN_VID_MASK`: the VLAN id in a TCI.
pub const VID_MASK: u16 = 0x0fff;

/// The tag, from the TCI on; its own type is the type field of the Ethernet header.
pub const FIELDS: [Field; 2] = [
    field("h_vlan_TCI", 0, 2),
    field("h_vlan_encapsulated_proto", 2, 2),
];

/// `eth_type_vlan()`.
#[must_use]
pub fn is_vlan(protocol: u16) -> bool {
    matches!(protocol, P_8021Q | P_8021AD)
}
