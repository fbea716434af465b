//! patch-series.md, section 6c: the alternatives. One test a line, under that line. What traits, skb extension and map do is
//! derived from proposals; `content/designs/` says how a scenario's programs are carried over.

mod catalogue;
mod recorded;

use headroom_core::design::DesignName::{
    self, MacHeader, MapStash, MapStashBare, MapStashGated, MemmoveOnDecap, SkbExt,
    SkbLocalStorage, Traits,
};
use headroom_core::design::traits::{self, EBUSY, EFBIG, EINVAL, ENOENT, ENOMEM, ENOSPC, Version};
use headroom_core::matrix::{CellVerdict, cell};
use headroom_core::simulate::simulate_partial;
use headroom_core::trace::{ReadHow, Trace, Verdict};

fn trace(id: &str, design: DesignName) -> Trace {
    simulate_partial(&catalogue::input(id), design).trace
}

fn verdict(id: &str, design: DesignName) -> CellVerdict {
    cell(&catalogue::input(id), design).verdict
}

/// After every decap L bytes are moved up by the size of the outer headers; both readers get 42; cost counted per decap, also for
/// packets nobody reads.
#[test]
fn memmove_on_decap_moves_l_bytes_at_every_decap() {
    let read = trace("decap-gre", MemmoveOnDecap);
    let values: Vec<_> = read
        .reads
        .iter()
        .map(|read| (read.offset, read.value()))
        .collect();
    assert_eq!(values, [(Some(290), Some(42)), (Some(290), Some(42))]);
    assert_eq!(read.cost.metadata_bytes_moved, 4);
    let mut unread = catalogue::scenario("decap-gre");
    unread
        .commands
        .retain(|command| !command.contains("tag_by_"));
    let unread = simulate_partial(&catalogue::input_of(&unread), MemmoveOnDecap).trace;
    assert_eq!(
        (unread.reads.len(), unread.cost.metadata_bytes_moved),
        (0, 4)
    );
}

/// Every call site that changes `mac_header` must take part; one forgotten site gives the 6a garbage.
/// The site that no decapsulation is: `__dev_queue_xmit()` on `lo`, behind an MPLS pop.
#[test]
fn memmove_on_decap_forgets_a_site() {
    for id in [
        "decap-gre",
        "decap-gretap",
        "decap-ipip",
        "decap-vxlan",
        "decap-geneve",
        "decap-vlan",
    ] {
        assert_eq!(verdict(id, MemmoveOnDecap), CellVerdict::Ok, "{id}");
    }
    let forgotten = cell(&catalogue::input("decap-mpls"), MemmoveOnDecap);
    let today = cell(&catalogue::input("decap-mpls"), MacHeader);
    assert_eq!(
        (forgotten.verdict, forgotten.value),
        (CellVerdict::Garbage, today.value)
    );
}

/// Local storage. Independent of headroom: no push, pull, expand or `mac_header` reset changes the value.
#[test]
fn local_storage_is_independent_of_the_headroom() {
    for id in [
        "room-grow-1",
        "room-grow-256",
        "room-shrink-1",
        "head-grow-1",
        "tail-grow-4096",
        "decap-vlan",
        "decap-mpls",
        "forward-plain",
    ] {
        assert_eq!(verdict(id, SkbLocalStorage), CellVerdict::Ok, "{id}");
    }
}

/// Local storage. First write allocates (extension + storage + element); each user has its own map; value zeroed or given at
/// creation.
#[test]
fn local_storage_allocates_three_times_at_the_first_write() {
    assert_eq!(
        trace("veth-tag", SkbLocalStorage).cost.metadata_allocations,
        3
    );
    assert_eq!(
        trace("write-dynptr", SkbLocalStorage)
            .cost
            .metadata_allocations,
        3,
        "a later write needs none"
    );
    assert_eq!(
        trace("veth-no-xdp", SkbLocalStorage)
            .cost
            .metadata_allocations,
        0
    );
}

/// Local storage. Clone sharing the extension: get → NULL, delete → `-EOPNOTSUPP`. Scrub removes it. User-space map operations
/// unsupported.
#[test]
fn local_storage_is_refused_to_clones_and_lost_by_scrubbing() {
    let tapped = trace("tap-read", SkbLocalStorage);
    assert!(tapped.reads.iter().all(|read| read.bytes.is_empty()));
    assert!(
        tapped.printk.contains(&"dynptr: no metadata".to_owned()),
        "{:?}",
        tapped.printk
    );
    let scrubbed = cell(&catalogue::input("decap-gre"), SkbLocalStorage);
    assert_eq!(scrubbed.verdict, CellVerdict::Lost);
    assert!(
        scrubbed
            .step
            .is_some_and(|step| step.starts_with("skb_scrub_packet"))
    );
}

/// Extension with a byte buffer. Without create: `-ENOENT` if absent, else read-only dynptr. With create: zero-cost if present and
/// private, allocation if absent, copy if shared; writer's copy is not seen by the other clone.
#[test]
fn an_extension_is_copied_on_write() {
    let private = trace("write-dynptr", SkbExt);
    assert_eq!(
        private.cost.metadata_allocations, 1,
        "at the hand-over, none at the write"
    );
    let shared = trace("tap-write-dynptr", SkbExt);
    assert_eq!(shared.cost.metadata_allocations, 2, "the writer's copy");
    assert!(shared.reads.iter().all(|read| read.value() == Some(43)));
    assert_eq!(
        verdict("veth-no-xdp", SkbExt),
        CellVerdict::None,
        "-ENOENT is not a loss"
    );
}

