use headroom_core::scenario::ScenarioFile;
use headroom_protocol::{DESIGNS, Job, Object, Request};

use super::*;

const CONTENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content");

pub(crate) fn seed() -> Job {
    let path = format!("{CONTENT}/scenarios/seed.json");
    let text = std::fs::read_to_string(&path).expect("the seed scenario");
    let file = ScenarioFile::read(&path, &text).expect("a scenario");
    let object = |(name, path): (&String, &String)| Object {
        name: name.clone(),
        bytes: std::fs::read(format!("{CONTENT}/{path}")).expect("an object file"),
    };
    Job {
        scenario: file.id.clone(),
        commands: file.paste.join("\n"),
        objects: file.programs.iter().map(object).collect(),
        designs: DESIGNS
            .iter()
            .take(headroom_protocol::FIRST_SHOWN)
            .map(|design| design.name.to_owned())
            .collect(),
    }
}

fn answers(job: Job) -> Vec<Answer> {
    let mut out = Vec::new();
    answer(&mut Studio::default(), &Request::Run(job), &mut |answer| {
        out.push(answer)
    });
    out
}

fn refused(job: Job) -> Problem {
    match answers(job).pop() {
        Some(Answer::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_name_every_design_in_the_cores_order() {
    let core: Vec<(&str, &str)> = DesignName::EVERY
        .into_iter()
        .map(|design| (design.as_str(), design.title()))
        .collect();
    let pages: Vec<(&str, &str)> = DESIGNS
        .iter()
        .map(|design| (design.name, design.note))
        .collect();
    assert_eq!(
        pages, core,
        "crates/protocol/src/designs.rs names the designs for pages"
    );
}

#[test]
fn a_trace_comes_through_as_it_is() {
    let mut whole = Vec::new();
    run(&seed(), &mut |_, trace| whole.push(trace.clone())).expect("a run");
    let answers = answers(seed());
    assert_eq!(answers.len(), whole.len() + 1);
    assert_eq!(answers.last(), Some(&Answer::Done));
    for ((answer, trace), design) in answers.iter().zip(&whole).zip(DESIGNS) {
        let Answer::Trace {
            design: name,
            trace: bytes,
        } = answer
        else {
            panic!("{answer:?}")
        };
        assert_eq!(name, design.name);
        let read: Trace = headroom_protocol::decode_trace(bytes).expect("a trace");
        assert_eq!(read, *trace);
        let shared = |t: &Trace| std::sync::Arc::ptr_eq(&t.runs[0].listing, &t.runs[2].listing);
        assert_eq!(shared(&read), read.runs[0].listing == read.runs[2].listing);
    }
    // The mail's numbers.
    let values = |trace: &Trace| {
        trace
            .reads
            .iter()
            .filter_map(|read| read.value())
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&whole[0]), [42, 42, 524_288]);
    assert_eq!(values(&whole[1]), [42, 42, 42]);
}

/// `custom` with the points of a named design is that design: the same verdict, value and step; and the
/// answer carries the name that was asked for.
#[test]
fn a_policy_is_judged_and_run_as_the_design_that_has_it() {
    let policy = format!("custom:{}", DesignName::MetaEnd.policy());
    let mut cells = Vec::new();
    let job = Job {
        designs: vec!["meta_end".into(), policy.clone(), "custom".into()],
        ..seed()
    };
    judge(&job, &mut |cell| cells.push(cell)).expect("cells");
    let seen: Vec<_> = cells
        .iter()
        .map(|cell| (cell.verdict.as_str(), cell.value, cell.step.clone()))
        .collect();
    assert_eq!(seen[0], seen[1]);
    assert_eq!((seen[0].0, seen[0].1), ("ok", Some(42)));
    // Without points, it is Linux 7.2.
    assert_eq!((seen[2].0, seen[2].1), ("garbage", Some(524_288)));
    let answer = answers(Job {
        designs: vec![policy.clone()],
        ..seed()
    });
    assert!(matches!(&answer[0], Answer::Trace { design, .. } if *design == policy));
}

#[test]
fn a_damaged_trace_is_refused() {
    let Some(Answer::Trace { trace, .. }) = answers(seed()).into_iter().next() else {
        panic!("no trace")
    };
    for len in (0..trace.len()).step_by(97) {
        assert!(
            headroom_protocol::decode_trace(&trace[..len]).is_err(),
            "{len}"
        );
    }
    let mut other = trace.clone();
    other[0] = 200;
    let error = headroom_protocol::decode_trace(&other).expect_err("another format");
    assert!(error.to_string().contains("200"), "{error}");
    // Whatever a byte is turned into, reading ends, with a trace or a sentence.
    for at in (1..trace.len()).step_by(211) {
        let mut damaged = trace.clone();
        damaged[at] ^= 0xff;
        let _ = headroom_protocol::decode_trace(&damaged);
    }
}

#[test]
fn what_is_wrong_has_a_place() {
    let with = |commands: &str| {
        refused(Job {
            commands: commands.into(),
            ..seed()
        })
    };
    let unknown = with("ip netns add tx\nip lnik add");
    assert_eq!((unknown.line, unknown.column.is_some()), (Some(2), true));
    assert_eq!(
        with("").message,
        "No packet is sent; a ping or a send makes one."
    );
    assert_eq!(with("ip link set dev nowhere up").line, Some(1));
    let design = refused(Job {
        designs: vec!["wishful".into()],
        ..seed()
    });
    assert_eq!(design.message, "There is no design wishful.");
    let policy = refused(Job {
        designs: vec!["custom:prologue=realign".into()],
        ..seed()
    });
    assert!(
        policy.message.starts_with("Prologue=realign needs")
            || policy.message.starts_with("prologue=realign needs"),
        "{}",
        policy.message
    );
}

#[test]
fn a_cut_off_object_is_named() {
    let whole = seed().objects[0].bytes.clone();
    for len in [0, 1, 16, 100, 1000, whole.len() - 1] {
        let mut job = seed();
        job.objects = vec![Object {
            name: "cut.bpf.o".into(),
            bytes: whole[..len].to_vec(),
        }];
        if let Some(Answer::Problem(problem)) = answers(job).pop() {
            assert!(
                problem.message.starts_with("cut.bpf.o"),
                "{}",
                problem.message
            );
        }
    }
}

#[test]
fn sentences() {
    assert_eq!(sentence("no packet is sent"), "No packet is sent.");
    assert_eq!(sentence("cut.o: too short."), "cut.o: too short.");
    assert_eq!(sentence(""), ".");
}
