//! Pieces: one arithmetic instruction or one branch, in a form that `rbpf` carries out right.
//!
//! A piece loads its operands from the register file, does one instruction and returns the result
//! in r0: the new value of the destination, or 1 if a branch is taken and 0 if not. The core stores
//! the result. (The piece does not write memory at all, so handing `rbpf` a copy of the register
//! file is enough, and nothing a program computes is ever used as a host address.)

use std::ops::Range;

use rbpf::EbpfVmMbuff;

use super::code::{Arg, Code, MOV};
use super::insn::{AluOp, Cond, Operand, Reg, Width};
use super::registers::{PIECE, Registers};

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

/// Pieces that are one `rbpf` program: making a machine costs more than carrying out a piece.
const GROUP: usize = 32;

/// The pieces of a program, [`GROUP`] of them in one `rbpf` program, which begins with the way to each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PieceCode {
    groups: Vec<Vec<u8>>,
}

impl PieceCode {
    /// Writes the programs.
    pub fn of(pieces: &[Piece]) -> PieceCode {
        PieceCode {
            groups: pieces.chunks(GROUP).map(group).collect(),
        }
    }
}

/// One `rbpf` program: the number of the piece is in the place [`PIECE`] of the register file.
fn group(pieces: &[Piece]) -> Vec<u8> {
    let mut code = Code::default();
    let [number, ..] = TEMPS;
    code.load(number, FILE, PIECE as i16 * 8);
    let mut jumps = Vec::new();
    way(&mut code, &mut jumps, number, 0..pieces.len());
    for (at, piece) in pieces.iter().enumerate() {
        for (slot, _) in jumps.iter().filter(|(_, to)| *to == at) {
            // a group is short: 32 pieces of at most 20 slots each
            code.patch(*slot, (code.slots() - slot - 1) as i16);
        }
        code.append(&piece.code);
    }
    code.into_bytes()
}

/// Goes to one of the pieces; `jumps` are the slots that have to be told where they are.
fn way(code: &mut Code, jumps: &mut Vec<(usize, usize)>, number: u8, pieces: Range<usize>) {
    if pieces.len() <= 1 {
        jumps.push((code.slots(), pieces.start));
        return code.emit(0x05, 0, 0, 0, 0);
    }
    let middle = pieces.start + pieces.len() / 2;
    let slot = code.slots();
    code.emit(0x35, number, 0, 0, middle as i32); // if number >= middle
    way(code, jumps, number, pieces.start..middle);
    code.patch(slot, (code.slots() - slot - 1) as i16);
    way(code, jumps, number, middle..pieces.end);
}

/// The pieces of a program and the `rbpf` machines for those that have run.
pub(super) struct Pieces<'p> {
    code: &'p PieceCode,
    machines: Vec<Option<EbpfVmMbuff<'p>>>,
}

impl<'p> Pieces<'p> {
    pub fn new(code: &'p PieceCode) -> Pieces<'p> {
        Pieces {
            code,
            machines: Vec::new(),
        }
    }

    /// Carries out a piece. `Err` only if the piece itself is wrong, which is a bug of ours.
    pub fn run(&mut self, piece: usize, registers: &Registers<'_>) -> Result<u64, String> {
        if self.machines.is_empty() {
            self.machines.resize_with(self.code.groups.len(), || None);
        }
        let group = piece / GROUP;
        let (Some(code), Some(machine)) =
            (self.code.groups.get(group), self.machines.get_mut(group))
        else {
            return Err(format!("no piece {piece}"));
        };
        let machine = match machine {
            Some(machine) => machine,
            None => machine.insert(machine_for(code)?),
        };
        machine
            .execute_program(&registers.bytes((piece % GROUP) as u64), &[])
            .map_err(|e| format!("{e:?}"))
    }
}

/// A machine for `rbpf` programs that are written by us and not by a user: `rbpf`'s own verifier is not asked.
pub(super) fn machine_for(code: &[u8]) -> Result<EbpfVmMbuff<'_>, String> {
    let text = |e| format!("{e:?}");
    let mut machine = EbpfVmMbuff::new(None).map_err(text)?;
    machine.set_verifier(|_| Ok(())).map_err(text)?;
    machine.set_program(code).map_err(text)?;
    Ok(machine)
}
