//! Instructions as bytes (RFC 9669), written apart from the decoder: to give a real kernel the programs of a table, and to
//! compare with what other loaders read.

#![allow(dead_code)] // each test file uses a part

use headroom_core::bpf::insn::{
    AluOp, AtomicOp, Callee, Cond, Insn, Operand, Reg, Size, Wide, Width,
};

/// What the loader has to fill in: slot, kind (1 map, 2 value of a map, 3 kernel function), number, name.
pub type Fill = (u32, u32, u32, String);

/// Opcode, destination, source, offset, immediate (RFC 9669, section 3).
pub type Fields = (u8, u8, u8, i16, i32);

pub fn number(reg: Reg) -> u8 {
    reg.number() as u8
}

fn size_bits(size: Size) -> u8 {
    match size {
        Size::W => 0x00,
        Size::H => 0x08,
        Size::B => 0x10,
        Size::Dw => 0x18,
    }
}

/// Source bit, source register and immediate of an operand.
fn operand(src: Operand) -> (u8, u8, i32) {
    match src {
        Operand::Reg(src) => (8, number(src), 0),
        Operand::Imm(imm) => (0, 0, imm),
    }
}

/// The bytes of a program, and what the loader fills in.
pub fn encode(insns: &[Insn]) -> (Vec<u8>, Vec<Fill>) {
    let mut slots = vec![0];
    for insn in insns {
        slots.push(slots[slots.len() - 1] + insn.slots() as i64);
    }
    let (mut bytes, mut fills) = (Vec::new(), Vec::new());
    let mut emit = |(op, dst, src, off, imm): Fields| {
        bytes.extend([op, src << 4 | dst]);
        bytes.extend(off.to_le_bytes());
        bytes.extend(imm.to_le_bytes());
    };
    for (at, insn) in insns.iter().enumerate() {
        let to = |target: usize| slots[target] - slots[at] - 1;
        let slot = slots[at] as u32;
        match insn {
            Insn::LoadImm { dst, value } => {
                let (src, low, high) = match value {
                    Wide::Number(n) => (0, *n as i32, (*n >> 32) as i32),
                    Wide::Map(map) => {
                        fills.push((slot, 1, *map as u32, String::new()));
                        (0, 0, 0)
                    }
                    Wide::MapValue { map, off } => {
                        fills.push((slot, 2, *map as u32 | off << 8, String::new()));
                        (0, 0, 0)
                    }
                    Wide::Func(target) => (4, to(*target) as i32, 0),
                };
                emit((0x18, number(*dst), src, 0, low));
                emit((0, 0, 0, 0, high));
            }
            Insn::Call(Callee::Local(target)) => emit((0x85, 0, 1, 0, to(*target) as i32)),
            Insn::Call(Callee::Kfunc(name)) => {
                fills.push((slot, 3, 0, name.clone()));
                emit((0x85, 0, 2, 0, 0));
            }
            Insn::Call(Callee::MetaRealign | Callee::ProloguePullData) => {}
            insn => emit(fields(insn, insn.target().map_or(0, to))),
        }
    }
    (bytes, fills)
}

