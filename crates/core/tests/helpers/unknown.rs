//! A helper or kernel function that is not there: the message names it, the instruction, and the program types that have
//! it.

use headroom_core::stack::Hook;

use crate::bench::*;

/// By the verifier, before the program runs.
fn refused(hook: Hook, text: &str) -> String {
    let made = program("main", hook.section(), text, &[]);
    let object = object(vec![made], Vec::new());
    let done = headroom_core::stack::exec(
        &object,
        "main",
        hook,
        &frame(),
        &[],
        headroom_core::design::DesignName::MacHeader,
    );
    done.map(|done| refusal(&done))
        .unwrap_or_else(|error| error.to_string())
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn a_helper_of_other_types() {
    let text = "r6 = r1\nr1 = r6\ncall 18\nexit";
    says(
        &refused(Hook::Xdp, text),
        &["main", "instruction 2", "bpf_skb_vlan_push#18", "sched_cls"],
    );
    says(
        &refused(Hook::Tc, "call 54\nexit"),
        &["instruction 0", "bpf_xdp_adjust_meta#54", "xdp"],
    );
    // Linux has it in programs of types that are not here.
    says(
        &refused(Hook::Tc, "call 49\nexit"),
        &["instruction 0", "bpf_setsockopt#49"],
    );
}

#[test]
fn a_number_that_no_helper_has() {
    says(
        &refused(Hook::Tc, "r0 = 0\ncall 9999\nexit"),
        &["instruction 1", "9999"],
    );
}

/// Linux has it, the simulator does not: said when it is reached.
#[test]
fn a_helper_that_is_not_covered() {
    let text = "*(u64 *)(r10 -8) = 0\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\nr5 = 0\ncall 66\nexit";
    says(
        &refused(Hook::Tc, text),
        &[
            "instruction 6",
            "bpf_skb_get_xfrm_state",
            "not covered",
            "sched_cls",
        ],
    );
}

#[test]
fn kernel_functions() {
    let other = "r2 = 0\nr3 = r10\nr3 += -16\ncall bpf_dynptr_from_xdp\nr0 = 0\nexit";
    says(
        &refused(Hook::Tc, other),
        &["instruction 3", "bpf_dynptr_from_xdp", "xdp"],
    );
    let unknown = "r0 = 0\ncall bpf_no_such_function\nexit";
    says(
        &refused(Hook::Tc, unknown),
        &["instruction 1", "bpf_no_such_function"],
    );
}
