//! Bytecode for `rbpf`: how each arithmetic instruction and branch is written so that `rbpf` 0.4.1
//! carries it out as RFC 9669 wants it. Single pieces and whole chunks are both written with this.
//!
//! | instruction | written as |
//! | --- | --- |
//! | 64-bit jump with a negative immediate | immediate into a register, sign-extended by `mov`, first |
//! | `mod32` by 0 | operand zero-extended first |
//! | `movsx` | shift left, arithmetic shift right |
//! | `sdiv`, `smod` | unsigned division of the magnitudes, sign put back without a branch |
//! | `neg64` | all bits turned, plus 1 (`rbpf` panics on the smallest value in debug builds) |
//! | `bswap` | `be`, which swaps on a little-endian host |

use super::insn::{AluOp, Cond, Width};

pub(super) const SUB: u8 = 0x10;
pub(super) const MOV: u8 = 0xb0;
const ADD: u8 = 0x00;
const MUL: u8 = 0x20;
const DIV: u8 = 0x30;
const OR: u8 = 0x40;
const AND: u8 = 0x50;
const LSH: u8 = 0x60;
const RSH: u8 = 0x70;
const MOD: u8 = 0x90;
const XOR: u8 = 0xa0;
const ARSH: u8 = 0xc0;

/// Second operand: a register of `rbpf`, or an immediate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arg {
    Reg(u8),
    Imm(i32),
}

/// Bytecode in the making. Registers are `rbpf`'s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Code {
    bytes: Vec<u8>,
}

