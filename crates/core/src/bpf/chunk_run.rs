//! Running chunks in `rbpf`.

use std::sync::Arc;

use rbpf::EbpfVmMbuff;
use self_cell::self_cell;

use super::chunk::Chunks;
use super::piece;
use super::registers::{BUDGET, ENTRY, PLACES, Registers};

self_cell!(
    /// The `rbpf` machine of a chunk, with the chunk's code.
    struct ChunkMachine {
        owner: Arc<[u8]>,
        #[not_covariant]
        dependent: EbpfVmMbuff,
    }
);

impl ChunkMachine {
    /// A machine that may use the register file at an address.
    fn for_file(code: &Arc<[u8]>, file: u64) -> Result<Self, String> {
        Self::try_new(Arc::clone(code), |code| {
            let mut machine = piece::machine_for(code)?;
            machine.register_allowed_memory(file..file + PLACES as u64 * 8);
            Ok(machine)
        })
    }

    fn is_of(&self, code: &Arc<[u8]>) -> bool {
        Arc::ptr_eq(self.borrow_owner(), code)
    }
}

/// The machines for those chunks of a program that have run, all for the same register file.
#[derive(Default)]
pub(super) struct ChunkMachines(Vec<Option<ChunkMachine>>);

/// The chunks of a program that runs.
pub(super) struct Running<'p> {
    chunks: &'p Chunks,
    machines: &'p mut ChunkMachines,
}

/// How far a chunk came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// Instructions carried out.
    pub done: u64,
    /// The next instruction.
    pub next: usize,
}

impl<'p> Running<'p> {
    pub fn new(chunks: &'p Chunks, machines: &'p mut ChunkMachines) -> Running<'p> {
        Running { chunks, machines }
    }

    /// Runs from an instruction on as far as a chunk goes, at most `budget` instructions. `None` if
    /// no chunk begins there; `Err` only if the chunk itself is wrong, which is a bug of ours.
    pub fn run(
        &mut self,
        at: usize,
        budget: u64,
        registers: Registers<'_>,
    ) -> Option<Result<Progress, String>> {
        let (chunk, entry) = self.chunks.entries.get(at).copied().flatten()?;
        Some(self.enter(chunk as usize, entry, budget, registers))
    }

    fn enter(
        &mut self,
        chunk: usize,
        entry: u32,
        budget: u64,
        registers: Registers<'_>,
    ) -> Result<Progress, String> {
        let address = registers.address();
        let machines = &mut self.machines.0;
        if machines.len() < self.chunks.chunks.len() {
            machines.resize_with(self.chunks.chunks.len(), || None);
        }
        let (Some(chunk_of), Some(place)) =
            (self.chunks.chunks.get(chunk), machines.get_mut(chunk))
        else {
            return Err(format!("no chunk {chunk}"));
        };
        let code = &chunk_of.code;
        let machine = match place.take().filter(|machine| machine.is_of(code)) {
            Some(machine) => place.insert(machine),
            None => place.insert(ChunkMachine::for_file(code, address)?),
        };
        if chunk_of.straight.is_some_and(|wanted| wanted > budget) {
            return Ok(Progress { done: 0, next: 0 });
        }
        registers.set_place(BUDGET, budget);
        registers.set_place(ENTRY, u64::from(entry));
        let next = machine
            .with_dependent(|_, machine| machine.execute_program(&[], &address.to_ne_bytes()))
            .map_err(|e| format!("{e:?}"))?;
        Ok(Progress {
            done: match chunk_of.straight {
                Some(all) => all,
                None => budget.saturating_sub(registers.place(BUDGET)),
            },
            next: next as usize,
        })
    }
}
