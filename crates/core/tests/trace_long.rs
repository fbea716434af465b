//! Long traces: what they weigh, and that any step is the same whichever way one came to it. And runs
//! without a trace do what runs with one do.

use headroom_core::bpf::{Object, Program};
use headroom_core::design::DesignName;
use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::{Input, Quiet, simulate};
use headroom_core::stack::{Hook, exec};
use headroom_core::trace::{Cursor, Trace};

/// 125,000 instructions, a third of them stores into the packet: an eighth of a million, so that vectors, which
/// grow by doubling, are as full as they are after a million.
const LOOP: &str = "
    r2 = *(u32 *)(r1 +0)
    r3 = *(u32 *)(r1 +4)
    r4 = r2
    r4 += 14
    r0 = 2
    if r4 > r3 goto out
    r5 = 41664
again:
    *(u32 *)(r2 +2) = r5
    r5 += -1
    if r5 != 0 goto again
out:
    exit
";

fn long_trace() -> Trace {
    let program = Program::from_asm("loop.s", "xdp", LOOP).unwrap();
    let object = Object {
        name: "loop".into(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    };
    let name = object.programs[0].name.clone();
    let done = exec(
        &object,
        &name,
        Hook::Xdp,
        &[2; 64],
        &[],
        DesignName::MacHeader,
    )
    .unwrap();
    assert_eq!(done.result, Ok(2));
    assert_eq!(done.trace.registers.len(), 7 + 3 * 41664 + 1);
    done.trace
}

/// A million instructions are to stay under 200 MB: 200 bytes each. Counted, not measured.
#[test]
fn an_instruction_weighs_less_than_200_bytes() {
    let trace = long_trace();
    let each = trace.bytes() / trace.steps.len();
    assert!(each < 200, "{each} bytes an instruction");
}

/// From snapshots, forwards and backwards: the buffers are what they are when one walks there.
#[test]
fn any_step_is_the_same_from_everywhere() {
    let trace = long_trace();
    assert!(trace.checkpoints.len() > 1, "no snapshot was taken");
    let mut walker = Cursor::new(&trace).unwrap();
    let mut jumper = Cursor::new(&trace).unwrap();
    let last = trace.steps.len() - 1;
    // there and back in long jumps; the walker takes each step in between
    for at in (0..=last).step_by(7919) {
        for to in walker.at()..=at {
            walker.go(to);
        }
        for from in [last, 0, last / 2] {
            jumper.go(from);
            jumper.go(at);
            assert_eq!(jumper.memory(), walker.memory(), "step {at} from {from}");
        }
    }
    // and the last one is what the loop stored: 1 was the last number
    jumper.go(last);
    let packet = jumper.packet();
    let bytes = &packet.buffer.unwrap().bytes[256 + 2..256 + 6];
    assert_eq!(bytes, [1, 0, 0, 0]);
}

/// Going back takes back what was written since, and nothing before: what the trace says of its beginning may be wrong
/// and nobody looks there. With snapshots and without.
#[test]
fn a_step_back_does_not_begin_at_the_start() {
    let trace = long_trace();
    let last = trace.steps.len() - 1;
    for keep in [true, false] {
        let mut broken = trace.clone();
        let half = broken.writes.len() / 2;
        for write in &mut broken.writes[..half] {
            for (byte, _) in write.new.iter_mut().chain(&mut write.old) {
                *byte ^= 0x55;
            }
        }
        if !keep {
            broken.checkpoints.clear();
        }
        let mut whole = Cursor::new(&trace).unwrap();
        whole.go(last);
        let mut back = Cursor::resume(&broken, last, whole.memory().clone()).unwrap();
        for to in (last - 200..last).rev() {
            back.go(to);
            whole.go(to);
            assert_eq!(back.memory(), whole.memory(), "step {to}, snapshots {keep}");
        }
    }
}

/// The seed experiment, without a trace: the same lines, under both designs.
#[test]
fn a_quiet_run_prints_what_a_traced_one_prints() {
    let seed = std::fs::read_to_string("../../content/scenarios/seed.json").unwrap();
    let progs = std::fs::read("../../content/programs/seed/progs.bpf.o").unwrap();
    let scenario = ScenarioFile::read("seed.json", &seed).unwrap();
    let objects = [("progs.bpf.o".to_owned(), progs)];
    let input = Input::new("seed", scenario.parse().unwrap(), &objects).unwrap();
    for design in DesignName::ALL {
        let mut setup = input.clone();
        setup.lines.clear();
        let mut quiet = Quiet::new(&setup, design).unwrap();
        let mut printed = Vec::new();
        for line in &input.lines {
            printed.extend(quiet.run(line).unwrap());
        }
        let traced = simulate(&input, design).unwrap();
        assert_eq!(printed, traced.printk, "{}", design.as_str());
        let functions = traced
            .steps
            .iter()
            .filter(|step| !matches!(step.kind, headroom_core::trace::StepKind::Insn { .. }));
        assert_eq!(quiet.steps(), functions.count());
    }
}
