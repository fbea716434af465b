//! Maps as they were at any step of a run. What they hold in between is read off the C source by hand;
//! at the end they are what the run itself left.

use headroom_core::bpf::{MapState, Object, load_object};
use headroom_core::design::DesignName;
use headroom_core::stack::{Executed, Hook, exec};
use headroom_core::stepping::{MapsAt, Stepper};

fn object(name: &str) -> Object {
    let path = format!("../../tests/objects/built/{name}");
    load_object(name, &std::fs::read(&path).unwrap()).unwrap()
}

/// An IPv4 packet with UDP in it, long enough for what the programs look at.
fn packet() -> Vec<u8> {
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45];
    packet.resize(128, 1);
    packet
}

fn run(object: &Object, program: &str, hook: Hook) -> Option<Executed> {
    exec(
        object,
        program,
        hook,
        &packet(),
        &[42, 0, 0, 0],
        DesignName::MacHeader,
    )
    .ok()
}

fn entries(state: &[MapState], map: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let found = state.iter().find(|m| m.def.name == map);
    found.unwrap().entries.clone()
}

/// For each line of C whose text holds `part`, the maps just before and just after its last instruction.
fn around(object: &Object, done: &Executed, part: &str) -> (Vec<MapState>, Vec<MapState>) {
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    let mut maps = MapsAt::new(&done.trace, 0, object).unwrap();
    let mut steps = Vec::new();
    loop {
        if stepper
            .c_line()
            .is_some_and(|(_, text)| text.contains(part))
        {
            steps.push(stepper.step());
        }
        if !stepper.step_into() {
            break;
        }
    }
    let (first, last) = (steps.first().unwrap(), steps.last().unwrap());
    // the later one first: going back is the same
    let after = maps.state(&done.trace, *last);
    (maps.state_before(&done.trace, *first), after)
}

fn one(key: u32, value: u64) -> (Vec<u8>, Vec<u8>) {
    (key.to_le_bytes().to_vec(), value.to_le_bytes().to_vec())
}

#[test]
fn at_the_end_they_are_what_the_run_left() {
    let mut seen = (0, 0);
    for file in std::fs::read_dir("../../tests/objects/built").unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Ok(object) = load_object(
            &name,
            &std::fs::read(format!("../../tests/objects/built/{name}")).unwrap(),
        ) else {
            continue; // the objects that lack something on purpose
        };
        for program in &object.programs {
            let Some(hook) = Hook::of(program) else {
                continue;
            };
            let Some(done) = run(&object, &program.name, hook) else {
                continue;
            };
            let Some(mut maps) = MapsAt::new(&done.trace, 0, &object) else {
                continue;
            };
            let last = done.trace.steps.len();
            let mut state = maps.state(&done.trace, last);
            let mut left = done.trace.maps.clone();
            for map in state.iter_mut().chain(&mut left) {
                map.records.clear(); // of a ring buffer, which is not played again
            }
            assert_eq!(state, left, "{name} {}", program.name);
            let changed = state.iter().filter(|m| !m.entries.is_empty()).count();
            seen = (seen.0 + 1, seen.1 + changed);
        }
    }
    assert!(seen.0 >= 40 && seen.1 >= 20, "{seen:?}");
}

#[test]
fn a_hash_map_before_and_after_its_update() {
    let object = object("maps.o");
    let done = run(&object, "hashes", Hook::Tc).unwrap();
    let (before, after) = around(&object, &done, "&m_hash, &k[0], &v, BPF_NOEXIST");
    assert_eq!(entries(&before, "m_hash"), []);
    assert_eq!(entries(&after, "m_hash"), [one(1, 10)]);
    // key 1 was looked up, so key 2 gave way to key 3
    let (before, after) = around(&object, &done, "&m_lru, &k[2], &v, 0");
    assert_eq!(entries(&before, "m_lru"), [one(1, 10), one(2, 10)]);
    assert_eq!(entries(&after, "m_lru"), [one(1, 10), one(3, 10)]);
}

#[test]
fn queues_and_stacks_in_between() {
    let object = object("maps.o");
    let done = run(&object, "queues", Hook::Tc).unwrap();
    let value = |n: u32| (Vec::new(), n.to_le_bytes().to_vec());
    let (before, after) = around(&object, &done, "bpf_map_pop_elem(&m_stack, &out); SAY");
    assert_eq!(entries(&before, "m_queue"), []);
    assert_eq!(entries(&before, "m_stack"), [value(1), value(2)]);
    assert_eq!(entries(&after, "m_stack"), [value(1)]);
    let (before, _) = around(&object, &done, "bpf_map_peek_elem(&m_queue, &out)");
    assert_eq!(entries(&before, "m_queue"), [value(2), value(3)]);
}

/// However one came to a step, the maps are the same.
#[test]
fn any_step_is_the_same_from_everywhere() {
    let object = object("maps.o");
    for program in ["hashes", "tries", "queues"] {
        let done = run(&object, program, Hook::Tc).unwrap();
        let mut walker = MapsAt::new(&done.trace, 0, &object).unwrap();
        let mut jumper = walker.clone();
        for step in 0..done.trace.steps.len() {
            let here = walker.state(&done.trace, step);
            jumper.state(&done.trace, done.trace.steps.len() - step);
            assert_eq!(jumper.state(&done.trace, step), here, "{program} {step}");
        }
    }
}
