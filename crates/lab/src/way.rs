//! Which devices packets come to, step by step.

use std::sync::Arc;

use headroom_core::trace::{DevRef, Edge, Step, StepKind};

/// The first step of each stay of a packet on a device, with the device.
///
/// The return of a function is no arrival: it goes back to where its caller is, and the packet does not go with it.
pub fn stays<'t>(
    steps: impl IntoIterator<Item = (usize, &'t Step)>,
) -> Vec<(usize, &'t Arc<DevRef>)> {
    let mut out: Vec<(usize, &Arc<DevRef>)> = Vec::new();
    for (at, step) in steps.into_iter().filter(|(_, step)| begins(step)) {
        let Some(dev) = &step.dev else { continue };
        if out.last().is_none_or(|(_, latest)| *latest != dev) {
            out.push((at, dev));
        }
    }
    out
}

/// Something begins with a packet: a function, a program.
fn begins(step: &Step) -> bool {
    matches!(
        step.kind,
        StepKind::Function {
            edge: Edge::Entry,
            ..
        } | StepKind::Program {
            edge: Edge::Entry,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_core::design::DesignName;
    use headroom_core::scenario::{ScenarioFile, parse};
    use headroom_core::simulate::{Input, simulate};

    #[test]
    fn an_echo_goes_there_and_back_and_returns_of_functions_are_no_way() {
        let seed = include_str!("../../../content/scenarios/seed.json");
        let seed = ScenarioFile::read("seed.json", seed).expect("seed");
        let object = include_bytes!("../../../content/programs/seed/progs.bpf.o");
        let parsed = parse(&seed.paste.join("\n")).expect("commands");
        let objects = [("progs.bpf.o".to_owned(), object.to_vec())];
        let input = Input::new("seed", parsed, &objects).expect("an input");
        let trace = simulate(&input, DesignName::MacHeader).expect("a trace");
        let stays = stays(trace.steps.iter().enumerate());
        let names: Vec<&str> = stays.iter().map(|(_, dev)| dev.name.as_str()).collect();
        // Two echo requests through the tunnel, each with its reply: the second begins where the first ended.
        let once = ["encap", "tx", "rx", "decap", "rx", "tx", "encap"];
        assert_eq!(names, [&once[..], &once[1..]].concat());
        for (at, _) in &stays {
            assert!(begins(&trace.steps[*at]));
        }
    }
}
