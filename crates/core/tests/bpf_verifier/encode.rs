//! Instructions as bytes (RFC 9669), so that a real kernel can be given the programs of the table.

use headroom_core::bpf::insn::{
    AluOp, AtomicOp, Callee, Cond, Insn, Operand, Reg, Size, Wide, Width,
};

/// What the loader has to fill in: slot, kind (1 map, 2 value of a map, 3 kernel function), number, name.
pub type Fill = (u32, u32, u32, String);

struct Out<'i> {
    bytes: Vec<u8>,
    fills: Vec<Fill>,
    slots: &'i [i64],
    at: usize,
}

impl Out<'_> {
    fn emit(&mut self, op: u8, dst: u8, src: u8, off: i16, imm: i32) {
        self.bytes.extend([op, src << 4 | dst]);
        self.bytes.extend(off.to_le_bytes());
        self.bytes.extend(imm.to_le_bytes());
    }

    /// Slots from behind this instruction to another.
    fn to(&self, target: usize) -> i64 {
        self.slots[target] - self.slots[self.at] - 1
    }
}

fn number(reg: Reg) -> u8 {
    reg.number() as u8
}

fn size(size: Size) -> u8 {
    match size {
        Size::W => 0x00,
        Size::H => 0x08,
        Size::B => 0x10,
        Size::Dw => 0x18,
    }
}

/// The bytes of a program, and what the loader fills in.
pub fn encode(insns: &[Insn]) -> (Vec<u8>, Vec<Fill>) {
    let mut slots = Vec::new();
    let mut slot = 0;
    for insn in insns {
        slots.push(slot);
        slot += insn.slots() as i64;
    }
    let mut out = Out {
        bytes: Vec::new(),
        fills: Vec::new(),
        slots: &slots,
        at: 0,
    };
    for (at, insn) in insns.iter().enumerate() {
        out.at = at;
        one(&mut out, insn);
    }
    (out.bytes, out.fills)
}

fn one(out: &mut Out<'_>, insn: &Insn) {
    let slot = out.slots[out.at] as u32;
    match insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => alu(out, *width, *op, number(*dst), *src),
        Insn::LoadImm { dst, value } => {
            let (src, low, high) = match value {
                Wide::Number(n) => (0, *n as i32, (*n >> 32) as i32),
                Wide::Map(map) => {
                    out.fills.push((slot, 1, *map as u32, String::new()));
                    (0, 0, 0)
                }
                Wide::MapValue { map, off } => {
                    out.fills
                        .push((slot, 2, *map as u32 | off << 8, String::new()));
                    (0, 0, 0)
                }
                Wide::Func(target) => {
                    let to = out.slots[*target] - out.slots[out.at] - 1;
                    out.emit(0x18, number(*dst), 4, 0, to as i32);
                    return out.emit(0, 0, 0, 0, 0);
                }
            };
            out.emit(0x18, number(*dst), src, 0, low);
            out.emit(0, 0, 0, 0, high);
        }
        Insn::Load {
            size: s,
            signed,
            dst,
            base,
            off,
        } => {
            let mode = if *signed { 0x81 } else { 0x61 };
            out.emit(mode | size(*s), number(*dst), number(*base), *off, 0);
        }
        Insn::Store {
            size: s,
            base,
            off,
            src,
        } => match src {
            Operand::Reg(src) => out.emit(0x63 | size(*s), number(*base), number(*src), *off, 0),
            Operand::Imm(imm) => out.emit(0x62 | size(*s), number(*base), 0, *off, *imm),
        },
        Insn::Atomic {
            size: s,
            op,
            base,
            off,
            src,
        } => {
            let imm = match op {
                AtomicOp::Add { fetch } => i32::from(*fetch),
                AtomicOp::Or { fetch } => 0x40 | i32::from(*fetch),
                AtomicOp::And { fetch } => 0x50 | i32::from(*fetch),
                AtomicOp::Xor { fetch } => 0xa0 | i32::from(*fetch),
                AtomicOp::Xchg => 0xe1,
                AtomicOp::Cmpxchg => 0xf1,
            };
            out.emit(0xc3 | size(*s), number(*base), number(*src), *off, imm);
        }
        Insn::LoadAcquire {
            size: s,
            dst,
            base,
            off,
        } => {
            out.emit(0xc3 | size(*s), number(*dst), number(*base), *off, 0x100);
        }
        Insn::StoreRelease {
            size: s,
            base,
            off,
            src,
        } => {
            out.emit(0xc3 | size(*s), number(*base), number(*src), *off, 0x110);
        }
        Insn::PacketLoad {
            size: s,
            index,
            off,
        } => match index {
            Some(index) => out.emit(0x40 | size(*s), 0, number(*index), 0, *off),
            None => out.emit(0x20 | size(*s), 0, 0, 0, *off),
        },
        Insn::Jump { target, long } => {
            let to = out.to(*target);
            if *long {
                out.emit(0x06, 0, 0, 0, to as i32);
            } else {
                out.emit(0x05, 0, 0, to as i16, 0);
            }
        }
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            target,
        } => {
            let code = match cond {
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
            };
            let class = if *width == Width::W64 { 5 } else { 6 };
            let (to, dst) = (out.to(*target) as i16, number(*dst));
            match src {
                Operand::Reg(src) => out.emit(code | 8 | class, dst, number(*src), to, 0),
                Operand::Imm(imm) => out.emit(code | class, dst, 0, to, *imm),
            }
        }
        Insn::Call(callee) => match callee {
            Callee::Helper(id) => out.emit(0x85, 0, 0, 0, *id as i32),
            Callee::Local(target) => {
                let to = out.to(*target) as i32;
                out.emit(0x85, 0, 1, 0, to);
            }
            Callee::Kfunc(name) => {
                out.fills.push((slot, 3, 0, name.clone()));
                out.emit(0x85, 0, 2, 0, 0);
            }
            Callee::Register(reg) => out.emit(0x8d, number(*reg), 0, 0, 0),
            Callee::MetaRealign | Callee::ProloguePullData => {}
        },
        Insn::Exit => out.emit(0x95, 0, 0, 0, 0),
    }
}

fn alu(out: &mut Out<'_>, width: Width, op: AluOp, dst: u8, src: Operand) {
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
        AluOp::Neg => return out.emit(0x80 | class, dst, 0, 0, 0),
        AluOp::Mod => (0x90, 0),
        AluOp::SMod => (0x90, 1),
        AluOp::Xor => (0xa0, 0),
        AluOp::Mov => (0xb0, 0),
        AluOp::MovSx(bits) => (0xb0, i16::from(bits)),
        AluOp::Arsh => (0xc0, 0),
        AluOp::ToLe(bits) => return out.emit(0xd4, dst, 0, 0, i32::from(bits)),
        AluOp::ToBe(bits) => return out.emit(0xdc, dst, 0, 0, i32::from(bits)),
        AluOp::Bswap(bits) => return out.emit(0xd7, dst, 0, 0, i32::from(bits)),
    };
    match src {
        Operand::Reg(src) => out.emit(code | 8 | class, dst, number(src), off, 0),
        Operand::Imm(imm) => out.emit(code | class, dst, 0, off, imm),
    }
}
