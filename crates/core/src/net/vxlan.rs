//! VXLAN (RFC 7348; `struct vxlanhdr`, `include/net/vxlan.h`).

use super::{Field, field};

/// Length of the header, bytes.
pub const HLEN: u32 = 8;
/// IANA's port.
pub const PORT: u16 = 4789;
/// `VXLAN_HF_VNI`: the VNI is valid.
pub const HF_VNI: u32 = 0x0800_0000;

/// The header.
pub const FIELDS: [Field; 3] = [
    field("vx_flags", 0, 4),
    field("vni", 4, 3),
    field("reserved", 7, 1),
];
