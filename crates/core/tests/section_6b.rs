//! patch-series.md, section 6b: the meta_end design (v3). One test a line, under that line.

mod catalogue;
mod recorded;

use headroom_core::design::DesignName::{MacHeader, MacHeader6_19, MetaEnd, MetaEndRfc};
use headroom_core::design::{self, DataMove, MetadataDesign, Realign};
use headroom_core::simulate::simulate_partial;
use headroom_core::skb::{SharedInfo, SkBuff};
use headroom_core::trace::{BufferNo, ReadHow, SkbNo, Trace, Verdict};

use recorded::{exits, run, values};

fn skb(data: u32, mac_header: u16) -> SkBuff {
    let mut skb = SkBuff::new(SkbNo(1), BufferNo(1));
    (skb.data, skb.mac_header) = (data, mac_header);
    skb
}

fn shinfo(meta_len: u8, meta_end: u16) -> SharedInfo {
    SharedInfo {
        meta_len,
        meta_end,
        ..SharedInfo::default()
    }
}

fn set(data: u32) -> u16 {
    let mut info = SharedInfo::default();
    design::MetaEnd.metadata_set(&skb(data, 256), &mut info, 4);
    info.meta_end
}

/// `skb_metadata_set()` records `meta_end = headroom`. Called before the pull: `meta_end` is L too low. Called after
/// `eth_type_trans()`: 14 too high. (This is what patches 1–9 repair.)
#[test]
fn skb_metadata_set_records_the_headroom() {
    // the packet begins at 256; before the pull data is at the start of the metadata
    assert_eq!((set(252), set(256), set(270)), (252, 256, 270));
    let trace = run("E1-veth-4b-native", MetaEndRfc);
    assert!(
        exits(&trace, "netif_receive_skb_list_internal")
            .iter()
            .all(|f| f.meta_end == Some(270))
    );
}

/// Drivers v3 does not touch but which break the contract in 7.2: nfp set after `eth_type_trans()` → `meta_end` 14 too high →
/// dynptr reads 14 bytes of MAC header, realign warns and clears. Seen with the RFC, which leaves veth in that order.
#[test]
fn a_driver_that_breaks_the_contract() {
    let trace = run("E1-veth-4b-native", MetaEndRfc);
    let dynptr = trace.reads.iter().find(|read| read.how == ReadHow::Dynptr);
    let pointer = trace
        .reads
        .iter()
        .find(|read| read.how == ReadHow::DataMeta);
    assert!(
        trace
            .warnings
            .iter()
            .any(|line| line == "skb metadata end past mac header")
    );
    assert!(pointer.is_some());
    // whichever comes first: the dynptr shows 266–269 of the MAC header, or nothing after the warning
    let dynptr = dynptr.expect("a dynptr reader");
    assert!(
        dynptr.offset == Some(266) || dynptr.bytes.is_empty(),
        "{dynptr:?}"
    );
}

/// GRE decap: `mac_header` 294, `meta_end` 256, gap 38; dynptr reads 42 with no byte moved.
#[test]
fn gre_decap_leaves_a_gap_of_38() {
    let trace = run("E2-gre-veth-dynptr-native", MetaEnd);
    let fields = exits(&trace, "ip_tunnel_rcv");
    assert!(
        fields
            .iter()
            .all(|f| (f.mac_header, f.meta_end) == (Some(294), Some(256))),
        "{fields:?}"
    );
    assert_eq!(trace.cost.metadata_bytes_moved, 0);
    assert_eq!(values(&trace, "decap"), [Some(42)]);
}

