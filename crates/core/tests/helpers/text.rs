//! `bpf_trace_printk()`, `bpf_trace_vprintk()`, `bpf_snprintf()`, `bpf_strtol()`, `bpf_strtoul()`, `bpf_strncmp()`.
//! What each format writes is tested beside `bpf/printk.rs`; here is the way there and back.

use headroom_core::stack::Hook;

use crate::bench::*;

/// The result is the length of the line, the newline too; three arguments.
#[test]
fn trace_printk_counts_and_prints() {
    let fmt = b"%u-%x %ld\n\0";
    let print = |size: usize| {
        let text =
            format!("r1 = map[text][0]+0\nr2 = {size}\nr3 = 7\nr4 = 0xab\nr5 = -1\ncall 6\nexit");
        run_maps(Hook::Xdp, &text, &[rodata("text", fmt)])
    };
    let done = print(fmt.len());
    assert_eq!(
        (ended(&done), &done.trace.printk[..]),
        (8, &["7-ab -1".to_owned()][..])
    );
    // Without its NUL it is no text.
    let cut = print(fmt.len() - 1);
    assert_eq!((ended(&cut), cut.trace.printk.len()), (EINVAL, 0));
}

/// Up to twelve arguments, eight bytes each.
#[test]
fn trace_vprintk_takes_an_array() {
    let fmt = b"%u %u %u %u\0";
    let print = |len: i32| {
        let text = format!(
            "*(u64 *)(r10 -104) = 1\n*(u64 *)(r10 -96) = 2\n*(u64 *)(r10 -88) = 3\n*(u64 *)(r10 -80) = 4\n\
             *(u64 *)(r10 -72) = 5\n*(u64 *)(r10 -64) = 5\n*(u64 *)(r10 -56) = 5\n*(u64 *)(r10 -48) = 5\n\
             *(u64 *)(r10 -40) = 5\n*(u64 *)(r10 -32) = 5\n*(u64 *)(r10 -24) = 5\n*(u64 *)(r10 -16) = 5\n\
             *(u64 *)(r10 -8) = 5\nr1 = map[text][0]+0\nr2 = 12\nr3 = r10\nr3 += -104\nr4 = {len}\ncall 177\nexit"
        );
        run_maps(Hook::Tc, &text, &[rodata("text", fmt)])
    };
    let done = print(32);
    assert_eq!(
        (ended(&done), &done.trace.printk[..]),
        (7, &["1 2 3 4".to_owned()][..])
    );
    // More than the format asks for is well; fewer, odd lengths and a thirteenth are not.
    assert_eq!(ended(&print(96)), 7);
    assert_eq!(ended(&print(24)), EINVAL);
    assert_eq!(ended(&print(30)), EINVAL);
    assert_eq!(ended(&print(104)), EINVAL);
}

/// The result counts the whole text and its NUL, whatever fits.
#[test]
fn snprintf_cuts_and_counts() {
    let maps = [rodata("text", b"<%05d|%s>\0word\0%u\0")];
    let print = |size: i32, fmt: i32, more: &str| {
        let text = format!(
            "*(u64 *)(r10 -16) = -1\n*(u64 *)(r10 -8) = -1\n*(u64 *)(r10 -32) = -42\nr2 = map[text][0]+10\n\
             *(u64 *)(r10 -24) = r2\nr1 = r10\nr1 += -16\nr2 = {size}\nr3 = map[text][0]+{fmt}\nr4 = r10\n\
             r4 += -32\nr5 = 16\ncall 165\n{more}exit"
        );
        ended(&run_maps(Hook::Tc, &text, &maps))
    };
    assert_eq!(print(16, 0, ""), 13);
    let bytes = |size: i32, at: i32| {
        let load = format!("r0 = *(u64 *)(r10 {at})\n");
        print(size, 0, &load).to_le_bytes()
    };
    assert_eq!(
        (bytes(16, -16), bytes(16, -8)),
        (*b"<-0042|w", *b"ord>\0\xff\xff\xff")
    );
    // Eight bytes hold seven and the NUL; one holds the NUL; none is well, too.
    assert_eq!(
        (print(8, 0, ""), bytes(8, -16), bytes(8, -8)),
        (13, *b"<-0042|\0", [0xff; 8])
    );
    assert_eq!(bytes(1, -16), *b"\0\xff\xff\xff\xff\xff\xff\xff");
    assert_eq!((print(0, 0, ""), bytes(0, -16)), (13, [0xff; 8]));
    let odd = "r1 = r10\nr1 += -16\nr2 = 16\nr3 = map[text][0]+15\nr4 = r10\nr4 += -32\nr5 = 12\ncall 165\n";
    assert_eq!(print(16, 0, odd), EINVAL);
}

