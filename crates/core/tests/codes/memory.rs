//! Dynptrs over memory, packet and metadata (kernel/bpf/helpers.c, net/core/filter.c).

use headroom_core::bpf::{MapDef, MapKind};

use crate::bench::map;
use crate::row::*;

/// A dynptr over a value of 16 bytes, or of another size, at r10 - 16; the value's address is in r7.
fn from_mem(size: &str, flags: &str) -> String {
    "*(u64 *)(r10 -24) = 0\nr1 = map[value]\nr2 = r10\nr2 += -24\ncall bpf_map_lookup_elem\nif r0 != 0 goto +1\nexit\nr7 = r0\nr1 = r0\n"
        .to_owned()
        + &format!("r2 = {size}\nr3 = {flags}\nr4 = r10\nr4 += -16\ncall bpf_dynptr_from_mem\n")
}

fn value(size: u32) -> MapDef {
    map("value", MapKind::Array, [4, size, 1])
}

/// A dynptr over the packet at r10 - 16.
fn from_skb(flags: &str) -> String {
    call("bpf_dynptr_from_skb", &["ctx", flags, "fp-16"])
}

fn from_xdp(flags: &str) -> String {
    call("bpf_dynptr_from_xdp", &["ctx", flags, "fp-16"])
}

/// Eight bytes at r10 - 40.
fn read(offset: &str, flags: &str) -> String {
    "*(u64 *)(r10 -40) = 0\n".to_owned()
        + &call("bpf_dynptr_read", &["fp-40", "8", "fp-16", offset, flags])
}

fn write(offset: &str, flags: &str) -> String {
    "*(u64 *)(r10 -40) = 0\n".to_owned()
        + &call("bpf_dynptr_write", &["fp-16", offset, "fp-40", "8", flags])
}

fn mem(name: &'static str, code: Code, source: &'static str, calls: &[String]) -> Row {
    Row::tc(name, code, source, &calls.concat()).with(&[value(16)])
}

fn made() -> Vec<Row> {
    let big = from_mem("0x1000000", "0");
    let meta = |flags: &str| call("bpf_dynptr_from_skb_meta", &["ctx", flags, "fp-16"]);
    vec![
        Row::tc("bpf_dynptr_from_mem", E2BIG, "bpf_dynptr_check_size", &big)
            .with(&[value(1 << 24)]),
        mem(
            "bpf_dynptr_from_mem",
            EINVAL,
            "bpf_dynptr_from_mem: flags",
            &[from_mem("16", "1")],
        ),
        Row::tc(
            "bpf_dynptr_from_skb",
            EINVAL,
            "bpf_dynptr_from_skb: flags",
            &from_skb("1"),
        ),
        Row::xdp(
            "bpf_dynptr_from_xdp",
            EINVAL,
            "bpf_dynptr_from_xdp: flags",
            &from_xdp("1"),
        ),
        Row::tc(
            "bpf_dynptr_from_skb_meta",
            EINVAL,
            "bpf_dynptr_from_skb_meta: flags",
            &meta("1"),
        ),
    ]
}