impl Code {
    /// Slots of eight bytes so far.
    pub fn slots(&self) -> usize {
        self.bytes.len() / 8
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// More of the same.
    pub fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn emit(&mut self, op: u8, dst: u8, src: u8, off: i16, imm: i32) {
        self.bytes.extend([op, src << 4 | dst]);
        self.bytes.extend(off.to_le_bytes());
        self.bytes.extend(imm.to_le_bytes());
    }

    /// Sets the jump distance of the instruction at a slot.
    pub fn patch(&mut self, slot: usize, off: i16) {
        if let Some(place) = self.bytes.get_mut(slot * 8 + 2..slot * 8 + 4) {
            place.copy_from_slice(&off.to_le_bytes());
        }
    }

    /// `dst = *(u64 *)(base + off)`.
    pub fn load(&mut self, dst: u8, base: u8, off: i16) {
        self.emit(0x79, dst, base, off, 0);
    }

    /// `*(u64 *)(base + off) = src`.
    pub fn store(&mut self, base: u8, off: i16, src: u8) {
        self.emit(0x7b, base, src, off, 0);
    }

    /// `exit`.
    pub fn exit(&mut self) {
        self.emit(0x95, 0, 0, 0, 0);
    }

    /// `dst = value`, all 64 bits.
    pub fn wide(&mut self, dst: u8, value: u64) {
        self.emit(0x18, dst, 0, 0, value as u32 as i32);
        self.emit(0, 0, 0, 0, (value >> 32) as u32 as i32);
    }

    pub fn alu64_reg(&mut self, code: u8, dst: u8, src: u8) {
        self.emit(code | 0x0f, dst, src, 0, 0);
    }

    pub fn alu64_imm(&mut self, code: u8, dst: u8, imm: i32) {
        self.emit(code | 0x07, dst, 0, 0, imm);
    }

    /// `dst = arg`; an immediate is sign-extended.
    fn mov(&mut self, dst: u8, arg: Arg) {
        match arg {
            Arg::Reg(src) => self.alu64_reg(MOV, dst, src),
            Arg::Imm(imm) => self.alu64_imm(MOV, dst, imm),
        }
    }

    /// Clears the upper half.
    fn zero_extend(&mut self, dst: u8) {
        self.emit(0xbc, dst, dst, 0, 0);
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

    /// `dst = dst op arg`. Registers `temps` are overwritten; [`alu_temps`] says how many are needed.
    pub fn alu(&mut self, width: Width, op: AluOp, dst: u8, arg: Arg, temps: [u8; 3]) {
        let class = if width == Width::W64 { 0x07 } else { 0x04 };
        let mut plain = |code: u8| match arg {
            Arg::Reg(src) => self.emit(code | 0x08 | class, dst, src, 0, 0),
            Arg::Imm(imm) => self.emit(code | class, dst, 0, 0, imm),
        };
        match op {
            AluOp::Add => plain(ADD),
            AluOp::Sub => plain(SUB),
            AluOp::Mul => plain(MUL),
            AluOp::Div => plain(DIV),
            AluOp::Or => plain(OR),
            AluOp::And => plain(AND),
            AluOp::Lsh => plain(LSH),
            AluOp::Rsh => plain(RSH),
            AluOp::Xor => plain(XOR),
            AluOp::Mov => plain(MOV),
            AluOp::Arsh => plain(ARSH),
            AluOp::Mod if width == Width::W64 => plain(MOD),
            AluOp::Mod => {
                self.zero_extend(dst);
                match arg {
                    Arg::Reg(src) => self.emit(MOD | 0x0c, dst, src, 0, 0),
                    Arg::Imm(imm) => self.emit(MOD | 0x04, dst, 0, 0, imm),
                }
            }
            AluOp::Neg if width == Width::W32 => self.emit(0x84, dst, 0, 0, 0),
            AluOp::Neg => {
                self.alu64_imm(XOR, dst, -1);
                self.alu64_imm(ADD, dst, 1);
            }
            AluOp::MovSx(bits) => {
                self.mov(dst, arg);
                self.sign_extend(dst, bits);
            }
            AluOp::SDiv | AluOp::SMod => self.signed_division(width, op, dst, arg, temps),
            AluOp::ToLe(bits) => self.emit(0xd4, dst, 0, 0, i32::from(bits)),
            AluOp::ToBe(bits) | AluOp::Bswap(bits) => {
                self.emit(0xdc, dst, 0, 0, i32::from(bits));
            }
        }
        if width == Width::W32 && matches!(op, AluOp::MovSx(_) | AluOp::SDiv | AluOp::SMod) {
            self.zero_extend(dst);
        }
    }

    fn signed_division(&mut self, width: Width, op: AluOp, dst: u8, arg: Arg, temps: [u8; 3]) {
        let [divisor, sign, divisor_sign] = temps;
        self.mov(divisor, arg);
        if width == Width::W32 {
            self.sign_extend(dst, 32);
            self.sign_extend(divisor, 32);
        }
        self.magnitude(dst, sign);
        self.magnitude(divisor, divisor_sign);
        if op == AluOp::SDiv {
            self.alu64_reg(DIV, dst, divisor);
            self.alu64_reg(XOR, sign, divisor_sign);
        } else {
            self.alu64_reg(MOD, dst, divisor);
        }
        self.apply_sign(dst, sign);
    }

    /// Jumps by `off` if `dst cond arg`. `temp` is overwritten if [`branch_needs_temp`].
    pub fn branch(&mut self, width: Width, cond: Cond, dst: u8, arg: Arg, temp: u8, off: i16) {
        let code = branch_code(cond);
        let class = if width == Width::W64 { 0x05 } else { 0x06 };
        match arg {
            Arg::Reg(src) => self.emit(code | 0x08 | class, dst, src, off, 0),
            Arg::Imm(imm) if branch_needs_temp(width, arg) => {
                self.alu64_imm(MOV, temp, imm);
                self.emit(code | 0x08 | class, dst, temp, off, 0);
            }
            Arg::Imm(imm) => self.emit(code | class, dst, 0, off, imm),
        }
    }
}

/// How many registers an instruction needs beside its operands.
pub(super) fn alu_temps(op: AluOp) -> usize {
    match op {
        AluOp::SDiv | AluOp::SMod => 3,
        _ => 0,
    }
}

/// `rbpf` zero-extends the immediate of a 64-bit jump.
pub(super) fn branch_needs_temp(width: Width, arg: Arg) -> bool {
    width == Width::W64 && matches!(arg, Arg::Imm(imm) if imm < 0)
}

fn branch_code(cond: Cond) -> u8 {
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
