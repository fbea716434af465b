//! What holds of every trace, on random set-ups; `random_setups` says what these are.

mod random_setups;

use std::collections::BTreeSet;

use headroom_core::design::DesignName;
use headroom_core::simulate::{Input, Quiet, simulate_partial};
use headroom_core::stack::MAX_STEPS;
use headroom_core::trace::{Edge, PacketFields, SkbFields, Step, StepKind, Trace};
use random_setups::{Setup, input, invariants, mark, run};

/// Set-ups of the gate; `RANDOM_SETUPS` asks for more.
const SETUPS: u64 = 200;

/// Every set-up ends without a panic and within the budget, with a whole trace or an error that names its line; and of every
/// trace hold the [`invariants`]. Each design gets its turn.
#[test]
fn traces_of_random_topologies() {
    let wanted = std::env::var("RANDOM_SETUPS").ok();
    let setups = wanted.and_then(|n| n.parse().ok()).unwrap_or(SETUPS);
    let (mut whole, mut runs, mut steps) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for number in 0..setups {
        let text = Setup::text(number);
        let every = DesignName::EVERY;
        let designs = [
            DesignName::ALL[number as usize / 2 % 2],
            every[number as usize / 2 % every.len()],
        ];
        for design in designs {
            let partial = run(&text, design);
            let error = partial.error.as_ref().map(ToString::to_string);
            let broken = invariants::broken(&partial.trace, error.is_none());
            assert!(
                broken.is_empty(),
                "set-up {number} under {}:\n{}\n{text}",
                design.as_str(),
                broken.join("\n")
            );
            assert!(partial.trace.steps.len() < MAX_STEPS, "set-up {number}");
            if let Some(error) = &error {
                assert!(error.starts_with("line "), "set-up {number}: {error}");
            }
            seen.extend(partial.trace.steps.iter().filter_map(entered));
            runs += 1;
            whole += u64::from(error.is_none());
            steps += partial.trace.steps.len();
        }
    }
    println!("{runs} runs, {whole} whole, {steps} steps");
    let missed = REACHED.iter().filter(|name| !seen.contains(*name));
    assert_eq!(
        missed.collect::<Vec<_>>(),
        [] as [&&str; 0],
        "never reached"
    );
    assert!(
        whole * 10 > runs * 8,
        "only {whole} of {runs} ran to their end"
    );
    assert!(
        steps as u64 > runs * 60,
        "only {steps} steps: packets end early"
    );
}

/// What packets of the set-ups come to, among much else.
const REACHED: [&str; 20] = [
    "br_handle_frame",
    "br_dev_xmit",
    "vlan_dev_hard_start_xmit",
    "mpls_forward",
    "mpls_xmit",
    "netkit_xmit",
    "ip6_forward",
    "ip_forward",
    "gre_rcv",
    "__ip6_tnl_rcv",
    "tunnel64_rcv",
    "vxlan_rcv",
    "skb_gro_receive",
    "skb_segment",
    "seg6_input_core",
    "ioam6_output",
    "icmp6_send",
    "tcp_v4_rcv",
    "tcp_v6_rcv",
    "br_pass_frame_up",
];

fn entered(step: &Step) -> Option<&'static str> {
    match step.kind {
        StepKind::Function {
            name,
            edge: Edge::Entry,
            ..
        } => Some(name),
        _ => None,
    }
}

/// A run without a trace takes the same steps, prints the same lines and ends with the same error.
#[test]
fn without_a_trace_the_same_happens() {
    let mut printed = 0;
    for number in 0..SETUPS / 2 {
        let design = DesignName::EVERY[number as usize / 2 % DesignName::EVERY.len()];
        let input = input(&Setup::text(number));
        let traced = simulate_partial(&input, design);
        let insn = |step: &&Step| matches!(step.kind, StepKind::Insn { .. });
        let functions = traced.trace.steps.iter().filter(|step| !insn(step)).count();
        let quiet = quietly(&input, design);
        let error = traced.error.map(|error| error.to_string());
        let wanted = (traced.trace.printk, functions, error);
        assert_eq!(quiet, wanted, "set-up {number} under {}", design.as_str());
        printed += wanted.0.len();
    }
    assert!(printed > 25, "only {printed} lines were printed");
}