/// Extension. Survives GRE encap + decap and veth across namespaces (August version); with 7.2's `skb_scrub_packet()` all
/// extensions would be dropped.
#[test]
fn an_extension_survives_in_the_august_version() {
    let with_7_2 =
        DesignName::parse("custom:end=outside,on_clone=copy_on_write,on_lwt=keep,on_scrub=clear")
            .expect("a policy");
    for id in ["encap-gre", "decap-gre", "decap-gre-netns", "netns-chain"] {
        assert_eq!(verdict(id, SkbExt), CellVerdict::Ok, "{id}");
        assert_eq!(verdict(id, with_7_2), CellVerdict::Lost, "{id}");
    }
}

/// Map side-stash. Key = skb address. Clone and copy have no entry unless a hook copies it; free without a hook leaks the entry, and
/// a reused address then returns the old packet's metadata. Works at any hook that knows the skb.
#[test]
fn a_map_keyed_by_address() {
    assert_eq!(verdict("mirror-ingress", MapStash), CellVerdict::Lost);
    assert_eq!(verdict("mirror-ingress", MapStashGated), CellVerdict::Ok);
    // the second packet has no writer: XDP only tags the first, and the address is used again
    let mut scenario = catalogue::scenario("veth-tag-generic");
    let send = scenario.commands.last().cloned().expect("a send");
    scenario
        .commands
        .push("bpftool net attach xdpgeneric pinned /sys/fs/bpf/tag_220 dev rx overwrite".into());
    scenario.commands.push(send);
    let reads = |design| {
        let trace = simulate_partial(&catalogue::input_of(&scenario), design).trace;
        let pointer = trace
            .reads
            .iter()
            .filter(|read| read.how == ReadHow::Dynptr);
        pointer
            .map(|read| (read.value(), read.verdict))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        reads(MapStash),
        [(Some(42), Verdict::Ok), (None, Verdict::None)]
    );
    assert_eq!(
        reads(MapStashBare),
        [(Some(42), Verdict::Ok), (Some(42), Verdict::Garbage)]
    );
}

/// Traits. 64 keys; header of two u64; 2-bit length code per key; v1 total size = `16 + 4·popcount(high) + 2·popcount(low)`, offset
/// of key k = the same sum over keys below k.
#[test]
fn traits_sizes_and_offsets() {
    let mut v1 = traits::Traits::new(Version::V1, 200);
    assert_eq!(
        (v1.set(63, &[6; 4]), v1.set(0, &[1; 2]), v1.set(7, &[2; 4])),
        (Ok(()), Ok(()), Ok(()))
    );
    let header = v1.header();
    let ones = |bytes: &[u8]| bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
    assert_eq!(
        v1.size(),
        16 + 4 * ones(&header[..8]) + 2 * ones(&header[8..])
    );
    assert_eq!(v1.values(), [1, 1, 2, 2, 2, 2, 6, 6, 6, 6]);
}

/// Traits. Values stand in key order; set and delete memmove what follows. Wrong key/length `-EINVAL`; no room `-ENOMEM` (v1) /
/// `-ENOSPC` (v2); other length for a set key `-EINVAL` (v1) / `-EBUSY` (v2); absent `-ENOENT`; buffer too small `-EFBIG` (v1).
#[test]
fn traits_errors() {
    for (version, room, busy) in [(Version::V1, ENOMEM, EINVAL), (Version::V2, ENOSPC, EBUSY)] {
        let mut store = traits::Traits::new(version, 20);
        assert_eq!(store.set(64, &[0; 4]), Err(EINVAL));
        assert_eq!(store.set(1, &[0; 5]), Err(EINVAL));
        assert_eq!(store.get(1, 8), Err(ENOENT));
        assert_eq!(store.set(1, &[0; 4]), Ok(()));
        assert_eq!(store.set(1, &[0; 8]), Err(busy));
        assert_eq!(store.set(2, &[0; 4]), Err(room));
    }
    let mut v1 = traits::Traits::new(Version::V1, 99);
    assert_eq!(v1.set(1, &[0; 8]), Ok(()));
    assert_eq!(v1.get(1, 4), Err(EFBIG));
}

/// Traits. Stored at the start of the headroom, so pushes need no move until headroom is used up; not usable together with XDP
/// metadata (v2); ingress only, drivers with metadata support only.
#[test]
fn traits_lie_at_the_start_of_the_headroom() {
    let read = trace("decap-gre", Traits);
    assert!(
        read.reads
            .iter()
            .all(|read| (read.offset, read.verdict) == (Some(56), Verdict::Ok)),
        "40 + 16"
    );
    assert_eq!(
        verdict("encap-gre", Traits),
        CellVerdict::Ok,
        "38 bytes pushed do not reach them"
    );
    // 216 bytes and a header of 16 do not fit into 256 - 40
    let full = cell(&catalogue::input("veth-216-bytes"), Traits);
    assert_eq!(full.verdict, CellVerdict::Refused);
    assert_eq!(full.note, "bpf_xdp_trait_set: -28");
}
