//! `headroom disasm`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use headroom_core::bpf::{Program, Prologue, fix_up, load_object};
use headroom_core::design::DesignName;

use crate::error::CliError;

/// Prints the programs of an object, with C lines where the object has them.
pub(crate) fn disasm(object: &Path, xlated: Option<DesignName>) -> Result<ExitCode, CliError> {
    let bytes = fs::read(object).map_err(|error| CliError::Read {
        path: object.into(),
        error,
    })?;
    let object = load_object(&object.display().to_string(), &bytes)?;
    let mut out = std::io::stdout().lock();
    for program in &object.programs {
        print_program(&mut out, program, xlated)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_program(
    out: &mut impl Write,
    program: &Program,
    xlated: Option<DesignName>,
) -> Result<(), CliError> {
    let prologue = match xlated {
        Some(design) => design.design().prologue(program.facts()?),
        None => Prologue {
            realign: false,
            unclone: false,
        },
    };
    let prepared = fix_up(program, prologue)?;
    let listing = prepared.listing();
    writeln!(out, "{} (section {})", listing.program, listing.section)?;
    let mut c_line = None;
    for (index, line) in listing.lines.iter().enumerate() {
        if line.c_line.is_some() && line.c_line != c_line {
            c_line = line.c_line;
            let source = listing
                .source
                .iter()
                .find(|(number, _)| Some(*number) == c_line);
            if let Some((number, text)) = source {
                writeln!(out, "       ; {number}: {}", text.trim())?;
            }
        }
        match xlated {
            Some(_) => {
                let note = line
                    .note
                    .as_ref()
                    .map(|note| format!("    ; {note}"))
                    .unwrap_or_default();
                writeln!(out, "{index:>5}: {}{note}", line.text)?;
            }
            None => {
                let text = line.written_text.as_ref().unwrap_or(&line.text);
                if let Some(written) = line.written {
                    writeln!(out, "{written:>5}: {text}")?;
                }
            }
        }
    }
    writeln!(out)?;
    Ok(())
}
