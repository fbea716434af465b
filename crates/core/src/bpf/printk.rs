//! `bpf_printk()`: the formats of `bpf_bprintf_prepare()` (kernel/trace/bpf_trace.c,
//! kernel/bpf/helpers.c).

use super::host::Fault;

/// One part of a format.
enum Part<'f> {
    Text(&'f [u8]),
    Conversion {
        zero: bool,
        left: bool,
        plus: bool,
        space: bool,
        width: usize,
        kind: Kind,
    },
}

enum Kind {
    /// `%d`: bits of the argument.
    Signed(u32),
    /// `%u`.
    Unsigned(u32),
    /// `%x`, `%X`.
    Hex {
        bits: u32,
        upper: bool,
    },
    Char,
    Str,
    Pointer,
    /// `%pI4`; `%pi4` has three digits a byte.
    Ipv4 {
        zeros: bool,
    },
    /// `%pI6`; `%pi6` has no colons.
    Ipv6 {
        colons: bool,
    },
    /// `%ps`, `%pS`, `%pB`: no number is the address of a symbol here.
    Symbol,
}

/// Largest width of a field here; the kernel's buffer is 1024 bytes.
const MAX_WIDTH: usize = 512;
/// `MAX_BPRINTF_BUF`.
const MAX_LINE: usize = 1024;

/// Formats; `None` is a format that the kernel refuses with `-EINVAL`.
/// `read` fetches bytes behind a pointer argument.
pub(super) fn format(
    fmt: &[u8],
    args: &[u64],
    mut read: impl FnMut(u64, usize) -> Result<Vec<u8>, Fault>,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(end) = fmt.iter().position(|&b| b == 0) else {
        return Ok(None);
    };
    let Some(parts) = parse(&fmt[..end]) else {
        return Ok(None);
    };
    let mut args = args.iter().copied();
    let mut line = Vec::new();
    for part in parts {
        let (zero, left, plus, space, width, kind) = match part {
            Part::Text(text) => {
                line.extend_from_slice(text);
                continue;
            }
            Part::Conversion {
                zero,
                left,
                plus,
                space,
                width,
                kind,
            } => (zero, left, plus, space, width, kind),
        };
        let Some(arg) = args.next() else {
            return Ok(None);
        };
        // Sign or nothing, then the digits; zeros go between.
        let (sign, digits) = match kind {
            Kind::Signed(bits) => {
                let number = if bits == 64 {
                    arg as i64
                } else {
                    i64::from(arg as i32)
                };
                let sign = match (number < 0, plus, space) {
                    (true, ..) => "-",
                    (false, true, _) => "+",
                    (false, false, true) => " ",
                    _ => "",
                };
                (sign, number.unsigned_abs().to_string().into_bytes())
            }
            Kind::Unsigned(bits) => ("", truncated(arg, bits).to_string().into_bytes()),
            Kind::Hex { bits, upper: false } => {
                ("", format!("{:x}", truncated(arg, bits)).into_bytes())
            }
            Kind::Hex { bits, upper: true } => {
                ("", format!("{:X}", truncated(arg, bits)).into_bytes())
            }
            Kind::Char => ("", vec![arg as u8]),
            Kind::Str => {
                let mut text = Vec::new();
                while text.len() < MAX_LINE {
                    match read(arg.wrapping_add(text.len() as u64), 1)?.first() {
                        Some(&byte) if byte != 0 => text.push(byte),
                        _ => break,
                    }
                }
                ("", text)
            }
            Kind::Pointer => ("", format!("{arg:016x}").into_bytes()),
            Kind::Ipv4 { zeros } => {
                let byte = |b: &u8| {
                    if zeros {
                        format!("{b:03}")
                    } else {
                        b.to_string()
                    }
                };
                let text: Vec<String> = read(arg, 4)?.iter().map(byte).collect();
                ("", text.join(".").into_bytes())
            }
            Kind::Ipv6 { colons } => {
                let bytes = read(arg, 16)?;
                let group = |pair: &[u8]| pair.iter().map(|b| format!("{b:02x}")).collect();
                let text: Vec<String> = bytes.chunks(2).map(group).collect();
                ("", text.join(if colons { ":" } else { "" }).into_bytes())
            }
            Kind::Symbol => ("", format!("{arg:#x}").into_bytes()),
        };
        let fill = width.saturating_sub(sign.len() + digits.len());
        let number = !matches!(kind, Kind::Char | Kind::Str);
        if left {
            line.extend_from_slice(sign.as_bytes());
            line.extend_from_slice(&digits);
            line.resize(line.len() + fill, b' ');
        } else if zero && number {
            line.extend_from_slice(sign.as_bytes());
            line.resize(line.len() + fill, b'0');
            line.extend_from_slice(&digits);
        } else {
            line.resize(line.len() + fill, b' ');
            line.extend_from_slice(sign.as_bytes());
            line.extend_from_slice(&digits);
        }
    }
    line.truncate(MAX_LINE - 1);
    Ok(Some(line))
}

fn truncated(arg: u64, bits: u32) -> u64 {
    if bits == 64 { arg } else { arg & 0xffff_ffff }
}

