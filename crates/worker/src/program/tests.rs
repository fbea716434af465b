//! What is expected is read off the seed experiment's C source and its numbers, or off small programs by hand.

use headroom_protocol::program::{Ask, Moment, Reply, Stops, Study, Way};
use headroom_protocol::{Job, Object};

use super::Studio;

fn study(studio: &mut Studio, job: Job) -> Study {
    match studio.reply(Ask::Study(job)) {
        Reply::Study(study) => study,
        other => panic!("{other:?}"),
    }
}

fn go(studio: &mut Studio, run: u32, from: u32, way: Way) -> Moment {
    match studio.reply(Ask::Go {
        run,
        from,
        way,
        of: None,
    }) {
        Reply::Moment(moment) => *moment,
        other => panic!("{other:?}"),
    }
}

fn seed(design: &str) -> Job {
    Job {
        designs: vec![design.into()],
        ..crate::tests::seed()
    }
}

/// An assembler program at XDP of a device, one packet sent to it.
fn xdp(text: &str) -> Job {
    let frame = "02".repeat(12) + "0800" + &"45".repeat(50);
    Job {
        scenario: "t".into(),
        commands: format!(
            "ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up\n\
             orc xdp mine rx native\norc send tx {frame}"
        ),
        objects: vec![Object {
            name: "mine.xdp.s".into(),
            bytes: text.as_bytes().to_vec(),
        }],
        designs: vec!["mac_header".into()],
    }
}

/// The seed's C source by hand: `tag` is `data_meta` (line 38), and `*tag` is printed at 44. `data` and the check at 41 decide
/// whether, not what.
#[test]
fn what_made_the_tag_is_its_load_and_the_pointer_it_went_through() {
    let mut studio = Studio::default();
    let seen = study(&mut studio, seed("mac_header"));
    let info = seen.runs.iter().find(|run| run.dev == "decap");
    let info = info.expect("a run on decap");
    let run = info.run;
    let is_read = |at: &u32| {
        let did = go(&mut studio, run, *at, Way::To(*at)).did;
        did.contains("524288")
    };
    let read = (0..info.len).find(is_read).expect("the read");
    let ask = Ask::Go {
        run,
        from: read,
        way: Way::To(read),
        of: Some(3),
    };
    let Reply::Moment(moment) = studio.reply(ask) else {
        panic!("no moment");
    };
    let lines = &seen.programs[info.program as usize].listing.lines;
    let of_c = moment
        .chain
        .iter()
        .map(|(_, insn)| lines[*insn as usize].c_line);
    assert_eq!(of_c.collect::<Vec<_>>(), [Some(38), Some(44)]);
    // Without the question there is no answer.
    assert!(go(&mut studio, run, read, Way::To(read)).chain.is_empty());
}

#[test]
fn the_seeds_programs_and_runs() {
    let mut studio = Studio::default();
    let seen = study(&mut studio, seed("meta_end"));
    assert_eq!(seen.problem, None);
    let names: Vec<&str> = seen
        .programs
        .iter()
        .map(|p| p.listing.program.as_str())
        .collect();
    let get = names
        .iter()
        .position(|name| *name == "get_tag")
        .expect("get_tag");
    let judged = &seen.programs[get];
    assert!(judged.loads_data_meta && !judged.writes_packet && judged.refused.is_none());
    // the prologue of v3, patch 16: r6 = r1, call, r1 = r6
    let prologue = judged
        .listing
        .lines
        .iter()
        .filter(|line| line.written.is_none());
    assert_eq!(prologue.count(), 3);
    let runs: Vec<_> = seen
        .runs
        .iter()
        .map(|run| (run.dev.as_str(), run.program as usize))
        .collect();
    assert_eq!(runs.last(), Some(&("decap", get)), "{runs:?}");
    // Linux 7.2 has none
    let plain = study(&mut studio, seed("mac_header"));
    assert!(
        plain.programs[get]
            .listing
            .lines
            .iter()
            .all(|line| line.written.is_some())
    );
}

