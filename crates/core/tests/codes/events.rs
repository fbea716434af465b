//! Ring buffers and perf events (kernel/bpf/ringbuf.c, net/core/filter.c, kernel/trace/bpf_trace.c).

use headroom_core::bpf::{MapDef, MapKind};

use crate::bench::map;
use crate::row::*;

fn ring() -> MapDef {
    map("ring", MapKind::Ringbuf, [0, 0, 4096])
}

fn output(code: Code, source: &'static str, size: &str, flags: &str) -> Row {
    let value = MapDef {
        initial: vec![0; 4096],
        ..map("value", MapKind::Data { read_only: false }, [4, 4096, 1])
    };
    let text = format!(
        "r1 = map[ring]\nr2 = map[value][0]+0\nr3 = {size}\nr4 = {flags}\ncall bpf_ringbuf_output"
    );
    Row::tc("bpf_ringbuf_output", code, source, &text).with(&[ring(), value])
}

/// A record of that size is reserved, and given back at the end.
fn while_reserved(size: u32, then: &str) -> String {
    let reserve = call("bpf_ringbuf_reserve", &["map:ring", &size.to_string(), "0"]);
    format!(
        "{reserve}if r0 == 0 goto none\nr7 = r0\n{then}r8 = r0\nr1 = r7\nr2 = 0\ncall bpf_ringbuf_discard\nr0 = r8\nexit\nnone: r0 = 77"
    )
}

fn reserve(name: &'static str, source: &'static str, size: &str, flags: &str) -> Row {
    let text = call(name, &["map:ring", size, flags])
        + "if r0 == 0 goto none\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_discard\nr0 = 77\nexit\nnone: r0 = 0";
    Row::tc(name, Code::Null, source, &text).with(&[ring()])
}

fn dynptrs() -> Vec<Row> {
    let one = |code, source, size: &str, flags: &str| {
        let text = call(
            "bpf_ringbuf_reserve_dynptr",
            &["map:ring", size, flags, "fp-16"],
        ) + "r7 = r0\nr1 = r10\nr1 += -16\nr2 = 0\ncall bpf_ringbuf_discard_dynptr\nr0 = r7";
        Row::tc("bpf_ringbuf_reserve_dynptr", code, source, &text).with(&[ring()])
    };
    vec![
        one(EINVAL, "bpf_ringbuf_reserve_dynptr: flags", "8", "1"),
        one(E2BIG, "bpf_dynptr_check_size", "0x1000000", "0"),
        one(EINVAL, "__bpf_ringbuf_reserve: no room", "4096", "0"),
    ]
}

fn perf() -> Vec<Row> {
    let events = map("events", MapKind::PerfEventArray, [4, 4, 2]);
    let send = |code, source, flags: &str| {
        let text = zeros(8)
            + &call(
                "bpf_perf_event_output",
                &["ctx", "map:events", flags, "fp-8", "8"],
            );
        let row = |hook: fn(&'static str, Code, &'static str, &str) -> Row| {
            hook("bpf_perf_event_output", code, source, &text).with(std::slice::from_ref(&events))
        };
        [row(Row::tc), row(Row::xdp)]
    };
    [
        send(
            EINVAL,
            "bpf_skb_event_output, bpf_xdp_event_output: flags",
            "0x0010000000000000 ll",
        ),
        send(
            EFAULT,
            "bpf_skb_event_output, bpf_xdp_event_output: 47 bytes of 46",
            "0x0000002f00000000 ll",
        ),
        send(E2BIG, "__bpf_perf_event_output: index", "2"),
        send(ENOENT, "__bpf_perf_event_output: no event there", "1"),
    ]
    .concat()
}

pub fn rows() -> Vec<Row> {
    // 8 bytes of header; the last byte of the ring is never used (bpf_ringbuf_has_space())
    let full = while_reserved(
        4072,
        &(zeros(8) + &call("bpf_ringbuf_output", &["map:ring", "fp-8", "8", "0"])),
    );
    let mut rows = vec![
        output(EINVAL, "bpf_ringbuf_output: flags", "8", "4"),
        output(
            EAGAIN,
            "__bpf_ringbuf_reserve: no room for 4088 bytes",
            "4088",
            "0",
        ),
        Row::tc(
            "bpf_ringbuf_output",
            EAGAIN,
            "bpf_ringbuf_has_space: while another is reserved",
            &full,
        )
        .with(&[ring()]),
        reserve(
            "bpf_ringbuf_reserve",
            "bpf_ringbuf_reserve: flags",
            "8",
            "1",
        ),
        reserve(
            "bpf_ringbuf_reserve",
            "bpf_ringbuf_has_space: 4096 bytes of 4096",
            "4088",
            "0",
        ),
        reserve(
            "bpf_ringbuf_reserve",
            "__bpf_ringbuf_reserve: longer than the ring",
            "4096",
            "0",
        ),
    ];
    rows.extend(dynptrs());
    rows.extend(perf());
    rows
}

/// `bpf_ringbuf_reserve()` with flags reserves nothing: no data wait then (`BPF_RB_AVAIL_DATA`).
#[test]
fn a_refused_record_takes_no_room() {
    let text = call("bpf_ringbuf_reserve", &["map:ring", "4072", "1"])
        + "if r0 != 0 goto some\n"
        + &call("bpf_ringbuf_query", &["map:ring", "0"])
        + "exit\nsome: r1 = r0\nr2 = 0\ncall bpf_ringbuf_discard\nr0 = 77";
    let row = Row::tc("bpf_ringbuf_query", Code::Null, "bpf_ringbuf_query", &text);
    assert_eq!(row.with(&[ring()]).run(), Ok(0));
}
