//! Routes, MTUs and sockets, of programs with any kind of packet (net/core/filter.c).

use super::Call;
use crate::bpf::fault::Fault;

/// Carries out a helper.
pub(super) fn call(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [ctx, a2, a3, a4, a5] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let ret = match id {
        // bpf_fib_lookup(ctx, params, plen, flags)
        69 => {
            memory.check_context(ctx)?;
            let len = u64::from(a3 as u32);
            memory.check_writable(a2, len)?;
            let mut params = memory.buffer(a2, len)?;
            let ret = memory.host.fib_lookup(&mut params, a4 as u32);
            memory.store(a2, &params)?;
            ret
        }
        // bpf_check_mtu(ctx, ifindex, mtu_len, len_diff, flags)
        163 => {
            memory.check_context(ctx)?;
            memory.check_writable(a3, 4)?;
            let mut word = [0; 4];
            memory.load(a3, &mut word)?;
            let mut mtu_len = u32::from_le_bytes(word);
            let to = [a2 as u32, a4 as u32];
            let ret = memory.host.check_mtu(to, &mut mtu_len, a5);
            memory.store(a3, &mtu_len.to_le_bytes())?;
            ret
        }
        // bpf_sk_lookup_tcp(ctx, tuple, size, netns, flags), _udp(), bpf_skc_lookup_tcp(): nobody has a socket here
        84 | 85 | 99 => {
            memory.check_context(ctx)?;
            memory.buffer(a2, u64::from(a3 as u32))?;
            0
        }
        // bpf_sk_release(sk): a program has none to give back
        86 => 0,
        _ => return Ok(None),
    };
    Ok(Some(ret as u64))
}
