//! Stepping through a run: what registers are, why branches go where they go, over and out of calls,
//! to a line of C, and back. What is expected is read off the programs by hand.

use headroom_core::bpf::{Object, Program, load_object};
use headroom_core::design::DesignName;
use headroom_core::stack::{Executed, Hook, exec};
use headroom_core::stepping::{Place, Stepper};

const PROGRAM: &str = "
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

fn run() -> Executed {
    let program = Program::from_asm("calls.s", "xdp", PROGRAM).unwrap();
    let object = Object {
        name: "calls".into(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    };
    let name = object.programs[0].name.clone();
    let meta = [42, 0, 0, 0];
    let done = exec(
        &object,
        &name,
        Hook::Xdp,
        &[2; 64],
        &meta,
        DesignName::MacHeader,
    )
    .unwrap();
    assert_eq!(done.result, Ok(2));
    done
}

/// Listing indexes from here to the end, by one way of stepping.
fn path<'t>(stepper: &mut Stepper<'t>, next: impl Fn(&mut Stepper<'t>) -> bool) -> Vec<usize> {
    let mut path = vec![stepper.insn()];
    while next(stepper) {
        path.push(stepper.insn());
    }
    path
}

#[test]
fn into_over_out_and_back() {
    let done = run();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    let all = [0, 1, 2, 12, 13, 14, 15, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    assert_eq!(path(&mut stepper, Stepper::step_into), all);
    // back to the start, the same way
    let mut back = path(&mut stepper, Stepper::back);
    back.reverse();
    assert_eq!(back, all);
    let outer = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    assert_eq!(path(&mut stepper, Stepper::step_over), outer);
    let mut back = path(&mut stepper, Stepper::back_over);
    back.reverse();
    assert_eq!(back, outer);
    stepper.go(4);
    assert_eq!((stepper.insn(), stepper.depth()), (13, 1));
    assert!(stepper.step_out());
    assert_eq!((stepper.insn(), stepper.depth()), (3, 0));
    assert!(!stepper.step_out(), "nobody called the program");
}

#[test]
fn registers_have_a_kind() {
    let done = run();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    let text = |stepper: &Stepper<'_>, reg: usize| stepper.place(stepper.after()[reg]).to_string();
    assert_eq!(text(&stepper, 6), "ctx");
    assert_eq!(stepper.changed(), [6]);
    stepper.go(3); // in the function
    assert_eq!(text(&stepper, 1), "5");
    assert_eq!(text(&stepper, 10), "fp");
    stepper.go(15);
    assert_eq!(stepper.insn(), 11);
    assert_eq!(text(&stepper, 2), "pkt +14");
    assert_eq!(text(&stepper, 3), "pkt_end");
    assert_eq!(text(&stepper, 4), "meta");
    assert_eq!(stepper.place(stepper.after()[4]), Place::Meta(0));
    assert_eq!(stepper.place(stepper.after()[4]).kind(), "meta");
}

#[test]
fn branches_say_why() {
    let done = run();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    assert_eq!(stepper.why(), None);
    while stepper.insn() != 7 {
        assert!(stepper.step_into());
    }
    let why = stepper.why().unwrap();
    assert!(!why.taken);
    assert_eq!(why.to_string(), "pkt +14 > pkt_end does not hold: goes on");
}

/// To the very next instruction one comes in both cases: what is said is what the condition says.
#[test]
fn a_branch_to_the_next_instruction_says_why_too() {
    let done = run();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    while stepper.insn() != 9 {
        assert!(stepper.step_into());
    }
    let why = stepper.why().unwrap();
    assert_eq!(why.to_string(), "0xa != 0xa does not hold: goes on");
}

#[test]
fn stores_and_the_stack() {
    let done = run();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    assert!(stepper.frame().iter().all(Option::is_none));
    stepper.go(3);
    let stores: Vec<_> = stepper.stores().collect();
    assert_eq!(stores.len(), 1);
    assert_eq!(stores[0].bytes, [5, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(stepper.place(stores[0].address).to_string(), "fp -8");
    let frame = stepper.frame();
    assert_eq!(frame[504..], [5, 0, 0, 0, 0, 0, 0, 0].map(Some));
    assert!(frame[..504].iter().all(Option::is_none));
    // the caller's frame is another one
    stepper.step_out();
    assert!(stepper.frame().iter().all(Option::is_none));
    // r0 = 10 goes into the packet at 14 - 2, 256 bytes behind head
    while stepper.insn() != 8 {
        assert!(stepper.step_into());
    }
    let writes = stepper.packet_writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].offset, 256 + 12);
    let bytes: Vec<u8> = writes[0].new.iter().map(|(byte, _)| *byte).collect();
    assert_eq!(bytes, [10, 0]);
}

#[test]
fn to_a_line_of_c() {
    let bytes = std::fs::read("../../content/programs/seed/progs.bpf.o").unwrap();
    let source = std::fs::read_to_string("../../content/programs/seed/progs.bpf.c").unwrap();
    let object = load_object("progs.bpf.o", &bytes).unwrap();
    let done = exec(
        &object,
        "set_tag",
        Hook::Xdp,
        &[2; 64],
        &[],
        DesignName::MacHeader,
    )
    .unwrap();
    let mut stepper = Stepper::new(&done.trace, 0).unwrap();
    let line = 1 + source
        .lines()
        .position(|line| line.contains("bpf_xdp_adjust_meta("))
        .unwrap() as u32;
    assert!(stepper.to_line(line));
    let (number, text) = stepper.c_line().unwrap();
    assert_eq!(number, line);
    assert_eq!(
        Some(text.trim()),
        source.lines().nth(line as usize - 1).map(str::trim)
    );
    assert!(!stepper.to_line(100_000));
    assert_eq!(stepper.c_line().map(|(number, _)| number), Some(line));
}
