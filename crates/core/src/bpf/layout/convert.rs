//! The instructions that take the place of an access of the context (`bpf_convert_ctx_access()`,
//! `tc_cls_act_convert_ctx_access()`, `xdp_convert_ctx_access()`, net/core/filter.c, and the narrowing in
//! `convert_ctx_accesses()`, kernel/bpf/verifier.c).
//!
//! Where Linux needs a register that no program has (r11: the shared info, `tstamp` of a program that does
//! not read `tstamp_type`) there is one load here, and the host does what the others do.

use super::offsets::*;
use super::{
    CtxLoad, Fixed, KernelValue, MIN_NAPI_ID, Member, NO_QUEUE_MAPPING, PKT_TYPE_MAX,
    PacketPointer, TSTAMP_TYPE_MASK,
};
use crate::bpf::host::CtxField;
use crate::bpf::insn::{AluOp, Cond, Insn, Operand, Reg, Size, Width};
use crate::bpf::memory::{DEV_ADDRESS, RXQ_ADDRESS, SHINFO_ADDRESS};
use crate::bpf::program::ProgType;
use KernelValue::{Field, Pointer};

/// Builds the loads of one register.
struct Loads {
    dst: Reg,
    base: Reg,
    out: Vec<Fixed>,
}

fn plain(insn: Insn) -> Fixed {
    Fixed { insn, kernel: None }
}

impl Loads {
    fn from(&mut self, base: Reg, size: Size, off: i16, value: KernelValue) {
        let insn = Insn::Load {
            size,
            signed: false,
            dst: self.dst,
            base,
            off,
        };
        self.out.push(Fixed {
            insn,
            kernel: Some(value),
        });
    }

    /// A load of the structure behind the context.
    fn field(&mut self, size: Size, off: i16, field: CtxField) -> u32 {
        self.from(self.base, size, off, Field(field));
        size.bytes()
    }

    /// A load through a pointer of that structure.
    fn through(&mut self, pointer: (i16, u64), size: Size, off: i16, field: CtxField) -> u32 {
        self.from(self.base, Size::Dw, pointer.0, Pointer(pointer.1));
        self.from(self.dst, size, off, Field(field));
        size.bytes()
    }

    fn alu(&mut self, width: Width, op: AluOp, src: Operand) {
        let dst = self.dst;
        self.out.push(plain(Insn::Alu {
            width,
            op,
            dst,
            src,
        }));
    }

    /// Skips the next instruction.
    fn skip_if(&mut self, cond: Cond, imm: i32) {
        let target = self.out.len() + 2;
        self.out.push(plain(Insn::Branch {
            width: Width::W64,
            cond,
            dst: self.dst,
            src: Operand::Imm(imm),
            target,
        }));
    }

    /// A number of `xdp_md` or `__sk_buff`; gives the bytes of the field it ends with (`target_size`).
    fn number(&mut self, xdp: bool, number: CtxField, size: Size) -> u32 {
        let dev = (SKB_DEV, DEV_ADDRESS);
        let shinfo = (SKB_HEAD, SHINFO_ADDRESS);
        match number {
            CtxField::Ifindex if xdp => {
                self.from(self.base, Size::Dw, XDP_RXQ, Pointer(RXQ_ADDRESS));
                self.from(self.dst, Size::Dw, RXQ_DEV, Pointer(DEV_ADDRESS));
                self.from(self.dst, Size::W, NET_DEVICE_IFINDEX, Field(number));
                4
            }
            CtxField::QueueIndex if xdp => {
                self.through((XDP_RXQ, RXQ_ADDRESS), Size::W, RXQ_QUEUE_INDEX, number)
            }
            CtxField::Ifindex => self.through(dev, Size::W, NET_DEVICE_IFINDEX, number),
            CtxField::PktType => {
                let bytes = self.field(Size::B, SKB_PKT_TYPE, number);
                self.alu(Width::W32, AluOp::And, Operand::Imm(PKT_TYPE_MAX));
                bytes
            }
            CtxField::VlanPresent => {
                let bytes = self.field(Size::W, SKB_VLAN_ALL, number);
                self.skip_if(Cond::Eq, 0);
                self.alu(Width::W32, AluOp::Mov, Operand::Imm(1));
                bytes
            }
            CtxField::NapiId => {
                let bytes = self.field(Size::W, SKB_NAPI_ID, number);
                self.skip_if(Cond::Ge, MIN_NAPI_ID);
                self.alu(Width::W64, AluOp::Mov, Operand::Imm(0));
                bytes
            }
            CtxField::TstampType => {
                let bytes = self.field(Size::B, SKB_TSTAMP_TYPE, number);
                self.alu(Width::W32, AluOp::And, Operand::Imm(TSTAMP_TYPE_MASK));
                bytes
            }
            CtxField::Cb(at) => self.field(size, SKB_CB + CB_DATA + i16::from(at), number),
            CtxField::TcClassid => self.field(Size::H, SKB_CB + CB_TC_CLASSID, number),
            CtxField::WireLen => self.field(Size::W, SKB_CB + CB_PKT_LEN, number),
            CtxField::GsoSize => self.through(shinfo, Size::H, SHINFO_GSO_SIZE, number),
            CtxField::Hwtstamp => self.through(shinfo, Size::Dw, SHINFO_HWTSTAMPS, number),
            CtxField::Sk => self.field(Size::Dw, SKB_SK, number),
            CtxField::Tstamp | CtxField::TstampAsIs => self.field(Size::Dw, SKB_TSTAMP, number),
            CtxField::Len => self.field(Size::W, SKB_LEN, number),
            CtxField::Mark => self.field(Size::W, SKB_MARK, number),
            CtxField::QueueIndex => self.field(Size::H, SKB_QUEUE_MAPPING, number),
            CtxField::Protocol => self.field(Size::H, SKB_PROTOCOL, number),
            CtxField::VlanTci => self.field(Size::H, SKB_VLAN_TCI, number),
            CtxField::VlanProto => self.field(Size::H, SKB_VLAN_PROTO, number),
            CtxField::Priority => self.field(Size::W, SKB_PRIORITY, number),
            CtxField::IngressIfindex => self.field(Size::W, SKB_SKB_IIF, number),
            CtxField::Hash => self.field(Size::W, SKB_HASH, number),
            CtxField::TcIndex => self.field(Size::H, SKB_TC_INDEX, number),
            CtxField::NfState => self.field(Size::Dw, NF_CTX_STATE, number),
            CtxField::NfSkb => self.field(Size::Dw, NF_CTX_SKB, number),
            CtxField::NfHook => self.field(Size::B, NF_STATE_HOOK, number),
            CtxField::NfPf => self.field(Size::B, NF_STATE_PF, number),
            CtxField::NfIn => self.field(Size::Dw, NF_STATE_IN, number),
            CtxField::NfOut => self.field(Size::Dw, NF_STATE_OUT, number),
            CtxField::NfInIndex | CtxField::NfOutIndex => {
                self.field(Size::W, NET_DEVICE_IFINDEX, number)
            }
            CtxField::Data | CtxField::DataEnd | CtxField::DataMeta | CtxField::ClonedByte => 8,
        }
    }
}

