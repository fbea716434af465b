//! Per-CPU maps on the one CPU that there is (`kernel/bpf/{arraymap,hashtab}.c`), and what an LRU map gives up when
//! it is full (`kernel/bpf/bpf_lru_list.c`).

use headroom_core::bpf::{MapDef, MapKind, Maps};
use headroom_core::stack::Hook;

use crate::bench::*;

const ENOENT: i64 = -2;
const EEXIST: i64 = -17;
const NOEXIST: u64 = 1;
const EXIST: u64 = 2;

/// `bpf_map_update_elem(m, &key, &value, flags)`.
fn update(key: u64, value: u64, flags: u64) -> String {
    format!(
        "*(u32 *)(r10 -4) = {key}\n*(u64 *)(r10 -16) = {value}\nr1 = map[m]\nr2 = r10\nr2 += -4\nr3 = r10\n\
         r3 += -16\nr4 = {flags}\ncall 2\n"
    )
}

/// `bpf_map_delete_elem(m, &key)`.
fn delete(key: u64) -> String {
    format!("*(u32 *)(r10 -4) = {key}\nr1 = map[m]\nr2 = r10\nr2 += -4\ncall 3\n")
}

/// `bpf_map_lookup_elem(m, &key)`; r0 is the value, -1 when there is none.
fn lookup(key: u64) -> String {
    let call = format!("*(u32 *)(r10 -4) = {key}\nr1 = map[m]\nr2 = r10\nr2 += -4\ncall 1\n");
    call + "if r0 == 0 goto +2\nr0 = *(u64 *)(r0 +0)\ngoto +1\nr0 = -1\n"
}

/// `bpf_map_lookup_percpu_elem(m, &key, cpu)`, as [`lookup`].
fn lookup_on(key: u64, cpu: u64) -> String {
    let call = format!(
        "*(u32 *)(r10 -4) = {key}\nr1 = map[m]\nr2 = r10\nr2 += -4\nr3 = {cpu}\ncall 195\n"
    );
    call + "if r0 == 0 goto +2\nr0 = *(u64 *)(r0 +0)\ngoto +1\nr0 = -1\n"
}

fn of(kind: MapKind, entries: u32) -> MapDef {
    map("m", kind, [4, 8, entries])
}

/// r0 after the last of the calls.
fn last(map: &MapDef, calls: &[String]) -> i64 {
    let text = calls.concat() + "exit";
    ended(&run_maps(Hook::Tc, &text, std::slice::from_ref(map)))
}

/// `array_map_update_elem()`: flags first, then the index, then `BPF_NOEXIST`; a lock is in no value of a per-CPU array.
#[test]
fn a_percpu_array() {
    let map = of(MapKind::PercpuArray, 2);
    assert_eq!(last(&map, &[lookup(0)]), 0);
    assert_eq!(last(&map, &[update(1, 7, 0), lookup(1)]), 7);
    assert_eq!(last(&map, &[update(1, 7, EXIST), lookup(0)]), 0);
    assert_eq!(last(&map, &[lookup(2)]), -1);
    assert_eq!(last(&map, &[update(2, 7, 0)]), E2BIG);
    assert_eq!(last(&map, &[update(1, 7, NOEXIST)]), EEXIST);
    assert_eq!(last(&map, &[delete(1)]), EINVAL);
    // BPF_F_LOCK is 4, BPF_F_CPU 8: the latter is for user space
    assert_eq!(last(&map, &[update(1, 7, 4)]), EINVAL);
    assert_eq!(last(&map, &[update(2, 7, 4)]), E2BIG);
    assert_eq!(last(&map, &[update(1, 7, 4 + NOEXIST)]), EEXIST);
    assert_eq!(last(&map, &[update(2, 7, 8)]), EINVAL);
}

