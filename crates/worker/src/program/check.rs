//! What the verifier says of programs that are being written: no commands, no run.

use headroom_core::bpf::{LoadError, Object, ProgType, Program, Rules, asm_lines, load_object};
use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::simulate::assembler;
use headroom_core::stack::{lacks, rules};
use headroom_protocol::program::{Checked, Objection};

/// Ending of the name of a file with assembler in it.
const ASSEMBLER: &str = ".s";

/// Judges all programs of the objects; an object that can't be read has none. A design that is named twice is one.
pub fn check(
    objects: &[headroom_protocol::Object],
    designs: &[String],
    limits: Limits,
) -> Vec<Checked> {
    let mut asked: Vec<(&str, DesignName)> = Vec::new();
    for name in designs {
        if let Ok(design) = crate::design(name)
            && asked.iter().all(|(known, _)| known != name)
        {
            asked.push((name, design));
        }
    }
    let mut out = Vec::new();
    for (number, file) in (0u32..).zip(objects) {
        let Some((object, lines)) = read(file) else {
            continue;
        };
        let one = |program: &Program| checked(number, program, &lines, &asked, limits);
        out.extend(object.programs.iter().map(one));
    }
    out
}

/// An object, and the lines of its instructions if it is assembler.
fn read(file: &headroom_protocol::Object) -> Option<(Object, Vec<usize>)> {
    if !file.name.ends_with(ASSEMBLER) {
        return Some((load_object(&file.name, &file.bytes).ok()?, Vec::new()));
    }
    let text = std::str::from_utf8(&file.bytes).ok()?;
    Some((assembler(&file.name, text).ok()?, asm_lines(text).ok()?))
}

/// A program as each type that it may be loaded as.
fn checked(
    object: u32,
    program: &Program,
    lines: &[usize],
    designs: &[(&str, DesignName)],
    limits: Limits,
) -> Checked {
    let kinds = match &program.prog_type {
        // What bpftool can be told: the two with metadata in their context.
        ProgType::Unknown(_) => vec![ProgType::Xdp, ProgType::SchedCls],
        known => vec![known.clone()],
    };
    let mut out = Checked {
        object,
        program: program.name.clone(),
        kinds: kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        refused: Vec::new(),
        warned: Vec::new(),
    };
    for kind in kinds {
        let program = program.as_type(kind);
        let place = |insn: usize| place(&program, lines, insn);
        let mut known: Vec<(Rules, Vec<Said>)> = Vec::new();
        for (name, design) in designs {
            // No command loads them for one device.
            let rules = Rules {
                device_bound: Some(false),
                ..rules(*design)
            };
            let at = known.iter().position(|(before, _)| *before == rules);
            let at = at.unwrap_or_else(|| {
                known.push((rules, judged(&program, rules, limits)));
                known.len() - 1
            });
            let said = known.get(at).map(|(_, said)| said.clone());
            let mut said = said.unwrap_or_default();
            if let Some((insn, what)) = lacks(*design, &program) {
                said.push((Some(insn), format!("this kernel has no {what}"), true));
            }
            for (insn, why, refused) in said {
                let list = if refused {
                    &mut out.refused
                } else {
                    &mut out.warned
                };
                let (line, source) = insn.map_or((None, None), place);
                put(
                    list,
                    name,
                    Objection {
                        kind: program.prog_type.name().to_owned(),
                        designs: Vec::new(),
                        insn: insn.and_then(|insn| u32::try_from(insn).ok()),
                        line,
                        source,
                        why,
                    },
                );
            }
        }
    }
    for objection in out.refused.iter_mut().chain(&mut out.warned) {
        if objection.designs.len() == designs.len() {
            objection.designs.clear();
        }
    }
    out
}

/// Instruction, words, and whether it is a refusal.
type Said = (Option<usize>, String, bool);

fn judged(program: &Program, rules: Rules, limits: Limits) -> Vec<Said> {
    let judged = program.judge_by(limits, rules);
    match judged.objection() {
        Some(LoadError::Refused { insn, why, .. }) => vec![(Some(insn), why, true)],
        Some(other) => vec![(None, other.to_string(), true)],
        None => judged
            .leniency()
            .iter()
            .map(|warning| (Some(warning.insn()), warning.to_string(), false))
            .collect(),
    }
}

/// Adds a word of a design's kernel; what others have said before is said once.
fn put(list: &mut Vec<Objection>, design: &str, said: Objection) {
    let same = |other: &&mut Objection| {
        (&other.kind, other.insn, &other.why) == (&said.kind, said.insn, &said.why)
    };
    if let Some(known) = list.iter_mut().find(same) {
        known.designs.push(design.to_owned());
        return;
    }
    list.push(Objection {
        designs: vec![design.to_owned()],
        ..said
    });
}

