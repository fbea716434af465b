//! Pieces: one arithmetic instruction or one branch, in a form that `rbpf` carries out right.
//!
//! A piece loads its operands from the register file, does one instruction and returns the result
//! in r0: the new value of the destination, or 1 if a branch is taken and 0 if not. The core stores
//! the result. (The piece does not write memory at all, so handing `rbpf` a shared reference to the
//! register file is sound, and nothing a program computes is ever used as a host address.)
//!
//! Where `rbpf` 0.4.1 deviates from RFC 9669 the piece is written with instructions it does right:
//!
//! | instruction | piece |
//! | --- | --- |
//! | 64-bit jump with a negative immediate | immediate into a register, sign-extended by `mov`, first |
//! | `mod32` by 0 | operand zero-extended first |
//! | `movsx` | shift left, arithmetic shift right |
//! | `sdiv`, `smod` | unsigned division of the magnitudes, sign put back without a branch |
//! | `neg64` | 0 minus the operand (`rbpf` panics on the smallest value) |
//! | `bswap` | `be`, which swaps on a little-endian host |

use rbpf::EbpfVmMbuff;

use super::insn::{AluOp, Cond, Operand, Reg, Width};

/// r0 to r10, as bytes in host order, where pieces find their operands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registers {
    file: [u8; 88],
}

impl Registers {
    pub fn new() -> Registers {
        Registers { file: [0; 88] }
    }

    pub fn get(&self, reg: Reg) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.file[reg.number() * 8..reg.number() * 8 + 8]);
        u64::from_ne_bytes(bytes)
    }

    pub fn set(&mut self, reg: Reg, value: u64) {
        self.file[reg.number() * 8..reg.number() * 8 + 8].copy_from_slice(&value.to_ne_bytes());
    }

    /// All eleven.
    pub fn all(&self) -> [u64; 11] {
        std::array::from_fn(|i| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.file[i * 8..i * 8 + 8]);
            u64::from_ne_bytes(bytes)
        })
    }
}

/// The bytecode of one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    code: Vec<u8>,
}

// Registers inside a piece: r0 is the destination operand and the result, r1 the register file.
const OUT: u8 = 0;
const FILE: u8 = 1;
const ARG: u8 = 2;
const T1: u8 = 3;
const T2: u8 = 4;

impl Piece {
    fn new() -> Piece {
        Piece { code: Vec::new() }
    }

    fn emit(&mut self, op: u8, dst: u8, src: u8, off: i16, imm: i32) {
        self.code.extend([op, src << 4 | dst]);
        self.code.extend(off.to_le_bytes());
        self.code.extend(imm.to_le_bytes());
    }

    /// `into = register file [reg]`.
    fn load(&mut self, into: u8, reg: Reg) {
        self.emit(0x79, into, FILE, reg.number() as i16 * 8, 0);
    }

    fn alu64_reg(&mut self, code: u8, dst: u8, src: u8) {
        self.emit(code | 0x0f, dst, src, 0, 0);
    }

    fn alu64_imm(&mut self, code: u8, dst: u8, imm: i32) {
        self.emit(code | 0x07, dst, 0, 0, imm);
    }

    /// `dst = (s<bits>)dst`.
    fn sign_extend(&mut self, dst: u8, bits: u8) {
        self.alu64_imm(LSH, dst, 64 - i32::from(bits));
        self.alu64_imm(ARSH, dst, 64 - i32::from(bits));
    }

    /// `mask = dst < 0 ? -1 : 0; dst = |dst|`, the magnitude as unsigned.
    fn magnitude(&mut self, dst: u8, mask: u8) {
        self.alu64_reg(MOV, mask, dst);
        self.alu64_imm(ARSH, mask, 63);
        self.apply_sign(dst, mask);
    }

    /// `dst = mask ? -dst : dst`; undoes itself.
    fn apply_sign(&mut self, dst: u8, mask: u8) {
        self.alu64_reg(XOR, dst, mask);
        self.alu64_reg(SUB, dst, mask);
    }

    fn end(mut self) -> Piece {
        self.emit(0x95, 0, 0, 0, 0);
        self
    }

