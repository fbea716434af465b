//! Fields of `struct __sk_buff` that depend on a socket or on GSO: which are refused, and which have a value
//! (`tc_cls_act_is_valid_access()`, `sk_skb_is_valid_access()`, `bpf_convert_ctx_access()`, net/core/filter.c).

use headroom_core::bpf::{Prologue, fix_up};
use headroom_core::design::DesignName;
use headroom_core::stack::{Hook, exec};

use crate::bench::*;

/// Offset and name of the fields from `family` to `local_port`.
const SOCKET: [(u32, &str); 13] = [
    (88, "family"),
    (92, "remote_ip4"),
    (96, "local_ip4"),
    (100, "remote_ip6"),
    (104, "remote_ip6"),
    (108, "remote_ip6"),
    (112, "remote_ip6"),
    (116, "local_ip6"),
    (120, "local_ip6"),
    (124, "local_ip6"),
    (128, "local_ip6"),
    (132, "remote_port"),
    (136, "local_port"),
];

fn load(off: u32) -> String {
    format!("r0 = *(u32 *)(r1 +{off})\nr0 = 0\nexit")
}

/// Why a TC program is not run at all.
fn not_run(text: &str) -> String {
    let made = program("main", Hook::Tc.section(), text, &[]);
    let object = object(vec![made], Vec::new());
    let done = exec(
        &object,
        "main",
        Hook::Tc,
        &frame(),
        &[],
        DesignName::MacHeader,
    );
    done.err()
        .map_or_else(String::new, |error| error.to_string())
}

/// Linux refuses them to a TC program, in these words.
#[test]
fn a_tc_program_has_no_socket_fields() {
    for (off, name) in SOCKET {
        let message = not_run(&load(off));
        let why = format!("instruction 0: invalid bpf_context access off={off} size=4");
        assert!(message.ends_with(&why), "{name}: {message}");
    }
}

/// Linux has them in these types; the simulator says by name that it has not.
#[test]
fn socket_fields_where_linux_has_them() {
    for (section, off, name) in SOCKET
        .iter()
        .flat_map(|(off, name)| [("sk_skb", off, name), ("cgroup_skb/ingress", off, name)])
    {
        let made = program("main", section, &load(*off), &[]);
        made.facts()
            .unwrap_or_else(|error| panic!("{section} {name}: {error}"));
        let refused = fix_up(&made, Prologue::default()).unwrap_err().to_string();
        let why = format!("instruction 0: context field {name} is not covered by the simulator");
        assert!(refused.ends_with(&why), "{section}: {refused}");
    }
}

#[test]
fn gso_segs_is_refused_by_name() {
    let message = not_run(&load(164));
    let why = "instruction 0: context field gso_segs is not covered by the simulator";
    assert!(message.ends_with(why), "{message}");
}

/// The packet is one as it came, before it is given to a socket: `gso_size` is 0, `sk` is NULL.
#[test]
fn gso_size_and_sk_have_values() {
    let gso = "r0 = *(u32 *)(r1 +176)\nexit";
    assert_eq!(r0(Hook::Tc, gso), 0);
    let sk = "r2 = *(u64 *)(r1 +168)\nr0 = 5\nif r2 != 0 goto +1\nr0 = 6\nexit";
    assert_eq!(r0(Hook::Tc, sk), 6);
}
