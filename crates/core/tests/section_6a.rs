//! patch-series.md, section 6a: the mac_header design. One test a line, under that line. Where a recording
//! contradicts the section (section 8), the recording's value is asked for and the comment says so.

mod catalogue;
#[path = "section_6a/copies.rs"]
mod copies;
mod recorded;

use headroom_core::design::DesignName::{MacHeader, MacHeader6_18, MacHeader6_19};
use headroom_core::design::{self, DataMove, MetadataDesign};
use headroom_core::matrix::{CellVerdict, cell};
use headroom_core::simulate::simulate_partial;
use headroom_core::skb::{SharedInfo, SkBuff};
use headroom_core::trace::{BufferNo, ReadHow, SkbNo, Verdict};
use headroom_core::xdp::{EACCES, EINVAL, ENOTSUPP, HeadMove, XdpBuff};

use recorded::{exits, input, run, values};

fn xdp(data: u32) -> XdpBuff {
    XdpBuff {
        head: BufferNo(1),
        data_meta: data,
        data,
        data_end: data + 66,
        frame_sz: 4096,
        frag_size: 0,
        skb: None,
    }
}

fn skb(data: u32, mac_header: u16) -> SkBuff {
    let mut skb = SkBuff::new(SkbNo(1), BufferNo(1));
    (skb.data, skb.mac_header) = (data, mac_header);
    skb
}

fn shinfo(meta_len: u8) -> SharedInfo {
    SharedInfo {
        meta_len,
        ..SharedInfo::default()
    }
}

/// `bpf_xdp_adjust_meta()`: `-ENOTSUPP` if the driver has no support; `-EINVAL` if the start would fall below the end of
/// `xdp_frame` or above `data`; `-EACCES` if the length is not a multiple of 4 or > 255 (so 252 is the largest).
/// Section 8: on veth 216 is the largest, and the range is asked before the length.
#[test]
fn bpf_xdp_adjust_meta_refuses() {
    let mut none = xdp(256);
    none.data_meta = none.data + 1;
    assert_eq!(none.adjust_meta(-4), Err(ENOTSUPP));
    assert_eq!(xdp(256).adjust_meta(-220), Err(EINVAL), "256 - 220 < 40");
    assert_eq!(xdp(256).adjust_meta(4), Err(EINVAL));
    assert_eq!(xdp(256).adjust_meta(-3), Err(EACCES));
    assert_eq!(xdp(400).adjust_meta(-256), Err(EACCES));
    assert_eq!(xdp(400).adjust_meta(-252), Ok(()));
    assert_eq!(xdp(256).adjust_meta(-216), Ok(()));
}

/// `bpf_xdp_adjust_head()` carries the metadata along, they stay adjacent to `data`.
#[test]
fn bpf_xdp_adjust_head_carries_the_metadata_along() {
    let mut buff = xdp(256);
    assert_eq!(buff.adjust_meta(-4), Ok(()));
    let moved = HeadMove {
        from: 252,
        to: 232,
        len: 4,
    };
    assert_eq!(buff.adjust_head(-20), Ok(moved));
    assert_eq!((buff.data_meta, buff.data), (232, 236));
}

/// `skb_metadata_set()` stores only a length; calling it before or after the pull, or after `eth_type_trans()`, makes no
/// difference.
#[test]
fn skb_metadata_set_stores_only_a_length() {
    let set = |data| {
        let mut info = SharedInfo::default();
        design::MacHeader.metadata_set(&skb(data, 256), &mut info, 4);
        info
    };
    assert_eq!((set(252), set(256)), (set(270), set(270)));
    assert_eq!(set(256).meta_len, 4);
}

/// Same device, no tunnel: dynptr and `data_meta` both read 42.
#[test]
fn same_device_both_read_42() {
    let trace = run("E1-veth-4b-native", MacHeader);
    assert_eq!(values(&trace, "rx"), [Some(42), Some(42)]);
    let how: Vec<ReadHow> = trace.reads.iter().map(|read| read.how).collect();
    assert!(how.contains(&ReadHow::DataMeta) && how.contains(&ReadHow::Dynptr));
}

/// Metadata start = `mac_header - L` for dynptr and GRO, `data - L` for `data_meta`; they differ whenever `data !=
/// mac_header`.
#[test]
fn metadata_start_is_mac_header_less_the_length() {
    for data in [256, 270, 294] {
        assert_eq!(
            design::MacHeader.metadata_end(&skb(data, 256), &shinfo(4)),
            Some(256)
        );
    }
}