/// `__htab_percpu_map_update_elem()`, `check_flags()`.
#[test]
fn a_percpu_hash() {
    let map = of(MapKind::PercpuHash, 2);
    assert_eq!(last(&map, &[lookup(9)]), -1);
    assert_eq!(last(&map, &[update(9, 7, EXIST)]), ENOENT);
    assert_eq!(last(&map, &[update(9, 7, NOEXIST), lookup(9)]), 7);
    assert_eq!(
        last(&map, &[update(9, 7, 0), update(9, 8, NOEXIST)]),
        EEXIST
    );
    assert_eq!(
        last(&map, &[update(9, 7, 0), update(9, 8, 0), lookup(9)]),
        8
    );
    assert_eq!(last(&map, &[update(9, 7, 4)]), EINVAL);
    let full = [update(9, 7, 0), update(8, 7, 0), update(7, 7, 0)];
    assert_eq!(last(&map, &full), E2BIG);
    assert_eq!(last(&map, &[update(9, 7, 0), delete(9)]), 0);
    assert_eq!(last(&map, &[update(9, 7, 0), delete(9), lookup(9)]), -1);
    assert_eq!(last(&map, &[delete(9)]), ENOENT);
}

/// `cpu >= nr_cpu_ids` has no value; the value of CPU 0 is the one that the program sees.
#[test]
fn values_of_a_cpu() {
    for kind in [
        MapKind::PercpuArray,
        MapKind::PercpuHash,
        MapKind::LruPercpuHash,
    ] {
        let map = of(kind, 2);
        let on = |cpu| last(&map, &[update(1, 7, 0), lookup_on(1, cpu)]);
        assert_eq!((on(0), on(1), on(0x7fff_ffff)), (7, -1, -1), "{kind:?}");
    }
}

/// `PCPU_MIN_UNIT_SIZE`, 32 KiB, is the most that a value of a per-CPU map may take, rounded up to eight bytes.
#[test]
fn the_size_of_a_percpu_value() {
    let create = |kind, size: u32| {
        let def = map("m", kind, [4, size, 1]);
        Maps::new(&object(Vec::new(), vec![def])).map_err(|error| error.to_string())
    };
    for kind in [
        MapKind::PercpuArray,
        MapKind::PercpuHash,
        MapKind::LruPercpuHash,
    ] {
        assert!(create(kind, 32768).is_ok());
        let why = "test: map m: value_size is 32769, that of a per-CPU map may be 32768 at most";
        assert_eq!(create(kind, 32769).unwrap_err(), why);
    }
    assert!(create(MapKind::Array, 32769).is_ok());
    assert!(create(MapKind::Hash, 32769).is_ok());
}

/// Three entries, so Linux takes one element at a time (`target_free`, on whatever number of CPUs): the oldest that was
/// not looked up since it came. Values are the keys times ten.
#[test]
fn a_full_lru_map_gives_up_the_oldest() {
    for kind in [MapKind::LruHash, MapKind::LruPercpuHash] {
        let map = of(kind, 3);
        let put = |key: u64| update(key, key * 10, 0);
        let after = |calls: &[String]| {
            [1, 2, 3, 4].map(|key| last(&map, &[calls, &[lookup(key)]].concat()))
        };
        let three = [put(1), put(2), put(3)];
        assert_eq!(after(&three), [10, 20, 30, -1], "{kind:?}");
        let fourth = [&three[..], &[put(4)]].concat();
        assert_eq!(after(&fourth), [-1, 20, 30, 40], "{kind:?}");
        assert_eq!(last(&map, &fourth), 0, "{kind:?}");
        let looked = [&three[..], &[lookup(1), put(4)]].concat();
        assert_eq!(after(&looked), [10, -1, 30, 40], "{kind:?}");
        // one that was deleted left room
        let deleted = [&three[..], &[delete(3), put(4)]].concat();
        assert_eq!(after(&deleted), [10, 20, -1, 40], "{kind:?}");
        // a second chance is one: key 2, then key 3
        let twice = [&three[..], &[lookup(1), put(4), put(5)]].concat();
        assert_eq!(after(&twice), [10, -1, -1, 40], "{kind:?}");
        assert_eq!(last(&map, &[put(1), update(2, 20, EXIST)]), ENOENT);
        assert_eq!(last(&map, &[put(1), update(1, 20, NOEXIST)]), EEXIST);
        assert_eq!(last(&map, &[update(1, 10, 4)]), EINVAL);
    }
}