#[test]
fn the_read_that_went_wrong() {
    let mut studio = Studio::default();
    let seen = study(&mut studio, seed("mac_header"));
    let run = seen.runs.last().expect("a run").run;
    let listing = &seen.programs[seen.runs.last().expect("a run").program as usize].listing;
    let line = listing
        .source
        .iter()
        .find(|(_, text)| text.contains("bpf_printk"));
    let line = line.expect("the line that prints").0;
    let stops = Stops {
        lines: vec![line],
        insns: Vec::new(),
    };
    let mut moment = go(&mut studio, run, 0, Way::Run(stops));
    assert_eq!(moment.c_line, Some(line));
    while !moment.registers.iter().any(|r| r.number == 524_288) {
        let at = moment.at;
        moment = go(&mut studio, run, at, Way::Into);
        assert!(moment.at > at, "the tag is never read");
    }
    // bytes 290 to 293 are the GRE header (the mail's numbers)
    assert!(
        moment
            .did
            .starts_with("Reads 4 bytes at meta, offset 290: r"),
        "{}",
        moment.did
    );
    assert!(
        moment.did.ends_with("= 0x80000 = 524288."),
        "{}",
        moment.did
    );
    let read: Vec<(u32, u8)> = moment
        .packet
        .iter()
        .flat_map(|row| (row.start..).zip(&row.cells))
        .filter(|(_, cell)| cell.touched == 1)
        .map(|(at, cell)| (at, cell.byte))
        .collect();
    assert_eq!(read, [(290, 0), (291, 0), (292, 8), (293, 0)]);
    assert!(
        moment.marks.contains(&(290, "data_meta".into())),
        "{:?}",
        moment.marks
    );
    assert!(
        moment.marks.contains(&(294, "data".into())),
        "{:?}",
        moment.marks
    );
}

const CALLS: &str = "
    r6 = *(u32 *)(r1 +0)
    r1 = 5
    call pc+3
    if r0 != 10 goto pc+0
    r0 = 2
    exit
    *(u64 *)(r10 -8) = r1
    r0 = *(u64 *)(r10 -8)
    r0 += r0
    exit
";

#[test]
fn into_over_out_and_back() {
    let mut studio = Studio::default();
    let seen = study(&mut studio, xdp(CALLS));
    assert_eq!((seen.problem.as_ref(), seen.runs.len()), (None, 1));
    let run = seen.runs[0].run;
    assert_eq!((seen.runs[0].len, seen.runs[0].verdict), (10, Some(2)));
    let insn = |studio: &mut Studio, from, way| {
        let moment = go(studio, run, from, way);
        (moment.at, moment.insn)
    };
    assert_eq!(insn(&mut studio, 0, Way::To(2)), (2, 2));
    assert_eq!(insn(&mut studio, 2, Way::Into), (3, 6));
    assert_eq!(insn(&mut studio, 2, Way::Over), (7, 3));
    assert_eq!(insn(&mut studio, 4, Way::Out), (7, 3));
    assert_eq!(insn(&mut studio, 7, Way::Back), (6, 9));
    assert_eq!(insn(&mut studio, 7, Way::BackOver), (2, 2));
    let at = |insns: &[u32]| Stops {
        lines: Vec::new(),
        insns: insns.to_vec(),
    };
    assert_eq!(insn(&mut studio, 0, Way::Run(at(&[8]))), (5, 8));
    assert_eq!(insn(&mut studio, 6, Way::Run(at(&[8]))), (9, 5));
    assert_eq!(insn(&mut studio, 9, Way::RunBack(at(&[1, 8]))), (5, 8));
    assert_eq!(insn(&mut studio, 5, Way::RunBack(at(&[]))), (0, 0));
    assert_eq!(insn(&mut studio, 0, Way::To(u32::MAX)), (9, 5));

    let moment = go(&mut studio, run, 3, Way::To(3));
    assert_eq!(
        moment.did,
        "Writes 8 bytes at fp -8: [fp -8] = 05 00 00 00 00 00 00 00."
    );
    assert_eq!(moment.callers, [2]);
    assert_eq!(
        (moment.stack.len(), moment.stack[0].off, moment.stack[0].now),
        (1, -8, true)
    );
    let moment = go(&mut studio, run, 0, Way::To(7));
    assert_eq!(
        moment.why.as_deref(),
        Some("0xa != 0xa does not hold: goes on")
    );
    assert_eq!((moment.taken, moment.callers.len()), (Some(false), 0));
    let moment = go(&mut studio, run, 0, Way::To(9));
    assert_eq!(moment.did, "The program ends with XDP_PASS.");
    let first = go(&mut studio, run, 0, Way::To(0));
    assert_eq!(
        (first.registers[6].text.as_str(), first.changed),
        ("pkt", vec![6])
    );
    assert_eq!(first.registers[1].kind, "ctx");
    assert_eq!(first.did, "Reaches ctx->data: r6 = pkt.");
}

