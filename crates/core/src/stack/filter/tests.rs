//! Helpers on a packet as veth hands it to TC: headroom 256, metadata 42 in 4 bytes, one test a line of
//! patch-series.md section 6. Numbers of recordings are named with their recording.

use crate::design::DesignName;
use crate::scenario::command::Ipv4Net;
use crate::scenario::routes::Route;
use crate::scenario::topology::DevId;
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL, NOT_SET};
use crate::stack::Kernel;
use crate::trace::SkbNo;

const TAG: [u8; 4] = [42, 0, 0, 0];
const DESIGNS: [DesignName; 2] = DesignName::ALL;
const MAC: u32 = 1;
const NET: u32 = 0;

/// A 66-byte frame with `headroom` bytes in front, the last four of which are metadata; `data` at the MAC header.
fn packet(design: DesignName, headroom: u32) -> (Kernel, SkbNo) {
    let mut k = Kernel::new("test", design.design());
    let no = k.alloc_skb(384);
    let skb = k.skb_mut(no);
    skb.reserve(headroom);
    skb.put(66);
    skb.reset_mac_header();
    skb.set_network_header(14);
    skb.transport_header = NOT_SET;
    skb.reset_mac_len();
    skb.protocol = 0x0800;
    let head = k.skb(no).head;
    let frame: Vec<u8> = (0..66).collect();
    k.buffers.write(head, headroom, &frame, 1, 0);
    k.buffers.write(head, headroom - 4, &TAG, 2, 0);
    k.skb_metadata_set(no, 4);
    k.bpf_compute_data_pointers(no);
    (k, no)
}

/// The metadata as a dynptr reads them.
fn tag(k: &Kernel, no: SkbNo) -> Vec<u8> {
    let meta = k.meta_fields(k.skb(no));
    meta.start
        .map_or(Vec::new(), |start| k.bytes(no, start, meta.len).to_vec())
}

/// Metadata have their value and lie against the packet.
fn assert_kept(k: &Kernel, no: SkbNo) {
    let skb = k.skb(no);
    assert_eq!(tag(k, no), TAG, "{}", k.design.name());
    assert_eq!(k.meta_fields(skb).end, Some(skb.data));
    assert_eq!(skb.cb.data_meta + 4, skb.data as i32);
    assert_eq!(skb.cb.data_end, skb.tail);
}

/// Recorded as E10-fwd-w_data_meta-216b-native: 216 bytes in front of 206 begin ten bytes below `head`.
#[test]
fn data_meta_may_lie_below_head() {
    let (mut k, no) = packet(DESIGNS[0], 206);
    k.skb_metadata_set(no, 216);
    k.bpf_compute_data_pointers(no);
    let cb = k.skb(no).cb;
    assert_eq!((cb.data_meta, cb.data_end), (-10, 206 + 66));
}

/// golden E8-h_change_head-aligned-4b: `data` 256 → 242, metadata 238–242, `mac_len` 28.
#[test]
fn change_head_takes_metadata_along() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        assert_eq!(k.bpf_skb_change_head(no, 14, 0), Ok(0));
        assert_kept(&k, no);
        let skb = k.skb(no);
        assert_eq!((skb.data, skb.mac_header, skb.mac_len), (242, 242, 28));
        assert_eq!(k.bytes(no, 242, 16), [&[0; 14][..], &[0, 1]].concat());
    }
}

/// golden E8-h_room_shrink_mac-aligned-4b: `data` 256 → 264; grow is the way back, with zeros in the hole.
#[test]
fn adjust_room_takes_metadata_along_both_ways() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        assert_eq!(k.bpf_skb_adjust_room(no, -8, MAC, 0), Ok(0));
        assert_kept(&k, no);
        let skb = k.skb(no);
        assert_eq!(
            (skb.data, skb.mac_header, skb.network_header),
            (264, 264, 278)
        );
        assert_eq!(k.bytes(no, 264, 16)[12..], [12, 13, 22, 23]);
        assert_eq!(k.bpf_skb_adjust_room(no, 8, MAC, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!(
            k.bytes(no, 256, 24)[12..],
            [12, 13, 0, 0, 0, 0, 0, 0, 0, 0, 22, 23]
        );
        assert_eq!(k.bpf_skb_adjust_room(no, 8, NET, 0), Ok(0));
        assert_kept(&k, no);
    }
}

