//! Text: formats, numbers (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).

use crate::bench::rodata;
use crate::row::*;

/// A format, and a string of 600 letters that starts at 64.
fn maps(format: &[u8]) -> Vec<headroom_core::bpf::MapDef> {
    let mut text = format.to_vec();
    text.resize(64, 0);
    text.extend([b'x'; 600]);
    text.push(0);
    vec![rodata("text", &text)]
}

/// `bpf_trace_printk()`: three numbers, or addresses of the long string.
fn printk(code: Code, source: &'static str, format: &[u8], size: usize) -> Row {
    let text = format!(
        "r3 = map[text][0]+64\nr4 = map[text][0]+64\nr5 = 0\nr1 = map[text][0]+0\nr2 = {size}\ncall bpf_trace_printk"
    );
    Row::tc("bpf_trace_printk", code, source, &text).with(&maps(format))
}

/// Two arguments: addresses of the long string.
fn arguments() -> String {
    "r7 = map[text][0]+64\n*(u64 *)(r10 -16) = r7\n*(u64 *)(r10 -8) = r7\n".to_owned()
}

fn vprintk(code: Code, source: &'static str, format: &[u8], len: &str) -> Row {
    let text = zeros(104)
        + &arguments()
        + &format!(
            "r1 = map[text][0]+0\nr2 = 12\nr3 = r10\nr3 += -{}\nr4 = {len}\ncall bpf_trace_vprintk",
            if len == "104" { "104" } else { "16" }
        );
    Row::tc("bpf_trace_vprintk", code, source, &text).with(&maps(format))
}

fn snprintf(code: Code, source: &'static str, format: &[u8], len: &str) -> Row {
    let text = zeros(112)
        + &arguments()
        + &format!(
            "r1 = r10\nr1 += -112\nr2 = 8\nr3 = map[text][0]+0\nr4 = r10\nr4 += -{}\nr5 = {len}\ncall bpf_snprintf",
            if len == "104" { "104" } else { "16" }
        );
    Row::tc("bpf_snprintf", code, source, &text).with(&maps(format))
}

fn formats() -> Vec<Row> {
    let mut rows = vec![
        printk(
            EINVAL,
            "bpf_bprintf_prepare: no end in the format",
            b"%u\0",
            2,
        ),
        vprintk(EINVAL, "bpf_trace_vprintk: data_len % 8", b"%u\0", "12"),
        vprintk(
            EINVAL,
            "bpf_trace_vprintk: MAX_BPRINTF_VARARGS",
            b"%u\0",
            "104",
        ),
        vprintk(
            EINVAL,
            "bpf_bprintf_prepare: too few arguments",
            b"%u %u %u\0",
            "16",
        ),
        snprintf(EINVAL, "bpf_snprintf: data_len % 8", b"%u\0", "12"),
        snprintf(EINVAL, "bpf_snprintf: MAX_BPRINTF_VARARGS", b"%u\0", "104"),
        snprintf(
            EINVAL,
            "bpf_bprintf_prepare: too few arguments",
            b"%u %u %u\0",
            "16",
        ),
    ];
    // arguments take 512 bytes at most: a string of 600 leaves none
    for (code, source, format) in [
        (
            EINVAL,
            "bpf_bprintf_prepare: neither text nor white space",
            &b"\x01\0"[..],
        ),
        (
            EINVAL,
            "bpf_bprintf_prepare: not ASCII behind %",
            b"%\xff\0",
        ),
        (EINVAL, "bpf_bprintf_prepare: %pI5", b"%pI5\0"),
        (EINVAL, "bpf_bprintf_prepare: %sx", b"%sx\0"),
        (EINVAL, "bpf_bprintf_prepare: %f", b"%f\0"),
        (EINVAL, "bpf_bprintf_prepare: % at the end", b"%\0"),
        (ENOSPC, "bpf_bprintf_prepare: %s", b"%s%s\0"),
        (ENOSPC, "bpf_bprintf_prepare: %c", b"%s%c\0"),
        (ENOSPC, "bpf_bprintf_prepare: %u", b"%s%u\0"),
        (ENOSPC, "bpf_bprintf_prepare: %pI4", b"%s%pI4\0"),
    ] {
        rows.push(printk(code, source, format, format.len()));
        rows.push(vprintk(code, source, format, "16"));
        rows.push(snprintf(code, source, format, "16"));
    }
    rows
}

fn numbers() -> Vec<Row> {
    let mut rows = Vec::new();
    for name in ["bpf_strtol", "bpf_strtoul"] {
        let number = |code, source, digits: &str, flags: u32| {
            let text = format!(
                "*(u64 *)(r10 -8) = 0\nr1 = map[text][0]+0\nr2 = {}\nr3 = {flags}\nr4 = r10\nr4 += -8\ncall {name}",
                digits.len()
            );
            Row::tc(name, code, source, &text).with(&[rodata("text", digits.as_bytes())])
        };
        rows.extend([
            number(EINVAL, "__bpf_strtoull: base", "12", 9),
            number(EINVAL, "__bpf_strtoull: flags", "12", 32 + 10),
            number(EINVAL, "__bpf_strtoull: nothing behind the sign", "-", 10),
            number(EINVAL, "__bpf_strtoull: white space alone", "  ", 10),
            number(EINVAL, "__bpf_strtoull: no digit", "x", 10),
            number(ERANGE, "KSTRTOX_OVERFLOW", "18446744073709551616", 10),
        ]);
        rows.extend(match name {
            "bpf_strtol" => vec![
                number(ERANGE, "__bpf_strtoll: positive", "9223372036854775808", 10),
                number(
                    ERANGE,
                    "__bpf_strtoll: negative",
                    "-9223372036854775809",
                    10,
                ),
            ],
            _ => vec![number(EINVAL, "bpf_strtoul: is_negative", "-1", 10)],
        });
    }
    rows
}

pub fn rows() -> Vec<Row> {
    [formats(), numbers()].concat()
}
