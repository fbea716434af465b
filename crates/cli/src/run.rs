//! `headroom run`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::recording::RunJson;
use headroom_core::simulate::{Input, simulate};
use headroom_core::trace::Trace;

use serde::Serialize;

use crate::colour::Paint;
use crate::error::CliError;
use crate::leniency::{self, MayRefuse};
use crate::{Format, Level, exec, input, text, why};

/// How a run is shown.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub format: Format,
    pub level: Level,
    pub why: bool,
    pub limits: Limits,
    pub paint: Paint,
}

/// Runs a scenario under each design and prints or writes the result.
pub(crate) fn run(
    name: &str,
    maps: &[String],
    designs: &[DesignName],
    look: Look,
    out: Option<&Path>,
) -> Result<ExitCode, CliError> {
    let mut input = input::resolve(name)?;
    input.limits = look.limits;
    for entry in maps {
        exec::set_map(&mut input.objects, entry)?;
    }
    // all designs run before anything is written: an error leaves nothing behind
    let traces = designs
        .iter()
        .map(|design| trace(name, &input, *design))
        .collect::<Result<Vec<_>, _>>()?;
    let may_refuse = leniency::of_objects(&input.objects);
    // a file has no colours
    let look = Look {
        paint: if out.is_some() {
            Paint::OFF
        } else {
            look.paint
        },
        ..look
    };
    let rendered = traces
        .iter()
        .map(|trace| render(&input, trace, &may_refuse, look))
        .collect::<Result<Vec<_>, _>>()?;
    match out {
        Some(dir) => {
            for (trace, text) in traces.iter().zip(&rendered) {
                write_file(dir, trace, look.format, text)?;
            }
        }
        None => {
            let mut stdout = std::io::stdout().lock();
            for text in &rendered {
                stdout.write_all(text.as_bytes())?;
            }
            if look.format == Format::Text {
                stdout.write_all(text::summary(&traces, look.paint).as_bytes())?;
                if look.why {
                    stdout.write_all(why::chains(&traces).as_bytes())?;
                }
            }
        }
    }
    if look.format == Format::Text {
        leniency::print(&may_refuse);
    }
    Ok(ExitCode::SUCCESS)
}

fn trace(name: &str, input: &Input, design: DesignName) -> Result<Trace, CliError> {
    simulate(input, design).map_err(|error| CliError::Simulate {
        file: name.into(),
        design: design.as_str(),
        error: Box::new(error),
    })
}

/// A run, with what the verifier says of its programs and what `--why` adds.
#[derive(Serialize)]
struct Explained<'m> {
    #[serde(flatten)]
    run: RunJson,
    verifier_warnings: &'m [MayRefuse],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<serde_json::Value>,
}

fn render(
    input: &Input,
    trace: &Trace,
    may_refuse: &[MayRefuse],
    look: Look,
) -> Result<String, CliError> {
    Ok(match look.format {
        Format::Text => text::story(input, trace, look.level == Level::Bpf, look.why, look.paint),
        Format::Json => {
            let run = Explained {
                run: RunJson::new(trace),
                verifier_warnings: may_refuse,
                why: look.why.then(|| why::json(trace)),
            };
            serde_json::to_string(&run)? + "\n"
        }
    })
}

fn write_file(dir: &Path, trace: &Trace, format: Format, text: &str) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| CliError::Write { path, error }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    let extension = if format == Format::Json {
        "json"
    } else {
        "txt"
    };
    let path = dir.join(format!("{}.{}.{extension}", trace.scenario, trace.design));
    std::fs::write(&path, text).map_err(failed(&path))?;
    println!("{}", path.display());
    Ok(())
}
