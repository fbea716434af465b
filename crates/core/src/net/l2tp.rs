//! L2TPv3 (RFC 3931).

use super::{Field, field};

/// `IPPROTO_L2TP`.
pub const PROTO_L2TP: u8 = 115;
/// `L2TP_HDR_VER_3`: what the first two bytes say over UDP.
pub const VERSION: u16 = 3;
/// `L2TP_HDRFLAG_T`: a control message.
pub const CONTROL: u16 = 0x8000;
/// `L2TP_HDR_VER_MASK`.
pub const VERSION_MASK: u16 = 0x000f;
/// Longest cookie, bytes.
pub const MAX_COOKIE: usize = 8;

/// The header over IP; over UDP four bytes of flags and version stand in front of it.
pub const FIELDS: [Field; 1] = [field("session id", 0, 4)];
