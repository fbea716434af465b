//! Kernel functions that programs call by name (`__bpf_kfunc`).

use super::{E2BIG, EINVAL, allowed, changed, wrong};
use crate::bpf::dynptr::Dynptrs;
use crate::bpf::fault::{Fault, NotForType};
use crate::bpf::host::RxHint;
use crate::bpf::memory::Memory;
use crate::bpf::program::ProgType;
use crate::bpf::proposed;

/// Carries out a kernel function; gives r0.
pub(in crate::bpf) fn call(
    name: &str,
    args: [u64; 5],
    prog_type: &ProgType,
    memory: &mut Memory<'_>,
    dynptrs: &mut Dynptrs,
) -> Result<u64, Fault> {
    let insn = memory.insn;
    if memory.host.proposed().has(name, prog_type) {
        return proposed::call(name, args, memory, dynptrs);
    }
    let types = allowed::kfunc_types(name);
    if types.is_empty() {
        return Err(Fault::NotCovered {
            insn,
            name: format!("kernel function {name}"),
            types,
        });
    }
    let assumed = memory.host.meta_everywhere() && name == "bpf_dynptr_from_skb_meta";
    if !allowed::has_kfunc(prog_type, name) && !assumed {
        return Err(Fault::NotForType {
            insn,
            refusal: Box::new(NotForType {
                name: format!("kernel function {name}"),
                prog_type: prog_type.name().to_owned(),
                types,
            }),
        });
    }
    let [a1, a2, a3, ..] = args;
    Ok(match name {
        "bpf_iter_num_new" => num_new(memory, a1, a2 as i32, a3 as i32)? as u64,
        "bpf_iter_num_next" => num_next(memory, a1)?,
        "bpf_iter_num_destroy" => {
            memory.store(a1, &[0; 8])?;
            0
        }
        // There is one CPU, and nobody frees anything.
        "bpf_rcu_read_lock"
        | "bpf_rcu_read_unlock"
        | "bpf_preempt_disable"
        | "bpf_preempt_enable" => 0,
        "bpf_xdp_metadata_rx_timestamp" => {
            rx_hint(memory, a1, RxHint::Timestamp, [(a2, 8), (0, 0)])?
        }
        "bpf_xdp_metadata_rx_hash" => rx_hint(memory, a1, RxHint::Hash, [(a2, 4), (a3, 4)])?,
        "bpf_xdp_metadata_rx_vlan_tag" => rx_hint(memory, a1, RxHint::VlanTag, [(a2, 2), (a3, 2)])?,
        "bpf_xdp_pull_data" => {
            memory.check_context(a1)?;
            changed(memory, |host| host.xdp_pull_data(a2 as u32)) as u64
        }
        _ => return dynptrs.kfunc(name, args, prog_type, memory),
    })
}

/// `bpf_xdp_metadata_rx_*()`: `to` are address and size of what is asked for.
fn rx_hint(
    memory: &mut Memory<'_>,
    ctx: u64,
    hint: RxHint,
    to: [(u64, usize); 2],
) -> Result<u64, Fault> {
    memory.check_context(ctx)?;
    let answer = memory.host.xdp_rx_hint(hint);
    for ((address, size), value) in to.into_iter().zip(answer.values) {
        if let Some(value) = value {
            let bytes = value.to_le_bytes();
            memory.store(address, bytes.get(..size).unwrap_or_default())?;
        }
    }
    Ok(answer.ret as u64)
}

/// `bpf_iter_num_new()` (kernel/bpf/bpf_iter.c): the state is the number before the next one and the
/// end.
fn num_new(memory: &mut Memory<'_>, it: u64, start: i32, end: i32) -> Result<i64, Fault> {
    const BPF_MAX_LOOPS: i64 = 8 * 1024 * 1024;
    let count = i64::from(end) - i64::from(start);
    let (state, ret) = if start > end {
        ((0, 0), -EINVAL)
    } else if count > BPF_MAX_LOOPS {
        ((0, 0), -E2BIG)
    } else {
        ((start.wrapping_sub(1), end), 0)
    };
    let bytes = [state.0.to_le_bytes(), state.1.to_le_bytes()].concat();
    memory.store(it, &bytes)?;
    Ok(ret)
}

/// `bpf_iter_num_next()`: the address of the number, or NULL when there are no more.
fn num_next(memory: &mut Memory<'_>, it: u64) -> Result<u64, Fault> {
    let bytes = memory.buffer(it, 8)?;
    let word = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
        four.map(i32::from_le_bytes)
            .ok_or_else(|| wrong(memory.insn, "expected an initialized iter_num"))
    };
    let (cur, end) = (word(0)?, word(4)?);
    // The addition wraps: the number before the smallest is the largest.
    let next = cur.wrapping_add(1);
    if next >= end {
        memory.store(it, &[0; 8])?;
        return Ok(0);
    }
    memory.store(it, &next.to_le_bytes())?;
    Ok(it)
}
