//! Where Linux may refuse a program that runs here (`docs/verifier.md`).

use headroom_core::bpf::{Judgement, Object, Warning};
use serde::Serialize;

/// One place where Linux may refuse a program.
#[derive(Serialize)]
pub(crate) struct MayRefuse {
    /// The object's file, or where the program came from.
    file: String,
    /// The program's name.
    program: String,
    /// Index of the instruction in the listing of the program as written.
    insn: usize,
    /// Why.
    why: String,
}

impl MayRefuse {
    /// Behind the instruction in a listing.
    pub fn in_listing(&self) -> String {
        format!("Linux may refuse this: {}", self.why)
    }

    /// Index of the instruction as written.
    pub fn insn(&self) -> usize {
        self.insn
    }
}

/// What the verifier has to say of a program that it accepts; nothing of one that it refuses, which is an
/// error elsewhere.
pub(crate) fn of_program(judged: &Judgement<'_>) -> Vec<MayRefuse> {
    of_warnings(judged, |_| true)
}

fn of_warnings(judged: &Judgement<'_>, wanted: impl Fn(&Warning) -> bool) -> Vec<MayRefuse> {
    let program = judged.program();
    let place = |warning: &Warning| MayRefuse {
        file: program.file.clone(),
        program: program.name.clone(),
        insn: warning.insn(),
        why: warning.to_string(),
    };
    let warnings = judged.leniency().iter();
    warnings
        .filter(|warning| wanted(warning))
        .map(place)
        .collect()
}

/// The program that runs, and those of the object's maps of programs, which are loaded with it.
pub(crate) fn of_run(object: &Object, judged: &[Judgement<'_>], name: &str) -> Vec<MayRefuse> {
    let maps = || object.maps.iter().flat_map(|map| &map.programs);
    let loaded = |judged: &&Judgement<'_>| {
        let own = &judged.program().name;
        own == name || maps().any(|(_, tail)| tail == own)
    };
    judged.iter().filter(loaded).flat_map(of_program).collect()
}

/// All programs of a run. For which device they are loaded is said by its commands, and judged there.
pub(crate) fn of_programs(judged: &[Judgement<'_>]) -> Vec<MayRefuse> {
    let of = |judged| {
        of_warnings(judged, |warning| {
            !matches!(warning, Warning::DeviceBound { .. })
        })
    };
    judged.iter().flat_map(of).collect()
}

/// On standard error, one line each.
pub(crate) fn print(places: &[MayRefuse]) {
    for place in places {
        let MayRefuse {
            file,
            program,
            insn,
            ..
        } = place;
        eprintln!(
            "headroom: {file}, program {program}, instruction {insn}: {}",
            place.in_listing()
        );
    }
}
