//! Helpers (`BPF_CALL_n` in the kernel), as methods on the simulated packet: one dispatcher, one file
//! for each kind.

mod allowed;
mod checksum;
pub(super) mod event;
mod kfunc;
mod map;
mod packet;
mod route;
mod string;
mod task;
mod timer;

use super::core_relo::POISON;
use super::dynptr::Dynptrs;
use super::fault::{Fault, NotForType};
use super::helper_names::NAMES;
use super::host::Host;
use super::memory::Memory;
use super::program::ProgType;

pub(super) use allowed::knows_kfunc;
pub use allowed::{has_helper, has_kfunc};
pub(super) use kfunc::call as call_kfunc;

pub(super) const TAIL_CALL: u32 = 12;
pub(super) const FOR_EACH_MAP_ELEM: u32 = 164;
pub(super) const TIMER_SET_CALLBACK: u32 = 170;
pub(super) const LOOP: u32 = 181;

const ENOENT: i64 = 2;
const E2BIG: i64 = 7;
const EFAULT: i64 = 14;
const EINVAL: i64 = 22;
const ERANGE: i64 = 34;

/// Nanoseconds of a jiffy: `CONFIG_HZ` is 250.
const JIFFY: u64 = 4_000_000;
/// `INITIAL_JIFFIES` (include/linux/jiffies.h): five minutes before 32 bits overflow.
const INITIAL_JIFFIES: u64 = (1 << 32) - 300 * 250;

/// Name of a helper, such as `bpf_map_lookup_elem` for 1.
pub fn name(id: u32) -> Option<String> {
    let name = NAMES.get(usize::try_from(id).ok()?)?;
    (id != 0).then(|| format!("bpf_{name}"))
}

/// Number of a helper, by name with `bpf_` in front.
pub(super) fn number(name: &str) -> Option<u32> {
    let name = name.strip_prefix("bpf_")?;
    let id = NAMES.iter().position(|known| *known == name)?;
    u32::try_from(id).ok().filter(|id| *id != 0)
}

/// What a helper has at hand.
struct Call<'c, 'm> {
    id: u32,
    args: [u64; 5],
    memory: &'c mut Memory<'m>,
}

/// Carries out a helper; gives r0.
pub(super) fn call(
    id: u32,
    args: [u64; 5],
    prog_type: &ProgType,
    memory: &mut Memory<'_>,
    dynptrs: &mut Dynptrs,
) -> Result<u64, Fault> {
    if is_poison(id) {
        let what = "invalid CO-RE relocation: a field or type that the simulator's kernel lacks";
        return Err(wrong(memory.insn, what));
    }
    if !has_helper(prog_type, id) {
        return Err(not_for_type(memory.insn, id, prog_type));
    }
    let mut call = Call { id, args, memory };
    let done = match id {
        1..=3 | 87..=89 | 195 => map::call(&mut call),
        6 | 105 | 106 | 165 | 177 | 182 => string::call(&mut call),
        25 | 130..=134 => event::call(&mut call, prog_type),
        28 => checksum::diff(&mut call),
        69 | 84..=86 | 99 | 163 => route::call(&mut call),
        14..=16 | 35 | 37 | 80 | 109 | 112..=115 | 117 | 120 | 123 | 158 => task::call(&mut call),
        169 | 171 | 172 => timer::call(&mut call),
        197..=203 => dynptrs.helper(id, args, call.memory).map(Some),
        _ => match of_packet(&mut call, prog_type)? {
            None => Ok(general(&mut call)),
            done => Ok(done),
        },
    };
    done?.ok_or_else(|| not_here(memory.insn, id))
}

fn of_packet(call: &mut Call<'_, '_>, prog_type: &ProgType) -> Result<Option<u64>, Fault> {
    if *prog_type == ProgType::Xdp {
        packet::xdp(call)
    } else if prog_type.has_skb() {
        packet::skb(call, prog_type)
    } else {
        Ok(None)
    }
}

/// Helpers that need neither packet nor map. `None`: not covered.
fn general(call: &mut Call<'_, '_>) -> Option<u64> {
    Some(match call.id {
        // bpf_ktime_get_ns(), _boot_ns(), _tai_ns()
        5 | 125 | 208 => call.memory.host.ktime_ns(),
        // bpf_ktime_get_coarse_ns(): the time of the last tick
        160 => call.memory.host.ktime_ns() / JIFFY * JIFFY,
        // bpf_get_prandom_u32()
        7 => u64::from(call.memory.maps.random()),
        // bpf_get_smp_processor_id(), bpf_get_numa_node_id(): there is one of each
        8 | 42 => 0,
        // bpf_get_cgroup_classid()
        17 => 0,
        // bpf_spin_lock(), bpf_spin_unlock(): nobody else is there
        93 | 94 => 0,
        // bpf_jiffies64()
        118 => INITIAL_JIFFIES + call.memory.host.ktime_ns() / JIFFY,
        _ => return None,
    })
}

/// Runs a helper that may move the packet: slices of it are not valid any more.
fn changed(memory: &mut Memory<'_>, helper: impl FnOnce(&mut dyn Host) -> i64) -> i64 {
    let ret = helper(memory.host);
    memory.forget_slices();
    ret
}

fn shown(id: u32) -> String {
    name(id).unwrap_or_else(|| format!("#{id}"))
}

/// A CO-RE relocation that failed left a call of a helper that does not exist.
fn is_poison(id: u32) -> bool {
    id == POISON as u32
}

fn not_here(insn: usize, id: u32) -> Fault {
    Fault::NotCovered {
        insn,
        name: shown(id),
        types: allowed::helper_types(id),
    }
}

/// Linux has no such helper in a program of this type, or none of that number at all.
fn not_for_type(insn: usize, id: u32, prog_type: &ProgType) -> Fault {
    Fault::NotForType {
        insn,
        refusal: Box::new(NotForType {
            name: format!("{}#{id}", name(id).unwrap_or_else(|| "unknown".to_owned())),
            prog_type: prog_type.name().to_owned(),
            types: allowed::helper_types(id),
        }),
    }
}

fn wrong(insn: usize, what: &str) -> Fault {
    Fault::Instruction {
        insn,
        what: what.to_owned(),
    }
}