fn parse(fmt: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = fmt;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        if at > 0 {
            parts.push(Part::Text(&rest[..at]));
        }
        rest = &rest[at + 1..];
        if rest.first() == Some(&b'%') {
            parts.push(Part::Text(b"%"));
            rest = &rest[1..];
            continue;
        }
        let (mut zero, mut left, mut plus, mut space, mut width) = (false, false, false, false, 0);
        loop {
            match rest.first()? {
                b'0' => zero = true,
                b'-' => left = true,
                b'+' => plus = true,
                b' ' => space = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        while let Some(digit) = rest.first().filter(|b| b.is_ascii_digit()) {
            width = (width * 10 + usize::from(digit - b'0')).min(MAX_WIDTH);
            rest = &rest[1..];
        }
        let mut bits = 32;
        for _ in 0..2 {
            if rest.first() == Some(&b'l') {
                bits = 64;
                rest = &rest[1..];
            }
        }
        let letter = *rest.first()?;
        rest = &rest[1..];
        let kind = match letter {
            b'd' | b'i' => Kind::Signed(bits),
            b'u' => Kind::Unsigned(bits),
            b'x' => Kind::Hex { bits, upper: false },
            b'X' => Kind::Hex { bits, upper: true },
            b'c' if bits == 32 => Kind::Char,
            b's' if bits == 32 => Kind::Str,
            b'p' if bits == 32 => match rest {
                [letter @ (b'I' | b'i'), version @ (b'4' | b'6'), tail @ ..] => {
                    rest = tail;
                    let small = *letter == b'i';
                    match version {
                        b'4' => Kind::Ipv4 { zeros: small },
                        _ => Kind::Ipv6 { colons: !small },
                    }
                }
                [b'k', b's', tail @ ..] => {
                    rest = tail;
                    Kind::Str
                }
                [b's' | b'S' | b'B', tail @ ..] => {
                    rest = tail;
                    Kind::Symbol
                }
                // User memory is not here; as the kernel, refuse other letters.
                [b'x' | b'K', tail @ ..] => {
                    rest = tail;
                    Kind::Pointer
                }
                [next, ..] if next.is_ascii_alphanumeric() => return None,
                _ => Kind::Pointer,
            },
            _ => return None,
        };
        parts.push(Part::Conversion {
            zero,
            left,
            plus,
            space,
            width,
            kind,
        });
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    // The kernel refuses what is neither printable nor white space.
    let printable = |b: &u8| b.is_ascii_graphic() || b.is_ascii_whitespace() || *b == 0x0b;
    fmt.iter().all(printable).then_some(parts)
}

/// The line as the trace buffer shows it: a trailing newline is not part of it.
pub(super) fn line_text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(fmt: &str, args: &[u64]) -> Option<String> {
        let fmt = [fmt.as_bytes(), &[0]].concat();
        let read = |address: u64, len: usize| {
            let text = b"word\0";
            Ok(text[address as usize..(address as usize + len).min(text.len())].to_vec())
        };
        format(&fmt, args, read)
            .unwrap()
            .map(|line| line_text(&line))
    }

    #[test]
    fn formats_are_those_of_the_kernel() {
        let minus = -42i64 as u64;
        assert_eq!(say("%u\n", &[42]).as_deref(), Some("42"));
        assert_eq!(
            say("%d %ld %lld", &[minus, minus, minus]).as_deref(),
            Some("-42 -42 -42")
        );
        // %d and %u take 32 bits.
        let wide = 0x1_ffff_ffff;
        assert_eq!(
            say("%d %u %x", &[wide, wide, wide]).as_deref(),
            Some("-1 4294967295 ffffffff")
        );
        assert_eq!(
            say("%lu %llx %lX", &[wide, 171, 171]).as_deref(),
            Some("8589934591 ab AB")
        );
        assert_eq!(
            say("%05d|%-5d|%+d|%3u", &[minus, 7, 7, 7]).as_deref(),
            Some("-0042|7    |+7|  7")
        );
        assert_eq!(say("%s%% %c", &[0, 65]).as_deref(), Some("word% A"));
        assert_eq!(say("%6s|", &[0]).as_deref(), Some("  word|"));
        assert_eq!(
            say("%px", &[0xffff_8881_0000_0000]).as_deref(),
            Some("ffff888100000000")
        );
        assert_eq!(say("%pI4", &[0]).as_deref(), Some("119.111.114.100"));
        // Documentation/core-api/printk-formats.rst: i is without colons, and with leading zeros
        assert_eq!(say("%pi4", &[1]).as_deref(), Some("111.114.100.000"));
        assert_eq!(say("%ps %pB", &[16, 17]).as_deref(), Some("0x10 0x11"));
        assert_eq!(say("%pks", &[0]).as_deref(), Some("word"));
    }

    /// Documentation/core-api/printk-formats.rst, "IPv6 addresses".
    #[test]
    fn addresses_of_ipv6() {
        let address = |_: u64, _: usize| Ok((1..=16).collect());
        let say = |fmt: &[u8]| format(fmt, &[0], address).unwrap().map(|l| line_text(&l));
        let full = "0102:0304:0506:0708:090a:0b0c:0d0e:0f10";
        assert_eq!(say(b"%pI6\0").as_deref(), Some(full));
        assert_eq!(say(b"%pi6\0"), Some(full.replace(':', "")));
        // The letter behind is text.
        assert_eq!(say(b"%pI6c\0"), Some(format!("{full}c")));
    }

    #[test]
    fn what_the_kernel_refuses_prints_nothing() {
        assert_eq!(say("%n", &[1]), None);
        assert_eq!(say("%f", &[1]), None);
        assert_eq!(say("%", &[1]), None);
        assert_eq!(say("%u %u", &[1]), None);
        assert_eq!(say("%pN", &[1]), None);
        assert_eq!(say("%.2s", &[0]), None);
        // No NUL at the end.
        assert_eq!(format(b"%u", &[1], |_, _| Ok(Vec::new())), Ok(None));
    }
}
