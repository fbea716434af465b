//! Maps of maps, timers, locks, `may_goto`: objects of `tests/objects`.

use headroom_core::bpf::load_object;
use headroom_core::stack::Hook;

use super::object_files::one;
use super::{r0, run, said};

/// The comments in tests/objects/c/map_in_map.bpf.c.
#[test]
fn maps_of_maps() {
    let seen = said("map_in_map.o", "nested", Hook::Tc);
    assert_eq!(seen, [1, 2, 3, -1, -2, 0, 0, 0, -17, 70, 0]);
    let done = run("map_in_map.o", "nested", Hook::Tc);
    let entries = |name: &str| {
        let maps = &done.trace.maps;
        let map = maps
            .iter()
            .find(|map| map.def.name == name)
            .expect("the map");
        map.entries.clone()
    };
    let (one, three) = (vec![1, 0, 0, 0], vec![3, 0, 0, 0]);
    let names = [
        (one.clone(), b"counters".to_vec()),
        (three.clone(), b"others".to_vec()),
    ];
    assert_eq!(entries("by_key"), names);
    assert_eq!(entries("counters"), [(vec![0; 4], vec![2, 0, 0, 0])]);
    assert_eq!(entries("others"), [(one, three)]);
}

/// What is put into a map of maps must be like what it says (`bpf_map_meta_equal()`).
#[test]
fn maps_of_other_maps_are_refused() {
    let object = load_object("map_in_map.o", &one("map_in_map.o")).unwrap();
    let said = |change: &dyn Fn(&mut headroom_core::bpf::MapDef, &str)| {
        let mut object = object.clone();
        for map in &mut object.maps {
            let name = map.name.clone();
            change(map, &name);
        }
        let maps = headroom_core::bpf::Maps::new(&object);
        maps.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(said(&|_, _| ()), Ok(()));
    let larger = said(&|map, name| map.max_entries += u32::from(name == "others"));
    let not_alike =
        "map_in_map.o: map by_key: error -22: map `others` is not like those that it holds";
    assert_eq!(larger, Err(not_alike.to_owned()));
    // a hash table's size does not count
    assert_eq!(
        said(&|map, name| map.max_entries += u32::from(name == "table")),
        Ok(())
    );
    let full = said(&|map, name| map.max_entries -= u32::from(name == "by_index"));
    let behind = "map_in_map.o: map by_index: error -7: map `table` at 2";
    assert_eq!(full, Err(behind.to_owned()));
}

/// The comments in tests/objects/c/timers.bpf.c.
#[test]
fn timers_answer_as_the_kernels() {
    let seen = said("timers.o", "codes", Hook::Tc);
    assert_eq!(
        seen,
        [-22, -22, -22, -22, 0, -16, -22, 0, -22, 0, 1, 0, -22]
    );
}

/// The comments in tests/objects/c/locks.bpf.c.
#[test]
fn updates_under_a_lock() {
    let done = run("locks.o", "codes", Hook::Tc);
    assert_eq!(done.r0, 13);
    let codes = ["-22", "-7", "-22", "-22", "0", "-17", "-2", "0", "-17"];
    assert_eq!(done.trace.printk, codes);
}

/// `can_loop`: `for (i = 0; i < mark && can_loop; i++) sum += i` with mark 0, and a loop without another end, which takes
/// 131,070 turns (crates/core/src/bpf/frames.rs).
#[test]
fn loops_that_may_go_on() {
    assert_eq!(r0("may_goto.o", "short_loop", Hook::Tc), 0);
    assert_eq!(r0("may_goto.o", "endless", Hook::Tc), 131_070);
}
