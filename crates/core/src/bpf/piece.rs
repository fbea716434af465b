//! Pieces: one arithmetic instruction or one branch, in a form that `rbpf` carries out right.
//!
//! A piece loads its operands from the register file, does one instruction and returns the result
//! in r0: the new value of the destination, or 1 if a branch is taken and 0 if not. The core stores
//! the result. (The piece does not write memory at all, so handing `rbpf` a copy of the register
//! file is enough, and nothing a program computes is ever used as a host address.)

use rbpf::EbpfVmMbuff;

use super::code::{Arg, Code, MOV};
use super::insn::{AluOp, Cond, Operand, Reg, Width};
use super::registers::Registers;

/// The bytecode of one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    code: Vec<u8>,
}

// Registers inside a piece: r0 is the destination operand and the result, r1 the register file.
const OUT: u8 = 0;
const FILE: u8 = 1;
const ARG: u8 = 2;
const TEMPS: [u8; 3] = [5, 3, 4];

/// `into = register file [reg]`.
fn load(code: &mut Code, into: u8, reg: Reg) {
    code.load(into, FILE, reg.number() as i16 * 8);
}

/// The second operand; a register's value goes into [`ARG`].
fn argument(code: &mut Code, src: Operand) -> Arg {
    match src {
        Operand::Reg(src) => {
            load(code, ARG, src);
            Arg::Reg(ARG)
        }
        Operand::Imm(imm) => Arg::Imm(imm),
    }
}

impl Piece {
    fn end(mut code: Code) -> Piece {
        code.exit();
        Piece {
            code: code.into_bytes(),
        }
    }

    /// `dst = dst op src`.
    pub fn alu(width: Width, op: AluOp, dst: Reg, src: Operand) -> Piece {
        let mut code = Code::default();
        if !matches!(op, AluOp::Mov | AluOp::MovSx(_)) {
            load(&mut code, OUT, dst);
        }
        let arg = argument(&mut code, src);
        code.alu(width, op, OUT, arg, TEMPS);
        Piece::end(code)
    }

    /// A 64-bit number.
    pub fn wide(value: u64) -> Piece {
        let mut code = Code::default();
        code.wide(OUT, value);
        Piece::end(code)
    }

    /// Returns 1 if `dst cond src`, else 0.
    pub fn branch(width: Width, cond: Cond, dst: Reg, src: Operand) -> Piece {
        let [operand, temp, _] = TEMPS;
        let mut code = Code::default();
        load(&mut code, operand, dst);
        let arg = argument(&mut code, src);
        code.alu64_imm(MOV, OUT, 1);
        code.branch(width, cond, operand, arg, temp, 1);
        code.alu64_imm(MOV, OUT, 0);
        Piece::end(code)
    }
}

/// The pieces of a program and the `rbpf` machines for those that have run, one each.
pub(super) struct Pieces<'p> {
    pieces: &'p [Piece],
    machines: Vec<Option<EbpfVmMbuff<'p>>>,
}

impl<'p> Pieces<'p> {
    pub fn new(pieces: &'p [Piece]) -> Pieces<'p> {
        Pieces {
            pieces,
            machines: Vec::new(),
        }
    }

    /// Carries out a piece. `Err` only if the piece itself is wrong, which is a bug of ours.
    pub fn run(&mut self, piece: usize, registers: &Registers<'_>) -> Result<u64, String> {
        if self.machines.is_empty() {
            self.machines.resize_with(self.pieces.len(), || None);
        }
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
            .execute_program(&registers.bytes(), &[])
            .map_err(|e| format!("{e:?}"))
    }
}
