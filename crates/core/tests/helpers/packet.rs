//! Helpers over a simulated packet. Expected values are worked out from net/core/filter.c and
//! kernel/bpf/helpers.c (Linux 7.2), by hand.

use headroom_core::bpf::{MapDef, MapKind};
use headroom_core::stack::Hook;

use crate::bench::{frame, map, r0, run, run_with};

/// The result of a program whose verdict is a helper's return value.
fn ret(hook: Hook, text: &str) -> i32 {
    r0(hook, text) as i32
}

const EINVAL: i32 = -22;
const EFAULT: i32 = -14;

#[test]
fn xdp_adjust_tail_grows_with_zeros_and_shrinks() {
    let tail = |by: i32| run(Hook::Xdp, &format!("r2 = {by}\ncall 65\nexit"));
    let grown = tail(4);
    assert_eq!((grown.r0, grown.packet.len()), (0, 50));
    assert_eq!(grown.packet[46..], [0; 4]);
    assert_eq!(tail(-6).packet, frame()[..40]);
    // Less than an Ethernet header stays; more than the buffer has.
    assert_eq!(tail(-33).r0 as i32, EINVAL);
    assert_eq!(tail(-32).packet.len(), 14);
    assert_eq!(tail(0x10000).r0 as i32, EINVAL);
}

#[test]
fn xdp_store_bytes_and_the_length() {
    let store = |offset: i32| {
        run(
            Hook::Xdp,
            &format!(
                "r7 = 0x55667788\n*(u32 *)(r10 -4) = r7\nr2 = {offset}\nr3 = r10\nr3 += -4\nr4 = 4\n\
                 call 190\nexit"
            ),
        )
    };
    let done = store(42);
    assert_eq!(
        (done.r0, &done.packet[42..]),
        (0, &[0x88, 0x77, 0x66, 0x55][..])
    );
    assert_eq!(store(43).r0 as i32, EINVAL);
    assert_eq!(store(0x10000).r0 as i32, EFAULT);
    assert_eq!(ret(Hook::Xdp, "call 188\nexit"), 46);
}

#[test]
fn xdp_redirect_takes_no_flags() {
    assert_eq!(ret(Hook::Xdp, "r1 = 3\nr2 = 0\ncall 23\nexit"), 4);
    assert_eq!(ret(Hook::Xdp, "r1 = 3\nr2 = 1\ncall 23\nexit"), 0);
}

/// `__bpf_xdp_redirect_map()`: the lower two bits of the flags are the verdict without an entry.
#[test]
fn redirect_map_without_an_entry_gives_the_flags() {
    let go = |flags: i32| {
        let devs = map("devs", MapKind::Devmap, [4, 4, 4]);
        let text = format!("r1 = map[devs]\nr2 = 1\nr3 = {flags}\ncall 51\nexit");
        run_with(Hook::Xdp, &[("main", &text)], vec![devs]).r0
    };
    assert_eq!((go(0), go(1), go(2), go(3)), (0, 1, 2, 3));
    // A flag that a devmap does not know.
    assert_eq!(go(0x20 | 2), 0);
}

#[test]
fn load_bytes_relative_counts_from_a_header() {
    let load = |offset: i32, from: i32| {
        format!(
            "*(u64 *)(r10 -8) = 0x7f\nr2 = {offset}\nr3 = r10\nr3 += -8\nr4 = 4\nr5 = {from}\ncall 68\n\
             if r0 != 0 goto +1\nr0 = *(u32 *)(r10 -8)\nexit"
        )
    };
    // The source address, from the network header and from the MAC header.
    let address = i32::from_le_bytes([10, 0, 0, 1]);
    assert_eq!(ret(Hook::Tc, &load(12, 1)), address);
    assert_eq!(ret(Hook::Tc, &load(26, 0)), address);
    assert_eq!(ret(Hook::Tc, &load(29, 1)), EFAULT);
    assert_eq!(ret(Hook::Tc, &load(0, 2)), EFAULT);
}

