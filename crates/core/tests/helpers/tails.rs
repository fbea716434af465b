//! `bpf_tail_call()` (`kernel/bpf/core.c`, `JMP_TAIL_CALL`; out of functions as the JIT of x86 does it).

use headroom_core::bpf::{MapDef, MapKind};
use headroom_core::design::DesignName;
use headroom_core::stack::{Hook, exec};

use crate::bench::*;

fn jumps(programs: &[(u32, &str)]) -> MapDef {
    MapDef {
        details: Default::default(),
        programs: programs
            .iter()
            .map(|(i, name)| (*i, (*name).to_owned()))
            .collect(),
        ..map("jumps", MapKind::ProgArray, [4, 4, 4])
    }
}

/// The program that a function jumps to takes the function's place: its result is the function's, and the caller goes
/// on with its registers and its stack.
#[test]
fn out_of_a_function_and_back() {
    let first = "r6 = 5\n*(u64 *)(r10 -8) = 70\ncall +4\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nr0 += r6\nexit\n\
                 *(u64 *)(r10 -8) = 1\nr6 = 9\nr2 = map[jumps]\nr3 = 1\ncall 12\nr0 = 1000\nexit";
    let second = "r6 = 8\n*(u64 *)(r10 -8) = 2\nr0 = 300\nexit";
    let go = |programs| {
        let maps = vec![jumps(programs)];
        run_with(Hook::Tc, &[("first", first), ("second", second)], maps)
    };
    let done = go(&[(1, "second")]);
    assert_eq!(ended(&done), 375);
    let runs: Vec<_> = done.trace.runs.iter().map(|run| &*run.program).collect();
    assert_eq!(runs, ["first", "second"]);
    // Without a program there the function goes on.
    assert_eq!(ended(&go(&[(0, "second")])), 1075);
}

/// The steps after the jump back are the first program's again.
#[test]
fn steps_belong_to_their_program() {
    let first = "call +1\nexit\nr2 = map[jumps]\nr3 = 0\ncall 12\nr0 = 1\nexit";
    let maps = vec![jumps(&[(0, "second")])];
    let done = run_with(
        Hook::Xdp,
        &[("first", first), ("second", "r0 = 2\nexit")],
        maps,
    );
    let steps: Vec<_> = done
        .trace
        .steps
        .iter()
        .filter_map(|step| match step.kind {
            headroom_core::trace::StepKind::Insn { run, insn, .. } => Some((run, insn)),
            _ => None,
        })
        .collect();
    assert_eq!(
        steps,
        [(0, 0), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (0, 1)]
    );
}

/// 33 tail calls in all, whatever functions they come from; each leaves a caller behind that goes on.
#[test]
fn the_limit_counts_across_functions() {
    let again = "r6 = r1\nr7 = *(u32 *)(r1 +48)\nr7 += 1\n*(u32 *)(r1 +48) = r7\ncall +2\nr0 += 1\nexit\n\
                 r2 = map[jumps]\nr3 = 0\ncall 12\nr0 = 0\nexit";
    let done = run_with(Hook::Tc, &[("again", again)], vec![jumps(&[(0, "again")])]);
    // The program began 34 times, and each of them adds one.
    assert_eq!(ended(&done), 34);
}

/// `__bpf_prog_map_compatible()`: the first program that comes into a map says which type it is for; another type is
/// refused with `-EINVAL`.
#[test]
fn a_map_of_programs_is_for_one_type() {
    let maps = vec![jumps(&[(0, "other")])];
    let load = |section: &str| {
        let main = program(
            "main",
            "tc",
            "r2 = map[jumps]\nr3 = 0\ncall 12\nr0 = 1\nexit",
            &maps,
        );
        let other = program("other", section, "r0 = 2\nexit", &maps);
        let object = object(vec![main, other], maps.clone());
        exec(
            &object,
            "main",
            Hook::Tc,
            &frame(),
            &[],
            DesignName::MacHeader,
        )
    };
    assert_eq!(ended(&load("tc").unwrap()), 2);
    let refused = load("xdp").unwrap_err().to_string();
    assert!(
        refused.contains("jumps") && refused.contains("-22"),
        "{refused}"
    );
    assert!(
        refused.contains("sched_cls") && refused.contains("xdp"),
        "{refused}"
    );
    // Two that fit each other, and not the program that would jump.
    let both = vec![jumps(&[(0, "one"), (1, "two")])];
    let one = program("one", "xdp", "r0 = 1\nexit", &both);
    let two = program("two", "tc", "r0 = 1\nexit", &both);
    let object = object(vec![one, two], both);
    assert!(
        exec(
            &object,
            "one",
            Hook::Xdp,
            &frame(),
            &[],
            DesignName::MacHeader
        )
        .is_err()
    );
}