#[test]
fn adjust_room_refuses_as_the_kernel_does() {
    const ENCAP_IPV4: u64 = 1 << 1;
    const DECAP_IPV4: u64 = 1 << 7;
    let (mut k, no) = packet(DesignName::MacHeader, 256);
    let mut room = |len, mode, flags| k.bpf_skb_adjust_room(no, len, mode, flags);
    assert_eq!(room(8, MAC, 1 << 40), Ok(-22));
    assert_eq!(room(0x1000, MAC, 0), Ok(-14));
    assert_eq!(room(8, 2, 0), Ok(-524));
    assert_eq!(
        room(-33, MAC, 0),
        Ok(-524),
        "less than an IPv4 header is left"
    );
    assert_eq!(room(8, MAC, DECAP_IPV4), Ok(-22));
    assert_eq!(room(20, MAC, ENCAP_IPV4 | 1 << 2), Ok(-22));
    assert_eq!(room(20, MAC, ENCAP_IPV4), Ok(0));
    assert_eq!(room(20, MAC, ENCAP_IPV4), Ok(-114), "encapsulated already");
    assert_eq!(k.skb(no).inner_network_header, 270);
}

/// 4→6 asks for `meta_len + 20`, 6→4 pulls (golden E8-h_change_proto6-aligned-4b: `data` 236, protocol 0x86dd).
#[test]
fn change_proto_takes_metadata_along_both_ways() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        assert_eq!(k.bpf_skb_change_proto(no, 0x86dd, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!((k.skb(no).data, k.skb(no).protocol), (236, 0x86dd));
        assert_eq!(k.bpf_skb_change_proto(no, 0x0800, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!(k.bpf_skb_change_proto(no, 0x0800, 0), Ok(-524));
        assert_eq!(k.bpf_skb_change_proto(no, 0x86dd, 1), Ok(-22));
    }
}

/// The first tag lies beside the packet; the second one puts it into the packet, 4 bytes down with the metadata.
#[test]
fn vlan_push_and_pop_take_metadata_along() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        assert_eq!(k.bpf_skb_vlan_push(no, 0x8100, 7), Ok(0));
        assert_kept(&k, no);
        assert_eq!(k.skb(no).data, 256);
        assert_eq!(
            k.bpf_skb_vlan_push(no, 0x1234, 8),
            Ok(0),
            "counts as 802.1Q"
        );
        assert_kept(&k, no);
        assert_eq!(k.skb(no).data, 252);
        assert_eq!(k.bytes(no, 252, 18)[10..], [10, 11, 0x81, 0, 0, 7, 12, 13]);
        assert_eq!((k.skb(no).vlan_tci, k.skb(no).protocol), (8, 0x8100));
        assert_eq!(k.bpf_skb_vlan_pop(no), Ok(0));
        assert_kept(&k, no);
        // the tag in the packet moved beside it
        assert_eq!((k.skb(no).data, k.skb(no).vlan_tci), (256, 7));
        assert_eq!(k.bpf_skb_vlan_pop(no), Ok(0));
        assert!(!k.skb(no).vlan_present);
    }
}

/// Each helper that pushes asks for `meta_len` extra headroom: 14 + 4 are more than the 16 that are there.
#[test]
fn pushing_asks_for_headroom_for_the_metadata() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 16);
        assert_eq!(k.bpf_skb_change_head(no, 12, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!(k.skb(no).data, 4, "16 = 12 + 4 is enough");
        let (mut k, no) = packet(design, 16);
        assert_eq!(k.bpf_skb_change_head(no, 14, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!(k.skb(no).data, 2 + 64, "64 (NET_SKB_PAD) more");
    }
}

/// change_tail and any other `pskb_expand_head()`: metadata survive
/// (golden E8-h_change_tail_grow4k-aligned-4b: 1138 bytes more than there are give `end` 1728).
#[test]
fn change_tail_keeps_metadata() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        assert_eq!(k.bpf_skb_change_tail(no, 1266, 0), Ok(0));
        assert_kept(&k, no);
        let end = k.buffers.get(k.skb(no).head).end();
        assert_eq!((k.skb(no).tail, end), (1522, 1728));
        assert_eq!(k.bpf_skb_change_tail(no, 60, 0), Ok(0));
        assert_kept(&k, no);
        assert_eq!(
            k.bpf_skb_change_tail(no, 13, 0),
            Ok(-22),
            "the MAC header stays"
        );
        assert_eq!(k.bpf_skb_change_tail(no, 16065, 0), Ok(-22));
    }
}