/// Four bytes of the destination change, and the header's checksum with them; summing the new header
/// gives 0xffff, as RFC 1071 wants.
#[test]
fn l3_csum_replace_keeps_the_header_right() {
    let done = run(
        Hook::Tc,
        "r6 = r1\nr2 = 24\nr3 = 0x0200000a\nr4 = 0x6300000a\nr5 = 4\ncall 10\nr7 = r0\n\
         r1 = r6\nr8 = 0x6300000a\n*(u32 *)(r10 -4) = r8\nr2 = 30\nr3 = r10\nr3 += -4\nr4 = 4\n\
         r5 = 0\ncall 9\nr0 = r7\nexit",
    );
    assert_eq!(done.r0, 0);
    let header = &done.packet[14..34];
    assert_eq!(header[16..], [10, 0, 0, 99]);
    let sum: u32 = header
        .chunks(2)
        .map(|w| u32::from(u16::from_be_bytes([w[0], w[1]])))
        .sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    let refused = |offset: i32, flags: i32, from: i32| {
        let text = format!("r2 = {offset}\nr3 = {from}\nr4 = 0\nr5 = {flags}\ncall 10\nexit");
        ret(Hook::Tc, &text)
    };
    assert_eq!(refused(25, 4, 0), EFAULT);
    assert_eq!(refused(0x10000, 4, 0), EFAULT);
    assert_eq!(refused(24, 3, 0), EINVAL);
    assert_eq!(refused(24, 0x14, 0), EINVAL);
    // Size 0 means a difference: from must be 0.
    assert_eq!(refused(24, 0, 1), EINVAL);
}

/// UDP without a checksum stays without with `BPF_F_MARK_MANGLED_0`.
#[test]
fn l4_csum_replace_leaves_a_missing_checksum() {
    let replace = |flags: i32| {
        let text = format!("r2 = 40\nr3 = 1\nr4 = 2\nr5 = {flags}\ncall 11\nexit");
        let done = run(Hook::Tc, &text);
        assert_eq!(done.r0, 0);
        [done.packet[40], done.packet[41]]
    };
    assert_eq!(replace(0x22), [0, 0]);
    // ~(~0 - 1 + 2): one less than before, in one's complement, bytes as in memory
    assert_eq!(replace(0x02), [0xfe, 0xff]);
}

#[test]
fn csum_level_counts_up_to_three() {
    let level = |calls: &[i32]| {
        let text: String = calls
            .iter()
            .map(|l| format!("r1 = r6\nr2 = {l}\ncall 135\n"))
            .collect();
        ret(Hook::Tc, &format!("r6 = r1\n{text}exit"))
    };
    const QUERY: i32 = 0;
    assert_eq!(level(&[QUERY]), -13);
    assert_eq!(level(&[1, QUERY]), 0);
    assert_eq!(level(&[1, 1, 1, QUERY]), 2);
    assert_eq!(level(&[1, 1, 1, 1, 1, QUERY]), 3);
    // one down is one less, and below 0 the checksum is not known to be right any more
    assert_eq!(level(&[1, 1, 1, 2, QUERY]), 1);
    assert_eq!(level(&[1, 1, 2, QUERY]), 0);
    assert_eq!(level(&[1, 2, QUERY]), -13);
    assert_eq!(level(&[1, 1, 3, QUERY]), -13);
    assert_eq!(level(&[4]), EINVAL);
}

#[test]
fn change_type_knows_four() {
    let text = |t: i32| {
        format!("r6 = r1\nr2 = {t}\ncall 32\nif r0 != 0 goto +1\nr0 = *(u32 *)(r6 +4)\nexit")
    };
    assert_eq!(ret(Hook::Tc, &text(3)), 3);
    assert_eq!(ret(Hook::Tc, &text(4)), EINVAL);
}

#[test]
fn ecn_is_set_only_on_a_packet_that_can_have_it() {
    let mark = |tos: u8| {
        run(
            Hook::Tc,
            &format!(
                "r6 = r1\n*(u8 *)(r10 -1) = {tos}\nr2 = 15\nr3 = r10\nr3 += -1\nr4 = 1\nr5 = 0\ncall 9\n\
                 r1 = r6\ncall 97\nexit"
            ),
        )
    };
    let (not_ect, ect0, ce) = (mark(0), mark(2), mark(3));
    assert_eq!((not_ect.r0, not_ect.packet[15]), (0, 0));
    assert_eq!((ect0.r0, ect0.packet[15]), (1, 3));
    assert_eq!((ce.r0, ce.packet[15]), (1, 3));
    // tos went up by one from 2 to 3: the checksum goes down by one
    assert_eq!(ect0.packet[24..26], [0x66, 0xc9]);
}