/// An instruction of one slot that needs no loader. `jump` counts slots from the next instruction.
pub fn fields(insn: &Insn, jump: i64) -> Fields {
    let off = jump as i16;
    match *insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => alu(width, op, number(dst), src),
        Insn::Load {
            size,
            signed,
            dst,
            base,
            off,
        } => {
            let mode = if signed { 0x81 } else { 0x61 };
            (mode | size_bits(size), number(dst), number(base), off, 0)
        }
        Insn::Store {
            size,
            base,
            off,
            src,
        } => {
            let (bit, src, imm) = operand(src);
            let class = if bit == 8 { 0x63 } else { 0x62 };
            (class | size_bits(size), number(base), src, off, imm)
        }
        Insn::Atomic {
            size,
            op,
            base,
            off,
            src,
        } => {
            let imm = match op {
                AtomicOp::Add { fetch } => i32::from(fetch),
                AtomicOp::Or { fetch } => 0x40 | i32::from(fetch),
                AtomicOp::And { fetch } => 0x50 | i32::from(fetch),
                AtomicOp::Xor { fetch } => 0xa0 | i32::from(fetch),
                AtomicOp::Xchg => 0xe1,
                AtomicOp::Cmpxchg => 0xf1,
            };
            (0xc3 | size_bits(size), number(base), number(src), off, imm)
        }
        Insn::LoadAcquire {
            size,
            dst,
            base,
            off,
        } => (
            0xc3 | size_bits(size),
            number(dst),
            number(base),
            off,
            0x100,
        ),
        Insn::StoreRelease {
            size,
            base,
            off,
            src,
        } => (
            0xc3 | size_bits(size),
            number(base),
            number(src),
            off,
            0x110,
        ),
        Insn::PacketLoad { size, index, off } => match index {
            Some(index) => (0x40 | size_bits(size), 0, number(index), 0, off),
            None => (0x20 | size_bits(size), 0, 0, 0, off),
        },
        Insn::Jump { long: false, .. } => (0x05, 0, 0, off, 0),
        Insn::Jump { long: true, .. } => (0x06, 0, 0, 0, jump as i32),
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            ..
        } => {
            let class = if width == Width::W64 { 5 } else { 6 };
            let (bit, src, imm) = operand(src);
            (condition(cond) | bit | class, number(dst), src, off, imm)
        }
        Insn::MayGoto { .. } => (0xe5, 0, 0, off, 0),
        Insn::Call(Callee::Helper(id)) => (0x85, 0, 0, 0, id as i32),
        Insn::Call(Callee::Register(reg)) => (0x8d, number(reg), 0, 0, 0),
        Insn::Exit => (0x95, 0, 0, 0, 0),
        ref other => panic!("needs a loader: {other:?}"),
    }
}

fn condition(cond: Cond) -> u8 {
    match cond {
        Cond::Eq => 0x10,
        Cond::Gt => 0x20,
        Cond::Ge => 0x30,
        Cond::Set => 0x40,
        Cond::Ne => 0x50,
        Cond::SGt => 0x60,
        Cond::SGe => 0x70,
        Cond::Lt => 0xa0,
        Cond::Le => 0xb0,
        Cond::SLt => 0xc0,
        Cond::SLe => 0xd0,
    }
}

fn alu(width: Width, op: AluOp, dst: u8, src: Operand) -> Fields {
    let class = if width == Width::W64 { 7 } else { 4 };
    let (code, off) = match op {
        AluOp::Add => (0x00, 0),
        AluOp::Sub => (0x10, 0),
        AluOp::Mul => (0x20, 0),
        AluOp::Div => (0x30, 0),
        AluOp::SDiv => (0x30, 1),
        AluOp::Or => (0x40, 0),
        AluOp::And => (0x50, 0),
        AluOp::Lsh => (0x60, 0),
        AluOp::Rsh => (0x70, 0),
        AluOp::Neg => return (0x80 | class, dst, 0, 0, 0),
        AluOp::Mod => (0x90, 0),
        AluOp::SMod => (0x90, 1),
        AluOp::Xor => (0xa0, 0),
        AluOp::Mov => (0xb0, 0),
        AluOp::MovSx(bits) => (0xb0, i16::from(bits)),
        AluOp::Arsh => (0xc0, 0),
        AluOp::ToLe(bits) => return (0xd4, dst, 0, 0, i32::from(bits)),
        AluOp::ToBe(bits) => return (0xdc, dst, 0, 0, i32::from(bits)),
        AluOp::Bswap(bits) => return (0xd7, dst, 0, 0, i32::from(bits)),
    };
    let (bit, src, imm) = operand(src);
    (code | bit | class, dst, src, off, imm)
}
