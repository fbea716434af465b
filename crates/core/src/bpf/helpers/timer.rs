//! `bpf_timer_init()`, `bpf_timer_start()`, `bpf_timer_cancel()` (kernel/bpf/helpers.c).

use super::{Call, Fault, wrong};

/// Carries out a helper of timers. `bpf_timer_set_callback()` is the machine's, which knows the program.
pub(super) fn call(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [timer, a2, a3, ..] = call.args;
    let memory = &mut *call.memory;
    let ret = match call.id {
        169 => {
            super::map::map_argument(memory, a2, 2)?;
            memory.maps.timer_init(timer, a3)
        }
        171 => {
            let now = memory.host.ktime_ns();
            memory.maps.timer_start(timer, a2, a3, now)
        }
        _ => memory.maps.timer_cancel(timer),
    };
    match ret {
        Some(ret) => Ok(Some(ret as u64)),
        None => Err(wrong(memory.insn, "R1 is not a timer in a map's value")),
    }
}