#[test]
fn the_hash_is_there_once_it_is_asked_for() {
    let before = ret(Hook::Tc, "r0 = *(u32 *)(r1 +68)\nexit");
    assert_eq!(before, 0);
    let same = "r6 = r1\ncall 34\nr7 = r0\nr0 = *(u32 *)(r6 +68)\nr0 ^= r7\nexit";
    assert_eq!(ret(Hook::Tc, same), 0);
    let set = "r6 = r1\nr2 = 77\ncall 48\nr1 = r6\ncall 34\nexit";
    assert_eq!(ret(Hook::Tc, set), 77);
    let cleared = "r6 = r1\nr2 = 77\ncall 48\nr1 = r6\ncall 41\nr0 = *(u32 *)(r6 +68)\nexit";
    assert_eq!(ret(Hook::Tc, cleared), 0);
}

#[test]
fn context_fields_are_written() {
    let write = |off: i32, value: i32| {
        let text =
            format!("r2 = {value}\n*(u32 *)(r1 +{off}) = r2\nr0 = *(u32 *)(r1 +{off})\nexit");
        ret(Hook::Tc, &text)
    };
    assert_eq!(write(8, 0x1234_5678), 0x1234_5678); // mark
    assert_eq!(write(32, 7), 7); // priority
    assert_eq!(write(44, 0x1_0002), 2); // tc_index has 16 bits
    assert_eq!(write(72, 0x1_0003), 3); // tc_classid too
    assert_eq!(write(12, 9), 9); // queue_mapping
    assert_eq!(write(12, 0xffff), 0); // NO_QUEUE_MAPPING is not written
    assert_eq!(write(64, 5), 5); // cb[4]
    let narrow = "r2 = 0x11223344\n*(u32 *)(r1 +48) = r2\n*(u8 *)(r1 +49) = 0xff\n\
                  r0 = *(u32 *)(r1 +48)\nexit";
    assert_eq!(ret(Hook::Tc, narrow), 0x1122_ff44);
    let wide = "r2 = 0x1122334455667788\n*(u64 *)(r1 +56) = r2\nr0 = *(u32 *)(r1 +60)\nexit";
    assert_eq!(ret(Hook::Tc, wide), 0x1122_3344);
    let done = run(Hook::Tc, "r2 = 1\n*(u32 *)(r1 +44) = r2\nr0 = 0\nexit");
    let texts: Vec<_> = done.trace.runs[0]
        .listing
        .lines
        .iter()
        .map(|l| &l.text)
        .collect();
    assert_eq!(texts[1], "*(u16 *)(r1 +134) = r2");
}

/// `skb->tstamp` written at ingress makes `tstamp_type` 0 unless the program reads it.
#[test]
fn time_stamps() {
    let set = |stamp: i64, kind: i32| format!("r2 = {stamp}\nr3 = {kind}\ncall 192\n");
    assert_eq!(ret(Hook::Tc, &(set(5, 1) + "exit")), 0);
    assert_eq!(ret(Hook::Tc, &(set(0, 1) + "exit")), EINVAL);
    assert_eq!(ret(Hook::Tc, &(set(5, 3) + "exit")), EINVAL);
    let shown = |more: &str| {
        let text = format!("r6 = r1\n{}r0 = *(u64 *)(r6 +152)\n{more}exit", set(5, 1));
        ret(Hook::Tc, &text)
    };
    // exec runs at ingress without the flag tc_at_ingress of a clsact path
    let aware = "r7 = *(u8 *)(r6 +180)\n";
    assert_eq!(shown(aware), 5);
}

