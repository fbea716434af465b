//! Helpers about the running task, and reads of memory anywhere (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
//!
//! Packets move in the softirq of the idle task: it is 0, root's, a thread of the kernel, and in the root cgroup.

use super::map::map_argument;
use super::{Call, E2BIG, EFAULT, EINVAL, ERANGE, wrong};
use crate::bpf::fault::Fault;
use crate::bpf::memory::Memory;

const EPERM: i64 = 1;
const EAGAIN: i64 = 11;
/// `comm` of the idle task of CPU 0.
const COMM: &[u8] = b"swapper/0";
/// Address of the idle task (`init_task`), made up.
const TASK_ADDRESS: u64 = 0xffff_ffff_8300_0000;
/// Id of the root cgroup.
const ROOT_CGROUP: u64 = 1;
/// `PROC_PID_INIT_INO`: the inode of the first PID namespace.
const INIT_PID_NS: u64 = 0xefff_fffc;
/// Number of the device of nsfs, made up: Linux counts its devices without a disk as they come.
const NSFS_DEV: u64 = 4;
/// `BPF_MAP_TYPE_CGROUP_ARRAY`.
const CGROUP_ARRAY: u32 = 8;

/// Carries out a helper.
pub(super) fn call(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, _] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let ret: i64 = match id {
        // bpf_get_current_pid_tgid(), bpf_get_current_uid_gid()
        14 | 15 => 0,
        // bpf_get_current_comm(buf, size): strscpy_pad()
        16 => {
            let size = u64::from(a2 as u32);
            memory.check_writable(a1, size)?;
            let mut comm = vec![0; size as usize];
            let len = COMM.len().min(comm.len().saturating_sub(1));
            comm[..len].copy_from_slice(&COMM[..len]);
            memory.store(a1, &comm)?;
            0
        }
        // bpf_get_current_task(), bpf_get_current_task_btf()
        35 | 158 => return Ok(Some(TASK_ADDRESS)),
        // bpf_current_task_under_cgroup(map, index): no map here has a cgroup in it
        37 => {
            let (map, kind) = map_argument(memory, a1, 1)?;
            if kind.number() != CGROUP_ARRAY {
                return Err(wrong(memory.insn, "R1 is not a map of cgroups"));
            }
            let entries = memory.maps.def(map).map_or(0, |def| def.max_entries);
            if a2 as u32 >= entries {
                -E2BIG
            } else {
                -EAGAIN
            }
        }
        // bpf_get_current_cgroup_id()
        80 => return Ok(Some(ROOT_CGROUP)),
        // bpf_get_current_ancestor_cgroup_id(level): the root has the level 0
        123 => return Ok(Some(if a1 as u32 == 0 { ROOT_CGROUP } else { 0 })),
        // bpf_send_signal(sig), bpf_send_signal_thread(sig): not to a thread of the kernel
        109 | 117 => -EPERM,
        // bpf_get_ns_current_pid_tgid(dev, ino, nsdata, size)
        120 => {
            let size = u64::from(a4 as u32);
            memory.check_writable(a3, size)?;
            memory.store(a3, &vec![0; size as usize])?;
            if size == 8 && a1 == NSFS_DEV && a2 == INIT_PID_NS {
                0
            } else {
                -EINVAL
            }
        }
        // bpf_probe_read_user(dst, size, src), _kernel(), _user_str(), _kernel_str()
        112..=115 => probe_read(memory, id, [a1, u64::from(a2 as u32), a3])?,
        _ => return Ok(None),
    };
    Ok(Some(ret as u64))
}

/// `bpf_probe_read_*()`. There is no user's memory; of the kernel's there is what a program may touch anyhow, and the
/// rest is as if it were not mapped. What fails leaves zeros.
fn probe_read(memory: &mut Memory<'_>, id: u32, [to, size, from]: [u64; 3]) -> Result<i64, Fault> {
    memory.check_writable(to, size)?;
    let (user, string) = (matches!(id, 112 | 114), id > 113);
    let read = match (user, string) {
        (true, _) => None,
        (false, false) => here(memory.buffer(from, size))?,
        (false, true) => string_at(memory, from, size as usize)?,
    };
    let Some(bytes) = read else {
        memory.store(to, &vec![0; size as usize])?;
        return Ok(match (user, from) {
            _ if string && size == 0 => 0,
            (false, ..0xffff_8000_0000_0000) => -ERANGE,
            _ => -EFAULT,
        });
    };
    memory.store(to, &bytes)?;
    Ok(if string { bytes.len() as i64 } else { 0 })
}

/// `strncpy_from_kernel_nofault()`: up to the NUL, which is kept; a string that is too long is cut and ended.
fn string_at(memory: &mut Memory<'_>, from: u64, size: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut text = Vec::new();
    while text.len() < size {
        match here(memory.buffer(from.wrapping_add(text.len() as u64), 1))? {
            Some(byte) => text.extend_from_slice(&byte),
            None => return Ok(None),
        }
        if text.last() == Some(&0) {
            return Ok(Some(text));
        }
    }
    if let Some(last) = text.last_mut() {
        *last = 0;
    }
    Ok(Some(text))
}

/// `None` where nothing is. Memory that is there and that the program has not written is still a fault.
fn here(read: Result<Vec<u8>, Fault>) -> Result<Option<Vec<u8>>, Fault> {
    match read {
        Err(Fault::Access { what: "memory", .. }) => Ok(None),
        read => read.map(Some),
    }
}
