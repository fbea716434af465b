//! Where fields lie in the kernel's own structures, and what a load from the context becomes.

use super::host::CtxField;
use super::insn::{AluOp, Cond, Insn, Operand, Reg, Size, Width};
use super::memory::{DEV_ADDRESS, RXQ_ADDRESS};
use super::program::ProgType;

/// Offsets in kernel structures, bytes, x86-64 with the options of a Debian amd64 kernel.
///
/// How they were found: the BTF of a running 6.18 kernel (`/sys/kernel/btf/vmlinux`) gives `cb` 40,
/// `len` 112, `cloned` 126, `pkt_type` 128, `struct xdp_buff`, `struct xdp_rxq_info`,
/// `struct bpf_skb_data_end` and `net_device.ifindex`. That kernel lacks options which Debian has and
/// which add bits behind `pkt_type` (`WIRELESS`, `IPV6_NDISC_NODETYPE`, `IP_VS`, `NET_SWITCHDEV`,
/// `TLS_DEVICE`, `IP_SCTP`; checked in Debian's `linux-config-6.1`). With them the flags take five bytes
/// and not four, so all from `tc_index` on lies 4 bytes further and `data` at 208 instead of 200: counted
/// from the members of `struct sk_buff` (include/linux/skbuff.h, 6.12) and checked with a compiler.
/// Not checked on a Debian kernel: `NET_DEVICE_IFINDEX`. Only the printed listing depends on these numbers.
#[allow(missing_docs)]
pub mod offsets {
    pub const SKB_DEV: i16 = 16;
    /// `cb`; a TC program sees `struct bpf_skb_data_end` there.
    pub const SKB_CB: i16 = 40;
    pub const SKB_LEN: i16 = 112;
    pub const SKB_QUEUE_MAPPING: i16 = 124;
    /// `CLONED_OFFSET`, the byte with the bit `cloned`.
    pub const SKB_CLONED: i16 = 126;
    /// `PKT_TYPE_OFFSET`, the byte with the three bits `pkt_type`.
    pub const SKB_PKT_TYPE: i16 = 128;
    pub const SKB_PRIORITY: i16 = 144;
    pub const SKB_SKB_IIF: i16 = 148;
    pub const SKB_HASH: i16 = 152;
    /// `vlan_all`: `vlan_proto`, then `vlan_tci`.
    pub const SKB_VLAN_ALL: i16 = 156;
    pub const SKB_VLAN_PROTO: i16 = 156;
    pub const SKB_VLAN_TCI: i16 = 158;
    pub const SKB_MARK: i16 = 168;
    pub const SKB_PROTOCOL: i16 = 180;
    pub const SKB_DATA: i16 = 208;
    /// In `struct bpf_skb_data_end`, behind `struct qdisc_skb_cb` of 28 bytes and 4 of padding.
    pub const CB_DATA_META: i16 = 32;
    pub const CB_DATA_END: i16 = 40;
    pub const XDP_DATA: i16 = 0;
    pub const XDP_DATA_END: i16 = 8;
    pub const XDP_DATA_META: i16 = 16;
    pub const XDP_RXQ: i16 = 32;
    pub const RXQ_DEV: i16 = 0;
    pub const RXQ_QUEUE_INDEX: i16 = 8;
    pub const NET_DEVICE_IFINDEX: i16 = 224;
}

/// `CLONED_MASK`, little endian (include/linux/skbuff.h).
pub(super) const CLONED_MASK: i32 = 1;
/// `PKT_TYPE_MAX`, little endian.
const PKT_TYPE_MAX: i32 = 7;

/// What a load of a kernel structure gives; the machine has no such structure in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KernelValue {
    /// A field, asked of the host.
    Field(CtxField),
    /// A pointer to another kernel structure.
    Pointer(u64),
}

/// An instruction that the fix-up puts in, and for loads of kernel structures, what they give.
/// A jump target counts from the start of the replacement.
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
    /// A field the verifier would allow and the simulator does not have.
    NotCovered(&'static str),
}

/// The three addresses of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketPointer {
    Data,
    DataMeta,
    DataEnd,
}

/// A load from the context that the verifier allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CtxLoad {
    pub member: Member,
    /// Bytes from the start of the field.
    pub inside: u32,
}