/// The key that a program sets is a transmit key: its remote address is where the packet goes.
#[test]
fn tunnel_keys_and_options() {
    let none = "*(u64 *)(r10 -48) = 0\nr2 = r10\nr2 += -48\nr3 = 44\nr4 = 0\ncall 20\nexit";
    assert_eq!(ret(Hook::Tc, none), EINVAL);
    let zero: String = (1..=6)
        .map(|i| format!("*(u64 *)(r10 -{}) = 0\n", i * 8))
        .collect();
    let key = |more: &str| {
        format!(
            "r6 = r1\n{zero}*(u32 *)(r10 -48) = 7\n*(u32 *)(r10 -44) = 0x0a000009\n\
             *(u8 *)(r10 -27) = 64\nr2 = r10\nr2 += -48\nr3 = 44\nr4 = 0\ncall 21\n{more}exit"
        )
    };
    assert_eq!(ret(Hook::Tc, &key("")), 0);
    let get = |off: i32, flags: i32| {
        format!(
            "r1 = r6\nr2 = r10\nr2 += -48\nr3 = 44\nr4 = {flags}\ncall 20\nif r0 != 0 goto +1\n\
             r0 = *(u32 *)(r10 -{off})\n"
        )
    };
    assert_eq!(ret(Hook::Tc, &key(&get(48, 0))), 7);
    // remote is the source of the info, local its destination
    assert_eq!(ret(Hook::Tc, &key(&get(44, 0))), 0);
    assert_eq!(ret(Hook::Tc, &key(&get(20, 0))), 0x0a00_0009);
    assert_eq!(ret(Hook::Tc, &key(&get(48, 1))), -71);
    assert_eq!(ret(Hook::Tc, &key(&get(48, 2))), EINVAL);
    let option = |len: i32| {
        format!(
            "r1 = r6\nr2 = r10\nr2 += -48\nr3 = {len}\ncall 30\nif r0 != 0 goto +5\nr1 = r6\nr2 = r10\n\
             r2 += -48\nr3 = 16\ncall 29\n"
        )
    };
    assert_eq!(ret(Hook::Tc, &key(&option(8))), 8);
    assert_eq!(ret(Hook::Tc, &key(&option(6))), EINVAL);
    assert_eq!(ret(Hook::Tc, &key(&option(20))), -12);
}

#[test]
fn redirects_of_tc_check_their_flags() {
    assert_eq!(ret(Hook::Tc, "r1 = 1\nr2 = 0\ncall 155\nexit"), 7);
    assert_eq!(ret(Hook::Tc, "r1 = 1\nr2 = 1\ncall 155\nexit"), 2);
    let neigh = |plen: i32, flags: i32| {
        let zero = "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -24) = 0\n";
        let call = format!("r2 = r10\nr2 += -24\nr3 = {plen}\nr4 = {flags}\ncall 152\nexit");
        ret(Hook::Tc, &format!("{zero}r1 = 1\n{call}"))
    };
    assert_eq!(
        (neigh(0, 0), neigh(20, 0), neigh(19, 0), neigh(0, 1)),
        (7, 7, 2, 2)
    );
}

#[test]
fn a_packet_from_a_device_has_no_socket() {
    let ask = |id: i32| ret(Hook::Tc, &format!("call {id}\nexit"));
    assert_eq!((ask(46), ask(47), ask(79), ask(24)), (0, 65534, 0, 0));
}

/// A tail call goes on in the other program with the same packet; an empty index just falls through.
#[test]
fn tail_calls() {
    let jumps = MapDef {
        details: Default::default(),
        programs: vec![(1, "second".to_owned())],
        ..map("jumps", MapKind::ProgArray, [4, 4, 3])
    };
    let first = |index: i32| format!("r2 = map[jumps]\nr3 = {index}\ncall 12\nr0 = 1\nexit");
    let second = "r0 = *(u32 *)(r1 +0)\nexit";
    let go = |index: i32| {
        let programs = [("main", &*first(index)), ("second", second)];
        run_with(Hook::Tc, &programs, vec![jumps.clone()])
    };
    assert_eq!((go(0).r0, go(1).r0, go(3).r0), (1, 46, 1));
    let runs: Vec<_> = go(1).trace.runs.iter().map(|r| r.program.clone()).collect();
    assert_eq!(runs, ["main", "second"]);
    // 33 tail calls, then the call falls through
    let again = "r6 = *(u32 *)(r1 +48)\nr6 += 1\n*(u32 *)(r1 +48) = r6\nr7 = r1\nr2 = map[jumps]\nr3 = 1\n\
                 call 12\nr0 = *(u32 *)(r7 +48)\nexit";
    let programs = [("second", again)];
    assert_eq!(run_with(Hook::Tc, &programs, vec![jumps.clone()]).r0, 34);
}