/// `bpf_dynptr_read()` and `bpf_dynptr_write()`. A dynptr of a packet that has become shorter reaches behind its end.
fn bytes() -> Vec<Row> {
    let null = from_mem("16", "1");
    let here = from_mem("16", "0");
    let shorter = from_skb("0") + &call("bpf_skb_change_tail", &["ctx", "40", "0"]);
    let shrunk = from_xdp("0") + &call("bpf_xdp_adjust_tail", &["ctx", "-6"]);
    let meta = call("bpf_dynptr_from_skb_meta", &["ctx", "0", "fp-16"]);
    let nothing = "*(u64 *)(r10 -40) = 0\n".to_owned()
        + &call("bpf_dynptr_write", &["fp-16", "0", "fp-40", "0", "1"]);
    let mut rows = Vec::new();
    for (name, access) in [
        ("bpf_dynptr_read", read as fn(&str, &str) -> String),
        ("bpf_dynptr_write", write),
    ] {
        let both =
            |before: &String, offset: &str, flags: &str| before.clone() + &access(offset, flags);
        rows.extend([
            mem(
                name,
                EINVAL,
                "__bpf_dynptr_read, _write: null",
                &[both(&null, "0", "0")],
            ),
            mem(
                name,
                E2BIG,
                "bpf_dynptr_check_off_len",
                &[both(&here, "9", "0")],
            ),
            mem(
                name,
                EINVAL,
                "__bpf_dynptr_read, _write: flags",
                &[both(&here, "0", "1")],
            ),
            Row::tc(
                name,
                EFAULT,
                "__bpf_skb_load_bytes, _store_bytes",
                &both(&shorter, "38", "0"),
            ),
            Row::xdp(name, EINVAL, "bpf_xdp_pointer", &both(&shrunk, "38", "0")),
            Row::xdp(
                name,
                EINVAL,
                "__bpf_dynptr_read, _write: flags",
                &both(&from_xdp("0"), "0", "1"),
            ),
        ]);
    }
    rows.extend([
        Row::tc(
            "bpf_dynptr_write",
            EINVAL,
            "__bpf_skb_store_bytes: flags",
            &(from_skb("0") + &write("0", "4")),
        ),
        Row::tc(
            "bpf_dynptr_write",
            EINVAL,
            "__bpf_skb_meta_store_bytes: flags",
            &(meta + &nothing),
        ),
        Row::tc(
            "bpf_dynptr_write",
            EINVAL,
            "__bpf_dynptr_is_rdonly",
            &(from_skb("0") + &write("0", "0")),
        )
        .of("socket"),
    ]);
    rows
}

fn addresses() -> Vec<Row> {
    let data = |offset: &str| call("bpf_dynptr_data", &["fp-16", offset, "8"]) + ANSWER;
    let slice = |name: &str, offset: &str| call(name, &["fp-16", offset, "0", "8"]) + ANSWER;
    // the address may not leave the program
    const ANSWER: &str = "if r0 == 0 goto +1\nr0 = 1\n";
    let null = from_mem("16", "1");
    let here = from_mem("16", "0");
    let shorter = from_skb("0") + &call("bpf_skb_change_tail", &["ctx", "40", "0"]);
    let (none, name) = (Code::Null, "bpf_dynptr_data");
    let mut rows = vec![
        mem(
            name,
            none,
            "bpf_dynptr_data: null",
            &[null.clone() + &data("0")],
        ),
        mem(
            name,
            none,
            "bpf_dynptr_check_off_len",
            &[here.clone() + &data("9")],
        ),
        Row::tc(
            name,
            none,
            "bpf_dynptr_data: of a packet",
            &(from_skb("0") + &data("0")),
        ),
    ];
    for name in ["bpf_dynptr_slice", "bpf_dynptr_slice_rdwr"] {
        rows.extend([
            mem(
                name,
                none,
                "bpf_dynptr_slice: null",
                &[null.clone() + &slice(name, "0")],
            ),
            mem(
                name,
                none,
                "bpf_dynptr_check_off_len",
                &[here.clone() + &slice(name, "9")],
            ),
            Row::tc(
                name,
                none,
                "skb_pointer_if_linear",
                &(shorter.clone() + &slice(name, "38")),
            ),
        ]);
    }
    rows
}

