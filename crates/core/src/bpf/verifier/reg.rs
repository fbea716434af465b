//! What a register or a stack slot holds (`struct bpf_reg_state`, include/linux/bpf_verifier.h).

use super::precise::Node;
use super::scalar::Scalar;

/// What it is (`enum bpf_reg_type`, as far as programs that the simulator runs have them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    NotInit,
    Scalar,
    Ctx,
    MapPtr,
    MapValue,
    MapKey,
    Stack,
    Packet,
    Meta,
    PacketEnd,
    Mem,
    Func,
    Sock,
    SockCommon,
    TcpSock,
    XdpSock,
    /// A kernel structure that programs only hand around.
    Btf,
    /// A dynptr that a callback was handed (`CONST_PTR_TO_DYNPTR`).
    Dynptr,
}

/// `PTR_MAYBE_NULL`.
pub(super) const MAYBE_NULL: u8 = 1;
/// `MEM_RDONLY`.
pub(super) const RDONLY: u8 = 2;
/// `MEM_RINGBUF`.
pub(super) const RINGBUF: u8 = 4;
/// A slice of a dynptr of packet or metadata (`DYNPTR_TYPE_SKB`, `_XDP`, `_SKB_META`).
pub(super) const OF_PACKET: u8 = 8;
/// `MEM_RCU`, `PTR_TRUSTED`: set where Linux sets one of them.
pub(super) const TRUSTED: u8 = 16;

/// A scalar that is another one plus a constant (`BPF_ADD_CONST64`, `_32`), in `id`.
pub(super) const ADD_64: u32 = 1 << 31;
pub(super) const ADD_32: u32 = 1 << 30;
pub(super) const ADD: u32 = ADD_64 | ADD_32;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reg {
    pub kind: Kind,
    pub flags: u8,
    /// The number, or the offset of the pointer.
    pub var: Scalar,
    /// Registers of one id hold the same, or came from the same place.
    pub id: u32,
    /// Id of the object it came from (`parent_id`).
    pub parent: u32,
    /// Distance to the scalar of the same id.
    pub delta: i32,
    /// Index of the map, size of the memory, frame of the stack, entry of the function.
    pub aux: u32,
    /// Bytes behind the pointer's origin that were shown to lie in the packet, or [`AT_END`], [`BEYOND_END`].
    pub range: i32,
    /// Who asks for its exact value.
    pub node: Node,
}

/// In [`Reg::aux`] of a map's pointer or value: not that map, but one that it holds.
pub(super) const INNER: u32 = 1 << 31;

/// `AT_PKT_END`, `BEYOND_PKT_END`.
pub(super) const AT_END: i32 = -1;
pub(super) const BEYOND_END: i32 = -2;

impl Reg {
    pub const NOT_INIT: Reg = Reg::new(Kind::NotInit, Scalar::UNKNOWN);
    pub const UNKNOWN: Reg = Reg::new(Kind::Scalar, Scalar::UNKNOWN);

    pub const fn new(kind: Kind, var: Scalar) -> Reg {
        Reg {
            kind,
            flags: 0,
            var,
            id: 0,
            parent: 0,
            delta: 0,
            aux: 0,
            range: 0,
            node: Node::NONE,
        }
    }

    pub const fn number(value: u64) -> Reg {
        Reg::new(Kind::Scalar, Scalar::known(value))
    }

    /// A pointer to the origin of something.
    pub const fn pointer(kind: Kind, aux: u32) -> Reg {
        let mut reg = Reg::new(kind, Scalar::known(0));
        reg.aux = aux;
        reg
    }

    pub fn is_scalar(&self) -> bool {
        self.kind == Kind::Scalar
    }

    /// The number 0 (`bpf_register_is_null()`).
    pub fn is_null(&self) -> bool {
        self.is_scalar() && self.var.constant(true) == Some(0)
    }

    pub fn may_be_null(&self) -> bool {
        self.flags & MAYBE_NULL != 0
    }

    /// `reg_is_pkt_pointer()`.
    pub fn is_packet(&self) -> bool {
        matches!(self.kind, Kind::Packet | Kind::Meta)
    }

    /// `reg_is_pkt_pointer_any()`.
    pub fn is_packet_any(&self) -> bool {
        self.is_packet() || self.kind == Kind::PacketEnd
    }

    /// `reg_is_dynptr_slice_pkt()`.
    pub fn is_packet_slice(&self) -> bool {
        self.kind == Kind::Mem && self.flags & OF_PACKET != 0
    }

    /// Offset, if it is constant.
    pub fn off(&self) -> Option<i64> {
        self.var.constant(true).map(|off| off as i64)
    }

    pub fn clear_id(&mut self) {
        self.id = 0;
        self.delta = 0;
    }

    /// `reg_type_str()`, kernel/bpf/log.c.
    pub fn type_name(&self) -> String {
        type_name(self.kind, self.flags)
    }
}

pub(super) fn type_name(kind: Kind, flags: u8) -> String {
    let name = match kind {
        Kind::NotInit => "?",
        Kind::Scalar => "scalar",
        Kind::Ctx => "ctx",
        Kind::MapPtr => "map_ptr",
        Kind::MapValue => "map_value",
        Kind::MapKey => "map_key",
        Kind::Stack => "fp",
        Kind::Packet => "pkt",
        Kind::Meta => "pkt_meta",
        Kind::PacketEnd => "pkt_end",
        Kind::Mem => "mem",
        Kind::Func => "func",
        Kind::Sock => "sock",
        Kind::SockCommon => "sock_common",
        Kind::TcpSock => "tcp_sock",
        Kind::XdpSock => "xdp_sock",
        Kind::Btf => "ptr_",
        Kind::Dynptr => "dynptr_ptr",
    };
    let mut out = String::new();
    for (flag, word) in [
        (RDONLY, "rdonly_"),
        (RINGBUF, "ringbuf_"),
        (TRUSTED, "trusted_"),
    ] {
        if flags & flag != 0 {
            out.push_str(word);
        }
    }
    out.push_str(name);
    if flags & MAYBE_NULL != 0 {
        out.push_str(if kind == Kind::Btf {
            "or_null_"
        } else {
            "_or_null"
        });
    }
    out
}
