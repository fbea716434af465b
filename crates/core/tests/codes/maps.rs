//! Operations on maps (kernel/bpf/{arraymap,hashtab,lpm_trie,queue_stack_maps,bloom_filter,bpf_iter}.c).

use headroom_core::bpf::{MapDef, MapKind};

use crate::bench::map;
use crate::row::*;

const UPDATE: &str = "bpf_map_update_elem";
const DELETE: &str = "bpf_map_delete_elem";

/// Key at r10 - 8, value 7 at r10 - 16.
fn update(key: u64, flags: u32) -> String {
    let flags = flags.to_string();
    format!("r8 = {key} ll\n*(u64 *)(r10 -8) = r8\n*(u64 *)(r10 -16) = 7\n")
        + &call(UPDATE, &["map:m", "fp-8", "fp-16", &flags])
}

fn delete(key: u64) -> String {
    format!("r8 = {key} ll\n*(u64 *)(r10 -8) = r8\n") + &call(DELETE, &["map:m", "fp-8"])
}

const LOOKUP: &str = "bpf_map_lookup_elem";

fn lookup(key: u64) -> String {
    format!("r8 = {key} ll\n*(u64 *)(r10 -8) = r8\n")
        + &call(LOOKUP, &["map:m", "fp-8"])
        + "if r0 == 0 goto +1\nr0 = 1\n"
}

fn row(
    name: &'static str,
    code: Code,
    source: &'static str,
    map: &MapDef,
    calls: &[String],
) -> Row {
    Row::tc(name, code, source, &calls.concat()).with(std::slice::from_ref(map))
}

const NOEXIST: u32 = 1;
const EXIST: u32 = 2;
const LOCK: u32 = 4;

fn arrays() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [MapKind::Array, MapKind::PercpuArray] {
        let m = map("m", kind, [4, 8, 2]);
        let up = |code, source, key, flags| row(UPDATE, code, source, &m, &[update(key, flags)]);
        rows.extend([
            up(EINVAL, "array_map_update_elem: flags", 0, 3),
            up(E2BIG, "array_map_update_elem: index", 2, 0),
            up(EEXIST, "array_map_update_elem: BPF_NOEXIST", 0, NOEXIST),
            up(
                EINVAL,
                "array_map_update_elem: BPF_F_LOCK without a lock",
                0,
                LOCK,
            ),
            row(DELETE, EINVAL, "array_map_delete_elem", &m, &[delete(0)]),
            row(
                LOOKUP,
                Code::Null,
                "array_map_lookup_elem: index",
                &m,
                &[lookup(2)],
            ),
        ]);
    }
    rows
}

fn hashes() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [
        MapKind::Hash,
        MapKind::PercpuHash,
        MapKind::LruHash,
        MapKind::LruPercpuHash,
    ] {
        let m = map("m", kind, [8, 8, 2]);
        let up = |code, source, calls: &[String]| row(UPDATE, code, source, &m, calls);
        rows.extend([
            up(EINVAL, "htab_map_update_elem: flags", &[update(1, 3)]),
            up(
                EINVAL,
                "htab_map_update_elem: BPF_F_LOCK",
                &[update(1, LOCK)],
            ),
            up(EEXIST, "check_flags", &[update(1, 0), update(1, NOEXIST)]),
            up(ENOENT, "check_flags", &[update(1, EXIST)]),
            row(DELETE, ENOENT, "htab_map_delete_elem", &m, &[delete(1)]),
            row(
                LOOKUP,
                Code::Null,
                "__htab_map_lookup_elem",
                &m,
                &[lookup(1)],
            ),
        ]);
        if matches!(kind, MapKind::Hash | MapKind::PercpuHash) {
            rows.push(up(
                E2BIG,
                "alloc_htab_elem",
                &[update(1, 0), update(2, 0), update(3, 0)],
            ));
        }
    }
    rows
}

