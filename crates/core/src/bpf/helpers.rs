//! Helpers (`BPF_CALL_n` in the kernel) and kernel functions, as methods on the simulated packet.

use super::dynptr::{Dynptr, Dynptrs, EINVAL};
use super::helper_names::NAMES;
use super::host::{Fault, Host};
use super::maps::values_address;
use super::memory::{CTX_ADDRESS, Memory};
use super::printk;
use super::program::{MapKind, ProgType};

const EFAULT: i64 = 14;

/// Arguments a `bpf_trace_vprintk()` may have (`MAX_BPRINTF_VARARGS`).
const MAX_VARARGS: u64 = 12;

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

/// Carries out a helper; gives r0.
pub(super) fn call(
    id: u32,
    args: [u64; 5],
    prog_type: &ProgType,
    memory: &mut Memory<'_>,
    dynptrs: &mut Dynptrs,
) -> Result<u64, Fault> {
    let [a1, a2, a3, a4, a5] = args;
    // lwt_xmit_func_proto() (net/core/filter.c): packet helpers that light-weight tunnels have too
    const LWT_XMIT: [u64; 8] = [9, 13, 23, 26, 38, 39, 40, 43];
    let lwt = *prog_type == ProgType::LwtXmit && LWT_XMIT.contains(&(id as u64));
    let only = |wanted: ProgType| {
        if *prog_type == wanted || (lwt && wanted == ProgType::SchedCls) {
            Ok(())
        } else {
            Err(not_here(memory.insn, id))
        }
    };
    let ret: i64 = match id {
        // bpf_map_lookup_elem(map, key)
        1 => {
            let map = map_argument(memory, a1)?;
            let key = map_key(memory, map, a2, id)?;
            match memory.maps.lookup(map, &key) {
                Some(place) => return Ok(values_address(map) + place.at as u64),
                None => 0,
            }
        }
        // bpf_map_update_elem(map, key, value, flags)
        2 => {
            let map = map_argument(memory, a1)?;
            let key = map_key(memory, map, a2, id)?;
            let size = memory.maps.def(map).map_or(0, |d| u64::from(d.value_size));
            let value = memory.buffer(a3, size)?;
            memory.maps.update(map, &key, &value, a4)
        }
        // bpf_map_delete_elem(map, key)
        3 => {
            let map = map_argument(memory, a1)?;
            let key = map_key(memory, map, a2, id)?;
            memory.maps.delete(map, &key)
        }
        // bpf_ktime_get_ns(), bpf_ktime_get_boot_ns()
        5 | 125 => return Ok(memory.host.ktime_ns()),
        // bpf_trace_printk(fmt, size, a, b, c)
        6 => {
            let fmt = memory.buffer(a1, a2)?;
            trace(memory, &fmt, &args[2..])?
        }
        // bpf_get_smp_processor_id(): there is one CPU
        8 => 0,
        // bpf_skb_store_bytes(skb, offset, from, len, flags)
        9 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            let from = memory.buffer(a3, u64::from(a4 as u32))?;
            changed(memory, |host| host.skb_store_bytes(a2 as u32, &from, a5))
        }
        // bpf_clone_redirect(skb, ifindex, flags)
        13 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| host.clone_redirect(a2 as u32, a3))
        }
        // bpf_skb_vlan_push(skb, vlan_proto, vlan_tci)
        18 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            let protocol = u16::from_be(a2 as u16);
            changed(memory, |host| host.skb_vlan_push(protocol, a3 as u16))
        }
        // bpf_skb_vlan_pop(skb)
        19 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| host.skb_vlan_pop())
        }
        // bpf_redirect(ifindex, flags)
        23 => {
            only(ProgType::SchedCls)?;
            memory.host.redirect(a1 as u32, a2)
        }
        // bpf_skb_load_bytes(skb, offset, to, len): zeroes `to` when it fails
        26 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            load_bytes(memory, a2, a3, a4, true)?
        }
        // bpf_skb_change_proto(skb, proto, flags)
        31 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            let protocol = u16::from_be(a2 as u16);
            changed(memory, |host| host.skb_change_proto(protocol, a3))
        }
        // bpf_skb_change_tail(skb, len, flags)
        38 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| host.skb_change_tail(a2 as u32, a3))
        }
        // bpf_skb_pull_data(skb, len)
        39 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| host.skb_pull_data(a2 as u32))
        }
        // bpf_skb_change_head(skb, len, flags)
        43 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| host.skb_change_head(a2 as u32, a3))
        }
        // bpf_xdp_adjust_head(xdp, delta)
        44 => {
            only(ProgType::Xdp)?;
            context(memory, a1)?;
            memory.host.xdp_adjust_head(a2 as i32)
        }
        // bpf_skb_adjust_room(skb, len_diff, mode, flags)
        50 => {
            only(ProgType::SchedCls)?;
            context(memory, a1)?;
            changed(memory, |host| {
                host.skb_adjust_room(a2 as i32, a3 as u32, a4)
            })
        }
        // bpf_xdp_adjust_meta(xdp, delta)
        54 => {
            only(ProgType::Xdp)?;
            context(memory, a1)?;
            memory.host.xdp_adjust_meta(a2 as i32)
        }
        // bpf_ringbuf_output(map, data, size, flags)
        130 => {
            let map = map_argument(memory, a1)?;
            let record = memory.buffer(a2, a3)?;
            let Some(def) = memory.maps.def(map).filter(|d| d.kind == MapKind::Ringbuf) else {
                return Err(wrong(memory.insn, "R1 is not a ring buffer"));
            };
            let (no_wakeup, force_wakeup) = (1, 2);
            if a4 & !(no_wakeup | force_wakeup) != 0 {
                -EINVAL
            } else {
                let map = def.name.clone();
                memory.host.ringbuf_output(&map, &record);
                0
            }
        }
        // bpf_trace_vprintk(fmt, size, data, data_len)
        177 => {
            let fmt = memory.buffer(a1, a2)?;
            let data = memory.buffer(a3, a4)?;
            if a4 % 8 != 0 || a4 > MAX_VARARGS * 8 {
                -EINVAL
            } else {
                let word = |c: &[u8]| c.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
                let args: Vec<u64> = data.chunks(8).map(word).collect();
                trace(memory, &fmt, &args)?
            }
        }
        // bpf_xdp_load_bytes(xdp, offset, buf, len)
        189 => {
            only(ProgType::Xdp)?;
            context(memory, a1)?;
            load_bytes(memory, a2, a3, a4, false)?
        }
        201 => dynptrs.read(memory, args)?,
        202 => {
            let ret = dynptrs.write(memory, args)?;
            memory.forget_slices();
            ret
        }
        // bpf_dynptr_data(): NULL for a dynptr of an skb; null or wrong ranges give NULL as well
        203 => {
            dynptrs.get(memory, a1)?;
            0
        }
        _ => return Err(not_here(memory.insn, id)),
    };
    Ok(ret as u64)
}