/// 6b: push helper over a gap: metadata jump to `head`, `meta_end = L`; later realign brings them back.
#[test]
fn push_over_a_gap_parks_the_metadata() {
    let (mut k, no) = packet(DesignName::MetaEnd, 256);
    let skb = k.skb_mut(no);
    assert_eq!(skb.pull(38), Ok(()));
    skb.reset_mac_header();
    assert_eq!(k.bpf_skb_change_head(no, 1, 0), Ok(0));
    assert_eq!(k.meta_fields(k.skb(no)).end, Some(4));
    assert_eq!(tag(&k, no), TAG);
    assert_eq!(k.bpf_skb_meta_realign(no), Ok(()));
    assert_kept(&k, no);
    assert_eq!(k.meta_fields(k.skb(no)).end, Some(293));
}

/// 6b: pull over a gap: metadata stay, the gap grows.
#[test]
fn pull_over_a_gap_leaves_the_metadata() {
    let (mut k, no) = packet(DesignName::MetaEnd, 256);
    let skb = k.skb_mut(no);
    assert_eq!(skb.pull(4), Ok(()));
    skb.reset_mac_header();
    skb.set_network_header(14);
    assert_eq!(k.bpf_skb_adjust_room(no, -8, MAC, 0), Ok(0));
    assert_eq!(k.meta_fields(k.skb(no)).end, Some(256));
    assert_eq!(tag(&k, no), TAG);
}

/// `skb_clone()` shares length and bytes; a buffer of one's own takes a copy of both, and the other keeps its.
#[test]
fn clones_share_until_one_is_made_writable() {
    for design in DESIGNS {
        let (mut k, no) = packet(design, 256);
        let clone = k.skb_clone(no).unwrap();
        assert_eq!(k.skb(no).head, k.skb(clone).head);
        assert!(k.skb_cloned(no) && k.skb_cloned(clone));
        assert_eq!(k.bpf_skb_meta_make_writable(no), Ok(0));
        assert_kept(&k, no);
        assert_eq!(tag(&k, clone), TAG);
        assert_ne!(k.skb(no).head, k.skb(clone).head);
        // the flag stays, the reference count says that nobody else is there
        assert!(k.skb(clone).cloned && !k.skb_cloned(clone));
        let head = k.skb(clone).head;
        assert_eq!(k.bpf_skb_pull_data(clone, 0), Ok(0));
        assert_eq!(k.skb(clone).head, head, "no copy for the last user");
    }
}

/// 6b: realign on a clone writes into the shared head, before any unclone.
#[test]
fn realign_of_a_clone_damages_the_other() {
    let (mut k, no) = packet(DesignName::MetaEnd, 256);
    let tap = k.skb_clone(no).unwrap();
    let skb = k.skb_mut(no);
    assert_eq!(skb.pull(38), Ok(()));
    skb.reset_mac_header();
    assert_eq!(k.bpf_skb_meta_realign(no), Ok(()));
    assert_kept(&k, no);
    let frame = k.bytes(tap, k.skb(tap).data, 40);
    assert_eq!(frame[32..], [32, 33, 42, 0, 0, 0, 38, 39]);
}

#[test]
fn store_bytes_and_pull_data_check_their_arguments() {
    let (mut k, no) = packet(DesignName::MacHeader, 256);
    assert_eq!(k.bpf_skb_store_bytes(no, 0, &[9; 6], 0, 3), Ok(0));
    assert_eq!(k.bytes(no, 256, 7), [9, 9, 9, 9, 9, 9, 6]);
    assert_eq!(k.bpf_skb_store_bytes(no, 0, &[9], 4, 3), Ok(-22));
    assert_eq!(k.bpf_skb_store_bytes(no, 1 << 31, &[9], 0, 3), Ok(-14));
    assert_eq!(k.bpf_skb_store_bytes(no, 61, &[9; 6], 0, 3), Ok(-14));
    assert_eq!(k.bpf_skb_pull_data(no, 67), Ok(-12));
}

