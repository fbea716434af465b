//! Helpers that call a function of the program, and `bpf_tail_call()`, which goes to another program.

use super::fault::Fault;
use super::helpers::{FOR_EACH_MAP_ELEM, LOOP, TAIL_CALL, TIMER_SET_CALLBACK};
use super::insn::Reg;
use super::machine::{Machine, Next};
use super::maps::{MapKind, ValuePlace, map_address, values_address};
use super::memory::{CTX_ADDRESS, FUNCTION_ADDRESS, KEY_ADDRESS, MAX_TAIL_CALLS};

/// `BPF_MAX_LOOPS` (include/linux/bpf.h).
const MAX_LOOPS: u32 = 8 * 1024 * 1024;
const E2BIG: i64 = 7;
const EINVAL: i64 = 22;

/// A helper that calls a function again and again, between two calls.
pub(super) struct Each {
    function: usize,
    /// What the program gave the helper for the function.
    ctx: u64,
    /// Calls made.
    done: u64,
    over: Over,
}

enum Over {
    /// `bpf_loop()`: the number of calls.
    Numbers(u64),
    /// `bpf_for_each_map_elem()`: the map, its keys and where their values are.
    Elements(usize, Vec<(Vec<u8>, ValuePlace)>),
}

impl Over {
    fn len(&self) -> u64 {
        match self {
            Over::Numbers(count) => *count,
            Over::Elements(_, elements) => elements.len() as u64,
        }
    }
}

/// Whether the machine, not the dispatcher, carries out a helper.
pub(super) fn is_one(id: u32) -> bool {
    matches!(
        id,
        TAIL_CALL | FOR_EACH_MAP_ELEM | TIMER_SET_CALLBACK | LOOP
    )
}

impl Machine<'_, '_> {
    /// `bpf_loop()`, `bpf_for_each_map_elem()` (kernel/bpf/bpf_iter.c), `bpf_tail_call()`
    /// (kernel/bpf/core.c, `JMP_TAIL_CALL`).
    pub fn call_with_function(&mut self, id: u32, args: [u64; 5]) -> Result<Next, Fault> {
        let [a1, a2, ctx, flags, _] = args;
        match id {
            TAIL_CALL => return self.tail_call(args),
            TIMER_SET_CALLBACK => return self.set_timer(a1, a2),
            _ => {}
        }
        let over = if id == LOOP {
            match a1 as u32 {
                _ if flags != 0 => return self.answer(-EINVAL),
                count if count > MAX_LOOPS => return self.answer(-E2BIG),
                count => Over::Numbers(u64::from(count)),
            }
        } else {
            let map = self.memory.maps.index_of_address(a1);
            let map = map.ok_or_else(|| self.wrong("R1 is not a map"))?;
            let kind = self.memory.maps.def(map).map(|def| def.kind);
            if !kind.is_some_and(|kind| kind.is_array() || kind.is_hash()) {
                return Err(self
                    .wrong("bpf_for_each_map_elem on a map that is neither array nor hash table"));
            }
            if flags != 0 {
                return self.answer(-EINVAL);
            }
            Over::Elements(map, self.memory.maps.elements(map))
        };
        let each = Each {
            function: self.function(a2)?,
            ctx,
            done: 0,
            over,
        };
        let back = self.memory.insn + 1;
        self.next_call(each, back)
    }

    /// The function of the program at an address, r2 of a helper.
    fn function(&self, address: u64) -> Result<usize, Fault> {
        let distance = address.wrapping_sub(FUNCTION_ADDRESS);
        if !distance.is_multiple_of(8) || distance / 8 >= self.prepared.steps.len() as u64 {
            return Err(self.wrong("R2 is not a function of the program"));
        }
        Ok((distance / 8) as usize)
    }

    /// `bpf_timer_set_callback()`.
    fn set_timer(&mut self, timer: u64, callback: u64) -> Result<Next, Fault> {
        let function = self.function(callback)?;
        let program = self.prepared.listing();
        let set = self
            .memory
            .maps
            .timer_set_callback(timer, program, function);
        match set {
            Some(ret) => self.answer(ret),
            None => Err(self.wrong("R1 is not a timer in a map's value")),
        }
    }

    fn answer(&mut self, r0: i64) -> Result<Next, Fault> {
        self.registers.set(Reg::R0, r0 as u64);
        Ok(Next::Following)
    }

    /// The function came back: 0 goes on, anything else ends the loop.
    pub fn call_back(&mut self, mut each: Each, back: usize) -> Result<Next, Fault> {
        each.done += 1;
        if self.registers.get(Reg::R0) != 0 {
            self.registers.set(Reg::R0, each.done);
            return Ok(Next::At(back));
        }
        self.next_call(each, back)
    }

    fn next_call(&mut self, each: Each, back: usize) -> Result<Next, Fault> {
        if each.done >= each.over.len() {
            self.memory.key.clear();
            self.registers.set(Reg::R0, each.done);
            return Ok(Next::At(back));
        }
        let args = match &each.over {
            Over::Numbers(_) => [each.done, each.ctx, 0, 0, 0],
            Over::Elements(map, elements) => {
                let (key, place) = &elements[each.done as usize];
                self.memory.key.clone_from(key);
                let value = values_address(*map) + place.at as u64;
                [map_address(*map), KEY_ADDRESS, value, each.ctx, 0]
            }
        };
        for (reg, value) in (1..=5).filter_map(Reg::new).zip(args) {
            self.registers.set(reg, value);
        }
        self.enter(each.function, back, Some(each))
    }

    /// `bpf_tail_call(ctx, prog_array, index)`: on failure the program just goes on.
    fn tail_call(&mut self, [ctx, map, index, ..]: [u64; 5]) -> Result<Next, Fault> {
        if ctx != CTX_ADDRESS {
            return Err(self.wrong("R1 is not the context"));
        }
        let map = self.memory.maps.index_of_address(map);
        let kind = |map| self.memory.maps.def(map).map(|def| def.kind);
        let map = map.filter(|map| kind(*map) == Some(MapKind::ProgArray));
        let map = map.ok_or_else(|| self.wrong("R2 is not a map of programs"))?;
        if self.frames.iter().any(|frame| frame.each.is_some()) {
            return Err(self.wrong("cannot tail call within callback"));
        }
        let entries = self.memory.maps.def(map).map_or(0, |def| def.max_entries);
        if index as u32 >= entries || self.carried.tail_calls >= MAX_TAIL_CALLS {
            return Ok(Next::Following);
        }
        self.carried.tail_calls += 1;
        match self.memory.maps.program(map, index as u32) {
            Some(program) => Ok(Next::TailCall(program)),
            None => Ok(Next::Following),
        }
    }
}