    /// `dst = dst op src`.
    pub fn alu(width: Width, op: AluOp, dst: Reg, src: Operand) -> Piece {
        let mut p = Piece::new();
        let class = if width == Width::W64 { 0x07 } else { 0x04 };
        if !matches!(op, AluOp::Mov | AluOp::MovSx(_)) {
            p.load(OUT, dst);
        }
        match src {
            Operand::Reg(src) => p.load(ARG, src),
            Operand::Imm(imm) => p.alu64_imm(MOV, ARG, imm),
        }
        // With an immediate `rbpf` gets the same instruction; in ARG it is only a copy.
        let plain = |p: &mut Piece, code: u8| match src {
            Operand::Reg(_) => p.emit(code | 0x08 | class, OUT, ARG, 0, 0),
            Operand::Imm(imm) => p.emit(code | class, OUT, 0, 0, imm),
        };
        match op {
            AluOp::Add => plain(&mut p, ADD),
            AluOp::Sub => plain(&mut p, SUB),
            AluOp::Mul => plain(&mut p, MUL),
            AluOp::Div => plain(&mut p, DIV),
            AluOp::Or => plain(&mut p, OR),
            AluOp::And => plain(&mut p, AND),
            AluOp::Lsh => plain(&mut p, LSH),
            AluOp::Rsh => plain(&mut p, RSH),
            AluOp::Xor => plain(&mut p, XOR),
            AluOp::Mov => plain(&mut p, MOV),
            AluOp::Arsh => plain(&mut p, ARSH),
            AluOp::Mod => {
                if width == Width::W32 {
                    p.emit(0xbc, OUT, OUT, 0, 0);
                }
                plain(&mut p, MOD);
            }
            AluOp::Neg => {
                p.alu64_reg(MOV, ARG, OUT);
                p.alu64_imm(MOV, OUT, 0);
                p.alu64_reg(SUB, OUT, ARG);
            }
            AluOp::MovSx(bits) => {
                p.alu64_reg(MOV, OUT, ARG);
                p.sign_extend(OUT, bits);
            }
            AluOp::SDiv | AluOp::SMod => {
                if width == Width::W32 {
                    p.sign_extend(OUT, 32);
                    p.sign_extend(ARG, 32);
                }
                p.magnitude(OUT, T1);
                p.magnitude(ARG, T2);
                if op == AluOp::SDiv {
                    p.alu64_reg(DIV, OUT, ARG);
                    p.alu64_reg(XOR, T1, T2);
                } else {
                    p.alu64_reg(MOD, OUT, ARG);
                }
                p.apply_sign(OUT, T1);
            }
            AluOp::ToLe(bits) => p.emit(0xd4, OUT, 0, 0, i32::from(bits)),
            AluOp::ToBe(bits) | AluOp::Bswap(bits) => p.emit(0xdc, OUT, 0, 0, i32::from(bits)),
        }
        // The 32-bit forms made of 64-bit instructions: clear the upper half.
        if width == Width::W32
            && matches!(op, AluOp::Neg | AluOp::MovSx(_) | AluOp::SDiv | AluOp::SMod)
        {
            p.emit(0xbc, OUT, OUT, 0, 0);
        }
        p.end()
    }

    /// A 64-bit number.
    pub fn wide(value: u64) -> Piece {
        let mut p = Piece::new();
        p.emit(0x18, OUT, 0, 0, value as u32 as i32);
        p.emit(0, 0, 0, 0, (value >> 32) as u32 as i32);
        p.end()
    }

    /// Returns 1 if `dst cond src`, else 0.
    pub fn branch(width: Width, cond: Cond, dst: Reg, src: Operand) -> Piece {
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
        let class = if width == Width::W64 { 0x05 } else { 0x06 };
        let mut p = Piece::new();
        p.load(T1, dst);
        p.alu64_imm(MOV, OUT, 1);
        match src {
            Operand::Reg(src) => {
                p.load(ARG, src);
                p.emit(code | 0x08 | class, T1, ARG, 1, 0);
            }
            Operand::Imm(imm) if imm < 0 && width == Width::W64 => {
                p.alu64_imm(MOV, ARG, imm);
                p.emit(code | 0x08 | class, T1, ARG, 1, 0);
            }
            Operand::Imm(imm) => p.emit(code | class, T1, 0, 1, imm),
        }
        p.alu64_imm(MOV, OUT, 0);
        p.end()
    }
}

const ADD: u8 = 0x00;
const SUB: u8 = 0x10;
const MUL: u8 = 0x20;
const DIV: u8 = 0x30;
const OR: u8 = 0x40;
const AND: u8 = 0x50;
const LSH: u8 = 0x60;
const RSH: u8 = 0x70;
const MOD: u8 = 0x90;
const XOR: u8 = 0xa0;
const MOV: u8 = 0xb0;
const ARSH: u8 = 0xc0;

/// The pieces of a program and the `rbpf` machines for those that have run, one each.
pub(super) struct Pieces<'p> {
    pieces: &'p [Piece],
    machines: Vec<Option<EbpfVmMbuff<'p>>>,
}

impl<'p> Pieces<'p> {
    pub fn new(pieces: &'p [Piece]) -> Pieces<'p> {
        Pieces {
            pieces,
            machines: pieces.iter().map(|_| None).collect(),
        }
    }

    /// Carries out a piece. `Err` only if the piece itself is wrong, which is a bug of ours.
    pub fn run(&mut self, piece: usize, registers: &Registers) -> Result<u64, String> {
        let (Some(code), Some(machine)) = (self.pieces.get(piece), self.machines.get_mut(piece))
        else {
            return Err(format!("no piece {piece}"));
        };
        let machine = match machine {
            Some(machine) => machine,
            None => {
                let new = EbpfVmMbuff::new(Some(&code.code)).map_err(|e| format!("{e:?}"))?;
                machine.insert(new)
            }
        };
        machine
            .execute_program(&registers.file, &[])
            .map_err(|e| format!("{e:?}"))
    }
}
