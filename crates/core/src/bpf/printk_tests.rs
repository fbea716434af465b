//! Formats, by hand from `bpf_bprintf_prepare()` (kernel/bpf/helpers.c), `bstr_printf()` (lib/vsprintf.c) and
//! Documentation/core-api/printk-formats.rst.

use super::*;

/// Memory at 0 holds `word` and its NUL; nothing lies above 0x1000.
fn bytes(address: u64, len: usize) -> Result<Vec<u8>, Fault> {
    if address >= 0x1000 {
        return Err(Fault::Access {
            insn: 0,
            what: "memory",
            off: address as i64,
            size: len as u32,
        });
    }
    let text = b"word\0";
    let at = (address as usize).min(text.len());
    Ok(text[at..(at + len).min(text.len())].to_vec())
}

fn result(fmt: &[u8], args: &[u64]) -> Result<Line, i64> {
    format(&[fmt, &[0]].concat(), args, MAX_LINE, bytes).unwrap()
}

fn say(fmt: &str, args: &[u64]) -> String {
    match result(fmt.as_bytes(), args) {
        Ok(line) => line_text(&line),
        Err(error) => format!("error {error}"),
    }
}

#[test]
fn numbers() {
    let minus = -42i64 as u64;
    assert_eq!(say("%u\n", &[42]), "42");
    assert_eq!(say("%d %ld %lld %i", &[minus; 4]), "-42 -42 -42 -42");
    // Without l, 32 bits count.
    let wide = 0x1_ffff_ffff;
    assert_eq!(
        say("%d %i %u %x %X", &[wide; 5]),
        "-1 -1 4294967295 ffffffff FFFFFFFF"
    );
    assert_eq!(
        say("%lu %llu %lx %llx %lX", &[wide; 5]),
        "8589934591 8589934591 1ffffffff 1ffffffff 1FFFFFFFF"
    );
    assert_eq!(say("%li", &[1 << 63]), "-9223372036854775808");
    assert_eq!(
        say("%05d|%-5d|%+d|% d|%3u", &[minus, 7, 7, 7, 7]),
        "-0042|7    |+7| 7|  7"
    );
    assert_eq!(say("%-05d|%+05d|%04x", &[7, 7, 0xab]), "7    |+0007|00ab");
    assert_eq!(say("%c%3c|%-3c|", &[65, 66, 67]), "A  B|C  |");
    assert_eq!(say("100%% %%", &[]), "100% %");
}

#[test]
fn strings_and_pointers() {
    assert_eq!(say("%s%% %c", &[0, 65]), "word% A");
    // Zeros do not fill a string.
    assert_eq!(say("%6s|%-6s|%06s|", &[0; 3]), "  word|word  |  word|");
    // What was copied before has no width.
    assert_eq!(say("%pks|%9pks|", &[0, 0]), "word|word|");
    // There is no user's memory, and none at other addresses.
    assert_eq!(say("<%pus> <%s> <%pks>", &[0x1000; 3]), "<> <> <>");
    let pointer = 0xffff_8881_0000_0000;
    assert_eq!(
        say("%px %p", &[pointer, 0]),
        "ffff888100000000 0000000000000000"
    );
    // A width takes the place of the 16 digits.
    assert_eq!(say("%4px|%04px|%-4px|", &[0xa; 3]), "   a|000a|a   |");
    assert_eq!(
        say("%ps %pS %pB %5ps|%5pB", &[16, 17, 18, 1, 1]),
        "0x10 0x11 0x12   0x1|0x1"
    );
    assert_eq!(say("%pI4", &[0]), "119.111.114.100");
    assert_eq!(say("%pi4", &[1]), "111.114.100.000");
    assert_eq!(say("%pI4", &[0x1000]), "0.0.0.0");
}

/// Documentation/core-api/printk-formats.rst, "IPv6 addresses".
#[test]
fn addresses_of_ipv6() {
    let address = |_: u64, _: usize| Ok((1..=16).collect());
    let say = |fmt: &[u8]| {
        format(fmt, &[0], MAX_LINE, address)
            .unwrap()
            .map(|l| line_text(&l))
    };
    let full = "0102:0304:0506:0708:090a:0b0c:0d0e:0f10";
    assert_eq!(say(b"%pI6\0").as_deref(), Ok(full));
    assert_eq!(say(b"%pi6\0"), Ok(full.replace(':', "")));
    // bstr_printf() passes over all letters and digits behind %p: there is no short form.
    assert_eq!(say(b"%pI6c-\0"), Ok(format!("{full}-")));
    assert_eq!(
        say(b"%pi6x9 z\0"),
        Ok(format!("{} z", full.replace(':', "")))
    );
}

#[test]
fn refused_formats() {
    for fmt in [
        "%n", "%f", "%", "%5", "%5%", "%pN", "%.2s", "%lc", "%ls", "%lp", "%lllu", "%hd", "%#x",
        "%*d", "%o", "%sx", "%s1", "%pksx", "%pk", "%pu", "%pI", "%pI5", "%p4", "\u{1}", "\u{7f}",
        "%\u{e9}", "%s\u{e9}",
    ] {
        assert_eq!(say(fmt, &[0]), "error -22", "{fmt:?}");
    }
    assert_eq!(say("%u %u", &[1]), "error -22");
    assert_eq!(say("%u", &[]), "error -22");
    // No NUL at the end.
    assert_eq!(format(b"%u", &[1], MAX_LINE, bytes), Ok(Err(-22)));
    // Letters of other languages may stand in text since 7.2, white space always could.
    assert_eq!(say("caf\u{e9}\t\u{b}%u", &[1]), "caf\u{e9}\t\u{b}1");
    // An argument without a conversion is nothing.
    assert_eq!(say("one", &[1, 2, 3]), "one");
}

/// 512 bytes hold the arguments: a string is cut to what is left, and what comes then has no room.
#[test]
fn arguments_have_512_bytes() {
    let long = |address: u64, _: usize| Ok(vec![if address < 600 { b'a' } else { 0 }]);
    let say = |fmt: &[u8], args: &[u64]| format(fmt, args, MAX_LINE, long).unwrap();
    assert_eq!(say(b"%s\0", &[0]).unwrap().len, 511);
    assert_eq!(say(b"%s%s\0", &[0, 0]), Err(-28));
    assert_eq!(say(b"%s%c\0", &[0, 65]), Err(-28));
    assert_eq!(say(b"%s%u\0", &[0, 65]), Err(-28));
    // 100 bytes and a NUL, three to align, eight; twice that is 224, and 288 are left for 287 bytes.
    let short = "%s%lu%s%lu%s\0".as_bytes();
    assert_eq!(
        say(short, &[500, 1, 500, 1, 0]).unwrap().len,
        100 + 1 + 100 + 1 + 287
    );
    // 496 bytes of numbers leave 16 for an address of IPv6, and none for the next.
    let numbers = "%lu".repeat(62);
    let with = |more: &str| say(format!("{numbers}{more}\0").as_bytes(), &[1; 64]);
    assert!(with("%pI6").is_ok());
    assert_eq!(with("%u%pI6"), Err(-28));
}

/// The result counts what would have been written; a line of the trace has 1023 bytes.
#[test]
fn long_lines_are_cut() {
    let line = result(b"%2000u\n", &[7]).unwrap();
    assert_eq!((line.len, line_text(&line).len()), (2001, 1023));
    let line = result(b"%-1022u\n", &[7]).unwrap();
    assert_eq!((line.len, line_text(&line).len()), (1023, 1022));
}
