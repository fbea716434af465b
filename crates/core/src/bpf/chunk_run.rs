//! Running chunks in `rbpf`.

use rbpf::EbpfVmMbuff;

use super::chunk::Chunks;
use super::piece;
use super::registers::{BUDGET, ENTRY, PLACES, Registers};

/// The chunks of a program and the `rbpf` machines for those that have run.
pub(super) struct Running<'p> {
    chunks: &'p Chunks,
    machines: Vec<Option<EbpfVmMbuff<'p>>>,
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
    pub fn new(chunks: &'p Chunks) -> Running<'p> {
        Running {
            chunks,
            machines: Vec::new(),
        }
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
        if self.machines.is_empty() {
            self.machines.resize_with(self.chunks.chunks.len(), || None);
        }
        let (Some(code), Some(machine)) =
            (self.chunks.chunks.get(chunk), self.machines.get_mut(chunk))
        else {
            return Err(format!("no chunk {chunk}"));
        };
        let machine = match machine {
            Some(machine) => machine,
            None => machine.insert(machine_for(&code.code, address)?),
        };
        registers.set_place(BUDGET, budget);
        registers.set_place(ENTRY, u64::from(entry));
        let next = machine
            .execute_program(&[], &address.to_ne_bytes())
            .map_err(|e| format!("{e:?}"))?;
        Ok(Progress {
            done: budget.saturating_sub(registers.place(BUDGET)),
            next: next as usize,
        })
    }
}

/// A machine for a chunk, which may use the register file.
fn machine_for(code: &[u8], file: u64) -> Result<EbpfVmMbuff<'_>, String> {
    let mut machine = piece::machine_for(code)?;
    machine.register_allowed_memory(file..file + PLACES as u64 * 8);
    Ok(machine)
}
