//! What each fuzz target does with its bytes. `crates/core/tests/fuzz.rs` runs the same functions over
//! the committed corpus and changes of it, with nothing but stable Rust.
//!
//! A target fails by a panic, by not ending, or where an `assert` here says what must hold.

use headroom_core::bpf::vm::{Pace, Plain};
use headroom_core::bpf::{
    Budget, Judgement, Object, Program, Prologue, assemble, load_object, texts,
};
use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::net::pcap;
use headroom_core::recording::Recording;
use headroom_core::scenario::{ScenarioFile, parse};
use headroom_core::simulate::{Input, simulate_partial};
use headroom_core::stack::{Hook, Ready};
use headroom_core::trace::Cursor;

/// Name of a target, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// A target by name.
pub const TARGETS: [Target; 6] = [
    ("elf", elf),
    ("asm", asm),
    ("program", program),
    ("commands", commands),
    ("recording", recording),
    ("capture", capture),
];

/// Instructions that a run of a fuzzer's program may take.
const BUDGET: Budget = Budget(2_000);
/// What its programs may take: the walk of the verifier, and a run with a trace.
const LIMITS: Limits = Limits {
    instructions: BUDGET,
    memory: 64 << 20,
    walked: 20_000,
};
/// Programs of one object that are looked at.
const PROGRAMS: usize = 8;

/// What an input cost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Walks of the verifier.
    pub walks: usize,
    /// Instructions that they looked at.
    pub walked: u32,
}

/// The ELF loader: an object or an error that names the file; its programs are looked at and run.
pub fn elf(data: &[u8]) {
    let mut object = match load_object("fuzz.o", data) {
        Ok(object) => object,
        Err(error) => return assert!(error.to_string().starts_with("fuzz.o: "), "{error}"),
    };
    object.programs.truncate(PROGRAMS);
    judge_and_run(&object);
}

/// One walk of each program; all else asks it.
fn judge_and_run(object: &Object) -> Cost {
    let judged: Vec<_> = object
        .programs
        .iter()
        .map(|p| p.judge_within(LIMITS))
        .collect();
    for one in &judged {
        prepare(one);
        if let Some(hook) = Hook::of(one.program()) {
            execute(object, &judged, hook, &one.program().name);
        }
    }
    Cost {
        walks: judged.len(),
        walked: judged.iter().map(Judgement::walked).sum(),
    }
}

fn prepare(judged: &Judgement<'_>) {
    for (realign, unclone) in [(false, false), (true, true)] {
        if let Ok(prepared) = judged.fix_up(Prologue { realign, unclone }) {
            let _ = prepared.listing();
        }
    }
    let _ = judged.facts();
    let program = judged.program();
    let _ = texts(&program.insns, &program.map_names);
}

fn execute(object: &Object, judged: &[Judgement<'_>], hook: Hook, program: &str) {
    let frame = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 50];
    let frame: Vec<u8> = frame.into_iter().chain(0..46).collect();
    for design in DesignName::ALL {
        let ready = Ready::judged(object, judged, program, hook, design);
        let _ = ready.and_then(|ready| ready.with_limits(LIMITS).run(&frame, &[42, 0, 0, 0]));
    }
}

/// The assembler: a program whose listing assembles to itself, or an error with a place in the text.
pub fn asm(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match assemble(&text, &[]) {
        Ok(insns) => {
            let listing = texts(&insns, &[]).join("\n");
            assert_eq!(assemble(&listing, &[]).as_ref(), Ok(&insns), "{listing}");
        }
        Err(error) => {
            let lines = text.lines().count().max(1);
            assert!((1..=lines).contains(&error.line), "{error}");
        }
    }
}

/// Any bytes as a program: decoded and run at both paces, which must agree; then verified and run as
/// XDP and as TC.
pub fn program(data: &[u8]) {
    let _ = program_cost(data);
}

/// As [`program`]; what it cost.
pub fn program_cost(data: &[u8]) -> Cost {
    let code = &data[..data.len() - data.len() % 8];
    let memory: Vec<u8> = (0..64).collect();
    if let Ok(plain) = Plain::from_bytes(code) {
        let run = |pace| plain.run_at(memory.clone(), BUDGET, pace);
        assert_eq!(run(Pace::Full), run(Pace::Steps));
    }
    let mut cost = Cost::default();
    for hook in [Hook::Xdp, Hook::Tc] {
        let Ok(program) = Program::from_bytes("fuzz", hook.section(), code) else {
            continue;
        };
        let one = judge_and_run(&Object {
            name: program.name.clone(),
            programs: vec![program],
            maps: Vec::new(),
            license: "GPL".into(),
        });
        cost.walks += one.walks;
        cost.walked += one.walked;
    }
    cost
}

/// Commands as a person pastes them, carried out under each design; the trace is walked there and back.
pub fn commands(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = match parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let objects = [(
        "progs.bpf.o".to_owned(),
        include_bytes!("../../content/programs/seed/progs.bpf.o").to_vec(),
    )];
    let Ok(input) = Input::new("fuzz", parsed, &objects) else {
        return;
    };
    for design in DesignName::ALL {
        let partial = simulate_partial(&input, design);
        let _ = partial.error.map(|error| error.to_string());
        if let Some(mut cursor) = Cursor::new(&partial.trace) {
            let last = partial.trace.steps.len() - 1;
            for to in [last, 0, last / 2] {
                cursor.go(to);
                let _ = cursor.packet();
            }
        }
    }
}

/// Recordings and scenario files.
pub fn recording(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Recording::read("fuzz.json", &text).map_err(|error| error.to_string());
    if let Ok(scenario) = ScenarioFile::read("fuzz.json", &text) {
        let _ = scenario.parse().map_err(|error| error.to_string());
    }
}

/// Capture files.
pub fn capture(data: &[u8]) {
    for number in [1, 2, 1000] {
        let _ = pcap::packet(data, number).map_err(|error| error.to_string());
    }
}
