//! Helpers of packets: each checks its arguments and leaves the rest to the host.

use super::map::map_argument;
use super::{Call, EFAULT, changed, wrong};
use crate::bpf::fault::Fault;
use crate::bpf::host::XdpTarget;
use crate::bpf::maps::{MapKind, ValuePlace};
use crate::bpf::memory::Memory;
use crate::bpf::program::ProgType;

/// `sizeof(struct bpf_redir_neigh)`.
const REDIR_NEIGH: u64 = 20;
/// `XDP_ABORTED`, `XDP_REDIRECT`.
const XDP_ABORTED: i64 = 0;
const XDP_REDIRECT: i64 = 4;
/// `TC_ACT_SHOT`.
const TC_ACT_SHOT: i64 = 2;

/// Helpers of XDP programs. `None`: not one of them.
pub(super) fn xdp(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, _] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    match id {
        23 | 51 => {}
        44 | 54 | 65 | 188..=190 => memory.check_context(a1)?,
        _ => return Ok(None),
    }
    let ret = match id {
        // bpf_redirect(ifindex, flags)
        23 if a2 != 0 => XDP_ABORTED,
        23 => {
            memory.host.xdp_redirect(XdpTarget::Device(a1 as u32));
            XDP_REDIRECT
        }
        // bpf_xdp_adjust_head(xdp, delta)
        44 => changed(memory, |host| host.xdp_adjust_head(a2 as i32)),
        // bpf_redirect_map(map, key, flags)
        51 => redirect_map(call)?,
        // bpf_xdp_adjust_meta(xdp, delta)
        54 => changed(memory, |host| host.xdp_adjust_meta(a2 as i32)),
        // bpf_xdp_adjust_tail(xdp, delta)
        65 => changed(memory, |host| host.xdp_adjust_tail(a2 as i32)),
        // bpf_xdp_get_buff_len(xdp)
        188 => i64::from(memory.host.packet_len()),
        // bpf_xdp_load_bytes(xdp, offset, buf, len)
        189 => load_bytes(call, false)?,
        // bpf_xdp_store_bytes(xdp, offset, buf, len)
        190 => {
            let from = memory.buffer(a3, u64::from(a4 as u32))?;
            match pointer_error(a2 as u32, from.len() as u64) {
                Some(error) => error,
                None => memory.host.xdp_store_bytes(a2 as u32, &from),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(ret as u64))
}

/// `__bpf_xdp_redirect_map()` (include/linux/filter.h): where there is no entry, the lower two bits of
/// the flags are the verdict.
fn redirect_map(call: &mut Call<'_, '_>) -> Result<i64, Fault> {
    const ACTION: u64 = 3;
    const BROADCAST: u64 = 8;
    const EXCLUDE_INGRESS: u64 = 16;
    let [map, key, flags, ..] = call.args;
    let memory = &mut *call.memory;
    let (map, kind) = map_argument(memory, map, 1)?;
    if !kind.is_redirect() {
        let what = format!(
            "cannot pass map_type {} into func bpf_redirect_map#51",
            kind.number()
        );
        return Err(wrong(memory.insn, &what));
    }
    let more = match kind {
        MapKind::Devmap | MapKind::DevmapHash => BROADCAST | EXCLUDE_INGRESS,
        _ => 0,
    };
    if flags & !(ACTION | more) != 0 {
        return Ok(XDP_ABORTED);
    }
    let broadcast = flags & more & BROADCAST != 0;
    let place = memory.maps.lookup(map, &(key as u32).to_le_bytes());
    let place = match place {
        _ if broadcast => {
            let all = devices(memory, map);
            let exclude_ingress = flags & EXCLUDE_INGRESS != 0;
            memory.host.xdp_redirect(XdpTarget::Devices {
                all,
                exclude_ingress,
            });
            return Ok(XDP_REDIRECT);
        }
        Some(place) => place,
        None => return Ok((flags & ACTION) as i64),
    };
    let value = ifindex(memory, place);
    let target = match kind {
        MapKind::Cpumap => XdpTarget::Cpu(key as u32),
        MapKind::Xskmap => XdpTarget::Socket(key as u32),
        _ => XdpTarget::Device(value),
    };
    memory.host.xdp_redirect(target);
    Ok(XDP_REDIRECT)
}

/// The device in an entry of a devmap.
fn ifindex(memory: &mut Memory<'_>, place: ValuePlace) -> u32 {
    match memory.maps.bytes(place, 4) {
        Ok(&mut [a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// All devices of a devmap in its order, by index: a devmap_hash has buckets, `dev_map_index_hash()`. Keys of one bucket
/// go here by their size, in Linux the youngest goes first.
fn devices(memory: &mut Memory<'_>, map: usize) -> Vec<u32> {
    let mut entries = memory.maps.elements(map);
    let def = memory.maps.def(map);
    if let Some(def) = def.filter(|def| def.kind == MapKind::DevmapHash) {
        let buckets = def.max_entries.next_power_of_two();
        entries.sort_by_key(|(key, _)| {
            key.first_chunk()
                .map(|k| u32::from_le_bytes(*k) & (buckets - 1))
        });
    }
    entries
        .into_iter()
        .map(|(_, place)| ifindex(memory, place))
        .collect()
}

/// Helpers of programs with a `struct __sk_buff`. `None`: not one of them.
pub(super) fn skb(call: &mut Call<'_, '_>, prog_type: &ProgType) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, a5] = call.args;
    if let Some(ret) = without_context(call)? {
        return Ok(Some(ret as u64));
    }
    let (id, memory) = (call.id, &mut *call.memory);
    if !needs_skb(id) {
        return Ok(None);
    }
    memory.check_context(a1)?;
    let ret: i64 = match id {
        // bpf_skb_store_bytes(skb, offset, from, len, flags)
        9 => {
            let from = memory.buffer(a3, u64::from(a4 as u32))?;
            changed(memory, |host| host.skb_store_bytes(a2 as u32, &from, a5))
        }
        // bpf_l3_csum_replace(skb, offset, from, to, flags)
        10 => changed(memory, |host| host.l3_csum_replace(a2 as u32, a3, a4, a5)),
        // bpf_l4_csum_replace(skb, offset, from, to, flags)
        11 => changed(memory, |host| host.l4_csum_replace(a2 as u32, a3, a4, a5)),
        // bpf_clone_redirect(skb, ifindex, flags)
        13 => changed(memory, |host| host.clone_redirect(a2 as u32, a3)),
        // bpf_skb_vlan_push(skb, vlan_proto, vlan_tci)
        18 => {
            let protocol = u16::from_be(a2 as u16);
            changed(memory, |host| host.skb_vlan_push(protocol, a3 as u16))
        }
        // bpf_skb_vlan_pop(skb)
        19 => changed(memory, |host| host.skb_vlan_pop()),
        20 | 21 | 29 | 30 => tunnel(call)?,
        // bpf_skb_load_bytes(skb, offset, to, len): zeroes `to` when it fails
        26 => load_bytes(call, true)?,
        // bpf_skb_change_proto(skb, proto, flags)
        31 => {
            let protocol = u16::from_be(a2 as u16);
            changed(memory, |host| host.skb_change_proto(protocol, a3))
        }
        // bpf_skb_change_type(skb, type)
        32 => memory.host.skb_change_type(a2 as u32),
        // bpf_get_hash_recalc(skb)
        34 => i64::from(memory.host.get_hash_recalc()),
        // bpf_skb_change_tail(skb, len, flags)
        38 => changed(memory, |host| host.skb_change_tail(a2 as u32, a3)),
        // bpf_skb_pull_data(skb, len)
        39 => changed(memory, |host| host.skb_pull_data(a2 as u32)),
        // bpf_csum_update(skb, csum)
        40 => memory.host.csum_update(a2 as u32),
        // bpf_set_hash_invalid(skb), bpf_set_hash(skb, hash)
        41 | 48 => {
            memory.host.set_hash((id == 48).then_some(a2 as u32));
            0
        }
        // bpf_skb_change_head(skb, len, flags)
        43 => changed(memory, |host| host.skb_change_head(a2 as u32, a3)),
        // bpf_skb_adjust_room(skb, len_diff, mode, flags)
        50 => changed(memory, |host| {
            host.skb_adjust_room(a2 as i32, a3 as u32, a4)
        }),
        // bpf_skb_load_bytes_relative(skb, offset, to, len, start_header)
        68 => {
            let len = u64::from(a4 as u32);
            memory.check_writable(a3, len)?;
            let mut bytes = vec![0; len as usize];
            let (offset, from) = (a2 as u32, a5 as u32);
            let ret = memory
                .host
                .skb_load_bytes_relative(offset, &mut bytes, from);
            if ret < 0 {
                bytes.fill(0);
            }
            memory.store(a3, &bytes)?;
            ret
        }
        // bpf_lwt_push_encap(skb, type, hdr, len)
        73 => {
            let header = memory.buffer(a3, u64::from(a4 as u32))?;
            let ingress = *prog_type == ProgType::LwtIn;
            changed(memory, |host| {
                host.lwt_push_encap(a2 as u32, &header, ingress)
            })
        }
        // bpf_skb_ecn_set_ce(skb)
        97 => changed(memory, |host| host.skb_ecn_set_ce()),
        // bpf_csum_level(skb, level)
        135 => memory.host.csum_level(a2),
        // bpf_skb_set_tstamp(skb, tstamp, tstamp_type)
        192 => memory.host.skb_set_tstamp(a2, a3 as u32),
        _ => return without_socket(call),
    };
    Ok(Some(ret as u64))
}

fn needs_skb(id: u32) -> bool {
    matches!(
        id,
        9..=11 | 13 | 18..=21 | 24 | 26 | 29..=34 | 38..=41 | 43 | 46..=48 | 50 | 68 | 73 | 79 | 83 | 97
            | 122 | 135 | 151 | 192
    )
}

/// Questions about the packet's socket, cgroup, route realm: a packet that comes from a device has none of
/// them, and these are the answers of net/core/{filter,sock_diag}.c for that case.
fn without_socket(call: &Call<'_, '_>) -> Result<Option<u64>, Fault> {
    const ENOENT: i64 = 2;
    /// `overflowuid`.
    const NOBODY: u64 = 65534;
    Ok(Some(match call.id {
        // get_route_realm, get_socket_cookie, skb_cgroup_id, skb_ancestor_cgroup_id, skb_cgroup_classid
        24 | 46 | 79 | 83 | 151 => 0,
        // skb_under_cgroup
        33 => -ENOENT as u64,
        // get_socket_uid
        47 => NOBODY,
        // get_netns_cookie: that of the first namespace
        122 => 1,
        _ => return Ok(None),
    }))
}

/// `bpf_redirect()`, `bpf_redirect_peer()`, `bpf_redirect_neigh()`: the packet is not an argument.
fn without_context(call: &mut Call<'_, '_>) -> Result<Option<i64>, Fault> {
    let [a1, a2, a3, a4, _] = call.args;
    let memory = &mut *call.memory;
    Ok(Some(match call.id {
        // bpf_redirect(ifindex, flags)
        23 => memory.host.redirect(a1 as u32, a2),
        // bpf_redirect_neigh(ifindex, params, plen, flags)
        152 => {
            let plen = a3 as u32;
            if plen != 0 && u64::from(plen) < REDIR_NEIGH || a4 != 0 {
                TC_ACT_SHOT
            } else {
                let params = memory.buffer(a2, u64::from(plen))?;
                memory.host.redirect_neigh(a1 as u32, &params)
            }
        }
        // bpf_redirect_peer(ifindex, flags)
        155 if a2 != 0 => TC_ACT_SHOT,
        155 => memory.host.redirect_peer(a1 as u32),
        _ => return Ok(None),
    }))
}

/// `bpf_skb_get_tunnel_key(skb, to, size, flags)`, `bpf_skb_set_tunnel_key()`,
/// `bpf_skb_get_tunnel_opt(skb, to, size)`, `bpf_skb_set_tunnel_opt()`.
fn tunnel(call: &mut Call<'_, '_>) -> Result<i64, Fault> {
    let [_, place, size, flags, _] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let size = u64::from(size as u32);
    Ok(match id {
        20 | 29 => {
            memory.check_writable(place, size)?;
            let mut bytes = vec![0; size as usize];
            let ret = if id == 20 {
                memory.host.skb_get_tunnel_key(&mut bytes, flags)
            } else {
                memory.host.skb_get_tunnel_opt(&mut bytes)
            };
            if ret < 0 {
                bytes.fill(0);
            }
            memory.store(place, &bytes)?;
            ret
        }
        _ => {
            let bytes = memory.buffer(place, size)?;
            if id == 21 {
                memory.host.skb_set_tunnel_key(&bytes, flags)
            } else {
                memory.host.skb_set_tunnel_opt(&bytes)
            }
        }
    })
}

/// `bpf_skb_load_bytes()`, which leaves zeros when it fails, and `bpf_xdp_load_bytes()`, which leaves the
/// buffer alone.
fn load_bytes(call: &mut Call<'_, '_>, zero: bool) -> Result<i64, Fault> {
    let [_, offset, to, len, _] = call.args;
    let memory = &mut *call.memory;
    let len = u64::from(len as u32);
    memory.check_writable(to, len)?;
    let mut bytes = vec![0; len as usize];
    let offset = offset as u32;
    let refused = if zero {
        (offset > i32::MAX as u32).then_some(-EFAULT)
    } else {
        pointer_error(offset, len)
    };
    let ret = match refused {
        Some(error) => error,
        None => memory.host.load_bytes(offset, &mut bytes),
    };
    if ret < 0 {
        bytes.fill(0);
    }
    if ret >= 0 || zero {
        memory.store(to, &bytes)?;
    }
    Ok(ret)
}

/// What `bpf_xdp_pointer()` refuses without looking at the packet.
fn pointer_error(offset: u32, len: u64) -> Option<i64> {
    (offset > 0xffff || len > 0xffff).then_some(-EFAULT)
}
