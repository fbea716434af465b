//! What is there, and how sure it is: device × direction × design, from the code and the recordings.
//!
//! `headroom coverage` prints it as `docs/COVERAGE.md`; a test compares the two.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::design::{DesignName, Mark};
use crate::scenario::command::{Command, LinkKind};
use crate::scenario::parse;

/// A device or another place on the path where something is put around a packet or taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What `ip link add … type` or `ip tunnel add … mode` calls it; or a name in plain words.
    pub name: &'static str,
    /// The word of a set-up command that makes it; empty when the function alone tells.
    pub word: &'static str,
    /// The kernel function that receives; empty when there is none.
    pub receive: &'static str,
    /// The kernel function that transmits; empty when there is none.
    pub transmit: &'static str,
}

const fn part(
    name: &'static str,
    word: &'static str,
    receive: &'static str,
    transmit: &'static str,
) -> Part {
    Part {
        name,
        word,
        receive,
        transmit,
    }
}

/// What the simulator has. A test looks for each function in the sources of `stack/`.
pub const PARTS: [Part; 47] = [
    part("veth", "veth", "veth_xdp_rcv_skb", "veth_xmit"),
    part("loopback", "", "eth_type_trans", "loopback_xmit"),
    part("dummy", "dummy", "", "dummy_xmit"),
    part("bridge", "bridge", "br_handle_frame", "br_dev_xmit"),
    part("bridge with VLANs", "vlan_filtering", "br_handle_vlan", ""),
    part("tun, tap", "tuntap", "netif_receive_skb", "tun_net_xmit"),
    part("netkit", "netkit", "", "netkit_xmit"),
    part(
        "macvlan",
        "macvlan",
        "macvlan_handle_frame",
        "macvlan_start_xmit",
    ),
    part(
        "vlan",
        "vlan",
        "vlan_do_receive",
        "vlan_dev_hard_start_xmit",
    ),
    part("gre", "gre", "__ipgre_rcv", "ipgre_xmit"),
    part("gretap", "gretap", "__ipgre_rcv", "gre_tap_xmit"),
    part("ipip", "ipip", "ipip_tunnel_rcv", "ipip_tunnel_xmit"),
    part("sit", "sit", "ipip6_rcv", "sit_tunnel_xmit"),
    part("ip6gre", "ip6gre", "__ip6_tnl_rcv", "ip6gre_tunnel_xmit"),
    part(
        "ip6gretap",
        "ip6gretap",
        "__ip6_tnl_rcv",
        "ip6gre_tunnel_xmit",
    ),
    part("ip6tnl", "ip6tnl", "__ip6_tnl_rcv", "ip6_tnl_start_xmit"),
    part("vxlan", "vxlan", "vxlan_rcv", "vxlan_xmit"),
    part("geneve", "geneve", "geneve_udp_encap_recv", "geneve_xmit"),
    part(
        "external mode, GRE and ipip",
        "external",
        "ip_tunnel_rcv",
        "ip_md_tunnel_xmit",
    ),
    part("external mode, UDP", "external", "vxlan_rcv", "vxlan_xmit"),
    part("L2TPv3", "l2tp", "l2tp_recv_common", "l2tp_eth_dev_xmit"),
    part("L2TPv3 over IPv6", "", "l2tp_ip6_recv", "inet6_csk_xmit"),
    part("FOU and GUE", "fou", "fou_udp_recv", "fou_build_header"),
    part("MPLS label", "", "mpls_forward", "mpls_xmit"),
    part("LWT bpf", "", "bpf_input", "bpf_xmit"),
    part("LWT bpf, out", "", "", "bpf_output"),
    part("LWT seg6", "seg6", "seg6_input_core", "seg6_output_core"),
    part("LWT ioam6", "", "", "ioam6_output"),
    part("act_mirred", "", "tcf_mirred_act", ""),
    part("forwarding IPv4", "", "ip_forward", ""),
    part("forwarding IPv6", "", "ip6_forward", ""),
    part("ARP", "", "arp_rcv", "arp_solicit"),
    part("neighbour discovery", "", "ndisc_rcv", "ndisc_send_skb"),
    part("GRO of TCP", "", "skb_gro_receive", ""),
    part("GRO of IPv6", "", "ipv6_gro_receive", ""),
    part("GSO", "", "", "skb_segment"),
    part("reassembly IPv4", "", "kfree_skb_partial", ""),
    part("reassembly IPv6", "", "ip6_frag_reasm", ""),
    part("packets in several pieces", "", "__pskb_pull_tail", ""),
    part("XDP over several buffers", "", "bpf_xdp_pull_data", ""),
    part("netfilter", "nf", "nf_hook_slow", "nf_hook_slow"),
    part(
        "cgroup_skb",
        "cgroup",
        "sk_filter_trim_cap",
        "__cgroup_bpf_run_filter_skb",
    ),
    part("socket filter", "sock", "sk_filter_trim_cap", ""),
    part("IPv4 fragments", "", "", "ip_frag_next"),
    part("IPv6 fragments", "", "", "ip6_frag_next"),
    part("UDP socket", "sock", "__udp_enqueue_schedule_skb", ""),
    part("raw socket", "sock", "raw_rcv", ""),
];

