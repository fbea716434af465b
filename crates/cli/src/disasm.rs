//! `headroom disasm`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use headroom_core::bpf::{Judgement, Listing, Program, Prologue, load_object};
use headroom_core::design::DesignName;

use serde_json::json;

use crate::colour::Paint;
use crate::error::CliError;
use crate::exec::some_program;
use crate::{Format, leniency};

/// How programs are listed.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// The design whose prologue and context loads are shown; `None` is as written.
    pub xlated: Option<DesignName>,
    /// Whether to say what the verifier found.
    pub verify: bool,
    pub format: Format,
    pub paint: Paint,
}

/// Prints the programs of an object, with C lines where the object has them.
pub(crate) fn disasm(object: &Path, look: Look) -> Result<ExitCode, CliError> {
    let bytes = fs::read(object).map_err(|error| CliError::Read {
        path: object.into(),
        error,
    })?;
    let object = load_object(&object.display().to_string(), &bytes)?;
    some_program(&object)?;
    let mut out = std::io::stdout().lock();
    if look.format == Format::Json {
        let programs = object.programs.iter();
        let programs: Vec<_> = programs
            .map(|program| json_of(program, look))
            .collect::<Result<_, CliError>>()?;
        let json = json!({
            "schema": "headroom-disasm/1",
            "design": look.xlated.map(DesignName::as_str),
            "programs": programs,
        });
        writeln!(out, "{json}")?;
        return Ok(ExitCode::SUCCESS);
    }
    for program in &object.programs {
        print_program(&mut out, program, look)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A program as the kernel runs it under a design; without one, nothing is put in front of it.
fn listing(judged: &Judgement<'_>, xlated: Option<DesignName>) -> Result<Arc<Listing>, CliError> {
    let prologue = match xlated {
        Some(design) => design.design().prologue(judged.facts()?),
        None => Prologue::default(),
    };
    Ok(judged.fix_up(prologue)?.listing())
}

fn json_of(program: &Program, look: Look) -> Result<serde_json::Value, CliError> {
    let judged = program.judge();
    let listing = listing(&judged, look.xlated)?;
    let lines: Vec<_> = listing
        .lines
        .iter()
        .map(|line| {
            json!({
                "text": line.text,
                "written": line.written,
                "written_text": line.written_text,
                "note": line.note,
                "c_line": line.c_line,
            })
        })
        .collect();
    let mut json = json!({
        "program": listing.program,
        "section": listing.section,
        "source_file": listing.source_file,
        "lines": lines,
    });
    if look.verify {
        json["walked"] = judged.walked().into();
        json["verifier_warnings"] = serde_json::to_value(leniency::of_program(&judged))?;
    }
    Ok(json)
}

fn print_program(out: &mut impl Write, program: &Program, look: Look) -> Result<(), CliError> {
    let judged = program.judge();
    let listing = listing(&judged, look.xlated)?;
    let may_refuse = match look.verify {
        true => leniency::of_program(&judged),
        false => Vec::new(),
    };
    let paint = look.paint;
    let title = format!("{} (section {})", listing.program, listing.section);
    writeln!(out, "{}", paint.head(title))?;
    let mut c_line = None;
    for (index, line) in listing.lines.iter().enumerate() {
        if line.c_line.is_some() && line.c_line != c_line {
            c_line = line.c_line;
            let source = listing
                .source
                .iter()
                .find(|(number, _)| Some(*number) == c_line);
            if let Some((number, text)) = source {
                let c = format!("       ; {number}: {}", text.trim());
                writeln!(out, "{}", paint.aside(c))?;
            }
        }
        match look.xlated {
            Some(_) => {
                let note = line
                    .note
                    .as_ref()
                    .map(|note| paint.aside(format!("    ; {note}")))
                    .unwrap_or_default();
                let number = paint.aside(format!("{index:>5}:"));
                writeln!(out, "{number} {}{note}", line.text)?;
            }
            None => {
                let text = line.written_text.as_ref().unwrap_or(&line.text);
                if let Some(written) = line.written {
                    let number = paint.aside(format!("{written:>5}:"));
                    writeln!(out, "{number} {text}")?;
                }
            }
        }
        // an instruction that became several is said once, at the first of them
        let first = index == 0 || listing.lines[index - 1].written != line.written;
        let here = |place: &&leniency::MayRefuse| first && line.written == Some(place.insn());
        for place in may_refuse.iter().filter(here) {
            let place = paint.warning(format!("       ^ {}", place.in_listing()));
            writeln!(out, "{place}")?;
        }
    }
    if look.verify {
        writeln!(
            out,
            "verifier: {}, {} instructions walked",
            paint.good("accepted"),
            judged.walked()
        )?;
    }
    writeln!(out)?;
    Ok(())
}
