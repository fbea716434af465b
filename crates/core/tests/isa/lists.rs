//! The lists from which the random programs are drawn, once for all that draw.

/// Numbers near the places where widths and signs change.
pub const EDGES: [u64; 18] = [
    0,
    1,
    2,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0x7fff,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Immediates at the widths of shifts and at the ends.
pub const IMMEDIATES: [i32; 10] = [0, 1, -1, 2, 31, 32, 63, 64, i32::MIN, i32::MAX];

/// Arithmetic of two operands but for `movsx` (RFC 9669 §4.1): the code, and the offset that
/// makes a division signed.
pub const BINARY: [(u8, i16); 14] = [
    (0x00, 0),
    (0x10, 0),
    (0x20, 0),
    (0x30, 0),
    (0x30, 1),
    (0x40, 0),
    (0x50, 0),
    (0x60, 0),
    (0x70, 0),
    (0x90, 0),
    (0x90, 1),
    (0xa0, 0),
    (0xb0, 0),
    (0xc0, 0),
];

/// `movsx` (RFC 9669 §4.1): opcode, and the width in bits as the offset.
pub const MOVSX: [(u8, i16); 5] = [(0xbc, 8), (0xbc, 16), (0xbf, 8), (0xbf, 16), (0xbf, 32)];

/// Conditional jumps (RFC 9669 §4.3), without class and source.
pub const CONDITIONS: [u8; 11] = [
    0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0,
];
