//! What the verifier says of small programs, against what Linux 7.2.13 said of the same
//! (`tests/verifier/cases.txt`; its origin: `tests/verifier/README.md`).

#[path = "bpf_verifier/cases.rs"]
mod cases;
mod encode;

use cases::{Case, Verdict, cases};
use headroom_core::bpf::{LoadError, Object, Program};
use headroom_core::design::DesignName;
use headroom_core::stack::{Hook, Stop, exec};

/// What the verifier says, as the table writes it: instruction (in slots) and lines of the log.
fn judge(case: &Case) -> Verdict {
    match case.program().facts() {
        Ok(_) => Verdict::Accepted,
        Err(LoadError::Refused { insn, why, .. }) => {
            let slots: usize = case.program().insns[..insn].iter().map(|i| i.slots()).sum();
            // what is not the kernel's is in brackets at the end
            let why = match why.rfind(" (") {
                Some(at) if why.ends_with("have it)") || why.ends_with("has it)") => &why[..at],
                _ => &why,
            };
            // not all refusals come with an instruction in the log
            let slot = match case.linux {
                Verdict::Refused(None, _) => None,
                _ => Some(slots),
            };
            Verdict::Refused(slot, why.to_owned())
        }
        Err(other) => panic!("{}: {other}", case.name),
    }
}

#[test]
fn as_linux_says() {
    let mut wrong = Vec::new();
    let all = cases();
    assert!(all.len() >= 250, "{} cases", all.len());
    for case in &all {
        let got = judge(case);
        if got != case.linux && !case.differs {
            wrong.push(format!(
                "{}:\n  Linux: {}\n  here:  {got}",
                case.name, case.linux
            ));
        }
        // what is marked as different must be, so that the mark goes when it is no more
        if case.differs && got == case.linux {
            wrong.push(format!("{}: equal now", case.name));
        }
    }
    let count = wrong.len();
    assert!(
        wrong.is_empty(),
        "{count} of {}:\n{}",
        all.len(),
        wrong.join("\n")
    );
}

/// What is said here of an example, and of what is `written` there: the verdict, where Linux may refuse it, how many
/// instructions were walked, or how a run ends.
fn said(case: &Case, written: &str) -> String {
    let program = case.program();
    let judged = program.judge();
    if written.starts_with("ends: ") {
        return format!("ends: {}", end_of_run(program));
    }
    if written.ends_with(" instructions walked") {
        let (verdict, walked) = (judge(case), judged.walked());
        return format!("{verdict}, {walked} instructions walked");
    }
    let warnings: Vec<String> = judged.leniency().iter().map(ToString::to_string).collect();
    match warnings.is_empty() {
        true => judge(case).to_string(),
        false => format!("{}, but: {}", judge(case), warnings.join("; ")),
    }
}

/// How a run of a program over some packet ends.
fn end_of_run(program: Program) -> String {
    let object = Object {
        name: "cases.txt".to_owned(),
        maps: program.maps.to_vec(),
        programs: vec![program],
        license: "GPL".to_owned(),
    };
    let (name, design) = (&object.programs[0].name, DesignName::MacHeader);
    let done = exec(&object, name, Hook::Xdp, &[0; 60], &[], design).expect("it is loaded");
    match done.result {
        Ok(verdict) => format!("with {verdict}"),
        Err(Stop::Program { fault, .. }) => fault.to_string(),
        Err(other) => other.to_string(),
    }
}

/// The examples of docs/verifier.md are programs of the table, both verdicts are as written there, and every
/// program that is marked as different is there.
#[test]
fn the_examples_of_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verifier.md");
    let text = std::fs::read_to_string(path).expect("docs/verifier.md");
    let all = cases();
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for block in text.split("```bpf ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a name");
        let (program, rest) = rest.split_once("Linux: ").expect("what Linux says");
        let (linux, rest) = rest.split_once("\nhere:  ").expect("what is said here");
        let (here, _) = rest.split_once("\n```").expect("an end");
        let case = all.iter().find(|case| case.name == name).expect(name);
        assert_eq!(case.text, program, "{name}");
        assert_eq!(case.linux.to_string(), linux, "{name}");
        let said = said(case, here);
        if said != here {
            wrong.push(format!("{name}:\n  written: {here}\n  said:    {said}"));
        }
        seen.push(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing = all.iter().filter(|case| case.differs);
    let missing: Vec<_> = missing
        .filter(|c| !seen.contains(&c.name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Writes the programs for `tests/verifier/load.c`, into the file that `VERIFIER_PROGRAMS` names.
#[test]
#[ignore = "only to ask a kernel again"]
fn write_programs() {
    let path = std::env::var("VERIFIER_PROGRAMS").expect("VERIFIER_PROGRAMS names a file");
    let mut out = Vec::new();
    for case in cases() {
        let (bytes, fills) = encode::encode(&case.program().insns);
        // BPF_NETKIT_PRIMARY, BPF_NETKIT_PEER
        let attach = match case.section.as_str() {
            "netkit/primary" => 54u32,
            "netkit/peer" => 55,
            _ => 0,
        };
        let prog_type = match case.section.as_str() {
            "xdp" => 6u32,
            "tc" | "netkit/primary" | "netkit/peer" => 3,
            "lwt_xmit" => 12,
            "lwt_in" => 10,
            "socket" => 1,
            "cgroup_skb" => 8,
            "lwt_out" => 11,
            "sk_skb" => 14,
            "lwt_seg6local" => 19,
            other => panic!("{other}"),
        };
        let words = [
            prog_type,
            attach,
            bytes.len() as u32 / 8,
            fills.len() as u32,
        ];
        out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        let name = |name: &str, len: usize| {
            let mut bytes = name.as_bytes().to_vec();
            bytes.truncate(len - 1);
            bytes.resize(len, 0);
            bytes
        };
        out.extend(name(&case.name, 64));
        for (slot, kind, number, function) in fills {
            out.extend([slot, kind, number].iter().flat_map(|w| w.to_le_bytes()));
            out.extend(name(&function, 48));
        }
        out.extend(bytes);
    }
    std::fs::write(path, out).expect("the file can be written");
}

/// Assembling and verifying 4,096 instructions; run it with `--release` to measure.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let straight = "r0 = 0\n".to_owned() + &"r0 += 1\n".repeat(4094) + "exit\n";
    // packet accesses behind one check, numbers, branches that come together
    let mut branchy =
        "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr0 = 0\nr4 = r2\nr4 += 64\n".to_owned();
    branchy += "if r4 > r3 goto out\n";
    for i in 0..681 {
        let at = i % 60;
        branchy += &format!(
            "r5 = *(u32 *)(r2 +{at})\nr5 &= 255\nif r5 > {i} goto l{i}\nr0 += r5\n*(u64 *)(r10 -8) = r0\nl{i}: r0 ^= {i}\n"
        );
    }
    branchy += "out: r0 = 2\nexit\n";
    for (name, text) in [("straight", straight), ("branches", branchy)] {
        let case = Case {
            name: name.to_owned(),
            section: "xdp".to_owned(),
            text,
            linux: Verdict::Accepted,
            differs: false,
        };
        let start = std::time::Instant::now();
        let program = case.program();
        let assembled = start.elapsed();
        let walked = program.judge().walked();
        println!(
            "{name}: {} instructions, assembled {assembled:?}, in all {:?}, {walked} walked",
            program.insns.len(),
            start.elapsed()
        );
    }
}
