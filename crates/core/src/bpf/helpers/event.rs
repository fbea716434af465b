//! Ring buffers and perf events (kernel/bpf/ringbuf.c, `bpf_skb_event_output()` and
//! `bpf_xdp_event_output()` in net/core/filter.c, `__bpf_perf_event_output()` in kernel/trace/bpf_trace.c).

use super::map::map_argument;
use super::{Call, E2BIG, EFAULT, EINVAL, ENOENT, wrong};
use crate::bpf::fault::Fault;
use crate::bpf::maps::{MapKind, values_address};
use crate::bpf::memory::Memory;
use crate::bpf::program::ProgType;

/// `BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP`.
const WAKEUP: u64 = 3;

/// Carries out a helper.
pub(super) fn call(call: &mut Call<'_, '_>, prog_type: &ProgType) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, _] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let ret: i64 = match id {
        25 if *prog_type == ProgType::Plain => return Ok(None),
        25 => perf_event_output(memory, call.args)?,
        // bpf_ringbuf_output(map, data, size, flags)
        130 => {
            let map = ring(memory, a1)?;
            let record = memory.buffer(a2, a3)?;
            if a4 & !WAKEUP != 0 {
                -EINVAL
            } else {
                let ret = memory.maps.ring_output(map, &record);
                if ret == 0 {
                    tell(memory, map, &record);
                }
                ret
            }
        }
        // bpf_ringbuf_reserve(map, size, flags)
        131 => {
            let map = ring(memory, a1)?;
            let place = match a3 {
                0 => memory.maps.ring_reserve(map, a2),
                _ => None,
            };
            return Ok(Some(place.map_or(0, |p| values_address(map) + p.at as u64)));
        }
        // bpf_ringbuf_submit(sample, flags), bpf_ringbuf_discard(sample, flags)
        132 | 133 => {
            commit(memory, a1, id == 133)?;
            0
        }
        // bpf_ringbuf_query(map, flags)
        134 => {
            let map = ring(memory, a1)?;
            return Ok(Some(memory.maps.ring_query(map, a2)));
        }
        _ => return Ok(None),
    };
    Ok(Some(ret as u64))
}

/// The ring buffer that an argument names.
pub(in crate::bpf) fn ring(memory: &Memory<'_>, argument: u64) -> Result<usize, Fault> {
    match map_argument(memory, argument, 1)? {
        (map, MapKind::Ringbuf) => Ok(map),
        _ => Err(wrong(memory.insn, "R1 is not a ring buffer")),
    }
}

/// `bpf_ringbuf_commit()`.
pub(in crate::bpf) fn commit(
    memory: &mut Memory<'_>,
    address: u64,
    discard: bool,
) -> Result<(), Fault> {
    let place = memory.maps.place_of_address(address);
    let committed = place.and_then(|place| {
        let record = memory.maps.ring_commit(place, discard).ok()?;
        Some((place.map, record))
    });
    let (map, record) = committed
        .ok_or_else(|| wrong(memory.insn, "R1 is not a reserved record of a ring buffer"))?;
    if let Some(record) = record {
        tell(memory, map, &record);
    }
    Ok(())
}

fn tell(memory: &mut Memory<'_>, map: usize, record: &[u8]) {
    let name = memory.maps.def(map).map(|def| def.name.clone());
    memory
        .host
        .ringbuf_output(&name.unwrap_or_default(), record);
}

/// `bpf_perf_event_output(ctx, map, flags, data, size)`: a reader listens on CPU 0.
fn perf_event_output(memory: &mut Memory<'_>, args: [u64; 5]) -> Result<i64, Fault> {
    const INDEX: u64 = 0xffff_ffff;
    const CURRENT_CPU: u64 = INDEX;
    const CTXLEN: u64 = 0xf_ffff << 32;
    let [ctx, map, flags, data, size] = args;
    memory.check_context(ctx)?;
    let (map, kind) = map_argument(memory, map, 2)?;
    if kind != MapKind::PerfEventArray {
        return Err(wrong(memory.insn, "R2 is not a map of perf events"));
    }
    let mut record = memory.buffer(data, size)?;
    if flags & !(CTXLEN | INDEX) != 0 {
        return Ok(-EINVAL);
    }
    let packet = ((flags & CTXLEN) >> 32) as u32;
    if packet > memory.host.packet_len() {
        return Ok(-EFAULT);
    }
    let index = match flags & INDEX {
        CURRENT_CPU => 0,
        index => index,
    };
    // libbpf makes an entry for each CPU when the definition says 0.
    let entries = memory.maps.def(map).map_or(0, |def| def.max_entries).max(1);
    if index >= u64::from(entries) {
        return Ok(-E2BIG);
    }
    // libbpf opens an event for each CPU, and there is one
    if index != 0 {
        return Ok(-ENOENT);
    }
    let mut bytes = vec![0; packet as usize];
    memory.host.load_bytes(0, &mut bytes);
    record.extend(bytes);
    memory.maps.record(map, &record);
    Ok(0)
}