/// Types of devices that Linux has; those that the commands don't know are *missing*.
const TYPES: [&str; 24] = [
    "veth",
    "dummy",
    "bridge",
    "vlan",
    "gre",
    "gretap",
    "ipip",
    "sit",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "vxlan",
    "geneve",
    "netkit",
    "macvlan",
    "macvtap",
    "ipvlan",
    "bond",
    "erspan",
    "ip6erspan",
    "wireguard",
    "xfrm",
    "ifb",
    "vrf",
];

/// What one recording shows.
#[derive(Debug, Clone)]
pub struct Seen {
    design: String,
    words: BTreeSet<String>,
    functions: BTreeSet<String>,
}

#[derive(Deserialize)]
struct File {
    design: String,
    setup: Vec<String>,
    events: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    stage: String,
}

impl Seen {
    /// From a recording's text.
    ///
    /// # Errors
    /// Text that is no recording.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(text)?;
        let words = file
            .setup
            .iter()
            .flat_map(|command| command.split_whitespace());
        let function = |event: Stage| event.stage.split(':').next().map(str::to_owned);
        Ok(Self {
            design: file.design,
            words: words.map(str::to_owned).collect(),
            functions: file.events.into_iter().filter_map(function).collect(),
        })
    }

    fn shows(&self, part: &Part, function: &str) -> bool {
        (part.word.is_empty() || self.words.contains(part.word))
            && self.functions.contains(function)
    }
}

/// The page `docs/COVERAGE.md`.
#[must_use]
pub fn markdown(recordings: &[Seen]) -> String {
    let mut out = String::from(HEAD);
    let designs = DesignName::EVERY.map(DesignName::as_str);
    let _ = writeln!(out, "| what | direction | {} |", designs.join(" | "));
    let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(designs.len()));
    for part in PARTS {
        for (direction, function) in [("receive", part.receive), ("transmit", part.transmit)] {
            if function.is_empty() {
                continue;
            }
            let _ = write!(out, "| {} | {direction} |", part.name);
            for design in DesignName::EVERY {
                let recorded = design.mark() == Mark::Recorded
                    && recordings
                        .iter()
                        .any(|seen| seen.design == design.as_str() && seen.shows(&part, function));
                let word = match (recorded, design.mark()) {
                    (true, _) => "recorded",
                    (false, Mark::Proposed) => "proposed",
                    (false, _) => "derived",
                };
                let _ = write!(out, " {word} |");
            }
            out.push('\n');
        }
    }
    out.push_str("\n## Missing\n\nA command with one of these device types is refused by name:\n");
    let missing: Vec<&str> = TYPES.into_iter().filter(|kind| !is_known(kind)).collect();
    let _ = writeln!(out, "{}.", missing.join(", "));
    out
}

const HEAD: &str = "# What is covered

Written by `headroom coverage`, from the code, `tests/recordings` and `tests/recordings-own`; don't change it by hand. A test compares.

- **recorded**: a recording of that design's kernel shows the function, and `headroom check` finds the simulation equal.
- **derived**: from the kernel's source, or from what the design changes; no recording shows it.
- **proposed**: the design is only proposed; how it fares on this path is derived from the text of the proposal.

The path is that of Linux 7.2 under every design; only what a design says of metadata differs. `content/designs/` has a page for
each.

";

/// Whether the commands know a device type.
fn is_known(kind: &str) -> bool {
    let text = format!("ip link add d type {kind}");
    match parse(&text) {
        Ok(parsed) => !parsed.lines.iter().any(|line| {
            matches!(
                line.command,
                Command::LinkAdd {
                    kind: LinkKind::Unknown(_),
                    ..
                } | Command::NotCovered { .. }
            )
        }),
        // what is known may want options
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of the table that the stack has not would make the page a guess.
    #[test]
    fn the_stack_has_every_function_of_the_table() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stack");
        let mut source = String::new();
        for entry in std::fs::read_dir(dir).expect("stack") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                source.push_str(&std::fs::read_to_string(path).expect("source"));
            }
        }
        for part in PARTS {
            for function in [part.receive, part.transmit] {
                let there = function.is_empty() || source.contains(&format!("\"{function}\""));
                assert!(there, "{}: {function}", part.name);
            }
        }
    }

    #[test]
    fn a_recording_counts_for_its_own_design_and_device() {
        let text = r#"{"design":"mac_header","setup":["ip link add d type gretap"],"events":[{"stage":"__ipgre_rcv:exit"}]}"#;
        let page = markdown(&[Seen::read(text).expect("a recording")]);
        let row = |start: &str| {
            page.lines()
                .find(|line| line.starts_with(start))
                .map(str::to_owned)
        };
        assert!(
            row("| gretap | receive | recorded | derived |").is_some(),
            "{page}"
        );
        assert!(row("| gre | receive | derived | derived |").is_some());
        assert!(page.contains("wireguard") && !is_known("wireguard") && is_known("veth"));
    }
}
