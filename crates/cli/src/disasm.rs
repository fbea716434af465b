//! `headroom disasm`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use headroom_core::bpf::{Judgement, Listing, Program, load_object};
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
    let judged: Vec<_> = object.programs.iter().map(Program::judge).collect();
    // before anything is printed
    let listings = judged
        .iter()
        .map(|judged| listing(judged, look.xlated))
        .collect::<Result<Vec<_>, _>>()?;
    let both = || judged.iter().zip(&listings);
    let objection = look.verify && judged.iter().any(|one| one.objection().is_some());
    let code = match objection {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    };
    if look.format == Format::Json {
        let programs: Vec<_> = both()
            .map(|(judged, listing)| json_of(judged, listing, look))
            .collect::<Result<_, CliError>>()?;
        let json = json!({
            "schema": "headroom-disasm/1",
            "design": look.xlated.map(DesignName::as_str),
            "programs": programs,
        });
        writeln!(out, "{json}")?;
        return Ok(code);
    }
    for (judged, listing) in both() {
        print_program(&mut out, judged, listing, look)?;
    }
    Ok(code)
}

/// A program as the kernel runs it under a design, which must be one that it runs; without a design, as it is written.
fn listing(judged: &Judgement<'_>, xlated: Option<DesignName>) -> Result<Arc<Listing>, CliError> {
    let prepared = match xlated {
        Some(design) => judged.fix_up(design.design().prologue(judged.facts()?))?,
        None => judged.as_written()?,
    };
    Ok(prepared.listing())
}

fn json_of(
    judged: &Judgement<'_>,
    listing: &Listing,
    look: Look,
) -> Result<serde_json::Value, CliError> {
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
        json["verifier_warnings"] = serde_json::to_value(leniency::of_program(judged))?;
        json["refused"] = judged.objection().map(|why| why.to_string()).into();
        let held = judged.held().iter();
        let held = held.map(|held| (format!("r{}", held.register), held.what.clone().into()));
        json["registers"] = serde_json::Value::Object(held.collect());
    }
    Ok(json)
}

fn print_program(
    out: &mut impl Write,
    judged: &Judgement<'_>,
    listing: &Listing,
    look: Look,
) -> Result<(), CliError> {
    let may_refuse = match look.verify {
        true => leniency::of_program(judged),
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
        let walked = judged.walked();
        match judged.objection() {
            None => {
                let accepted = paint.good("accepted");
                writeln!(out, "verifier: {accepted}, {walked} instructions walked")?;
            }
            Some(why) => {
                writeln!(out, "{}", paint.warning(format!("verifier: {why}")))?;
                for held in judged.held() {
                    writeln!(out, "  r{}: {}", held.register, held.what)?;
                }
            }
        }
    }
    writeln!(out)?;
    Ok(())
}
