//! `headroom run`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::recording::RunJson;
use headroom_core::scene::StepName;
use headroom_core::simulate::{Input, Simulator};
use headroom_core::trace::Trace;

use serde::Serialize;

use crate::colour::Paint;
use crate::error::CliError;
use crate::leniency::{self, MayRefuse};
use crate::{Level, RunFormat, exec, input, picture, text, why};

/// How a run is shown.
#[derive(Clone)]
pub(crate) struct Look {
    pub format: RunFormat,
    pub step: Option<StepName>,
    pub level: Level,
    pub why: bool,
    pub limits: Limits,
    pub paint: Paint,
}

/// Runs a scenario under each design and prints or writes the result. A kernel that refuses one of the programs is a
/// result beside those of the others; when all do, it is an error.
pub(crate) fn run(
    name: &str,
    maps: &[String],
    designs: &[DesignName],
    look: &Look,
    out: Option<&Path>,
) -> Result<ExitCode, CliError> {
    let svg = look.format == RunFormat::Svg;
    if svg && out.is_none() && designs.len() > 1 {
        let count = designs.len();
        return Err(CliError::SeveralPictures { count });
    }
    if look.step.is_some() && !svg {
        return Err(CliError::StepWithoutPicture);
    }
    let mut input = input::resolve(name)?;
    input.limits = look.limits;
    for entry in maps {
        exec::set_map(&mut input.objects, entry)?;
    }
    // all designs run before anything is written: an error leaves nothing behind
    let mut simulator = Simulator::new(&input);
    let (traces, refused) = traces(name, &mut simulator, designs)?;
    let may_refuse = leniency::of_programs(&simulator.judgements());
    // a file has no colours
    let look = Look {
        paint: if out.is_some() {
            Paint::OFF
        } else {
            look.paint
        },
        ..look.clone()
    };
    let rendered = traces
        .iter()
        .map(|trace| render(&input, trace, &may_refuse, &look))
        .collect::<Result<Vec<_>, _>>()?;
    match out {
        Some(dir) => {
            for (trace, text) in traces.iter().zip(&rendered) {
                write_file(dir, trace, look.format, text)?;
            }
        }
        None => print(&traces, &rendered, &look)?,
    }
    for error in &refused {
        eprintln!("headroom: {error}");
    }
    if look.format == RunFormat::Text {
        leniency::print(&may_refuse);
    }
    Ok(ExitCode::SUCCESS)
}

/// The runs under the designs, and why others have none.
fn traces(
    name: &str,
    simulator: &mut Simulator<'_>,
    designs: &[DesignName],
) -> Result<(Vec<Trace>, Vec<CliError>), CliError> {
    let (mut traces, mut refused) = (Vec::new(), Vec::new());
    for design in designs {
        match trace(name, simulator, *design) {
            Ok(trace) => traces.push(trace),
            Err(error) if error.is_refusal() => refused.push(error),
            Err(error) => return Err(error),
        }
    }
    if traces.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0));
    }
    Ok((traces, refused))
}

fn print(traces: &[Trace], rendered: &[String], look: &Look) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    for text in rendered {
        stdout.write_all(text.as_bytes())?;
    }
    if look.format == RunFormat::Text {
        stdout.write_all(text::summary(traces, look.paint).as_bytes())?;
        if look.why {
            stdout.write_all(why::chains(traces).as_bytes())?;
        }
    }
    Ok(())
}

fn trace(name: &str, simulator: &mut Simulator<'_>, design: DesignName) -> Result<Trace, CliError> {
    simulator.run(design).map_err(|error| CliError::Simulate {
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
    look: &Look,
) -> Result<String, CliError> {
    Ok(match look.format {
        RunFormat::Text => {
            text::story(input, trace, look.level == Level::Bpf, look.why, look.paint)
        }
        RunFormat::Svg => picture::svg(trace, look.step.as_ref())?,
        RunFormat::Json => {
            let run = Explained {
                run: RunJson::new(trace),
                verifier_warnings: may_refuse,
                why: look.why.then(|| why::json(trace)),
            };
            serde_json::to_string(&run)? + "\n"
        }
    })
}

fn write_file(dir: &Path, trace: &Trace, format: RunFormat, text: &str) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| CliError::Write { path, error }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    let extension = match format {
        RunFormat::Text => "txt",
        RunFormat::Json => "json",
        RunFormat::Svg => "svg",
    };
    let path = dir.join(format!("{}.{}.{extension}", trace.scenario, trace.design));
    std::fs::write(&path, text).map_err(failed(&path))?;
    println!("{}", path.display());
    Ok(())
}
