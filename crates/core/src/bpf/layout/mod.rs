//! Where fields lie in the kernel's own structures, and what an access of the context becomes.

mod access;
mod convert;
mod nf;

use super::host::CtxField;
use super::insn::Insn;

pub(super) use access::{ctx_load, ctx_store};
pub(super) use convert::{convert, convert_store};
pub(super) use nf::{NfStruct, nf_load};

/// Offsets in kernel structures, bytes, as in the BTF of Debian's kernel 7.2.13 for amd64, the one that the
/// recordings come from.
#[allow(missing_docs)]
pub mod offsets {
    pub const SKB_DEV: i16 = 16;
    pub const SKB_SK: i16 = 24;
    pub const SKB_TSTAMP: i16 = 32;
    /// `cb`; a TC program sees `struct bpf_skb_data_end` there.
    pub const SKB_CB: i16 = 40;
    pub const SKB_LEN: i16 = 112;
    pub const SKB_QUEUE_MAPPING: i16 = 124;
    /// `CLONED_OFFSET`, the byte with the bit `cloned`.
    pub const SKB_CLONED: i16 = 126;
    /// `PKT_TYPE_OFFSET`, the byte with the three bits `pkt_type`.
    pub const SKB_PKT_TYPE: i16 = 128;
    /// `SKB_BF_MONO_TC_OFFSET`, the byte with the two bits `tstamp_type`.
    pub const SKB_TSTAMP_TYPE: i16 = 129;
    pub const SKB_TC_INDEX: i16 = 134;
    pub const SKB_PRIORITY: i16 = 144;
    pub const SKB_SKB_IIF: i16 = 148;
    pub const SKB_HASH: i16 = 152;
    /// `vlan_all`: `vlan_proto`, then `vlan_tci`.
    pub const SKB_VLAN_ALL: i16 = 156;
    pub const SKB_VLAN_PROTO: i16 = 156;
    pub const SKB_VLAN_TCI: i16 = 158;
    pub const SKB_NAPI_ID: i16 = 160;
    pub const SKB_MARK: i16 = 168;
    pub const SKB_PROTOCOL: i16 = 180;
    pub const SKB_HEAD: i16 = 200;
    pub const SKB_DATA: i16 = 208;
    /// In `struct bpf_skb_data_end`, behind `struct qdisc_skb_cb` of 32 bytes.
    pub const CB_DATA_META: i16 = 32;
    pub const CB_DATA_END: i16 = 40;
    /// In `struct qdisc_skb_cb`.
    pub const CB_PKT_LEN: i16 = 0;
    pub const CB_TC_CLASSID: i16 = 6;
    pub const CB_DATA: i16 = 8;
    pub const SHINFO_GSO_SIZE: i16 = 4;
    pub const SHINFO_HWTSTAMPS: i16 = 16;
    pub const XDP_DATA: i16 = 0;
    pub const XDP_DATA_END: i16 = 8;
    pub const XDP_DATA_META: i16 = 16;
    pub const XDP_RXQ: i16 = 32;
    pub const RXQ_DEV: i16 = 0;
    pub const RXQ_QUEUE_INDEX: i16 = 8;
    pub const NET_DEVICE_IFINDEX: i16 = 224;
    /// In `struct bpf_nf_ctx`.
    pub const NF_CTX_STATE: i16 = 0;
    pub const NF_CTX_SKB: i16 = 8;
    /// In `struct nf_hook_state`.
    pub const NF_STATE_HOOK: i16 = 0;
    pub const NF_STATE_PF: i16 = 1;
    pub const NF_STATE_IN: i16 = 8;
    pub const NF_STATE_OUT: i16 = 16;
}

/// `CLONED_MASK`, little endian (include/linux/skbuff.h).
pub(super) const CLONED_MASK: i32 = 1;
/// `PKT_TYPE_MAX`, little endian.
const PKT_TYPE_MAX: i32 = 7;
/// `SKB_TSTAMP_TYPE_MASK`, little endian.
const TSTAMP_TYPE_MASK: i32 = 3;
/// `MIN_NAPI_ID`: the smallest that is not a CPU's number; `NR_CPUS` is 8192.
const MIN_NAPI_ID: i32 = 8193;
/// `NO_QUEUE_MAPPING`.
const NO_QUEUE_MAPPING: i32 = 0xffff;

/// What a load of a kernel structure gives; the machine has no such structure in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KernelValue {
    /// A field, asked of the host.
    Field(CtxField),
    /// A pointer to another kernel structure.
    Pointer(u64),
}

/// An instruction that the fix-up puts in, and for accesses of kernel structures, what they give or
/// take. A jump target counts from the start of the replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fixed {
    pub insn: Insn,
    pub kernel: Option<KernelValue>,
}

/// A field of `struct xdp_md` or `struct __sk_buff` (include/uapi/linux/bpf.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// An address: loads of exactly four bytes.
    Pointer(PacketPointer),
    /// A number that the simulator has.
    Number(CtxField),
    /// A field the verifier would allow and the simulator does not have: those of a socket, `gso_segs`.
    NotCovered,
}

/// The three addresses of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketPointer {
    Data,
    DataMeta,
    DataEnd,
}

/// An access of the context that the verifier allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CtxLoad {
    pub member: Member,
    /// Name of the field in `struct xdp_md` or `struct __sk_buff`.
    pub name: &'static str,
    /// Bytes from the start of the field.
    pub inside: u32,
}
