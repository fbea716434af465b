//! The BPF engine: full speed against plain `rbpf` in the same run, a million instructions, a packet
//! program with its trace, and loading.

use headroom_core::bpf::vm::{Pace, Plain};
use headroom_core::bpf::{Budget, Object, Program, Prologue, fix_up};
use headroom_core::design::DesignName;
use headroom_core::stack::{Hook, Ready, exec};
use headroom_core::trace::Cursor;
use rbpf::EbpfVmNoData;

use super::{Now, print, time};

fn insn(op: u8, dst: u8, src: u8, off: i16, imm: i32) -> [u8; 8] {
    let (o, i) = (off.to_le_bytes(), imm.to_le_bytes());
    [op, src << 4 | dst, o[0], o[1], i[0], i[1], i[2], i[3]]
}

const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];
const BUDGET: Budget = Budget(100_000_000);

/// The tightest loop: three instructions of arithmetic, a million of them in all.
fn tight_loop() -> Vec<u8> {
    let code = [
        insn(0xb7, 0, 0, 0, 0),
        insn(0xb7, 1, 0, 0, 333_333),
        insn(0x07, 0, 0, 0, 3),
        insn(0x07, 1, 0, 0, -1),
        insn(0x55, 1, 0, -3, 0),
        EXIT,
    ];
    code.concat()
}

/// 4,096 instructions in a row.
fn straight() -> Vec<u8> {
    let mut code = vec![insn(0xb7, 0, 0, 0, 1), insn(0xb7, 1, 0, 0, 7)];
    while code.len() < 4095 {
        code.push(insn(0x0f, 0, 1, 0, 0));
        code.push(insn(0x67, 1, 0, 0, 1));
        code.push(insn(0xaf, 1, 0, 0, 0));
    }
    code.truncate(4095);
    code.push(EXIT);
    code.concat()
}

/// A loop that stores and loads the stack: what the core carries out, in turn with `rbpf`. A million
/// instructions.
fn memory_loop() -> Vec<u8> {
    let code = [
        insn(0xb7, 1, 0, 0, 200_000),
        insn(0x7b, 10, 1, -8, 0),
        insn(0x79, 0, 10, -8, 0),
        insn(0x07, 0, 0, 0, 1),
        insn(0x07, 1, 0, 0, -1),
        insn(0x55, 1, 0, -5, 0),
        EXIT,
    ];
    code.concat()
}

/// What plain `rbpf` gets right too, so the results are compared as well.
fn against_rbpf(target: &str, name: &str, code: &[u8], runs: usize, now: Now<'_>) {
    let plain = EbpfVmNoData::new(Some(code)).expect("rbpf takes it");
    let ours = Plain::from_bytes(code).expect("a program");
    let expected = plain.execute_program().expect("a result");
    let done = ours.run(Vec::new(), BUDGET).expect("a result");
    assert_eq!(done.r0, expected, "{name}");
    let insns = (done.instructions as usize * runs) as f64;
    let per_insn = |ms: f64| ms * 1e6 / insns;
    let rbpf = per_insn(time(now, runs, || {
        plain.execute_program().expect("a result")
    }));
    let full = per_insn(time(now, runs, || {
        ours.run(Vec::new(), BUDGET).expect("a result")
    }));
    print(target, &format!("{name}.rbpf"), rbpf, "ns an instruction");
    print(
        target,
        &format!("{name}.headroom"),
        full,
        "ns an instruction",
    );
    print(
        target,
        &format!("{name}.ratio"),
        full / rbpf,
        "times plain rbpf",
    );
}

/// A packet program of 50 instructions: bounds checks, loads, a sum, a store.
fn packet_program() -> String {
    let mut text = String::from(
        "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 34\nr0 = 2\nif r4 > r3 goto out\nr5 = 0\n",
    );
    for at in 0..20 {
        text.push_str(&format!("r0 = *(u8 *)(r2 +{})\nr5 += r0\n", at + 12));
    }
    text.push_str("*(u8 *)(r2 +33) = r5\nr0 = 2\nout: exit\n");
    text
}