/// A number that is refused leaves 0 in the result.
#[test]
fn strtol_and_strtoul() {
    let number = |helper: i32, digits: &str, flags: i32| {
        let go = |more: &str| {
            let text = format!(
                "*(u64 *)(r10 -8) = -1\nr1 = map[text][0]+0\nr2 = {}\nr3 = {flags}\nr4 = r10\nr4 += -8\n\
                 call {helper}\n{more}exit",
                digits.len()
            );
            ended(&run_maps(
                Hook::Xdp,
                &text,
                &[rodata("text", digits.as_bytes())],
            ))
        };
        (go(""), go("r0 = *(u64 *)(r10 -8)\n"))
    };
    let (strtol, strtoul) = (105, 106);
    assert_eq!(number(strtol, " \t-42x", 10), (5, -42));
    assert_eq!(number(strtol, "0x1F", 0), (4, 31));
    assert_eq!(number(strtol, "077", 0), (3, 63));
    assert_eq!(number(strtol, "77", 8), (2, 63));
    assert_eq!(number(strtol, "ff", 16), (2, 255));
    assert_eq!(number(strtol, "x", 10), (EINVAL, 0));
    assert_eq!(number(strtol, "12", 9), (EINVAL, 0));
    assert_eq!(number(strtol, "12", 32 + 10), (EINVAL, 0));
    assert_eq!(number(strtol, "9223372036854775807", 10), (19, i64::MAX));
    assert_eq!(number(strtol, "9223372036854775808", 10), (ERANGE, 0));
    assert_eq!(number(strtol, "-9223372036854775808", 10), (20, i64::MIN));
    assert_eq!(number(strtol, "-9223372036854775809", 10), (ERANGE, 0));
    assert_eq!(number(strtoul, "18446744073709551615", 10), (20, -1));
    assert_eq!(number(strtoul, "18446744073709551616", 10), (ERANGE, 0));
    assert_eq!(number(strtoul, "-1", 10), (EINVAL, 0));
    // 63 characters count behind the sign; the 64th is not looked at.
    let long = format!("-{}12", "0".repeat(62));
    assert_eq!(number(strtol, &long, 10), (64, -1));
}

#[test]
fn strncmp_compares_up_to_its_size() {
    let compare = |first: &str, second: &str| {
        let maps = [
            rodata("first", first.as_bytes()),
            rodata("second", second.as_bytes()),
        ];
        let text = format!(
            "r1 = map[first][0]+0\nr2 = {}\nr3 = map[second][0]+0\ncall 182\nexit",
            first.len()
        );
        ended(&run_maps(Hook::Tc, &text, &maps)) as i32
    };
    assert_eq!(compare("abc", "abc\0"), 0);
    assert_eq!(compare("ab", "abc\0"), 0);
    assert_eq!(compare("abc\0x", "abc\0"), 0);
    assert_eq!(compare("abd", "abc\0"), 1);
    assert_eq!(compare("abb", "abc\0"), -1);
    assert_eq!(compare("abcd", "abc\0"), 1);
    // Bytes count as unsigned: 0xc3 is more than a letter.
    assert_eq!(compare("\u{e9}", "z\0"), 1);
}
