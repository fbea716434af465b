//! The table of `tests/verifier/cases.txt`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headroom_core::bpf::{MapDef, MapKind, ProgType, Program, assemble};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Slot of the instruction, if the log shows it, and the lines of the log joined with `; `.
    Refused(Option<usize>, String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Accepted => write!(f, "accepted"),
            Verdict::Refused(Some(slot), why) => write!(f, "refused {slot}: {why}"),
            Verdict::Refused(None, why) => write!(f, "refused -: {why}"),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub section: String,
    pub text: String,
    /// What Linux 7.2.13 said.
    pub linux: Verdict,
    /// The simulator is known to say something else; docs/verifier.md says why.
    pub differs: bool,
}

/// The maps that programs of the table may name, as `tests/verifier/load.c` makes them.
fn maps() -> Vec<MapDef> {
    let def = |name: &str, kind, key_size, value_size, max_entries| MapDef {
        details: Default::default(),
        name: name.to_owned(),
        kind,
        key_size,
        value_size,
        max_entries,
        entries: Vec::new(),
        flags: 0,
        initial: Vec::new(),
        programs: Vec::new(),
    };
    let mut rodata = def("rodata", MapKind::Data { read_only: true }, 4, 16, 1);
    rodata.initial = b"hello %d\n\0\0\0\0\0\0\0".to_vec();
    let array = def("array", MapKind::Array, 4, 16, 4);
    // values begin with a `struct bpf_spin_lock`, a `struct bpf_timer`
    let mut lock = def("lock", MapKind::Array, 4, 8, 4);
    (lock.details.btf, lock.details.lock) = (true, Some(0));
    let mut timer = def("timer", MapKind::Hash, 4, 24, 4);
    (timer.details.btf, timer.details.timer) = (true, Some(0));
    let mut outer = def("outer", MapKind::ArrayOfMaps, 4, 4, 2);
    outer.details.inner = Some(Box::new(array.clone()));
    vec![
        array,
        def("hash", MapKind::Hash, 4, 8, 16),
        def("ring", MapKind::Ringbuf, 0, 0, 4096),
        def("progs", MapKind::from_number(3), 4, 4, 4),
        def("dev", MapKind::from_number(14), 4, 4, 4),
        rodata,
        def("perf", MapKind::from_number(4), 4, 4, 4),
        def("percpu", MapKind::from_number(6), 4, 8, 4),
        lock,
        outer,
        timer,
    ]
}

impl Case {
    pub fn program(&self) -> Program {
        let maps = maps();
        let names: Vec<String> = maps.iter().map(|m| m.name.clone()).collect();
        let insns = assemble(&self.text, &names)
            .unwrap_or_else(|e| panic!("{}: {e}\n{}", self.name, self.text));
        Program {
            name: self.name.clone(),
            section: self.section.clone(),
            prog_type: ProgType::from_section(&self.section),
            file: "cases.txt".to_owned(),
            lines: vec![None; insns.len()],
            insns,
            map_names: names.into(),
            maps: Arc::from(maps),
            globals: Default::default(),
            gpl: true,
        }
    }
}

pub fn cases() -> Vec<Case> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier/cases.txt");
    // another table, to compare more programs than are kept
    let path = std::env::var_os("VERIFIER_CASES").map_or(own, PathBuf::from);
    let text = std::fs::read_to_string(path).expect("tests/verifier/cases.txt");
    let mut out: Vec<Case> = Vec::new();
    for line in text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        if let Some(head) = line.strip_prefix("== ") {
            let (name, section) = head.split_once(" | ").expect("name | section");
            out.push(Case {
                name: name.to_owned(),
                section: section.to_owned(),
                text: String::new(),
                linux: Verdict::Accepted,
                differs: false,
            });
            continue;
        }
        let case = out.last_mut().expect("a case begins with ==");
        if let Some(verdict) = line.strip_prefix("-- ") {
            case.linux = match verdict.strip_prefix("refused ") {
                Some(rest) => {
                    let (slot, why) = rest.split_once(": ").expect("slot: why");
                    let slot = (slot != "-").then(|| slot.parse().expect("a slot"));
                    Verdict::Refused(slot, why.to_owned())
                }
                None => Verdict::Accepted,
            };
        } else if line == "~~ differs" {
            case.differs = true;
        } else {
            case.text.push_str(line);
            case.text.push('\n');
        }
    }
    out
}