/// GRE (L3) decap: `mac_header` 256 → 294 (14 + 20 + 4); both readers return 524288; the 42 is still in memory at 252. No
/// warning, no error, length still 4.
#[test]
fn gre_decap_both_readers_return_524288() {
    let trace = run("E2-gre-veth-decap-both-readers-native", MacHeader);
    assert_eq!(values(&trace, "decap"), [Some(524_288), Some(524_288)]);
    let headers: Vec<_> = exits(&trace, "ip_tunnel_rcv")
        .iter()
        .map(|f| (f.mac_header, f.meta.len))
        .collect();
    assert!(
        headers.iter().all(|header| *header == (Some(294), 4)),
        "{headers:?}"
    );
    assert!(trace.warnings.is_empty());
    let expected = trace.reads[0].expected.as_ref().expect("a tag was left");
    assert_eq!((trace.reads[0].offset, expected.offset), (Some(290), 252));
}

/// Garbage by tunnel, last 4 bytes before the inner MAC header, read little-endian: GRE/IP 524288; gretap 1483014144; VXLAN
/// or GENEVE (no options) VNI 42 2752512; IPIP = outer destination address 16777226.
#[test]
fn garbage_by_tunnel() {
    for (id, value) in [
        ("decap-gre", 524_288),
        ("decap-gretap", 1_483_014_144),
        ("decap-vxlan", 2_752_512),
        ("decap-geneve", 2_752_512),
        ("decap-ipip", 16_777_226),
    ] {
        let trace = simulate_partial(&catalogue::input(id), MacHeader).trace;
        assert_eq!(values(&trace, "decap"), [Some(value), Some(value)], "{id}");
    }
}

/// Longer metadata read further back into the outer headers (L = 32 after GRE decap covers GRE, outer IP and part of outer
/// Ethernet).
#[test]
fn longer_metadata_read_further_back() {
    use headroom_core::trace::Layer::{Ethernet, Gre, Ipv4};
    let trace = run("E2-gre-veth-32b-native", MacHeader);
    let read = trace
        .reads
        .iter()
        .find(|read| read.bytes.len() == 32)
        .expect("a read of 32 bytes");
    let layers: Vec<_> = read
        .origins
        .iter()
        .map(|origin| trace.sources.source(*origin).layer)
        .collect();
    assert_eq!(read.offset, Some(262));
    assert!(layers[..8].iter().all(|layer| *layer == Ethernet));
    assert!(layers[8..28].iter().all(|layer| *layer == Ipv4));
    assert!(layers[28..].iter().all(|layer| *layer == Gre));
}

/// VLAN untag in software is the exception: `skb_reorder_vlan_header()` moves metadata 4 bytes up, reader still gets 42; it
/// makes the head private first (`skb_cow`).
#[test]
fn vlan_untag_in_software_is_the_exception() {
    let trace = run("E3-vlan-4b-native", MacHeader);
    assert_eq!(values(&trace, "rx.7"), [Some(42), Some(42)]);
    assert_eq!(trace.cost.metadata_bytes_moved, 4);
    let shared = run("E9-tap-rx-vlan-generic", MacHeader);
    let private = exits(&shared, "skb_vlan_untag");
    assert!(
        private.iter().all(|fields| fields.dataref == 1),
        "{private:?}"
    );
}

/// Hardware-accelerated VLAN: no bytes move.
#[test]
fn hardware_accelerated_vlan_moves_no_bytes() {
    let trace = run("E3-vlan-hwaccel-native", MacHeader);
    assert_eq!(trace.cost.metadata_bytes_moved, 0);
    assert!(trace.reads.iter().all(|read| read.value() == Some(42)));
}

/// MPLS pop and loopback delivery: new MAC header lies 4 bytes above the old one, so the window is shifted by 4: the first 4
/// metadata bytes are lost and 4 packet bytes appear at the end.
#[test]
fn mpls_pop_and_loopback_shift_the_window_by_4() {
    let trace = simulate_partial(&catalogue::input("pattern-mpls"), MacHeader).trace;
    let read = trace
        .reads
        .iter()
        .find(|read| read.bytes.len() == 192)
        .expect("192 bytes");
    let written = &read.expected.as_ref().expect("a pattern was left").origins;
    assert_eq!(&read.origins[..188], &written[4..]);
    assert!(
        read.origins[188..]
            .iter()
            .all(|origin| !written.contains(origin))
    );
}

/// Plain L3 forwarding (pull 14, push 14): metadata intact and readable at TC egress.
#[test]
fn plain_l3_forwarding_keeps_metadata() {
    let trace = run("E10-fwd-plain-4b-native", MacHeader);
    assert_eq!(values(&trace, "out"), [Some(42), Some(42)]);
}