fn others() -> Vec<Row> {
    let null = from_mem("16", "1");
    let here = from_mem("16", "0");
    let adjust = |start: &str, end: &str| call("bpf_dynptr_adjust", &["fp-16", start, end]);
    let memset =
        |offset: &str, size: &str| call("bpf_dynptr_memset", &["fp-16", offset, size, "1"]);
    // to the memory from the packet, whose dynptr is at r10 - 56, and back
    let packet = |flags: &str| call("bpf_dynptr_from_skb", &["ctx", flags, "fp-56"]);
    let copy =
        |to: &str, from: &str, offset: &str| call("bpf_dynptr_copy", &[to, "0", from, offset, "8"]);
    let shorter = packet("0") + &call("bpf_skb_change_tail", &["ctx", "40", "0"]);
    let read_only = |text: String| {
        Row::tc("bpf_dynptr_copy", EINVAL, "__bpf_dynptr_is_rdonly", &text)
            .with(&[value(16)])
            .of("socket")
    };
    let set = "bpf_dynptr_memset";
    vec![
        mem(
            "bpf_dynptr_adjust",
            EINVAL,
            "bpf_dynptr_adjust: null",
            &[null.clone() + &adjust("0", "0")],
        ),
        mem(
            "bpf_dynptr_adjust",
            EINVAL,
            "bpf_dynptr_adjust: start > end",
            &[here.clone() + &adjust("2", "1")],
        ),
        mem(
            "bpf_dynptr_adjust",
            ERANGE,
            "bpf_dynptr_adjust: end > size",
            &[here.clone() + &adjust("0", "17")],
        ),
        mem(
            "bpf_dynptr_size",
            EINVAL,
            "bpf_dynptr_size: null",
            &[null.clone() + &call("bpf_dynptr_size", &["fp-16"])],
        ),
        mem(
            "bpf_dynptr_clone",
            EINVAL,
            "bpf_dynptr_clone: null",
            &[null.clone() + &call("bpf_dynptr_clone", &["fp-16", "fp-56"])],
        ),
        mem(
            "bpf_dynptr_copy",
            E2BIG,
            "__bpf_dynptr_read: 8 bytes of 46",
            &[here.clone() + &packet("0") + &copy("fp-16", "fp-56", "39")],
        ),
        mem(
            "bpf_dynptr_copy",
            EINVAL,
            "__bpf_dynptr_read: null",
            &[here.clone() + &packet("1") + &copy("fp-16", "fp-56", "0")],
        ),
        mem(
            "bpf_dynptr_copy",
            EFAULT,
            "__bpf_skb_load_bytes",
            &[here.clone() + &shorter + &copy("fp-16", "fp-56", "38")],
        ),
        mem(
            "bpf_dynptr_copy",
            E2BIG,
            "bpf_dynptr_check_off_len: both null",
            &[null.clone() + &packet("1") + &copy("fp-16", "fp-56", "0")],
        ),
        read_only(here.clone() + &packet("0") + &copy("fp-56", "fp-16", "0")),
        mem(
            set,
            E2BIG,
            "bpf_dynptr_check_off_len",
            &[here + &memset("9", "8")],
        ),
        mem(
            set,
            E2BIG,
            "bpf_dynptr_check_off_len: null",
            &[null + &memset("0", "1")],
        ),
        Row::tc(
            set,
            EFAULT,
            "__bpf_skb_store_bytes",
            &(from_skb("0")
                + &call("bpf_skb_change_tail", &["ctx", "40", "0"])
                + &memset("38", "8")),
        ),
        Row::tc(
            set,
            EINVAL,
            "__bpf_dynptr_is_rdonly",
            &(from_skb("0") + &memset("0", "8")),
        )
        .of("socket"),
    ]
}

/// No bytes of no dynptr: nothing is refused, since nothing is done (`bpf_dynptr_copy()`, `bpf_dynptr_memset()`).
#[test]
fn nothing_is_copied_and_filled() {
    let null = from_mem("16", "1") + &call("bpf_dynptr_from_skb", &["ctx", "1", "fp-56"]);
    let copy = call("bpf_dynptr_copy", &["fp-16", "0", "fp-56", "0", "0"]);
    let memset = call("bpf_dynptr_memset", &["fp-16", "0", "0", "1"]);
    for call in [copy, memset] {
        let row = mem("", Code::E("", 0), "", &[null.clone() + &call]);
        assert_eq!(row.run(), Ok(0), "{call}");
    }
}

pub fn rows() -> Vec<Row> {
    [made(), bytes(), addresses(), others()].concat()
}
