//! A run of a program, and of those to which it makes tail calls.

use std::sync::Arc;

use super::chunk_run::{ChunkMachines, Running};
use super::dynptr::Dynptrs;
use super::fault::Fault;
use super::fixup::Prepared;
use super::frames::Stack;
use super::host::{Budget, Host};
use super::insn::Reg;
use super::machine::{Ended, Frame, Machine, saved_registers};
use super::maps::{Maps, map_address};
use super::memory::{CTX_ADDRESS, KEY_ADDRESS, Memory, NF_CTX_ADDRESS};
use super::piece::Pieces;
use super::program::ProgType;
use super::registers::{self, File, Registers};

/// What a run cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RunStats {
    /// Instructions carried out, prologue included.
    pub instructions: u64,
    /// Of these, instructions of the prologue.
    pub prologue: u64,
}

/// What a run leaves for the next one of the same program, so that it need not be made again: nothing of it shows in a result.
pub struct Workshop {
    file: Box<File>,
    machines: ChunkMachines,
    stack: Stack,
}

impl Default for Workshop {
    fn default() -> Self {
        Self {
            file: Box::new(registers::file()),
            machines: ChunkMachines::default(),
            stack: Stack::new(),
        }
    }
}

/// Runs a program; gives r0 at its exit. The maps keep what it stored.
///
/// The run ends with a [`Fault`] at the first access outside the program's memory, at a helper that
/// is not covered, and when the budget is used up. The host sees everything that happened before.
pub fn run(
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
) -> Result<u64, Fault> {
    run_counted(prepared, maps, host, budget).0
}

/// As [`run`], with the number of instructions carried out, also when the run ends with a fault.
pub fn run_counted(
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
) -> (Result<u64, Fault>, RunStats) {
    run_in(&mut Workshop::default(), prepared, maps, host, budget)
}

/// As [`run_counted`], with what runs before it have left.
pub fn run_in(
    workshop: &mut Workshop,
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
) -> (Result<u64, Fault>, RunStats) {
    let context = match prepared.prog_type() {
        ProgType::Netfilter => NF_CTX_ADDRESS,
        _ => CTX_ADDRESS,
    };
    run_from(workshop, prepared, maps, host, budget, [context, 0])
}

/// As [`run_counted`], with r1 and r2 at the start.
pub(super) fn run_from(
    workshop: &mut Workshop,
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
    [r1, r2]: [u64; 2],
) -> (Result<u64, Fault>, RunStats) {
    let Workshop {
        file,
        machines,
        stack,
    } = workshop;
    let registers = Registers::emptied(file);
    let stepping = host.steps();
    let mut memory = Memory::new(host, maps, stack);
    let mut carried = Carried {
        dynptrs: Dynptrs::default(),
        stats: RunStats::default(),
        tail_calls: 0,
    };
    // The program that a tail call went to, and those whose functions called one.
    let mut tail: Option<Arc<Prepared>> = None;
    let mut waiting: Vec<Waiting> = Vec::new();
    let (mut frames, mut at) = (Vec::new(), None);
    if let Err(fault) = fire_timers(
        prepared,
        registers,
        machines,
        &mut memory,
        &mut carried,
        budget,
    ) {
        return (Err(fault), carried.stats);
    }
    loop {
        let running = tail.as_deref().unwrap_or(prepared);
        if at.is_none() {
            registers.set(Reg::R1, r1);
            registers.set(Reg::R2, r2);
        }
        registers.set(Reg::FP, memory.frame_pointer());
        let mut machine = Machine {
            prepared: running,
            registers,
            pieces: Pieces::new(&running.pieces),
            chunks: (!stepping).then(|| Running::new(running.chunks(), machines)),
            memory: &mut memory,
            carried: &mut carried,
            frames: std::mem::take(&mut frames),
        };
        match machine.run(at.unwrap_or(0), budget) {
            Ok(Ended::Exit(r0)) => {
                let Some(back) = waiting.pop() else {
                    return (Ok(r0), carried.stats);
                };
                memory.host.tail_return();
                (tail, frames) = (back.program, back.frames);
                at = back_from(&mut frames, registers, &mut memory);
            }
            Ok(Ended::TailCall(next)) => {
                let callers = std::mem::take(&mut machine.frames);
                let out_of_function = !callers.is_empty();
                if out_of_function {
                    waiting.push(Waiting {
                        program: tail.take(),
                        frames: callers,
                    });
                }
                memory.stack.forget(memory.depth);
                memory.host.tail_call(&next, out_of_function);
                (tail, at) = (Some(next), None);
            }
            Err(fault) => return (Err(fault), carried.stats),
        }
    }
}

/// Runs the functions of this program's timers whose time has come. Linux does it in a soft interrupt when the timer
/// expires; here nothing happens between two packets, so it is done before the next run of the program.
fn fire_timers(
    prepared: &Prepared,
    registers: Registers<'_>,
    machines: &mut ChunkMachines,
    memory: &mut Memory<'_>,
    carried: &mut Carried,
    budget: Budget,
) -> Result<(), Fault> {
    if !memory.maps.has_armed() {
        return Ok(());
    }
    let listing = prepared.listing();
    let now = memory.host.ktime_ns();
    for place in memory.maps.due(&listing, now) {
        let Some(fired) = memory.maps.fire(place, &listing, now) else {
            continue;
        };
        memory.key.clone_from(&fired.key);
        let args = [map_address(fired.map), KEY_ADDRESS, fired.value, 0, 0];
        for (reg, value) in (1..=5).filter_map(Reg::new).zip(args) {
            registers.set(reg, value);
        }
        registers.set(Reg::FP, memory.frame_pointer());
        let mut machine = Machine {
            prepared,
            registers,
            pieces: Pieces::new(&prepared.pieces),
            chunks: (!memory.host.steps()).then(|| Running::new(prepared.chunks(), machines)),
            memory,
            carried,
            frames: Vec::new(),
        };
        let done = machine.run(fired.function, budget);
        memory.key.clear();
        memory.stack.forget(0);
        memory.maps.timer_done(&fired);
        done?;
    }
    Ok(())
}

/// A program that goes on when the one to which a function of it made a tail call has ended: that one takes the
/// function's place, and its exit is the function's.
struct Waiting {
    program: Option<Arc<Prepared>>,
    frames: Vec<Frame>,
}

/// Leaves the innermost function; gives where its caller goes on.
pub(super) fn back_from(
    frames: &mut Vec<Frame>,
    registers: Registers<'_>,
    memory: &mut Memory<'_>,
) -> Option<usize> {
    let frame = frames.pop()?;
    for (reg, value) in saved_registers().zip(frame.saved) {
        registers.set(reg, value);
    }
    memory.depth = memory.depth.saturating_sub(1);
    registers.set(Reg::FP, memory.frame_pointer());
    Some(frame.back)
}

/// What lives on when a tail call puts another program in place of the running one.
pub(super) struct Carried {
    pub dynptrs: Dynptrs,
    pub stats: RunStats,
    pub tail_calls: u32,
}