/// vlan_push/pop, adjust_room (both signs), change_proto (both ways), change_head: metadata keep value and adjacency; each
/// asks for `meta_len` extra headroom where it pushes.
#[test]
fn helpers_keep_value_and_adjacency() {
    for id in [
        "vlan-push-twice",
        "vlan-push-twice-pop",
        "room-grow-1",
        "room-grow-256",
        "room-shrink-1",
        "proto-to-ipv6",
        "proto-to-ipv4",
        "head-grow-1",
        "pair-vlan",
        "pair-room",
        "pair-proto",
    ] {
        let trace = simulate_partial(&catalogue::input(id), MacHeader).trace;
        assert!(!trace.reads.is_empty(), "{id}");
        for read in &trace.reads {
            assert_eq!((read.verdict, read.bytes.len()), (Verdict::Ok, 192), "{id}");
        }
        for fields in exits(&trace, "skb_data_move") {
            assert!(fields.data >= 192, "{id}: {fields:?}");
        }
    }
}

/// change_tail and any other `pskb_expand_head()`: metadata survive, everything shifts by `nhead`. Before Nov 2025: length
/// becomes 0.
#[test]
fn pskb_expand_head_keeps_metadata() {
    let id = "E8-h_change_tail_grow4k-aligned-4b";
    assert_eq!(
        cell(&input(id, MacHeader), MacHeader).verdict,
        CellVerdict::Ok
    );
    let before = cell(&input(id, MacHeader), MacHeader6_18);
    assert_eq!(before.verdict, CellVerdict::Lost);
    assert_eq!(before.step.as_deref(), Some("pskb_expand_head.exit@rx#1"));
}

/// `skb_data_move()` with metadata not at the old `data`: one-time warning, metadata cleared, packet bytes still moved.
#[test]
fn skb_data_move_elsewhere_warns_and_clears() {
    let moved = design::MacHeader.data_move(&skb(256, 256), &shinfo(4), -14);
    assert!(matches!(moved, DataMove::WarnAndClear { .. }));
}

/// Headroom after push < L: one-time warning, cleared. (headroom 6, push 4, L 4.)
#[test]
fn headroom_after_push_below_l_warns_and_clears() {
    let moved = design::MacHeader.data_move(&skb(2, 6), &shinfo(4), -4);
    assert!(matches!(moved, DataMove::WarnAndClear { .. }));
}

/// Raw `skb_push()` + new header over adjacent metadata: bytes overwritten silently, length stays, reader gets garbage (24 +
/// 14 bytes pushed after pull 14: reads headroom bytes).
#[test]
fn raw_push_over_adjacent_metadata_is_silent() {
    let trace = run("E10-fwd-gre-lower-only", MacHeader);
    let read = trace.reads.last().expect("a read");
    assert_eq!((read.verdict, read.value()), (Verdict::Garbage, Some(0)));
    // 256 + 14 - 38 = 232: four bytes of headroom in front of the new MAC header
    assert_eq!((read.offset, read.bytes.len()), (Some(228), 4));
    assert!(trace.warnings.is_empty());
}

/// LWT from 7.2 (7.1.5): length 0 after `lwtunnel_input/output/xmit`, `data_meta == data`. Before: mpls/seg6/ioam6 overwrite
/// silently; BPF LWT xmit `change_head` warns and clears.
#[test]
fn lwt_clears_from_7_2() {
    for id in ["E11-lwt-mpls-4b", "E11-lwt-bpf-4b"] {
        let trace = run(id, MacHeader);
        assert!(
            trace.reads.iter().all(|read| read.verdict == Verdict::Lost),
            "{id}"
        );
        assert!(trace.warnings.is_empty(), "{id}");
    }
    let mpls = run("E11-lwt-mpls-4b", MacHeader6_19);
    assert!(
        mpls.reads
            .iter()
            .all(|read| read.verdict == Verdict::Garbage && read.bytes.len() == 4)
    );
    assert!(mpls.warnings.is_empty());
    let bpf = run("E11-lwt-bpf-4b", MacHeader6_19);
    assert!(bpf.reads.iter().all(|read| read.verdict == Verdict::Lost));
    assert_eq!(bpf.warnings.len(), 1, "{:?}", bpf.warnings);
}

/// `skb_scrub_packet()` does not touch headroom metadata.
#[test]
fn skb_scrub_packet_does_not_touch_metadata() {
    let trace = run("E11-veth-netns-chain", MacHeader);
    assert_eq!(values(&trace, "far"), [Some(42), Some(42)]);
    assert!(
        exits(&trace, "skb_scrub_packet")
            .iter()
            .any(|fields| fields.meta.len == 4)
    );
}