/// `data_meta` without realign would read 524288; with the prologue: metadata moved to 290–294, `meta_end` 294, both read 42.
#[test]
fn the_prologue_moves_the_metadata_up() {
    let trace = run("E2-gre-veth-decap-native", MetaEnd);
    let fields = exits(&trace, "bpf_skb_meta_realign");
    assert!(
        fields
            .iter()
            .all(|f| f.meta_end == Some(294) && f.meta.start == Some(290)),
        "{fields:?}"
    );
    let read = trace.reads.last().expect("a read");
    assert_eq!((read.offset, read.value()), (Some(290), Some(42)));
    let without = simulate_partial(
        &recorded::input("E2-gre-veth-decap-native", MetaEnd),
        headroom_core::design::DesignName::parse(
            "custom:end=field,helpers=move_or_gap,driver=at_mac_header,on_untag=leave",
        )
        .expect("a policy"),
    );
    assert_eq!(
        without.trace.reads.last().and_then(|read| read.value()),
        Some(524_288)
    );
}

/// The prologue exists only in TC programs that load `data_meta`; dynptr-only programs pay nothing. XDP programs never get it.
#[test]
fn only_programs_that_load_data_meta_get_the_prologue() {
    let trace = run("E2-gre-veth-decap-both-readers-native", MetaEnd);
    for run in &trace.runs {
        let first = run.listing.lines[..4.min(run.listing.lines.len())].iter();
        let realigns = first
            .filter(|line| line.text.contains("bpf_skb_meta_realign"))
            .count();
        let wanted = usize::from(run.program == "get_meta" || run.program == "get_tag");
        assert_eq!(realigns, wanted, "{}", run.program);
    }
    assert_eq!(
        run("E2-gre-veth-dynptr-native", MetaEnd)
            .cost
            .prologue_instructions,
        0
    );
}

/// Realign with `L == 0` or gap 0: does nothing. Second run: does nothing.
#[test]
fn realign_without_length_or_gap_does_nothing() {
    assert_eq!(
        design::MetaEnd.realign(&skb(294, 294), &shinfo(0, 256)),
        Realign::Nothing
    );
    assert_eq!(
        design::MetaEnd.realign(&skb(256, 256), &shinfo(4, 256)),
        Realign::Nothing
    );
    // two readers by pointer behind each other: one move of 4 bytes
    let trace = run("E8-w_data_meta-gap-4b", MetaEnd);
    assert!(exits(&trace, "bpf_skb_meta_realign").len() >= 2);
    assert_eq!(trace.cost.metadata_bytes_moved, 4);
}

/// Negative gap (header pushed below `meta_end`): warning "skb metadata end past mac header", length 0.
#[test]
fn negative_gap_warns_and_clears() {
    assert_eq!(
        design::MetaEnd.realign(&skb(232, 232), &shinfo(4, 256)),
        Realign::WarnAndClear
    );
    let trace = run("E10-fwd-gre-lower-only", MetaEnd);
    assert_eq!(trace.warnings[0], "skb metadata end past mac header");
    assert!(
        exits(&trace, "bpf_skb_meta_realign")
            .iter()
            .all(|f| f.meta.len == 0)
    );
}

/// In that one run the program still sees the old `data_meta = data - L` (pointers are not recomputed), so its bounds check
/// passes and it reads garbage; from the next run on `data_meta == data`.
#[test]
fn in_that_one_run_the_program_sees_the_old_data_meta() {
    let trace = run("E10-fwd-gre-4b-native", MetaEnd);
    let on_out: Vec<_> = trace
        .reads
        .iter()
        .filter(|read| read.dev.name == "out")
        .collect();
    assert_eq!(
        (on_out[0].how, on_out[0].verdict),
        (ReadHow::DataMeta, Verdict::Garbage)
    );
    assert_eq!(on_out[0].bytes.len(), 4);
    assert_eq!(
        (on_out[1].verdict, on_out[1].bytes.len()),
        (Verdict::Lost, 0)
    );
}

