//! The programs of `tests/objects` run. Expected values are worked out from their sources by hand, with the
//! kernel's rules.

#[path = "object_files/newer.rs"]
mod newer;
mod object_files;

use headroom_core::bpf::{ProgType, load_object};
use headroom_core::design::DesignName;
use headroom_core::stack::{Executed, Hook, exec};
use object_files::{each, one};

/// Ethernet, IPv4 10.0.0.1 → 10.0.0.2, UDP 1000 → 2000 with four bytes.
fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([
        0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x66, 0xca, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame.extend([0x03, 0xe8, 0x07, 0xd0, 0, 12, 0, 0, 1, 2, 3, 4]);
    frame
}

fn run(object: &str, program: &str, hook: Hook) -> Executed {
    let object = load_object(object, &one(object)).unwrap();
    let design = DesignName::MacHeader;
    let done = exec(&object, program, hook, &frame(), &[], design).unwrap();
    assert!(done.result.is_ok(), "{}: {:?}", object.name, done.result);
    done
}

fn r0(object: &str, program: &str, hook: Hook) -> i32 {
    run(object, program, hook).r0 as i32
}

/// What `SAY()` printed.
fn said(object: &str, program: &str, hook: Hook) -> Vec<i64> {
    let done = run(object, program, hook);
    done.trace
        .printk
        .iter()
        .map(|line| line.parse().unwrap())
        .collect()
}

/// tools/lib/bpf/libbpf.c, `section_defs`.
#[test]
fn section_names_say_the_type() {
    let object = load_object("sections.o", &one("sections.o")).unwrap();
    let types: Vec<_> = object
        .programs
        .iter()
        .map(|p| (p.section.as_str(), p.prog_type.name().to_owned()))
        .collect();
    let of = |section: &str| {
        let found = types.iter().find(|(name, _)| *name == section);
        found.unwrap_or_else(|| panic!("no {section}")).1.clone()
    };
    for section in ["xdp", "xdp.frags", "xdp/devmap"] {
        assert_eq!(of(section), "xdp");
    }
    for section in [
        "tc",
        "tcx/ingress",
        "tcx/egress",
        "netkit/primary",
        "netkit/peer",
        "classifier",
        "action",
    ] {
        assert_eq!(of(section), "sched_cls", "{section}");
    }
    for name in ["lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"] {
        assert_eq!(of(name), name);
    }
    for section in ["cgroup_skb/ingress", "cgroup_skb/egress", "cgroup/skb"] {
        assert_eq!(of(section), "cgroup_skb");
    }
    assert_eq!(
        (of("socket"), of("sk_skb/stream_verdict")),
        ("socket_filter".into(), "sk_skb".into())
    );
    // A section of another kind: the user says where the program runs.
    let other = object.program("p_kprobe").unwrap();
    assert_eq!(
        other.prog_type,
        ProgType::Unknown("kprobe/do_nothing".into())
    );
    assert_eq!(r0("sections.o", "p_kprobe", Hook::Xdp), 0);
    assert_eq!(r0("sections.o", "p_kprobe", Hook::Tc), 0);
    assert_eq!(r0("sections.o", "p_socket", Hook::Tc), 0);
}

#[test]
fn maps_of_every_type() {
    for object in each("maps") {
        let object = object.as_str();
        let hashes = said(object, "hashes", Hook::Tc);
        assert_eq!(
            hashes,
            [-2, 0, -17, -22, -2, -17, -22, 0, 1, 1, 0],
            "{object}"
        );
        let tries = said(object, "tries", Hook::Tc);
        assert_eq!(tries, [0, 0, 24, 8, 0, -22, -2], "{object}");
        let queues = said(object, "queues", Hook::Tc);
        assert_eq!(
            queues,
            [-2, 0, 0, 0, -7, 2, 2, 3, 2, -22, -2, 0, 0],
            "{object}"
        );
        let rings = said(object, "rings", Hook::Tc);
        assert_eq!(
            rings,
            [16, 4096, 32, 0, -22, 0, 0, -2, -7, -22, -14],
            "{object}: libbpf opens an event for each CPU, and there is one"
        );
        let done = run(object, "rings", Hook::Tc);
        let records = |name: &str| {
            let map = done.trace.maps.iter().find(|m| m.def.name == name).unwrap();
            map.records.clone()
        };
        assert_eq!(
            records("m_ring"),
            [42u64.to_le_bytes().to_vec(), vec![9, 0, 0, 0]]
        );
        // The first two bytes of the packet come behind the record.
        assert_eq!(records("m_perf"), [vec![9, 0, 0, 0, 2, 0]]);
    }
}

#[test]
fn maps_of_the_old_section() {
    for object in each("legacy_maps") {
        let object = object.as_str();
        let done = run(object, "count", Hook::Xdp);
        assert_eq!(done.r0, 2);
        let entries: Vec<_> = done.trace.maps.iter().map(|m| m.entries.clone()).collect();
        let key = vec![3, 0, 0, 0];
        assert_eq!(entries[0], [(key.clone(), 5u64.to_le_bytes().to_vec())]);
        assert_eq!(entries[1], [(key.clone(), key)]);
    }
}

/// table[1] + 6; sums[1] is 207, own 22.
#[test]
fn data_sections() {
    for object in each("globals") {
        let object = object.as_str();
        let done = run(object, "globals", Hook::Tc);
        assert_eq!(done.r0, 8, "{object}");
        let value = |name: &str| {
            let map = done.trace.maps.iter().find(|m| m.def.name == name).unwrap();
            map.entries[0].1.clone()
        };
        assert!(value(".data").windows(8).any(|w| w == 207u64.to_le_bytes()));
        assert_eq!(value(".data.own"), 22u32.to_le_bytes());
        assert_eq!(value(".bss"), 1u32.to_le_bytes());
    }
}

#[test]
fn text_helpers() {
    let lines = run("strings.o", "strings", Hook::Tc).trace.printk;
    let expected = [
        "4",
        "42",
        "-22",
        "-1", // "0x2a…" against "0x2b"
        "11", // "abcd 12345" and its NUL
        "abcd 12|",
        "10.0.0.1 010.000.000.001",
        "1 2 3 4 5",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn externs() {
    // KERNEL_VERSION(7, 2, 13)
    assert_eq!(r0("kconfig.o", "kconfig", Hook::Tc), 0x07_02_0d);
    assert_eq!(r0("ksyms.o", "ksyms", Hook::Tc), 1);
}

#[test]
fn functions_of_one_object() {
    for object in each("functions") {
        let object = object.as_str();
        assert_eq!(r0(object, "first", Hook::Xdp), 2);
        assert_eq!(r0(object, "second", Hook::Xdp), 3);
        assert_eq!(r0(object, "third", Hook::Tc), 92);
    }
}

#[test]
fn callbacks() {
    for object in each("callbacks") {
        let object = object.as_str();
        assert_eq!(
            said(object, "callbacks", Hook::Tc),
            [5, 10, 3, 606],
            "{object}"
        );
    }
}

#[test]
fn tail_calls_through_a_map_that_the_object_fills() {
    let done = run("tail_calls.o", "first", Hook::Xdp);
    assert_eq!(done.r0, 3);
    let runs: Vec<_> = done.trace.runs.iter().map(|r| r.program.as_str()).collect();
    assert_eq!(runs, ["first", "second", "third"]);
}

/// Offsets from the BTF of the recorded kernel (`bpftool btf dump`), the rest by libbpf's rules.
#[test]
fn core_relocations() {
    assert_eq!(
        said("core.o", "core", Hook::Tc),
        [
            168, 112, 45, 48, 8, 1, 0, 1, 0, 56, 24, 48, 1, 16, 4, 88, 128, 61, 61, 0
        ]
    );
    let object = load_object("core.o", &one("core.o")).unwrap();
    let design = DesignName::MacHeader;
    // what libbpf puts in the place of such an access is a call of no helper, which Linux refuses
    let refused = exec(&object, "poisoned", Hook::Tc, &frame(), &[], design).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.ends_with("invalid func unknown#195896080: invalid CO-RE relocation"),
        "{refused}"
    );
}

#[test]
fn dynptrs_of_packets_and_memory() {
    let common = [46, 0, 0, 0, 8, -7, -22, 0, 0, 0, 20, 46, -34, -22, 69, 0];
    let expected: Vec<i64> = [-22, 1, 0].iter().chain(&common).copied().collect();
    for (program, hook) in [("of_skb", Hook::Tc), ("of_xdp", Hook::Xdp)] {
        assert_eq!(said("dynptrs.o", program, hook), expected, "{program}");
        let packet = run("dynptrs.o", program, hook).packet;
        // Written by dynptr, and the TTL by the slice.
        assert_eq!(
            (&packet[..2], packet[22]),
            (&[0xaa, 0xbb][..], 33),
            "{program}"
        );
    }
    let memory = said("dynptrs.o", "of_memory", Hook::Tc);
    assert_eq!(memory, [0, 0, 7, -22, -7, 9, 0, -22]);
}

/// The header with the new address sums to 0xffff (RFC 1071).
#[test]
fn nat() {
    for object in each("nat") {
        let object = object.as_str();
        let packet = run(object, "nat", Hook::Tc).packet;
        assert_eq!(packet[30..34], [192, 0, 2, 7]);
        let words = packet[14..34].chunks(2);
        let sum: u32 = words
            .map(|w| u32::from(u16::from_be_bytes([w[0], w[1]])))
            .sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "{object}");
    }
}

/// (1+2+3+4) * 100 + 0 + 0 + (-2 - 1 + 0)
#[test]
fn open_coded_iterators() {
    assert_eq!(r0("iterators.o", "iterators", Hook::Tc), 997);
}

/// 5 * 1000 + 8 * 100 + 10 + 1
#[test]
fn atomics() {
    assert_eq!(r0("atomics.o", "atomics", Hook::Xdp), 5811);
}

/// 67 + 0x3412 + 4294967279 / 1000, in each version of the instruction set.
#[test]
fn arithmetic_in_every_version() {
    for cpu in ["v1", "v2", "v3", "v4"] {
        let object = format!("arithmetic.{cpu}.o");
        assert_eq!(
            r0(&object, "arithmetic", Hook::Xdp),
            67 + 0x3412 + 4_294_967,
            "{cpu}"
        );
    }
    assert_eq!(
        r0("signed_v4.o", "signed_v4", Hook::Xdp),
        -14 - 200 - 30_000
    );
}

/// 0x1234 + 5 + 6 + 2 + 70 + 74 + 9
#[test]
fn context_stores() {
    for object in each("context") {
        let object = object.as_str();
        assert_eq!(r0(object, "context", Hook::Tc), 0x1234 + 166, "{object}");
    }
}

#[test]
fn a_parser() {
    for object in each("parse") {
        let object = object.as_str();
        let done = run(object, "parse", Hook::Xdp);
        assert_eq!(done.r0, 2);
        let one = 1u64.to_le_bytes().to_vec();
        // Port 2000, in host order.
        assert_eq!(
            done.trace.maps[0].entries,
            [(vec![0xd0, 0x07], one)],
            "{object}"
        );
    }
}

#[test]
fn programs_of_aya() {
    let done = run("count.aya.o", "count", Hook::Xdp);
    assert_eq!(done.r0, 2);
    let count = (vec![2, 0, 0, 0], 1u64.to_le_bytes().to_vec());
    assert_eq!(done.trace.maps[0].entries, [count]);
    let done = run("filter.aya.o", "classify", Hook::Tc);
    assert_eq!(done.r0, 0);
    let seen = done
        .trace
        .maps
        .iter()
        .find(|m| m.def.name == "SEEN")
        .unwrap();
    // Key 0x0800, value 0 + 3.
    assert_eq!(seen.entries, [(vec![0, 8, 0, 0], vec![3, 0, 0, 0])]);
    let done = run("events.aya.o", "events", Hook::Xdp);
    assert_eq!(done.r0, 2);
    for map in ["RING", "PERF"] {
        let map = done.trace.maps.iter().find(|m| m.def.name == map).unwrap();
        assert_eq!(map.records, [46u32.to_le_bytes()], "{}", map.def.name);
    }
    // No prefix fits, and the devmap has no entry: the flags are XDP_PASS.
    assert_eq!(r0("prefixes.aya.o", "prefixes", Hook::Xdp), 2);
}

/// A user fills maps before the run: the prefix 10.0.0.0/8 is blocked, others go out of device 3.
#[test]
fn maps_are_filled_from_outside() {
    let object = || load_object("prefixes.aya.o", &one("prefixes.aya.o")).unwrap();
    let go = |object: &headroom_core::bpf::Object| {
        let design = DesignName::MacHeader;
        exec(object, "prefixes", Hook::Xdp, &frame(), &[], design).unwrap()
    };
    let mut blocked = object();
    let key = [8, 0, 0, 0, 10, 0, 0, 0];
    assert_eq!(
        blocked.set_map_entry("BLOCKED", &key, &[1, 0, 0, 0]),
        Ok(())
    );
    assert_eq!(go(&blocked).r0, 1);
    let mut out = object();
    assert_eq!(
        out.set_map_entry("OUT", &[0; 4], &[3, 0, 0, 0, 0, 0, 0, 0]),
        Ok(())
    );
    assert_eq!(go(&out).r0, 4);
    let say = |map: &str, key: &[u8], value: &[u8]| {
        let error = object().set_map_entry(map, key, value).unwrap_err();
        error.to_string()
    };
    assert_eq!(say("NONE", &[], &[]), "there is no map `NONE`");
    assert_eq!(
        say("OUT", &[0], &[0; 4]),
        "map `OUT`: key of 1 bytes; it must have 4"
    );
    assert_eq!(say("OUT", &[2, 0, 0, 0], &[0; 8]), "map `OUT`: error -7");
    // A prefix longer than the address.
    assert_eq!(
        say("BLOCKED", &[33, 0, 0, 0, 1, 2, 3, 4], &[0; 4]),
        "map `BLOCKED`: error -22"
    );
}
