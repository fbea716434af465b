//! The simulator as the site uses it: requests in, answers out. In the browser it runs in a worker
//! (`main.rs`); the site's build calls [`run`] for the scenarios of the catalogue.

use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::matrix;
use headroom_core::scenario::parse;
use headroom_core::simulate::{self, SimulateError};
use headroom_core::trace::Trace;
use headroom_protocol::files::MatrixCell;
use headroom_protocol::{Answer, Job, Problem, Request, encode_trace, sentence};
use program::Studio;

pub mod capture;
pub mod program;
#[cfg(test)]
mod tests;

/// Answers a request; `say` is called for each answer, in order. The studio holds what was studied last.
pub fn answer(studio: &mut Studio, request: &Request, say: &mut dyn FnMut(Answer)) {
    let outcome = match request {
        Request::Run(job) => run_within(job, studio.limits, &mut |design, trace| {
            say(Answer::Trace {
                design: design.into(),
                trace: encode_trace(trace),
            });
        }),
        Request::Program(ask) => return say(Answer::Program(studio.answer(ask))),
        Request::Judge(job) => {
            judge_within(job, studio.limits, &mut |cell| say(Answer::Cell(cell)))
        }
    };
    say(match outcome {
        Ok(()) => Answer::Done,
        Err(problem) => Answer::Problem(problem),
    });
}

/// Runs a job; `each` gets the trace under each design, in the order asked for.
///
/// # Errors
/// What is wrong with the commands or an object file, or what the simulator does not cover.
pub fn run(job: &Job, each: &mut dyn FnMut(&str, &Trace)) -> Result<(), Problem> {
    run_within(job, Limits::default(), each)
}

/// As [`run`]; each trace may take so much.
///
/// # Errors
/// As there, and what a run would take more of.
pub fn run_within(
    job: &Job,
    limits: Limits,
    each: &mut dyn FnMut(&str, &Trace),
) -> Result<(), Problem> {
    let input = input(job, limits)?;
    let mut simulator = simulate::Simulator::new(&input);
    for name in &job.designs {
        let trace = simulator.run(design(name)?).map_err(problem)?;
        if trace.steps.is_empty() {
            return Err(Problem::whole(
                "no packet is sent; a ping or a send makes one",
            ));
        }
        each(name, &trace);
    }
    Ok(())
}

/// Judges a job for the matrix; `each` gets the cell of each design, in the order asked for.
///
/// # Errors
/// As [`run`]; what goes wrong under a design is in its cell.
pub fn judge(job: &Job, each: &mut dyn FnMut(MatrixCell)) -> Result<(), Problem> {
    judge_within(job, Limits::default(), each)
}

/// As [`judge`]; each run may take so much.
///
/// # Errors
/// As there.
pub fn judge_within(
    job: &Job,
    limits: Limits,
    each: &mut dyn FnMut(MatrixCell),
) -> Result<(), Problem> {
    let input = input(job, limits)?;
    let mut simulator = simulate::Simulator::new(&input);
    for name in &job.designs {
        let cell = matrix::cell_of(simulator.partial(design(name)?));
        each(MatrixCell {
            design: cell.design,
            verdict: cell.verdict.word().into(),
            step: cell.step,
            value: cell.value,
            cost: cell.cost,
            note: cell.note,
        });
    }
    Ok(())
}

fn design(name: &str) -> Result<DesignName, Problem> {
    match DesignName::read(name) {
        Ok(Some(design)) => Ok(design),
        Ok(None) => Err(Problem::whole(&format!("there is no design {name}"))),
        Err(error) => Err(Problem::whole(&error.to_string())),
    }
}

fn input(job: &Job, limits: Limits) -> Result<simulate::Input, Problem> {
    let parsed = parse(&job.commands).map_err(|error| {
        let place = |number: usize| u32::try_from(number).ok().filter(|_| error.line > 0);
        Problem {
            message: sentence(&error.problem.to_string()),
            line: place(error.line),
            column: place(error.column),
        }
    })?;
    let objects: Vec<(String, Vec<u8>)> = job
        .objects
        .iter()
        .map(|object| (object.name.clone(), object.bytes.clone()))
        .collect();
    let input = simulate::Input::new(&job.scenario, parsed, &objects)
        .map_err(|error| Problem::whole(&error.to_string()))?;
    Ok(simulate::Input { limits, ..input })
}

fn problem(error: SimulateError) -> Problem {
    match error {
        SimulateError::Execute(error) => Problem {
            line: u32::try_from(error.line).ok(),
            ..Problem::whole(&error.cause.to_string())
        },
        SimulateError::Load(error) => Problem::whole(&error.to_string()),
    }
}
