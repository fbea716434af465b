//! The part of the section that is about several packets: clones, copies, and what GRO compares.

use headroom_core::design::DesignName::{MacHeader, MacHeader6_18, MetaEnd};
use headroom_core::simulate::simulate_partial;
use headroom_core::trace::{ReadHow, Trace, Verdict};

use super::catalogue;
use super::recorded::{exits, helper, run, values};

/// `skb_clone()` shares length and bytes: a write through one is seen by the other unless uncloned.
#[test]
fn skb_clone_shares_length_and_bytes() {
    let trace = run("E9-mirred-mirror-ingress", MacHeader);
    let shared = exits(&trace, "skb_clone");
    assert!(
        shared
            .iter()
            .any(|fields| fields.meta.len == 4 && fields.dataref == 2),
        "{shared:?}"
    );
    assert_eq!(values(&trace, "out"), [Some(42), Some(42)]);
    // nobody unclones in front of a write through realign: the tap sees the tag in its GRE header (section 8)
    let tap = run("E9-tap-rx-gre-native", MetaEnd).taps;
    assert_eq!(tap[0].bytes[34..38], [42, 0, 0, 0]);
}

/// Program that writes packet or metadata by pointer, or uses `slice_rdwr`: unclone prologue runs first; failure →
/// `TC_ACT_SHOT`. 6.18: metadata gone after unclone; 6.19+: kept.
#[test]
fn unclone_prologue_runs_first() {
    for id in ["E9-tap-rx-w_data_meta", "E9-tap-rx-w_slice"] {
        let trace = run(id, MacHeader);
        let writer = trace
            .runs
            .iter()
            .find(|run| run.program.starts_with("w_"))
            .expect("a writer");
        let text: Vec<&str> = writer
            .listing
            .lines
            .iter()
            .map(|line| line.text.as_str())
            .collect();
        assert!(
            text[..10]
                .iter()
                .any(|line| line.contains("bpf_skb_pull_data")),
            "{text:?}"
        );
        assert!(text[..10].contains(&"w0 = 2"), "TC_ACT_SHOT: {text:?}");
        assert!(
            trace.reads.iter().any(|read| read.value() == Some(43)),
            "{id}"
        );
        let before = run(id, MacHeader6_18);
        assert!(
            before
                .reads
                .iter()
                .all(|read| read.verdict == Verdict::Lost),
            "{id}"
        );
    }
}

/// `bpf_dynptr_write()` to metadata: flags ≠ 0 → `-EINVAL`; unclones first, failure → `-EFAULT`. 6.18: dynptr of a clone is
/// read-only (`-EINVAL`).
#[test]
fn bpf_dynptr_write_to_metadata() {
    let trace = run("E9-tap-rx-w_dynptr", MacHeader);
    assert_eq!(helper(&trace, "dynptr_write flags=1"), Some(-22));
    assert_eq!(helper(&trace, "dynptr_write"), Some(0));
    assert_eq!(exits(&trace, "pskb_expand_head").len(), 1, "unclones once");
    let before = run("E9-tap-rx-w_dynptr", MacHeader6_18);
    assert_eq!(helper(&before, "dynptr_write"), Some(-22));
}

/// `skb_copy()`, `pskb_copy()`: length is not copied, the copy has no metadata.
/// Seen where native XDP copies a packet into a buffer of its own (`skb_pp_cow_data()`).
#[test]
fn a_copy_has_no_metadata() {
    let mut scenario = catalogue::scenario("netns-chain");
    let attach = "ip netns exec far bpftool net attach xdpdrv pinned /sys/fs/bpf/tag_220 dev far";
    let send = scenario.commands.len() - 1;
    scenario.commands.insert(send, attach.into());
    // the tap's clone makes the driver copy
    scenario.commands.insert(send, "orc tap out".into());
    let trace = simulate_partial(&catalogue::input_of(&scenario), MacHeader).trace;
    let copies = exits(&trace, "skb_pp_cow_data");
    assert!(
        copies.iter().all(|fields| fields.meta.len == 0) && copies.len() == 2,
        "{copies:?}"
    );
    assert_eq!(values(&trace, "out"), [Some(42), Some(42)]);
    assert_eq!(values(&trace, "far"), [None, None]);
}

/// Dynptr size is fixed at creation: if metadata are cleared later, an old dynptr points at the MAC header itself.
/// No TC helper of 7.2 clears metadata that lie against the packet, so that a program can't bring it about there; what is
/// asked for is the first half: the size is that of the call.
#[test]
fn dynptr_size_is_fixed_at_creation() {
    let trace = run("E9-tap-rx-w_dynptr", MacHeader);
    assert_eq!(
        helper(&trace, "dynptr_write off=1"),
        Some(-7),
        "-E2BIG: 1 + 4 > 4"
    );
}

/// Both without metadata: no influence. Different length: no merge. Same length, different bytes: no merge. Equal: merge;
/// the first packet's metadata stay.
#[test]
fn gro_compares_metadata() {
    let packets = |id| run(id, MacHeader).reads.len() / 2;
    assert_eq!(
        packets("E11-gro-different"),
        3,
        "the first packet is another flow"
    );
    assert_eq!(packets("E11-gro-equal"), 2);
    let none = run("E11-gro-none", MacHeader);
    let segments = &none.reads[2..];
    assert!(segments.iter().all(|read| read.verdict == Verdict::None));
    assert_eq!(none.reads.len() / 2, 2);
}

/// After decap (GRO cells of a tunnel) the comparison uses the wrong window: packets with different metadata may merge, and
/// packets with equal metadata may be kept apart because outer IP id/checksum differ when L is long enough.
#[test]
fn gro_after_decap_uses_the_wrong_window() {
    let packets = |trace: Trace| {
        trace
            .reads
            .iter()
            .filter(|read| read.how == ReadHow::Dynptr)
            .count()
    };
    let of = |program: &str, design| {
        let mut scenario = catalogue::scenario("gro-behind-gre");
        for command in &mut scenario.commands {
            *command = command.replace("/tag_counting ", program);
        }
        packets(simulate_partial(&catalogue::input_of(&scenario), design).trace)
    };
    // tags 43 and 44: merged by mac_header, kept apart by meta_end
    assert_eq!(
        (
            of("/tag_counting ", MacHeader),
            of("/tag_counting ", MetaEnd)
        ),
        (1, 2)
    );
    // equal 32 bytes, outer IP ids differ: the other way round
    assert_eq!((of("/tag_32 ", MacHeader), of("/tag_32 ", MetaEnd)), (2, 1));
}