/// Which field a load of the context reads; `None` if the verifier refuses it
/// (`tc_cls_act_is_valid_access()`, `xdp_is_valid_access()`, net/core/filter.c).
pub(super) fn ctx_load(prog_type: &ProgType, off: i64, size: u32, signed: bool) -> Option<CtxLoad> {
    use CtxField as F;
    let off = u32::try_from(off).ok()?;
    if off % size != 0 {
        return None;
    }
    let field = off & !3;
    let member = match prog_type {
        ProgType::Xdp => match field {
            0 => Member::Pointer(PacketPointer::Data),
            4 => Member::Pointer(PacketPointer::DataEnd),
            8 => Member::Pointer(PacketPointer::DataMeta),
            12 => Member::Number(F::Ifindex),
            16 => Member::Number(F::QueueIndex),
            // egress_ifindex (20) is for devmap programs only.
            _ => return None,
        },
        ProgType::SchedCls | ProgType::LwtXmit => match field {
            0 => Member::Number(F::Len),
            4 => Member::Number(F::PktType),
            8 => Member::Number(F::Mark),
            12 => Member::Number(F::QueueIndex),
            16 => Member::Number(F::Protocol),
            20 => Member::Number(F::VlanPresent),
            24 => Member::Number(F::VlanTci),
            28 => Member::Number(F::VlanProto),
            32 => Member::Number(F::Priority),
            36 => Member::Number(F::IngressIfindex),
            40 => Member::Number(F::Ifindex),
            44 => Member::NotCovered("tc_index"),
            48..=64 => Member::NotCovered("cb"),
            68 => Member::Number(F::Hash),
            72 => Member::NotCovered("tc_classid"),
            76 => Member::Pointer(PacketPointer::Data),
            80 => Member::Pointer(PacketPointer::DataEnd),
            84 => Member::NotCovered("napi_id"),
            140 => Member::Pointer(PacketPointer::DataMeta),
            152 | 156 => Member::NotCovered("tstamp"),
            160 => Member::NotCovered("wire_len"),
            164 => Member::NotCovered("gso_segs"),
            168 | 172 => Member::NotCovered("sk"),
            176 => Member::NotCovered("gso_size"),
            180 if size == 1 && off == 180 => Member::NotCovered("tstamp_type"),
            184 | 188 => Member::NotCovered("hwtstamp"),
            // family..local_port (88..=136) and flow_keys (144) are not for TC.
            _ => return None,
        },
        ProgType::Plain | ProgType::Unknown(_) => return None,
    };
    let allowed = match member {
        Member::Pointer(_) => size == 4 && !signed,
        Member::Number(_) if *prog_type == ProgType::Xdp => size == 4,
        Member::Number(_) => size <= 4,
        Member::NotCovered("tstamp" | "sk" | "hwtstamp") => size == 8,
        Member::NotCovered("cb") => true,
        Member::NotCovered(_) => size <= 4,
    };
    allowed.then_some(CtxLoad {
        member,
        inside: off & 3,
    })
}

/// The fields a TC program may write; the simulator has no writes to the context.
pub(super) fn ctx_store_field(prog_type: &ProgType, off: i64) -> Option<&'static str> {
    match (prog_type, off) {
        (ProgType::SchedCls, 8..=11) => Some("mark"),
        (ProgType::SchedCls, 12..=15) => Some("queue_mapping"),
        (ProgType::SchedCls, 32..=35) => Some("priority"),
        (ProgType::SchedCls, 44..=47) => Some("tc_index"),
        (ProgType::SchedCls, 48..=67) => Some("cb"),
        (ProgType::SchedCls, 72..=75) => Some("tc_classid"),
        (ProgType::SchedCls, 152..=159) => Some("tstamp"),
        _ => None,
    }
}

