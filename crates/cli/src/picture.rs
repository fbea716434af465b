//! `headroom run --format svg`: one step of a run, drawn as on the site.

use headroom_core::export::{SvgOptions, step_svg};
use headroom_core::scene::{Scale, StepName, names};
use headroom_core::trace::{Cursor, Trace};

use crate::error::CliError;

/// Width of a picture. Pixels.
const WIDTH: f64 = 1280.0;

/// The step of that name, else the one that the run is about: its first wrong read, else its last read, else its end.
/// The buffer's scale is that of the packet in the picture.
pub(crate) fn svg(trace: &Trace, wanted: Option<&StepName>) -> Result<String, CliError> {
    let names = names(trace);
    let step = match wanted {
        Some(wanted) => names
            .iter()
            .position(|name| name == wanted)
            .ok_or_else(|| CliError::NoStep {
                design: trace.design.clone(),
                step: wanted.to_string(),
            })?,
        None => about(trace),
    };
    let nothing = || CliError::NothingToDraw {
        design: trace.design.clone(),
    };
    // where a step has no packet of its own, the last one before it that has
    let until = trace.steps.get(..=step).unwrap_or_default();
    let drawn = until.iter().rposition(|step| step.buffer.is_some());
    let (drawn, mut cursor) = drawn.zip(Cursor::new(trace)).ok_or_else(nothing)?;
    cursor.go(drawn);
    let view = cursor.packet();
    let buffer = view.step.buffer.ok_or_else(nothing)?;
    let scale = Scale::compressed(&[(trace, buffer)]);
    let title = names.get(step).map(ToString::to_string);
    let options = SvgOptions {
        scale: &scale,
        width: WIDTH,
        title: title.as_deref().unwrap_or_default(),
    };
    Ok(step_svg(trace, step, &view, options))
}

fn about(trace: &Trace) -> usize {
    let first_wrong = trace.reads.iter().find(|read| read.verdict.is_wrong());
    first_wrong
        .or(trace.reads.last())
        .map_or(trace.steps.len().saturating_sub(1), |read| read.step)
}