/// `bpf_loop()`: the callback's 1 ends it; the result counts the calls.
#[test]
fn loops_call_back() {
    let text = |count: i32, flags: i32| {
        format!(
            "*(u64 *)(r10 -8) = 0\nr1 = {count}\nr2 = subprog[+9]\nr3 = r10\nr3 += -8\nr4 = {flags}\n\
             call 181\nr1 = *(u64 *)(r10 -8)\nr1 <<= 16\nr0 |= r1\nexit\n\
             r3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nif r1 != 9 goto +1\nr0 = 1\nexit"
        )
    };
    // 0 + 1 + 2 + 3, four calls; up to 9 it ends after the tenth.
    assert_eq!(ret(Hook::Tc, &text(4, 0)), 6 << 16 | 4);
    assert_eq!(ret(Hook::Tc, &text(100, 0)), 45 << 16 | 10);
    assert_eq!(ret(Hook::Tc, &text(0, 0)), 0);
    let failed = run(Hook::Tc, &text(0x80_0001, 0)).r0 as i64;
    assert_eq!(failed, -7);
    assert_eq!(run(Hook::Tc, &text(1, 1)).r0 as i64, -22);
}

#[test]
fn for_each_map_elem_shows_key_and_value() {
    let numbers = map("numbers", MapKind::Array, [4, 8, 4]);
    let text = "r6 = r1\n*(u32 *)(r10 -4) = 2\nr1 = map[numbers]\nr2 = r10\nr2 += -4\ncall 1\n\
                if r0 == 0 goto +1\n*(u64 *)(r0 +0) = 40\n\
                *(u64 *)(r10 -16) = 0\nr1 = map[numbers]\nr2 = subprog[+8]\nr3 = r10\nr3 += -16\nr4 = 0\n\
                call 164\nr1 = *(u64 *)(r10 -16)\nr0 = r1\nexit\n\
                r5 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r3 +0)\nr5 += r1\nr1 = *(u64 *)(r4 +0)\nr5 += r1\n\
                *(u64 *)(r4 +0) = r5\nr0 = 0\nexit";
    let done = run_with(Hook::Tc, &[("main", text)], vec![numbers]);
    // keys 0 + 1 + 2 + 3, and the one value
    assert_eq!(done.r0, 46);
    let entries = &done.trace.maps[0].entries;
    assert_eq!(entries, &[(vec![2, 0, 0, 0], 40u64.to_le_bytes().to_vec())]);
}

/// `bpf_dynptr_memset()`, `bpf_dynptr_copy()` (kernel/bpf/helpers.c) over a map's value and the packet.
#[test]
fn dynptrs_are_filled_and_copied() {
    let words = || map("words", MapKind::Array, [4, 8, 1]);
    let go = |call: &str| {
        let text = format!(
            "r6 = r1\n*(u32 *)(r10 -4) = 0\nr1 = map[words]\nr2 = r10\nr2 += -4\ncall 1\n\
             if r0 != 0 goto +1\nexit\nr7 = r0\nr1 = r0\nr2 = 8\nr3 = 0\nr4 = r10\nr4 += -24\ncall 197\n\
             r1 = r6\nr2 = 0\nr3 = r10\nr3 += -40\ncall bpf_dynptr_from_skb\n{call}\nexit"
        );
        let done = run_with(Hook::Tc, &[("main", &text)], vec![words()]);
        assert!(done.result.is_ok(), "{:?}", done.result);
        let value = done.trace.maps[0].entries.first().map(|(_, v)| v.clone());
        (done.r0 as i32, value.unwrap_or_default())
    };
    let fill = |offset: i32, size: i32| {
        go(&format!(
            "r1 = r10\nr1 += -24\nr2 = {offset}\nr3 = {size}\nr4 = 0x155\ncall bpf_dynptr_memset"
        ))
    };
    // One byte is what counts of the value.
    assert_eq!(fill(2, 4), (0, vec![0, 0, 0x55, 0x55, 0x55, 0x55, 0, 0]));
    assert_eq!(fill(5, 4), (-7, vec![]));
    let copy = |from: i32, size: i32| {
        go(&format!(
            "r1 = r10\nr1 += -24\nr2 = 1\nr3 = r10\nr3 += -40\nr4 = {from}\nr5 = {size}\ncall bpf_dynptr_copy"
        ))
    };
    // The source address of the packet.
    assert_eq!(copy(26, 4), (0, vec![0, 10, 0, 0, 1, 0, 0, 0]));
    assert_eq!(copy(26, 8).0, -7);
    assert_eq!(copy(44, 4).0, -7);
}