fn packet(target: &str, now: Now<'_>) {
    const RUNS: usize = 500;
    let program = Program::from_asm("bench.s", "xdp", &packet_program()).expect("a program");
    let object = Object {
        name: "bench".into(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    };
    let frame: Vec<u8> = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]
        .into_iter()
        .chain((0..50).map(|i| i as u8))
        .collect();
    let name = object.programs[0].name.clone();
    let run = || {
        let done = exec(
            &object,
            &name,
            Hook::Xdp,
            &frame,
            &[],
            DesignName::MacHeader,
        );
        let done = done.expect("a run");
        assert_eq!(done.result, Ok(2));
        done
    };
    assert_eq!(run().trace.registers.len(), 50);
    let each = |ms: f64| ms * 1000.0 / RUNS as f64;
    print(
        target,
        "packet50.loaded",
        each(time(now, RUNS, run)),
        "µs to verify, load and run",
    );
    let ready = Ready::new(&object, &name, Hook::Xdp, DesignName::MacHeader).expect("it loads");
    let again = || ready.run(&frame, &[]).expect("a run");
    assert_eq!(again().trace.registers.len(), 50);
    print(
        target,
        "packet50.traced",
        each(time(now, RUNS, again)),
        "µs a run with its trace",
    );
}

fn million(target: &str, name: &str, code: &[u8], pace: Pace, now: Now<'_>) {
    let program = Plain::from_bytes(code).expect("a program");
    let done = program.run_at(Vec::new(), BUDGET, pace).expect("a result");
    let ms = time(now, 1, || program.run_at(Vec::new(), BUDGET, pace));
    let insns = done.instructions as f64;
    print(target, name, ms * 1e6 / insns, "ms a million instructions");
}

fn loading(target: &str, now: Now<'_>) {
    let code = straight();
    let bytes = Program::from_bytes("bench", "xdp", &code).expect("a program");
    let text = headroom_core::bpf::texts(&bytes.insns, &[]).join("\n");
    let none = Prologue::default();
    let ms = time(now, 5, || {
        let program = Program::from_asm("bench.s", "xdp", &text).expect("a program");
        fix_up(&program, none).expect("a program that loads")
    });
    print(
        target,
        "load4096",
        ms / 5.0,
        "ms to assemble and verify 4,096 instructions",
    );
}

/// A million instructions with their trace: what it weighs, and what the worst of many jumps in it takes.
fn long_trace(target: &str, now: Now<'_>) {
    const TEXT: &str = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto out\n\
        r5 = 333330\nagain: *(u32 *)(r2 +2) = r5\nr5 += -1\nif r5 != 0 goto again\nout: exit\n";
    let program = Program::from_asm("loop.s", "xdp", TEXT).expect("a program");
    let object = Object {
        name: "loop".into(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    };
    let name = object.programs[0].name.clone();
    let start = now();
    let done = exec(
        &object,
        &name,
        Hook::Xdp,
        &[2; 64],
        &[],
        DesignName::MacHeader,
    );
    let done = done.expect("a run");
    let ms = now() - start;
    assert_eq!(done.trace.registers.len(), 8 + 3 * 333_330);
    print(target, "million.traced", ms, "ms to verify, run and trace");
    let mega = done.trace.bytes() as f64 / 1e6;
    print(target, "million.weight", mega, "MB of trace");
    let mut cursor = Cursor::new(&done.trace).expect("steps");
    let steps = done.trace.steps.len();
    let mut worst: f64 = 0.0;
    // far apart, so that none begins where the last one ended
    for jump in 0..200 {
        let to = jump * 617_413 % steps;
        let start = now();
        cursor.go(to);
        std::hint::black_box(cursor.packet());
        worst = worst.max(now() - start);
    }
    print(
        target,
        "million.jump",
        worst,
        "ms, the longest of 200 jumps",
    );
}

/// All of it.
pub fn report(target: &str, now: Now<'_>) {
    against_rbpf(target, "loop", &tight_loop(), 10, now);
    against_rbpf(target, "straight", &straight(), 500, now);
    million(target, "million.loop", &tight_loop(), Pace::Full, now);
    million(target, "million.memory", &memory_loop(), Pace::Full, now);
    million(target, "million.steps", &tight_loop(), Pace::Steps, now);
    packet(target, now);
    loading(target, now);
    long_trace(target, now);
}
