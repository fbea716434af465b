//! The chain behind a wrong read, and what its steps say. Offsets are arithmetic by hand: a frame's headroom, four bytes of metadata
//! in front of it, and `NET_SKB_PAD` (64 bytes) in front of what a driver allocates anew.

mod catalogue;

use catalogue::input;
use headroom_core::design::DesignName::{
    self, MacHeader, MacHeader6_19, MetaEnd, MetaEndRfc, SkbExt, SkbLocalStorage, Traits,
};
use headroom_core::scene::{names, sentence};
use headroom_core::simulate::simulate;
use headroom_core::trace::{MetadataRead, Trace};
use headroom_core::why::{Event, chain, decided_at, lines};

/// A run, and the wrong read of a program in it.
fn misread(scenario: &str, design: DesignName, program: &str) -> (Trace, MetadataRead) {
    let trace = simulate(&input(scenario), design).expect("a run");
    let mut reads = trace.reads.iter().filter(|read| read.verdict.is_wrong());
    let read = reads
        .find(|read| read.program == program)
        .expect("a wrong read")
        .clone();
    (trace, read)
}

fn events(trace: &Trace, read: &MetadataRead) -> Vec<Event> {
    chain(trace, read).iter().map(|link| link.event).collect()
}

/// Name and sentence of the step that decided.
fn decided(trace: &Trace, read: &MetadataRead) -> (String, String) {
    let step = decided_at(trace, read);
    (names(trace)[step].to_string(), sentence(trace, step))
}

/// otx2: the frame is at 128 of a page, the tag at 124; `napi_get_frags()` makes a buffer of its own, data at 64. Where the MAC
/// header is set, the four bytes in front of it are looked at, 60: nobody wrote them.
#[test]
fn a_buffer_that_is_made_without_the_metadata() {
    let (trace, read) = misread("nic-otx2", MacHeader, "tag_by_pointer");
    let [
        Event::Written { at: 124 },
        Event::LeftBehind,
        Event::PointerReset {
            from: None,
            to: Some(60),
        },
        Event::Read { at: Some(60), .. },
    ] = events(&trace, &read).as_slice()
    else {
        panic!("{:?}", events(&trace, &read))
    };
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "gro_pull_from_frag0.entry@eth0#1");
    assert_eq!(
        said,
        "gro_pull_from_frag0 starts on eth0: mac_header not set → 64. \
         The formula for the metadata gives 60–63, but none are there."
    );
}

/// With the end in `skb_shared_info` the driver's own call sets it; an extension is filled from the same place.
#[test]
fn the_step_that_makes_the_buffer_says_who_will_miss_the_metadata() {
    let (trace, read) = misread("nic-otx2", MetaEnd, "tag_by_dynptr");
    assert_eq!(
        decided(&trace, &read).1,
        "napi_gro_frags starts on eth0. The formula for the metadata gives 60–63, but none are there. \
         Here a buffer is made without the metadata: tag_by_dynptr on eth0 will read other bytes."
    );
    let (trace, read) = misread("nic-otx2", SkbExt, "tag_by_dynptr");
    assert_eq!(
        decided(&trace, &read).1,
        "napi_gro_frags starts on eth0. \
         Here a buffer is made without the metadata: tag_by_dynptr on eth0 will read other bytes."
    );
    let (trace, read) = misread("gso-segments", MacHeader, "tag_by_dynptr");
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "skb_segment.exit@num#1");
    assert!(
        said.ends_with("tag_by_pointer on out will find none."),
        "{said}"
    );
}

/// A raw socket's program reads a clone: what went wrong went wrong with the packet it was made of. Headroom 256, L 4, Ethernet 14 +
/// IPv4 20 + GRE 4.
#[test]
fn a_clone_has_the_past_of_its_packet() {
    let (trace, read) = misread("roadmap-4-other-programs", MacHeader6_19, "meta_socket");
    let [
        Event::Written { at: 252 },
        Event::PointerReset {
            from: Some(252),
            to: Some(290),
        },
        Event::Read { at: Some(290), .. },
    ] = events(&trace, &read).as_slice()
    else {
        panic!("{:?}", events(&trace, &read))
    };
    assert_eq!(decided(&trace, &read).0, "ip_tunnel_rcv.entry@rx#1");
    let (trace, read) = misread("roadmap-4-other-programs", SkbLocalStorage, "meta_socket");
    assert_eq!(decided(&trace, &read).0, "skb_scrub_packet.exit@rx#1");
}

/// `skb_local_storage` gives metadata that clones share to neither of them.
#[test]
fn what_clones_share_is_lost_with_the_clone() {
    let (trace, read) = misread("bridge-flood", SkbLocalStorage, "tag_by_pointer");
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "skb_clone.exit@rx#1");
    assert!(
        said.ends_with("Here the packet loses its metadata: tag_by_pointer on c will find none."),
        "{said}"
    );
}

/// nfp with AF_XDP: the program could leave none, the driver claims 255 bytes in front of a MAC header at 64.
#[test]
fn a_place_below_head_is_said_to_be_one() {
    let (trace, read) = misread("nic-nfp-zc", MacHeader, "tag_by_pointer");
    let [
        Event::PointerReset {
            from: None,
            to: None,
        },
        Event::Read { at: None, .. },
    ] = events(&trace, &read).as_slice()
    else {
        panic!("{:?}", events(&trace, &read))
    };
    let lines = lines(&trace, &names(&trace), &read);
    assert!(
        lines[0].contains("metadata are looked for below head"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("four bytes read below head by tag_by_pointer"),
        "{lines:?}"
    );
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "gro_receive_skb.entry@eth0#1");
    assert!(
        said.ends_with("leads below head, into memory that is not the packet's."),
        "{said}"
    );
}

/// The RFC lets veth set the end behind the pulled Ethernet header: 256 + 14 - 4 = 266.
#[test]
fn a_new_place_is_said_to_be_the_wrong_one() {
    let (trace, read) = misread("roadmap-1-dynptr", MetaEndRfc, "tag_by_dynptr");
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "gro_receive_skb.entry@rx#1");
    assert_eq!(
        said,
        "gro_receive_skb starts on rx: meta_len 0 → 4 and meta_end 0 → 270. The formula for the metadata gives 266–269, but \
         none are there. The tag 42 is still at 252–255, 14 bytes below."
    );
    // It was none of the metadata that the formula gave up.
    let (trace, read) = misread("write-pointer", MetaEndRfc, "tag_by_dynptr");
    let (name, said) = decided(&trace, &read);
    assert_eq!(name, "bpf_skb_meta_realign.exit@rx#1");
    assert!(
        said.ends_with("There are no metadata any more; the formula gave 266–269."),
        "{said}"
    );
}

/// Traits lie at the front; the fragment header is taken out by moving all in front of it up by eight bytes: 56 goes to 64, and 56 is
/// still looked at.
#[test]
fn bytes_that_leave_a_pointer_behind() {
    let (trace, read) = misread("reassembly-ip6gre", Traits, "tag_by_pointer");
    let events = events(&trace, &read);
    assert!(
        events.contains(&Event::Moved { from: 56, to: 64 }),
        "{events:?}"
    );
    assert!(
        events.contains(&Event::PointerStays { at: Some(56) }),
        "{events:?}"
    );
    assert_eq!(decided(&trace, &read).0, "ip6_frag_reasm.exit@rx#1");
}