/// `bpf_skb_proto_4_to_6()`, `bpf_skb_proto_6_to_4()`: `skb_clear_hash()`; elsewhere the hash stays.
#[test]
fn change_proto_forgets_the_hash() {
    let (mut k, no) = packet(DesignName::MacHeader, 256);
    let asked = k.skb_get_hash(no);
    assert_eq!(k.bpf_skb_adjust_room(no, 8, MAC, 0), Ok(0));
    assert_eq!(k.skb(no).bpf.hash, Some(asked));
    assert_eq!(k.bpf_skb_change_proto(no, 0x86dd, 0), Ok(0));
    assert_eq!(k.skb(no).bpf.hash, None);
}

fn route() -> Route {
    Route {
        dst: Ipv4Net {
            addr: std::net::Ipv4Addr::UNSPECIFIED,
            prefix: 0,
        },
        via: None,
        dev: DevId(0),
        src: None,
        encap: None,
    }
}

/// `skb_valid_dst()`: an encapsulation drops a route, also one of the same protocol; a tunnel's key is no route.
#[test]
fn encapsulation_drops_the_route_and_keeps_the_key() {
    const ENCAP_IPV4: u64 = 1 << 1;
    let (mut k, no) = packet(DesignName::MacHeader, 256);
    assert_eq!(k.bpf_skb_set_tunnel_key(no, &[0; 44], 0), 0);
    k.skb_mut(no).dst = Some(route());
    assert_eq!(k.bpf_skb_adjust_room(no, 20, MAC, ENCAP_IPV4), Ok(0));
    assert_eq!(k.skb(no).dst, None);
    assert!(k.skb(no).bpf.tun_info.is_some());
    assert_eq!(k.bpf_skb_change_proto(no, 0x86dd, 0), Ok(0));
    assert!(k.skb(no).bpf.tun_info.is_some());
}

/// `bpf_skb_trim_rcsum()`: what the device was to finish (`CHECKSUM_PARTIAL`, here at 34 + 6) is cut off.
#[test]
fn change_tail_forgets_a_checksum_that_is_cut_off() {
    for (len, ip_summed) in [(42, CHECKSUM_PARTIAL), (41, CHECKSUM_NONE)] {
        let (mut k, no) = packet(DesignName::MacHeader, 256);
        let skb = k.skb_mut(no);
        skb.ip_summed = CHECKSUM_PARTIAL;
        (skb.csum_start, skb.csum_offset) = (256 + 34, 6);
        assert_eq!(k.bpf_skb_change_tail(no, len, 0), Ok(0));
        assert_eq!(k.skb(no).ip_summed, ip_summed, "{len}");
    }
}

/// `bpf_skb_ecn_set_ce()`: not on a buffer that a clone shares; a tag in the packet is looked past (`skb_protocol()`). Byte
/// 15 is the type of service, 0x0f: marked already, which is 1.
#[test]
fn the_mark_of_clones_and_of_tagged_packets() {
    let (mut k, no) = packet(DesignName::MacHeader, 256);
    let clone = k.skb_clone(no).unwrap();
    assert_eq!(k.bpf_skb_ecn_set_ce(no, 3), Ok(0));
    k.consume_skb(clone).unwrap();
    assert!(k.skb(no).cloned, "the flag stays");
    assert_eq!(k.bpf_skb_ecn_set_ce(no, 3), Ok(1));
    // a link header of 18 bytes ends with the tag
    let skb = k.skb_mut(no);
    (skb.protocol, skb.mac_len) = (0x8100, 18);
    assert_eq!(k.bpf_skb_ecn_set_ce(no, 3), Ok(0), "0x1011 is not IP");
    let head = k.skb(no).head;
    k.buffers.write(head, 256 + 16, &[8, 0], 1, 0);
    assert_eq!(k.bpf_skb_ecn_set_ce(no, 3), Ok(1));
}
