//! What a register's value came from. What is expected is read off the programs by hand: positions in the run.

use headroom_core::bpf::{MapDef, MapKind, Object, Program, assemble};
use headroom_core::design::DesignName;
use headroom_core::stack::{Executed, Hook, exec};
use headroom_core::stepping::Stepper;

fn run(program: &str) -> Executed {
    let program = Program::from_asm("chain.s", "xdp", program).unwrap();
    run_with(program, Vec::new())
}

fn run_with(program: Program, maps: Vec<MapDef>) -> Executed {
    let name = program.name.clone();
    let object = Object {
        name: "chain".into(),
        programs: vec![program],
        maps,
        license: "GPL".into(),
    };
    let (packet, meta) = ([2; 64], [42, 0, 0, 0]);
    let design = DesignName::MacHeader;
    let done = exec(&object, &name, Hook::Xdp, &packet, &meta, design).unwrap();
    assert_eq!(done.result, Ok(2));
    done
}

/// The chain of a register after the last instruction, or after one of the run.
fn chain(done: &Executed, at: usize, register: usize) -> Vec<usize> {
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    stepper.go(at);
    stepper.chain(register, 100, &[])
}

const END: usize = usize::MAX;

/// Carried out: 0 1 2, the function's 12 to 15 at positions 3 to 6, then 3 to 11 at positions 7 to 15.
const CALLS: &str = "
    r6 = r1
    r1 = 5
    call pc+9
    r2 = *(u32 *)(r6 +0)
    r3 = *(u32 *)(r6 +4)
    r4 = *(u32 *)(r6 +8)
    r2 += 14
    if r2 > r3 goto pc+2
    *(u16 *)(r2 -2) = r0
    if w0 != 10 goto pc+0
    w0 = 2
    exit
    *(u64 *)(r10 -8) = r1
    r0 = *(u64 *)(r10 -8)
    r0 += r0
    exit
";

#[test]
fn through_registers_and_over_a_call() {
    let done = run(CALLS);
    assert_eq!(chain(&done, END, 2), [0, 7, 10]);
    assert_eq!(chain(&done, END, 4), [0, 9]);
    assert_eq!(chain(&done, END, 0), [14]);
    // Of a long chain the end is known.
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    stepper.go(END);
    assert_eq!(stepper.chain(2, 2, &[]), [7, 10]);
    // The context and the stack are what a run begins with; r1 is gone after a call.
    assert_eq!(chain(&done, 0, 1), [0; 0]);
    assert_eq!(chain(&done, END, 10), [0; 0]);
    assert_eq!(chain(&done, END, 1), [0; 0]);
}

#[test]
fn into_a_function_its_stack_and_its_argument() {
    let done = run(CALLS);
    assert_eq!(chain(&done, 7, 0), [1, 2, 3, 4, 5, 6]);
    // Inside of it, too.
    assert_eq!(chain(&done, 4, 0), [1, 2, 3, 4]);
    assert_eq!(chain(&done, 4, 6), [0, 2]);
}

#[test]
fn through_packet_bytes_and_atomic_operations() {
    let done = run("
        r2 = *(u32 *)(r1 +0)
        r3 = *(u32 *)(r1 +4)
        r4 = r2
        r4 += 14
        if r4 > r3 goto pc+9
        r5 = 7
        r6 = 9
        *(u16 *)(r2 +0) = r5
        *(u8 *)(r2 +0) = r6
        r7 = *(u16 *)(r2 +0)
        r8 = *(u8 *)(r2 +0)
        *(u64 *)(r10 -8) = r5
        lock *(u64 *)(r10 -8) += r6
        r9 = *(u64 *)(r10 -8)
        w0 = 2
        exit
    ");
    // Two bytes, each of another store.
    assert_eq!(chain(&done, END, 7), [0, 5, 6, 7, 8, 9]);
    assert_eq!(chain(&done, END, 8), [0, 6, 8, 10]);
    assert_eq!(chain(&done, END, 9), [5, 6, 11, 12, 13]);
    // A branch decides whether, not what.
    assert_eq!(chain(&done, END, 4), [0, 2, 3]);
}

#[test]
fn a_helper_s_arguments_and_what_it_leaves() {
    let done = run("
        r6 = 3
        r2 = 11
        r3 = 12
        call bpf_ktime_get_ns#5
        r7 = r0
        r7 += r6
        w0 = 2
        exit
    ");
    // bpf_ktime_get_ns(void) takes nothing.
    assert_eq!(chain(&done, END, 7), [0, 3, 4, 5]);
}

/// `bpf_csum_diff(from, from_size, to, to_size, seed)`: four bytes at r10 - 8 are read, those at r10 - 4 are not.
#[test]
fn through_what_a_helper_reads_as_long_as_it_is_told() {
    let done = run("
        r6 = 7
        *(u32 *)(r10 -8) = r6
        *(u32 *)(r10 -4) = 9
        r1 = r10
        r1 += -8
        r2 = 4
        r3 = 0
        r4 = 0
        r5 = 0
        call bpf_csum_diff#28
        r7 = r0
        w0 = 2
        exit
    ");
    assert_eq!(chain(&done, END, 7), [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]);
}

/// A key of four bytes is behind r2; the four bytes behind it on the stack are not read.
#[test]
fn through_the_key_of_a_map() {
    let map = MapDef {
        name: "tags".into(),
        kind: MapKind::Hash,
        key_size: 4,
        value_size: 8,
        max_entries: 2,
        flags: 0,
        initial: Vec::new(),
        programs: Vec::new(),
        entries: Vec::new(),
        details: Default::default(),
    };
    let names = ["tags".to_owned()];
    let text = "
        r6 = 5
        *(u32 *)(r10 -8) = r6
        *(u32 *)(r10 -4) = 9
        r1 = map[tags]
        r2 = r10
        r2 += -8
        call bpf_map_lookup_elem#1
        r7 = r0
        w0 = 2
        exit
    ";
    let insns = assemble(text, &names).unwrap();
    let program = Program {
        lines: vec![None; insns.len()],
        insns,
        map_names: names.into(),
        maps: [map.clone()].into(),
        ..Program::from_asm("chain.s", "xdp", "exit").unwrap()
    };
    let done = run_with(program, vec![map.clone()]);
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    stepper.go(END);
    assert_eq!(stepper.chain(7, 100, &[map]), [0, 1, 3, 4, 5, 6, 7]);
    // Without the map nobody knows how long the key is.
    assert_eq!(stepper.chain(7, 100, &[]), [3, 4, 5, 6, 7]);
}