/// Same situation, dynptr reader only: no check, reads pushed header bytes as metadata.
#[test]
fn a_dynptr_reader_is_not_warned() {
    let mut scenario = catalogue::scenario("encap-gre-lower");
    for command in &mut scenario.commands {
        *command = command.replace("tag_by_pointer", "tag_by_nobody");
    }
    scenario
        .commands
        .retain(|command| !command.contains("tag_by_nobody"));
    let trace = simulate_partial(&catalogue::input_of(&scenario), MetaEnd).trace;
    assert!(trace.warnings.is_empty());
    let read = trace.reads.last().expect("a read");
    assert_eq!((read.how, read.offset), (ReadHow::Dynptr, Some(252)));
    assert!(
        matches!(read.verdict, Verdict::Garbage | Verdict::Overwritten),
        "{read:?}"
    );
}

/// Raw push that fits in the gap (20 of 38): metadata untouched, dynptr and realigned `data_meta` read 42 — unlike mainline.
/// A packet that is decapsulated and routed on gets an Ethernet header of 14 bytes into the gap.
#[test]
fn a_raw_push_that_fits_in_the_gap_harms_nothing() {
    let trace = run("E10-decap-gre-to-plain", MetaEnd);
    assert_eq!(values(&trace, "out"), [Some(42), Some(42)]);
    let today = run("E10-decap-gre-to-plain", MacHeader);
    assert!(today.reads.iter().all(|read| read.value() != Some(42)));
}

/// Pull over a gap: metadata stay, gap grows. Push helper over a gap: metadata jump to `head`, `meta_end = L`, even for 1 byte;
/// later realign brings them back.
#[test]
fn helpers_over_a_gap() {
    assert_eq!(
        design::MetaEnd.data_move(&skb(302, 294), &shinfo(4, 256), 8),
        DataMove::PacketOnly
    );
    assert_eq!(
        design::MetaEnd.data_move(&skb(293, 294), &shinfo(4, 256), -1),
        DataMove::ToHead { end: 256 }
    );
    let trace = simulate_partial(&catalogue::input("gap-room"), MetaEnd).trace;
    let moved = exits(&trace, "skb_data_move");
    assert!(
        moved
            .iter()
            .all(|f| (f.meta.start, f.meta_end) == (Some(0), Some(4))),
        "{moved:?}"
    );
    // the reader by pointer comes first and brings them back against the MAC header
    let read = trace
        .reads
        .iter()
        .find(|read| read.how == ReadHow::DataMeta)
        .expect("a read");
    assert_eq!(read.value(), Some(42));
    assert!(read.offset > Some(4));
    let shrunk = simulate_partial(&catalogue::input("gap-shrink"), MetaEnd).trace;
    let stays = exits(&shrunk, "skb_data_move");
    assert!(stays.iter().all(|f| f.meta_end == Some(256)), "{stays:?}");
}

/// Aligned push/pull by helper: same bytes as mainline, `meta_end` follows.
#[test]
fn aligned_push_and_pull_as_in_mainline() {
    for id in [
        "room-grow-1",
        "room-shrink-1",
        "proto-to-ipv6",
        "head-grow-1",
    ] {
        let of = |design| simulate_partial(&catalogue::input(id), design).trace;
        let (today, series) = (of(MacHeader), of(MetaEnd));
        let places = |trace: &Trace| {
            trace
                .reads
                .iter()
                .map(|read| (read.offset, read.verdict))
                .collect::<Vec<_>>()
        };
        assert_eq!(places(&today), places(&series), "{id}");
        assert_eq!(
            today.cost.metadata_bytes_moved, series.cost.metadata_bytes_moved,
            "{id}"
        );
    }
}