/// Lines printed, steps, and the error of a run without a trace.
fn quietly(input: &Input, design: DesignName) -> (Vec<String>, usize, Option<String>) {
    let mut nothing = input.clone();
    nothing.lines.clear();
    let mut quiet = match Quiet::new(&nothing, design) {
        Ok(quiet) => quiet,
        Err(error) => return (Vec::new(), 0, Some(error.to_string())),
    };
    let mut printed = Vec::new();
    for line in &input.lines {
        match quiet.run(line) {
            Ok(lines) => printed.extend(lines),
            Err(error) => return (printed, quiet.steps(), Some(error.to_string())),
        }
    }
    (printed, quiet.steps(), None)
}

/// A trace with one thing changed is noticed, so that the test above means something.
#[test]
fn a_damaged_trace_is_noticed() {
    let has_move = |trace: &Trace| trace.writes.iter().any(|write| write.moved_from.is_some());
    let trace = (0..)
        .map(|number| run(&Setup::text(number), DesignName::MacHeader))
        .find(|partial| partial.error.is_none() && has_move(&partial.trace))
        .expect("a set-up with a memmove")
        .trace;
    assert_eq!(invariants::broken(&trace, true), Vec::<String>::new());
    let said = |damage: &dyn Fn(&mut Trace)| {
        let mut damaged = trace.clone();
        damage(&mut damaged);
        invariants::broken(&damaged, true).join("\n")
    };
    let skb = |damage: &dyn Fn(&mut SkbFields)| {
        said(&|trace| {
            let mut fields = trace.fields.iter_mut();
            let skb = fields.find_map(|fields| match fields {
                PacketFields::Skb(skb) => Some(skb),
                PacketFields::Xdp(_) => None,
            });
            damage(skb.expect("an skb"));
        })
    };
    assert!(skb(&|skb| skb.tail = skb.end + 1).contains("not in order"));
    assert!(skb(&|skb| skb.len += 1).contains("len is not what lies"));
    assert!(
        skb(&|skb| skb.network_header = Some(skb.end + 1)).contains("network_header is behind")
    );
    let moved = said(&|trace| {
        let mut writes = trace.writes.iter_mut();
        let write = writes.find(|write| write.moved_from.is_some());
        write.expect("a move").new[0].1.source ^= 1;
    });
    assert!(
        moved.contains("what was moved is not what was there"),
        "{moved}"
    );
    let before = said(&|trace| {
        let mut writes = trace.writes.iter_mut();
        let write = writes.find(|write| !write.old.is_empty());
        write.expect("a write").old[0].0 ^= 1;
    });
    assert!(before.contains("not what was there before"), "{before}");
    let lost = said(&|trace| {
        let is_exit = |step: &Step| {
            let StepKind::Function { edge, .. } = step.kind else {
                return false;
            };
            edge == Edge::Exit
        };
        let at = trace.steps.iter().position(is_exit).expect("an exit");
        trace.steps.remove(at);
    });
    assert!(lost.contains("was not the last to begin"), "{lost}");
}

/// The same set-up gives the same trace, and quite another one gives another. The stage `traces, host and wasm32` of
/// `cargo xtask test` compares what this prints with what `wasm.rs` prints.
#[test]
fn same_traces() {
    let line = mark(SETUPS_FOR_BOTH);
    println!("{line}");
    assert_eq!(line, mark(SETUPS_FOR_BOTH));
    assert_ne!(line, mark(SETUPS_FOR_BOTH - 1));
}

/// Set-ups whose traces are compared with those in WebAssembly.
const SETUPS_FOR_BOTH: u64 = random_setups::FOR_BOTH;
