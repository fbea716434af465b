//! The simulator as the site uses it: requests in, answers out. In the browser it runs in a worker
//! (`main.rs`); the site's build calls [`run`] for the scenarios of the catalogue.

use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{self, SimulateError};
use headroom_core::trace::Trace;
use headroom_protocol::{Answer, Job, Problem, Request, encode, sentence};

#[cfg(test)]
mod tests;

/// Answers a request; `say` is called for each answer, in order.
pub fn answer(request: &Request, say: &mut dyn FnMut(Answer)) {
    let outcome = match request {
        Request::Run(job) => run(job, &mut |design, trace| {
            say(Answer::Trace {
                design: design.into(),
                trace: encode(trace),
            });
        }),
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
    for name in &job.designs {
        let design = DesignName::parse(name)
            .ok_or_else(|| Problem::whole(&format!("there is no design {name}")))?;
        let trace = simulate::simulate(&input, design).map_err(problem)?;
        if trace.steps.is_empty() {
            return Err(Problem::whole(
                "no packet is sent; a ping or a send makes one",
            ));
        }
        each(name, &trace);
    }
    Ok(())
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
