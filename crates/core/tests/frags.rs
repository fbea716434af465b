//! Packets in more than one piece. Expected values are arithmetic on the sizes of the kernel's source: a page of 4096
//! bytes, 256 of headroom, 320 of shared info.

mod catalogue;
mod recorded;
mod world;

use catalogue::input;
use headroom_core::design::DesignName::{self, MacHeader, MacHeader6_18, MetaEnd};
use headroom_core::simulate::simulate;
use headroom_core::trace::{
    Cursor, Edge, PacketFields, SkbFields, StepKind, Trace, Verdict, XdpFields,
};

fn trace(id: &str, design: DesignName) -> Trace {
    simulate(&input(id), design).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// Fields at the entry of a program's first run.
fn at_program(trace: &Trace, name: &str) -> PacketFields {
    let step = trace.steps.iter().find(|step| match step.kind {
        StepKind::Program {
            run,
            edge: Edge::Entry,
        } => trace.runs[run].program == name,
        _ => false,
    });
    let fields = step.and_then(|step| step.fields).expect("a run");
    trace.fields[fields].clone()
}

fn skb(trace: &Trace, program: &str) -> SkbFields {
    match at_program(trace, program) {
        PacketFields::Skb(skb) => skb,
        PacketFields::Xdp(_) => panic!("{program} sees an skb"),
    }
}

fn xdp(trace: &Trace, program: &str) -> XdpFields {
    match at_program(trace, program) {
        PacketFields::Xdp(xdp) => xdp,
        PacketFields::Skb(_) => panic!("{program} sees an xdp_buff"),
    }
}

/// What programs printed.
fn lines(trace: &Trace) -> Vec<String> {
    trace
        .printk
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Offset in its page and length of each fragment.
fn shape(fragments: &[headroom_core::trace::Fragment]) -> Vec<(u32, u32)> {
    fragments.iter().map(|f| (f.offset, f.len)).collect()
}

/// `skb_pp_cow_data()`: 4096 - 256 - 320 = 3520 bytes are linear, 80 of the 3600 go to a page of their own.
#[test]
fn veth_puts_what_is_longer_than_a_page_into_a_fragment() {
    let trace = trace("xdp-frags-veth", MacHeader);
    let seen = xdp(&trace, "frags_bytes");
    assert_eq!((seen.data, seen.data_end), (256, 256 + 3520));
    assert_eq!(shape(&seen.fragments), [(0, 80)]);
    let packet = skb(&trace, "tc_pull");
    assert_eq!(
        (packet.len, packet.data_len, packet.nr_frags),
        (3600, 80, 1)
    );
    assert_eq!(packet.tail - packet.data, 3520);
    // data_end covers the linear part; load_bytes reads across, and sees what the XDP program has stored
    assert_eq!(
        lines(&trace)[..5],
        [
            "xdp: last bytes 6f 70",
            "tc: 3600 bytes, 3520 or more of them linear",
            "tc: last byte bb",
            "tc: pull 0",
            "tc: 3600 bytes, 3600 or more of them linear",
        ]
    );
}

/// `__pskb_pull_tail()`: 80 bytes do not fit behind 3776, so the new head is 3776 + 80 + 128 bytes: 3984, with the shared
/// info more than 4096, thus 8192 from kmalloc, 7872 of them usable. The tag keeps its place in front of the MAC header.
#[test]
fn pulling_makes_a_larger_head_and_takes_the_tag_along() {
    for design in [MacHeader, MetaEnd] {
        let trace = trace("xdp-frags-veth", design);
        let packet = skb(&trace, "tag_by_dynptr");
        assert_eq!((packet.end, packet.tail), (8192 - 320, 256 + 3600));
        assert_eq!((packet.data_len, packet.nr_frags), (0, 0));
        assert!(packet.fragments.is_empty());
        assert_eq!((packet.meta.start, packet.meta.end), (Some(252), Some(256)));
        let verdicts: Vec<_> = trace.reads.iter().map(|read| read.verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Ok], "{design:?}");
    }
}

/// The bytes keep their origin when they move from the fragment's page to the linear buffer.
#[test]
fn pulled_bytes_keep_their_origin() {
    let trace = trace("frags-pull", MacHeader);
    let before = skb(&trace, "tc_pull");
    let page = before.fragments[0];
    assert_eq!((page.offset, page.len), (0, 3100 - 3072));
    let pull = trace.steps.iter().position(|step| {
        matches!(
            step.kind,
            StepKind::Function {
                name: "__pskb_pull_tail",
                edge: Edge::Exit,
                ..
            }
        )
    });
    let mut cursor = Cursor::new(&trace).expect("a trace");
    cursor.go(pull.expect("a pull"));
    let view = cursor.packet();
    let Some(PacketFields::Skb(now)) = view.fields else {
        panic!("an skb")
    };
    let tail = now.tail as usize;
    let linear = &view.buffer.expect("a buffer").origins[tail - 28..tail];
    let buffers = &cursor.memory().buffers;
    let in_page = &buffers.get(&page.buffer).expect("its page").origins[..28];
    assert_eq!(linear, in_page);
    assert!(linear.iter().all(|origin| origin.source != 0));
}

/// `veth_xdp_set()`: SKB_WITH_OVERHEAD(4096 - 256) - 14 = 3506, and 17 pages more with fragments.
#[test]
fn an_mtu_above_a_page_wants_a_program_that_knows_fragments() {
    let attach = |mtu: u32| {
        let wire = world::WIRE;
        let text =
            format!("{wire}ip -n tx link set dev tx mtu {mtu}\norc xdp xdp_pass rx native\n");
        let error = world::run(&text, MacHeader).error;
        error.map(|error| error.to_string())
    };
    assert_eq!(attach(3506), None);
    let refused = attach(3507).expect("a refusal");
    assert!(
        refused.contains("the MTU of the other end, tx, is 3507; 3506 is the most")
            && refused.contains("ERANGE")
            && refused.contains("xdp.frags"),
        "{refused}"
    );
}

/// `bpf_xdp_frags_shrink_tail()`: 100 bytes off 3520 + 80; then 4 more behind the linear part, up to the shared info.
#[test]
fn the_tail_shrinks_through_the_fragment() {
    let trace = trace("xdp-frags-tail", MacHeader);
    let packet = skb(&trace, "tag_by_dynptr");
    assert_eq!((packet.len, packet.data_len, packet.nr_frags), (3504, 0, 0));
    assert_eq!(packet.tail, 256 + 3504);
    assert_eq!(lines(&trace)[0], "xdp: shrink 0");
    assert_eq!(lines(&trace)[2], "xdp: grow 0");
}

/// `bpf_xdp_frags_increase_tail()`: bnxt says no `frag_size` (-EOPNOTSUPP), mlx5 says a page.
#[test]
fn a_fragment_grows_where_the_driver_has_said_its_size() {
    let grow = |driver: &str| {
        let file = catalogue::scenario("xdp-frags-tail");
        let frame = file.commands.last().expect("nic rx").clone();
        // 100 bytes longer: after the cut 80 are left in the fragment
        let longer = format!("{frame}{}", "41".repeat(100));
        let mut file = file;
        *file.commands.last_mut().expect("nic rx") = longer;
        for command in &mut file.commands {
            *command = command.replace("driver mlx5", &format!("driver {driver}"));
        }
        let trace = simulate(&catalogue::input_of(&file), MacHeader).expect("a run");
        let grown = lines(&trace)[2].clone();
        (grown, skb(&trace, "tag_by_dynptr").data_len)
    };
    assert_eq!(grow("mlx5"), ("xdp: grow 0".into(), 84));
    assert_eq!(grow("bnxt-multi"), ("xdp: grow -95".into(), 80));
}

/// `bpf_xdp_pull_data()`: no room behind 256 + 3520, so all moves down by 80, the tag to 172.
#[test]
fn pulling_in_xdp_moves_tag_and_packet_down() {
    for design in [MacHeader, MetaEnd] {
        let trace = trace("xdp-frags-pull", design);
        let packet = skb(&trace, "tag_by_dynptr");
        assert_eq!((packet.data, packet.tail), (176, 176 + 3600));
        assert_eq!((packet.meta.start, packet.meta.end), (Some(172), Some(176)));
        assert!(trace.reads.iter().all(|read| read.verdict == Verdict::Ok));
    }
}

/// `netif_skb_check_for_xdp()`: the copy is a page fragment with 256 bytes of headroom; any other program gets the head
/// that `pskb_expand_head()` makes.
#[test]
fn generic_xdp_copies_only_for_programs_that_know_fragments() {
    let functions = |trace: &Trace| {
        let mut names = world::functions(trace, "rx");
        names.retain(|name| matches!(*name, "skb_pp_cow_data" | "pskb_expand_head"));
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let frags = trace("xdp-generic-frags", MacHeader);
    assert_eq!(functions(&frags), ["skb_pp_cow_data"]);
    assert_eq!(xdp(&frags, "frags_tag").data, 256);
    let plain = trace("veth-tag-generic", MacHeader);
    assert_eq!(functions(&plain), ["pskb_expand_head"]);
}

/// `bnxt_rx_page_skb()`: Ethernet, IPv4 and ICMP header are copied, 42 bytes behind `NET_SKB_PAD`; the other 24 stay.
/// Nobody calls `skb_metadata_set()`.
#[test]
fn bnxt_leaves_the_tag_in_its_page() {
    // 6.12 has no dynptr of metadata
    let with_dynptr = |design: &DesignName| *design != DesignName::MacHeader6_12;
    for design in DesignName::EVERY.into_iter().filter(with_dynptr) {
        let trace = trace("nic-bnxt-page", design);
        let packet = skb(&trace, "tag_by_dynptr");
        assert_eq!((packet.data, packet.tail), (64, 64 + 42), "{design:?}");
        assert_eq!(shape(&packet.fragments), [(256 + 42, 24)], "{design:?}");
        assert_eq!(packet.meta.len, 0, "{design:?}");
        assert!(trace.reads.iter().all(|read| read.verdict == Verdict::Lost));
    }
}

/// patch-series.md 6b: otx2 sets it on a frags skb, no metadata bytes in front of `data`.
#[test]
fn otx2_says_four_bytes_of_a_head_that_is_empty() {
    for design in [MacHeader, MetaEnd] {
        let trace = trace("nic-otx2", design);
        let packet = skb(&trace, "tag_by_dynptr");
        assert_eq!((packet.meta.start, packet.meta.end), (Some(60), Some(64)));
        assert_eq!(packet.mac_header, Some(64));
        let values: Vec<_> = trace.reads.iter().map(|read| read.value()).collect();
        assert_eq!(values, [Some(0), Some(0)]);
        assert!(
            trace
                .reads
                .iter()
                .all(|read| read.verdict == Verdict::Garbage)
        );
    }
}

/// 6c: reset on GRO reuse. The third frame has no tag; `napi_reuse_skb()` has left the length of the one before.
#[test]
fn a_reused_skb_keeps_the_length_and_drops_the_extension() {
    let first = |design| skb(&trace("gro-reuse", design), "tag_by_dynptr");
    assert_eq!(first(MacHeader).meta.len, 4);
    assert_eq!(first(MetaEnd).meta.len, 4);
    let reads = |design| {
        let trace = trace("gro-reuse", design);
        let lens = trace.reads.iter().take(2).map(|read| read.bytes.len());
        lens.collect::<Vec<_>>()
    };
    assert_eq!(reads(DesignName::SkbExt), [0, 0]);
    assert_eq!(reads(DesignName::MapStash), [4, 4]);
    // the two segments: one became the other's fragment
    let merged = recorded::exits(&trace("gro-reuse", MacHeader), "skb_gro_receive")[0].clone();
    assert_eq!((merged.nr_frags, merged.data_len), (2, 80));
}

/// 6a: dynptr size is fixed at creation. 6.18 sets the length to 0 with the new head; the place is then the MAC header,
/// whose first four bytes are 02 00 00 00.
#[test]
fn an_old_dynptr_reads_the_mac_header_when_the_length_became_0() {
    let read = |design| lines(&trace("old-dynptr", design)).join(" ");
    assert_eq!(read(MacHeader), "old dynptr: 42");
    assert_eq!(read(MacHeader6_18), "old dynptr: 2");
}