/// The instructions that take the place of a load from the context
/// (`bpf_convert_ctx_access()`, `tc_cls_act_convert_ctx_access()`, `xdp_convert_ctx_access()`,
/// net/core/filter.c, and the narrowing in `convert_ctx_accesses()`, kernel/bpf/verifier.c).
/// `Err` is the name of a field that is not covered.
pub(super) fn convert(
    prog_type: &ProgType,
    load: CtxLoad,
    size: Size,
    signed: bool,
    dst: Reg,
    base: Reg,
) -> Result<Vec<Fixed>, &'static str> {
    use KernelValue::{Field, Pointer};
    use offsets::*;
    let get = |size: Size, base: Reg, off: i16, value: KernelValue| Fixed {
        insn: Insn::Load {
            size,
            signed: false,
            dst,
            base,
            off,
        },
        kernel: Some(value),
    };
    let plain = |insn: Insn| Fixed { insn, kernel: None };
    let w32 = |op: AluOp, imm: i32| {
        plain(Insn::Alu {
            width: Width::W32,
            op,
            dst,
            src: Operand::Imm(imm),
        })
    };
    let field = |size: Size, off: i16, field: CtxField| vec![get(size, base, off, Field(field))];
    let xdp = *prog_type == ProgType::Xdp;
    let number = match load.member {
        Member::NotCovered(name) => return Err(name),
        Member::Pointer(PacketPointer::Data) => {
            return Ok(field(
                Size::Dw,
                if xdp { XDP_DATA } else { SKB_DATA },
                CtxField::Data,
            ));
        }
        Member::Pointer(PacketPointer::DataEnd) => {
            let off = if xdp {
                XDP_DATA_END
            } else {
                SKB_CB + CB_DATA_END
            };
            return Ok(field(Size::Dw, off, CtxField::DataEnd));
        }
        Member::Pointer(PacketPointer::DataMeta) => {
            let off = if xdp {
                XDP_DATA_META
            } else {
                SKB_CB + CB_DATA_META
            };
            return Ok(field(Size::Dw, off, CtxField::DataMeta));
        }
        Member::Number(number) => number,
    };
    // The instructions and the bytes of the field they end with (`target_size`).
    let (mut out, target_size) = match number {
        CtxField::Ifindex if xdp => (
            vec![
                get(Size::Dw, base, XDP_RXQ, Pointer(RXQ_ADDRESS)),
                get(Size::Dw, dst, RXQ_DEV, Pointer(DEV_ADDRESS)),
                get(Size::W, dst, NET_DEVICE_IFINDEX, Field(number)),
            ],
            4,
        ),
        CtxField::QueueIndex if xdp => (
            vec![
                get(Size::Dw, base, XDP_RXQ, Pointer(RXQ_ADDRESS)),
                get(Size::W, dst, RXQ_QUEUE_INDEX, Field(number)),
            ],
            4,
        ),
        CtxField::Ifindex => (
            vec![
                get(Size::Dw, base, SKB_DEV, Pointer(DEV_ADDRESS)),
                get(Size::W, dst, NET_DEVICE_IFINDEX, Field(number)),
            ],
            4,
        ),
        CtxField::PktType => {
            let mut out = field(Size::B, SKB_PKT_TYPE, number);
            out.push(w32(AluOp::And, PKT_TYPE_MAX));
            (out, 1)
        }
        CtxField::VlanPresent => {
            let mut out = field(Size::W, SKB_VLAN_ALL, number);
            let (width, cond, src) = (Width::W64, Cond::Eq, Operand::Imm(0));
            out.push(plain(Insn::Branch {
                width,
                cond,
                dst,
                src,
                target: 3,
            }));
            out.push(w32(AluOp::Mov, 1));
            (out, 4)
        }
        CtxField::Len => (field(Size::W, SKB_LEN, number), 4),
        CtxField::Mark => (field(Size::W, SKB_MARK, number), 4),
        CtxField::QueueIndex => (field(Size::H, SKB_QUEUE_MAPPING, number), 2),
        CtxField::Protocol => (field(Size::H, SKB_PROTOCOL, number), 2),
        CtxField::VlanTci => (field(Size::H, SKB_VLAN_TCI, number), 2),
        CtxField::VlanProto => (field(Size::H, SKB_VLAN_PROTO, number), 2),
        CtxField::Priority => (field(Size::W, SKB_PRIORITY, number), 4),
        CtxField::IngressIfindex => (field(Size::W, SKB_SKB_IIF, number), 4),
        CtxField::Hash => (field(Size::W, SKB_HASH, number), 4),
        CtxField::Data | CtxField::DataEnd | CtxField::DataMeta | CtxField::ClonedByte => {
            return Err("an address as a number");
        }
    };
    let bytes = size.bytes();
    if bytes < 4 && bytes < target_size {
        if load.inside != 0 {
            out.push(w32(AluOp::Rsh, load.inside as i32 * 8));
        }
        out.push(w32(AluOp::And, (1 << (bytes * 8)) - 1));
    }
    if signed {
        let op = AluOp::MovSx(bytes as u8 * 8);
        out.push(plain(Insn::Alu {
            width: Width::W64,
            op,
            dst,
            src: Operand::Reg(dst),
        }));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of include/uapi/linux/bpf.h, counted by hand.
    #[test]
    fn loads_are_allowed_as_in_filter_c() {
        let tc = |off, size| ctx_load(&ProgType::SchedCls, off, size, false).map(|l| l.member);
        assert_eq!(tc(76, 4), Some(Member::Pointer(PacketPointer::Data)));
        assert_eq!(tc(80, 4), Some(Member::Pointer(PacketPointer::DataEnd)));
        assert_eq!(tc(140, 4), Some(Member::Pointer(PacketPointer::DataMeta)));
        assert_eq!(tc(16, 2), Some(Member::Number(CtxField::Protocol)));
        assert_eq!(tc(40, 4), Some(Member::Number(CtxField::Ifindex)));
        // Addresses are four bytes wide, nothing else; numbers may be narrower, not wider.
        assert_eq!(
            (tc(140, 2), tc(140, 8), tc(138, 4), tc(8, 8)),
            (None, None, None, None)
        );
        // The socket's fields, padding, before and behind.
        assert_eq!(
            (tc(88, 4), tc(136, 4), tc(181, 1), tc(-4, 4), tc(192, 4)),
            (None, None, None, None, None)
        );
        assert_eq!(ctx_load(&ProgType::SchedCls, 140, 4, true), None);
        let xdp = |off, size| ctx_load(&ProgType::Xdp, off, size, false).map(|l| l.member);
        assert_eq!(xdp(8, 4), Some(Member::Pointer(PacketPointer::DataMeta)));
        assert_eq!((xdp(12, 2), xdp(20, 4), xdp(24, 4)), (None, None, None));
    }
}
