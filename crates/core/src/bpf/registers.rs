//! The register file of a running program.

use std::cell::Cell;

use super::insn::Reg;

/// Places in the file: r0 to r10, then what chunks need (see [`super::chunk`]).
pub(super) const PLACES: usize = 17;
/// Instructions that may still be carried out.
pub(super) const BUDGET: usize = 11;
/// Where a chunk is entered.
pub(super) const ENTRY: usize = 12;
/// Registers put aside while they serve as temporaries: four places from here.
pub(super) const SPILL: usize = 13;

/// Behind r10 in what single pieces get: the number of the piece (see [`super::piece`]).
pub(super) const PIECE: usize = 11;

/// Memory of a register file; it stays where it is while a program runs.
pub(super) type File = [Cell<u64>; PLACES];

/// An empty file.
pub(super) fn file() -> File {
    std::array::from_fn(|_| Cell::new(0))
}

/// r0 to r10. `rbpf` may write the cells while it runs a chunk: their address is exposed to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registers<'f> {
    file: &'f File,
}

impl<'f> Registers<'f> {
    /// All zero, as at the start of a run.
    pub fn emptied(file: &'f File) -> Registers<'f> {
        for place in file {
            place.set(0);
        }
        Registers { file }
    }

    pub fn get(&self, reg: Reg) -> u64 {
        self.place(reg.number())
    }

    pub fn set(&self, reg: Reg, value: u64) {
        self.set_place(reg.number(), value);
    }

    pub fn place(&self, place: usize) -> u64 {
        self.file.get(place).map_or(0, Cell::get)
    }

    pub fn set_place(&self, place: usize, value: u64) {
        if let Some(cell) = self.file.get(place) {
            cell.set(value);
        }
    }

    /// All eleven.
    pub fn all(&self) -> [u64; 11] {
        std::array::from_fn(|i| self.place(i))
    }

    /// All eleven in host order, and the number of a piece, as single pieces want them.
    pub fn bytes(&self, piece: u64) -> [u8; 96] {
        let mut bytes = [0; 96];
        let (registers, number) = bytes.split_at_mut(PIECE * 8);
        for (place, cell) in registers.chunks_exact_mut(8).zip(self.file) {
            place.copy_from_slice(&cell.get().to_ne_bytes());
        }
        number.copy_from_slice(&piece.to_ne_bytes());
        bytes
    }

    /// Address of the file on the host, for chunks. It is never shown to a program.
    pub fn address(&self) -> u64 {
        self.file.as_ptr().expose_provenance() as u64
    }
}