/// The line of the text that an instruction was made of, and that text where it is C.
fn place(
    program: &Program,
    lines: &[usize],
    insn: usize,
) -> (Option<u32>, Option<(String, String)>) {
    if let Some(line) = lines.get(insn) {
        return (u32::try_from(*line).ok(), None);
    }
    // An instruction of no line of its own belongs to the one before it.
    let upto = program.lines.iter().take(insn + 1).rev();
    match upto.flatten().next() {
        Some(line) => {
            let text = (line.file.to_string(), line.text.trim().to_owned());
            (Some(line.line), Some(text))
        }
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, text: &str, designs: &[&str]) -> Vec<Checked> {
        let object = headroom_protocol::Object {
            name: name.into(),
            bytes: text.as_bytes().to_vec(),
        };
        let designs: Vec<String> = designs.iter().map(|name| (*name).to_owned()).collect();
        check(&[object], &designs, Limits::default())
    }

    /// Reads the first bytes of the packet without asking where it ends: `check_packet_access()`'s words.
    const BLIND: &str =
        "; the packet\nr2 = *(u32 *)(r1 +0)\n\n  r0 = *(u8 *)(r2 +13)  ; no check\nexit\n";
    const SEEING: &str = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto out\nr5 = *(u8 *)(r2 +13)\nout:\nexit\n";

    #[test]
    fn a_refusal_has_the_line_of_its_instruction() {
        let said = asked("blind.xdp.s", BLIND, &["mac_header", "meta_end"]);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].kinds, ["xdp"]);
        let [refused] = said[0].refused.as_slice() else {
            panic!("{said:?}")
        };
        // Line 1 is a comment, line 3 empty: the second instruction stands on line 4.
        assert_eq!((refused.insn, refused.line), (Some(1), Some(4)));
        assert!(
            refused
                .why
                .starts_with("invalid access to packet, off=13 size=1, R2("),
            "{}",
            refused.why
        );
        assert!(refused.designs.is_empty(), "both say so");
        let said = asked("seeing.xdp.s", SEEING, &["mac_header"]);
        assert!(said[0].refused.is_empty(), "{said:?}");
        // An skb's context is another one: +0 is `len`, a number.
        let said = asked("seeing.tcx.s", SEEING, &["mac_header"]);
        assert_eq!(said[0].kinds, ["sched_cls"]);
        assert_eq!(said[0].refused[0].line, Some(7), "{said:?}");
        // A text that can't be read has no program.
        assert_eq!(asked("bad.xdp.s", "r1 =\n", &["mac_header"]), []);
    }

    #[test]
    fn an_object_has_its_line_of_c_and_a_design_that_lacks_a_function_is_named() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../content/programs/seed/dynptr.bpf.o"
        );
        let object = headroom_protocol::Object {
            name: "dynptr.bpf.o".into(),
            bytes: std::fs::read(path).expect("an object"),
        };
        let names: Vec<&str> = DesignName::EVERY.iter().map(|d| d.as_str()).collect();
        let absent: Vec<&str> = DesignName::EVERY
            .iter()
            .filter(|d| d.design().dynptr() == headroom_core::design::policy::DynptrAccess::Absent)
            .map(|d| d.as_str())
            .collect();
        assert!(!absent.is_empty());
        let designs: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let said = check(&[object], &designs, Limits::default());
        let refused: Vec<&Objection> = said.iter().flat_map(|said| &said.refused).collect();
        let why = "this kernel has no bpf_dynptr_from_skb_meta";
        let lacks: Vec<_> = refused.iter().filter(|said| said.why == why).collect();
        assert_eq!(lacks.len(), 1, "{refused:?}");
        assert_eq!(lacks[0].designs, absent);
        let (file, text) = lacks[0].source.clone().expect("a line of C");
        assert!(file.ends_with(".c"), "{file}");
        assert!(text.contains("bpf_dynptr_from_skb_meta"), "{text}");
    }

    /// `bpf_dynptr_from_skb_ext()` is no function of a released kernel: the kernels may not have it, which is no refusal.
    #[test]
    fn a_warning_is_no_refusal() {
        let text = "call bpf_dynptr_from_skb_ext\nr0 = 2\nexit\n";
        let said = asked("ext.xdp.s", text, &["mac_header"]);
        assert_eq!(said[0].refused, [], "{said:?}");
        assert_eq!(said[0].warned[0].insn, Some(0), "{said:?}");
        assert_eq!(said[0].warned[0].line, Some(1));
    }

    /// A program of the section `.text` alone says no type: it is judged as both.
    #[test]
    fn a_program_without_a_type_is_judged_as_both() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../core/tests/programs/text_alone.bpf.o"
        );
        let object = headroom_protocol::Object {
            name: "text_alone.bpf.o".into(),
            bytes: std::fs::read(path).expect("an object"),
        };
        let said = check(&[object], &["mac_header".to_owned()], Limits::default());
        assert_eq!(said[0].kinds, ["xdp", "sched_cls"]);
    }

    /// `bpf_dev_bound_kfunc_check()` of kernel/bpf/offload.c: no command of the lab loads a program for one device, so
    /// Linux refuses the call in these words, reached or not: `add_kfunc_call()` looks at every one.
    #[test]
    fn what_needs_a_device_is_refused_not_warned_of() {
        let text = "r0 = 2\nexit\nr2 = r10\nr2 += -8\ncall bpf_xdp_metadata_rx_timestamp\nexit\n";
        let said = asked("stamp.xdp.s", text, &["mac_header"]);
        let words: Vec<_> = said[0]
            .refused
            .iter()
            .map(|said| (said.line, said.why.as_str()))
            .collect();
        assert_eq!(
            words,
            [(Some(5), "metadata kfuncs require device-bound program")]
        );
        assert_eq!(said[0].warned, []);
    }

    /// A design that is asked about twice is one: what it alone says has its name once, what all say has no name.
    #[test]
    fn a_design_that_is_asked_twice_says_it_once() {
        let text = "call bpf_dynptr_from_skb_meta\nr0 = 2\nexit\n";
        // Linux has the function since 6.18.
        let twice = ["mac_header_6.12", "mac_header", "mac_header_6.12"];
        let said = asked("meta.tcx.s", text, &twice);
        let lacks = "this kernel has no bpf_dynptr_from_skb_meta";
        let of: Vec<_> = said[0].refused.iter().filter(|s| s.why == lacks).collect();
        assert_eq!(of.len(), 1, "{said:?}");
        assert_eq!(of[0].designs, ["mac_header_6.12"]);
        let said = asked("blind.xdp.s", BLIND, &["mac_header", "mac_header"]);
        assert_eq!(said[0].refused.len(), 1, "{said:?}");
        assert_eq!(said[0].refused[0].designs, [""; 0]);
    }

    /// Same type, same instruction, same words: one objection. Another of any of the three is another one.
    #[test]
    fn the_same_objection_is_said_once_and_no_other_is_swallowed() {
        // Other words at one instruction: XDP has no skb's dynptr, and of the two kernels the older one has none at all.
        let text = "call bpf_dynptr_from_skb_meta\nr0 = 2\nexit\n";
        let said = asked("meta.xdp.s", text, &["mac_header_6.12", "mac_header"]);
        let of: Vec<_> = said[0]
            .refused
            .iter()
            .map(|said| (said.insn, said.why.split(' ').next().unwrap_or_default()))
            .collect();
        assert_eq!(of, [(Some(0), "calling"), (Some(0), "this")]);
        assert_eq!(said[0].refused[0].designs, [""; 0], "both kernels");
        assert_eq!(said[0].refused[1].designs, ["mac_header_6.12"]);
        // The same words at two instructions.
        let text = "call bpf_of_the_future\ncall bpf_of_the_future\nr0 = 2\nexit\n";
        let said = asked("two.xdp.s", text, &["mac_header", "meta_end"]);
        let of: Vec<_> = said[0].warned.iter().map(|said| said.insn).collect();
        assert_eq!(of, [Some(0), Some(1)]);
        // The same words at one instruction of a program without a type: an exit without r0, as XDP and as TC.
        let object = assembler("none.xdp.s", "exit\n").expect("a program");
        let program = object.programs[0].as_type(ProgType::Unknown(".text".into()));
        let design = [("mac_header", DesignName::MacHeader)];
        let said = checked(0, &program, &[1], &design, Limits::default());
        let of: Vec<_> = said
            .refused
            .iter()
            .map(|said| (said.kind.as_str(), said.insn, said.why.as_str()))
            .collect();
        assert_eq!(
            of,
            [
                ("xdp", Some(0), "R0 !read_ok"),
                ("sched_cls", Some(0), "R0 !read_ok")
            ]
        );
    }

    /// `bpf_dynptr_from_skb_ext()` is there under `skb_ext` only, whichever is asked first: kernels that judge by other rules
    /// judge for themselves.
    #[test]
    fn what_one_kernel_says_is_not_said_of_another() {
        let text = "call bpf_dynptr_from_skb_ext\nr0 = 2\nexit\n";
        for designs in [["mac_header", "skb_ext"], ["skb_ext", "mac_header"]] {
            let said = asked("ext.xdp.s", text, &designs);
            let warned: Vec<_> = said[0].warned.iter().map(|said| &said.designs).collect();
            assert_eq!(warned, [&["mac_header"]], "{said:?}");
        }
    }
}