/// The key's length is in its first four bytes.
fn tries() -> Vec<Row> {
    let m = MapDef {
        flags: 1,
        ..map("m", MapKind::LpmTrie, [8, 8, 2])
    };
    let key = |len: u64, first: u64| len | first << 32;
    let up = |code, source, calls: &[String]| row(UPDATE, code, source, &m, calls);
    vec![
        row(
            LOOKUP,
            Code::Null,
            "trie_lookup_elem",
            &m,
            &[update(key(8, 1), 0), lookup(key(32, 2))],
        ),
        row(
            LOOKUP,
            Code::Null,
            "trie_lookup_elem: prefixlen > 32",
            &m,
            &[lookup(key(33, 1))],
        ),
        up(
            EINVAL,
            "trie_update_elem: flags",
            &[update(key(8, 1), LOCK)],
        ),
        up(
            EINVAL,
            "trie_update_elem: prefixlen > 32",
            &[update(key(33, 1), 0)],
        ),
        up(
            EEXIST,
            "trie_update_elem: BPF_NOEXIST",
            &[update(key(8, 1), 0), update(key(8, 1), NOEXIST)],
        ),
        up(ENOENT, "trie_check_add_elem", &[update(key(8, 1), EXIST)]),
        up(
            ENOSPC,
            "trie_check_add_elem",
            &[
                update(key(8, 1), 0),
                update(key(8, 2), 0),
                update(key(8, 3), 0),
            ],
        ),
        row(
            DELETE,
            EINVAL,
            "trie_delete_elem: prefixlen > 32",
            &m,
            &[delete(key(33, 1))],
        ),
        row(
            DELETE,
            ENOENT,
            "trie_delete_elem",
            &m,
            &[update(key(8, 1), 0), delete(key(9, 1))],
        ),
    ]
}

fn queues() -> Vec<Row> {
    let value = "*(u64 *)(r10 -8) = 7\n";
    let push =
        |flags: &str| value.to_owned() + &call("bpf_map_push_elem", &["map:m", "fp-8", flags]);
    let mut rows = Vec::new();
    for kind in [MapKind::Queue, MapKind::Stack] {
        let m = map("m", kind, [0, 8, 1]);
        let get = |name: &'static str| {
            let text = value.to_owned() + &call(name, &["map:m", "fp-8"]);
            row(
                name,
                ENOENT,
                "__queue_map_get, __stack_map_get",
                &m,
                &[text],
            )
        };
        let source = "queue_stack_map_push_elem";
        rows.extend([
            row("bpf_map_push_elem", EINVAL, source, &m, &[push("1")]),
            row("bpf_map_push_elem", EINVAL, source, &m, &[push("3")]),
            row(
                "bpf_map_push_elem",
                E2BIG,
                source,
                &m,
                &[push("0"), push("0")],
            ),
            get("bpf_map_pop_elem"),
            get("bpf_map_peek_elem"),
        ]);
    }
    let m = map("m", MapKind::Bloom, [0, 8, 4]);
    let peek = value.to_owned() + &call("bpf_map_peek_elem", &["map:m", "fp-8"]);
    rows.push(row(
        "bpf_map_push_elem",
        EINVAL,
        "bloom_map_push_elem: flags",
        &m,
        &[push("2")],
    ));
    rows.push(row(
        "bpf_map_peek_elem",
        ENOENT,
        "bloom_map_peek_elem",
        &m,
        &[peek],
    ));
    rows
}

/// The callback returns 0.
const CALLBACK: &str = "exit\nr0 = 0";

fn loops() -> Vec<Row> {
    let m = map("m", MapKind::Array, [4, 8, 2]);
    let each = format!(
        "r1 = map[m]\nr2 = subprog[+5]\nr3 = 0\nr4 = 1\ncall bpf_for_each_map_elem\n{CALLBACK}"
    );
    let turns = |count: &str, flags: &str| {
        format!("r1 = {count}\nr2 = subprog[+5]\nr3 = 0\nr4 = {flags}\ncall bpf_loop\n{CALLBACK}")
    };
    vec![
        row(
            "bpf_for_each_map_elem",
            EINVAL,
            "bpf_for_each_array_elem: flags",
            &m,
            &[each],
        ),
        Row::tc("bpf_loop", EINVAL, "bpf_loop: flags", &turns("1", "1")),
        // BPF_MAX_LOOPS
        Row::tc(
            "bpf_loop",
            E2BIG,
            "bpf_loop: nr_loops",
            &turns("8388609", "0"),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    [arrays(), hashes(), tries(), queues(), loops()].concat()
}
