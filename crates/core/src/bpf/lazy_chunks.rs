//! Chunks that are made when they are first wanted.

use std::sync::OnceLock;

use super::chunk::Chunks;
use super::insn::Insn;

/// The chunks of a program, made when they are first wanted: a run in single steps never wants them.
#[derive(Debug, Clone, Default)]
pub(super) struct LazyChunks {
    made: OnceLock<Chunks>,
    insns: Vec<Insn>,
    border: usize,
}

/// Chunks follow from the instructions, made or not.
impl PartialEq for LazyChunks {
    fn eq(&self, other: &Self) -> bool {
        self.border == other.border && self.insns == other.insns
    }
}

impl Eq for LazyChunks {}

impl LazyChunks {
    /// See [`Chunks::of`].
    pub fn new(insns: Vec<Insn>, border: usize) -> LazyChunks {
        LazyChunks {
            made: OnceLock::new(),
            insns,
            border,
        }
    }

    /// The chunks. `wide` is the same function at each call.
    pub fn get(&self, wide: impl Fn(&Insn) -> u64) -> &Chunks {
        self.made.get_or_init(|| {
            let insns: Vec<&Insn> = self.insns.iter().collect();
            Chunks::of(&insns, self.border, wide)
        })
    }
}