/// What a load becomes; `None` for a field that is not covered.
pub(in crate::bpf) fn convert(
    prog_type: &ProgType,
    load: CtxLoad,
    size: Size,
    signed: bool,
    dst: Reg,
    base: Reg,
) -> Option<Vec<Fixed>> {
    let xdp = *prog_type == ProgType::Xdp;
    let out = Vec::new();
    let mut loads = Loads { dst, base, out };
    let target_size = match load.member {
        Member::NotCovered => return None,
        Member::Pointer(pointer) => {
            let (off, field) = match (pointer, xdp) {
                (PacketPointer::Data, true) => (XDP_DATA, CtxField::Data),
                (PacketPointer::DataEnd, true) => (XDP_DATA_END, CtxField::DataEnd),
                (PacketPointer::DataMeta, true) => (XDP_DATA_META, CtxField::DataMeta),
                (PacketPointer::Data, false) => (SKB_DATA, CtxField::Data),
                (PacketPointer::DataEnd, false) => (SKB_CB + CB_DATA_END, CtxField::DataEnd),
                (PacketPointer::DataMeta, false) => (SKB_CB + CB_DATA_META, CtxField::DataMeta),
            };
            loads.field(Size::Dw, off, field);
            return Some(loads.out);
        }
        Member::Number(number) => loads.number(xdp, number, size),
    };
    let bytes = size.bytes();
    // Bytes of cb are loaded as they are.
    if bytes < 4 && bytes < target_size {
        if load.inside != 0 {
            loads.alu(Width::W32, AluOp::Rsh, Operand::Imm(load.inside as i32 * 8));
        }
        loads.alu(Width::W32, AluOp::And, Operand::Imm((1 << (bytes * 8)) - 1));
    }
    if signed {
        let op = AluOp::MovSx(bytes as u8 * 8);
        loads.alu(Width::W64, op, Operand::Reg(dst));
    }
    Some(loads.out)
}

/// What a store becomes: one of the field's size in the kernel's structure.
pub(in crate::bpf) fn convert_store(
    store: CtxLoad,
    size: Size,
    base: Reg,
    src: Operand,
) -> Vec<Fixed> {
    let Member::Number(field) = store.member else {
        return Vec::new();
    };
    let (size, off) = match field {
        CtxField::Mark => (Size::W, SKB_MARK),
        CtxField::Priority => (Size::W, SKB_PRIORITY),
        CtxField::TcIndex => (Size::H, SKB_TC_INDEX),
        CtxField::QueueIndex => (Size::H, SKB_QUEUE_MAPPING),
        CtxField::TcClassid => (Size::H, SKB_CB + CB_TC_CLASSID),
        CtxField::Cb(at) => (size, SKB_CB + CB_DATA + i16::from(at)),
        _ => (Size::Dw, SKB_TSTAMP),
    };
    let insn = Insn::Store {
        size,
        base,
        off,
        src,
    };
    let insn = Fixed {
        insn,
        kernel: Some(Field(field)),
    };
    match (field, src) {
        // A queue that does not exist is not written.
        (CtxField::QueueIndex, Operand::Imm(imm)) if imm >= NO_QUEUE_MAPPING => {
            let (target, long) = (1, false);
            vec![plain(Insn::Jump { target, long })]
        }
        (CtxField::QueueIndex, Operand::Reg(dst)) => {
            let branch = Insn::Branch {
                width: Width::W64,
                cond: Cond::Ge,
                dst,
                src: Operand::Imm(NO_QUEUE_MAPPING),
                target: 2,
            };
            vec![plain(branch), insn]
        }
        _ => vec![insn],
    }
}