#[test]
fn what_linux_refuses_stands_at_its_instruction() {
    let mut studio = Studio::default();
    let seen = study(
        &mut studio,
        xdp("r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit\n"),
    );
    let (line, why) = seen.programs[0].refused.clone().expect("a refusal");
    assert_eq!(line, Some(1));
    assert!(
        why.contains("invalid access to packet, off=0 size=1"),
        "{why}"
    );
    let held = &seen.programs[0].held;
    assert!(
        held.contains(&(2, "pkt, compared with no end".into())),
        "{held:?}"
    );
    assert_eq!(seen.programs[0].listing.lines.len(), 3);
    assert!(
        seen.problem
            .expect("it can't be attached")
            .message
            .contains("invalid access")
    );
    assert_eq!(seen.runs, []);
}

#[test]
fn where_linux_may_refuse_is_named() {
    let mut studio = Studio::default();
    let seen = study(
        &mut studio,
        xdp("call bpf_dynptr_from_skb_ext\nr0 = 2\nexit\n"),
    );
    assert_eq!(seen.programs[0].refused, None);
    let why = "Linux 7.2 may not have the kernel function bpf_dynptr_from_skb_ext";
    assert_eq!(seen.programs[0].warnings, [(0, why.to_owned())]);
}

#[test]
fn nothing_was_studied() {
    let mut studio = Studio::default();
    let ask = |run| Ask::Go {
        of: None,
        run,
        from: 0,
        way: Way::Into,
    };
    assert_eq!(studio.reply(ask(0)), Reply::Gone);
    study(&mut studio, xdp(CALLS));
    assert_eq!(studio.reply(ask(7)), Reply::Gone);
    assert_eq!(
        studio.answer(&[9, 9]),
        headroom_protocol::encode(&Reply::Gone)
    );
}

/// A loop of 124,996 instructions, each third a store on the stack: an eighth of a million, so that vectors, which
/// grow by doubling, are as full as they are after a million. Counted, not measured: eight times what the
/// worker keeps is below 200 MB, and a step is a few kilobytes.
#[test]
fn a_million_instructions_stay_below_200_mb() {
    const ROUNDS: u64 = 41_664;
    let mut studio = Studio::default();
    let text = format!(
        "r0 = 0\nr1 = {ROUNDS}\nagain:\n*(u64 *)(r10 -8) = r1\nr1 += -1\nif r1 != 0 goto again\nr0 = 2\nexit\n"
    );
    let seen = study(&mut studio, xdp(&text));
    assert_eq!((seen.problem.as_ref(), seen.runs[0].len), (None, 124_996));
    let moment = go(&mut studio, seen.runs[0].run, 60_000, Way::Over);
    assert_eq!((moment.at, moment.len), (60_001, 124_996));
    // Two in front, then rounds of three: 60,001 = 2 + 3 × 19,999 + 2 is the branch of round 19,999 (from 0).
    assert_eq!((moment.insn, moment.taken), (4, Some(true)));
    assert_eq!(moment.registers[1].number, ROUNDS - 20_000);
    let bytes: Vec<u8> = moment.stack[0].bytes.iter().flatten().copied().collect();
    assert_eq!(bytes, (ROUNDS - 19_999).to_le_bytes());
    let work = studio.work.as_ref().expect("the work");
    let index: usize = work.indexes.values().map(|index| index.bytes()).sum();
    let all = 8 * (seen.bytes as usize + index);
    assert!(all < 200_000_000, "{all} bytes");
    assert!(headroom_protocol::encode(&moment).len() < 8192);
}

/// 100,002 instructions keep more than a megabyte of registers alone (88 bytes each); the budget ends the run and what
/// was kept until then is shown.
#[test]
fn a_run_ends_at_the_memory_budget() {
    let text = "r0 = 0\nr1 = 50000\nagain:\nr1 += -1\nif r1 != 0 goto again\nr0 = 2\nexit\n";
    let mut studio = Studio::default();
    assert_eq!(study(&mut studio, xdp(text)).problem, None);
    studio.limits.memory = 1 << 20;
    let seen = study(&mut studio, xdp(text));
    let problem = seen.problem.expect("the budget is used up").message;
    assert!(
        problem.contains("1048576 bytes, the limit of this run"),
        "{problem}"
    );
    assert!(
        (1000..100_000).contains(&seen.runs[0].len),
        "{}",
        seen.runs[0].len
    );
    let request = headroom_protocol::Request::Run(xdp(text));
    let mut answers = Vec::new();
    crate::answer(&mut studio, &request, &mut |answer| answers.push(answer));
    assert!(
        matches!(answers.as_slice(), [headroom_protocol::Answer::Problem(same)] if same.message == problem),
        "{answers:?}"
    );
}