/// BPF LWT `change_head` with `data` at L3: no warning, no loss (mainline: warns and clears). Section 8: on 7.2 + v3 it can't be
/// seen, as `lwtunnel_xmit()` clears first. On 6.19 + v3 it could.
#[test]
fn bpf_lwt_change_head_at_l3() {
    let id = "E11-lwt-bpf-4b";
    assert!(
        run(id, MetaEnd)
            .reads
            .iter()
            .all(|read| read.verdict == Verdict::Lost)
    );
    assert_eq!(run(id, MacHeader6_19).warnings.len(), 1);
    let policy = "custom:end=field,helpers=move_or_gap,driver=at_mac_header,on_untag=leave,prologue=realign,on_lwt=keep";
    let on_6_19 = headroom_core::design::DesignName::parse(policy).expect("a policy");
    let trace = run(id, on_6_19);
    let moved = exits(&trace, "skb_data_move");
    assert!(
        moved
            .iter()
            .any(|fields| fields.meta.len == 4 && fields.meta.start == Some(0)),
        "{moved:?}"
    );
    assert!(
        !trace
            .warnings
            .iter()
            .any(|line| line.contains("skb_data_move")),
        "{:?}",
        trace.warnings
    );
}

/// `pskb_expand_head(nhead)`: `meta_end += nhead`, reader still 42. VLAN untag: 4-byte gap, no metadata memmove.
#[test]
fn expansion_and_untagging() {
    let mut info = shinfo(4, 256);
    design::MetaEnd.expand_head(&mut info, 64);
    assert_eq!(info.meta_end, 320);
    let vlan = run("E3-vlan-4b-generic", MetaEnd);
    let fields = exits(&vlan, "skb_vlan_untag");
    let gaps: Vec<_> = fields
        .iter()
        .filter(|f| f.meta.len > 0)
        .map(|f| (f.mac_header, f.meta_end))
        .collect();
    assert!(
        gaps.iter()
            .all(|(mac, end)| mac.zip(*end).is_some_and(|(mac, end)| mac == end + 4)),
        "{gaps:?}"
    );
    assert!(vlan.reads.iter().all(|read| read.value() == Some(42)));
}

/// GRO compares at `meta_end`, so it is right after decap.
#[test]
fn gro_compares_at_meta_end() {
    let trace = simulate_partial(&catalogue::input("gro-behind-gre"), MetaEnd).trace;
    let tags: Vec<_> = trace
        .reads
        .iter()
        .filter(|read| read.how == ReadHow::Dynptr)
        .map(|read| read.value())
        .collect();
    assert_eq!(
        tags,
        [Some(43), Some(44)],
        "the first packet, 42, is no GRE"
    );
}

/// `meta_end` is u16 in shared info: shared by clones, not copied by `skb_copy()`.
#[test]
fn meta_end_is_in_the_shared_info() {
    assert_eq!(std::mem::size_of_val(&SharedInfo::default().meta_end), 2);
    let trace = run("E9-mirred-mirror-ingress", MetaEnd);
    assert!(
        exits(&trace, "skb_clone")
            .iter()
            .any(|f| f.meta_end == Some(256) && f.dataref == 2)
    );
}

/// Realign on a clone: it runs before unclone (or with no unclone) and writes into the shared head; another clone that still sees
/// the outer packet (a packet tap) finds its outer headers overwritten in the gap, and the shared `meta_end` changes for both.
/// Section 8: recorded.
#[test]
fn realign_on_a_clone_damages_the_tap() {
    let tap = |design| run("E9-tap-rx-gre-native", design).taps[0].bytes.clone();
    assert_eq!(tap(MacHeader)[34..38], [0, 0, 8, 0], "the GRE header");
    assert_eq!(tap(MetaEnd)[34..38], [42, 0, 0, 0], "the tag");
    assert_eq!(tap(MacHeader)[..34], tap(MetaEnd)[..34]);
}

/// Encap through tunnel devices is out of scope: metadata larger than what the gap protects are overwritten.
#[test]
fn encap_is_out_of_scope() {
    for id in ["encap-gre", "encap-gretap", "encap-vxlan"] {
        let trace = simulate_partial(&catalogue::input(id), MetaEnd).trace;
        let below = trace.reads.iter().filter(|read| read.dev.name == "out");
        assert!(
            below.clone().count() >= 1 && below.clone().all(|read| read.verdict != Verdict::Ok),
            "{id}"
        );
    }
}