/// Carries out a kernel function; gives r0.
pub(super) fn call_kfunc(
    name: &str,
    args: [u64; 5],
    prog_type: &ProgType,
    memory: &mut Memory<'_>,
    dynptrs: &mut Dynptrs,
) -> Result<u64, Fault> {
    let ret = match name {
        "bpf_dynptr_from_skb_meta" if *prog_type == ProgType::SchedCls => {
            context(memory, args[0])?;
            dynptrs.make_skb_meta(memory, args[1], args[2])?
        }
        "bpf_dynptr_slice" => return dynptrs.slice(memory, args, false),
        "bpf_dynptr_slice_rdwr" => return dynptrs.slice(memory, args, true),
        "bpf_dynptr_size" => dynptrs.size(memory, args[0])?,
        "bpf_dynptr_is_null" => i64::from(dynptrs.get(memory, args[0])? == Dynptr::Null),
        // A dynptr of metadata is writable since 6.19; a null one is not read-only.
        "bpf_dynptr_is_rdonly" => {
            dynptrs.get(memory, args[0])?;
            0
        }
        _ => {
            return Err(Fault::NotCovered {
                insn: memory.insn,
                name: name.to_owned(),
            });
        }
    };
    Ok(ret as u64)
}

/// Runs a helper that may move the packet: slices of it are not valid any more.
fn changed(memory: &mut Memory<'_>, helper: impl FnOnce(&mut dyn Host) -> i64) -> i64 {
    let ret = helper(memory.host);
    memory.forget_slices();
    ret
}

fn not_here(insn: usize, id: u32) -> Fault {
    Fault::NotCovered {
        insn,
        name: name(id).unwrap_or_else(|| format!("#{id}")),
    }
}

fn wrong(insn: usize, what: &str) -> Fault {
    Fault::Instruction {
        insn,
        what: what.to_owned(),
    }
}

fn context(memory: &Memory<'_>, argument: u64) -> Result<(), Fault> {
    if argument == CTX_ADDRESS {
        Ok(())
    } else {
        Err(wrong(memory.insn, "R1 is not the context"))
    }
}

fn map_argument(memory: &Memory<'_>, argument: u64) -> Result<usize, Fault> {
    memory
        .maps
        .index_of_address(argument)
        .ok_or_else(|| wrong(memory.insn, "R1 is not a map"))
}

/// Reads the key; maps whose type is not covered end the run, by the helper's name.
fn map_key(memory: &mut Memory<'_>, map: usize, address: u64, id: u32) -> Result<Vec<u8>, Fault> {
    let Some(def) = memory.maps.def(map) else {
        return Err(wrong(memory.insn, "R1 is not a map"));
    };
    let size = u64::from(def.key_size);
    if let MapKind::Other(kind) = def.kind {
        let helper = name(id).unwrap_or_default();
        let name = format!("{helper} on map {} of type {kind}", def.name);
        return Err(Fault::NotCovered {
            insn: memory.insn,
            name,
        });
    }
    memory.buffer(address, size)
}

fn trace(memory: &mut Memory<'_>, fmt: &[u8], args: &[u64]) -> Result<i64, Fault> {
    let read = |address, len| memory.buffer(address, len as u64);
    let Some(line) = printk::format(fmt, args, read)? else {
        return Ok(-EINVAL);
    };
    memory.host.printk(printk::line_text(&line));
    Ok(line.len() as i64)
}

fn load_bytes(
    memory: &mut Memory<'_>,
    offset: u64,
    to: u64,
    len: u64,
    zero: bool,
) -> Result<i64, Fault> {
    let len = u64::from(len as u32);
    memory.check_writable(to, len)?;
    let mut bytes = vec![0; len as usize];
    let ret = if offset as u32 > i32::MAX as u32 {
        -EFAULT
    } else {
        memory.host.load_bytes(offset as u32, &mut bytes)
    };
    if ret < 0 {
        bytes.fill(0);
    }
    if ret >= 0 || zero {
        memory.store(to, &bytes)?;
    }
    Ok(ret)
}
