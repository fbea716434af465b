//! Text: `bpf_trace_printk()`, `bpf_snprintf()`, `bpf_strtol()`, `bpf_strtoul()`, `bpf_strncmp()`
//! (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c).

use super::{Call, EINVAL, ERANGE};
use crate::bpf::fault::Fault;
use crate::bpf::memory::Memory;
use crate::bpf::printk;

/// Bytes of arguments that a `bpf_trace_vprintk()` may have (`MAX_BPRINTF_VARARGS`, eight bytes each).
const MAX_VARARGS: u64 = 12 * 8;
/// The most that is read of a string without a length.
const MAX_STRING: usize = 1024;

/// Carries out a helper.
pub(super) fn call(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, a5] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let ret: i64 = match id {
        // bpf_trace_printk(fmt, size, a, b, c)
        6 => {
            let fmt = memory.buffer(a1, a2)?;
            trace(memory, &fmt, &call.args[2..])?
        }
        // bpf_strtol(buf, len, flags, res), bpf_strtoul()
        105 | 106 => {
            let text = memory.buffer(a1, a2)?;
            memory.check_writable(a4, 8)?;
            let parsed = if id == 105 {
                strtol(&text, a3)
            } else {
                strtoul(&text, a3)
            };
            // *res is 0 when it fails
            let (value, ret) = parsed.unwrap_or_else(|error| (0, error));
            memory.store(a4, &value.to_le_bytes())?;
            ret
        }
        // bpf_snprintf(str, str_size, fmt, data, data_len)
        165 => {
            let size = u64::from(a2 as u32);
            memory.check_writable(a1, size)?;
            let fmt = string(memory, a3, MAX_STRING)?;
            match values(memory, a4, a5)? {
                None => -EINVAL,
                Some(args) => snprintf(memory, a1, size, &fmt, &args)?,
            }
        }
        // bpf_trace_vprintk(fmt, size, data, data_len)
        177 => {
            let fmt = memory.buffer(a1, a2)?;
            match values(memory, a3, a4)? {
                None => -EINVAL,
                Some(args) => trace(memory, &fmt, &args)?,
            }
        }
        // bpf_strncmp(s1, s1_size, s2)
        182 => {
            let first = memory.buffer(a1, u64::from(a2 as u32))?;
            let second = string(memory, a3, first.len())?;
            strncmp(&first, &second)
        }
        _ => return Ok(None),
    };
    Ok(Some(ret as u64))
}

/// Arguments in memory, eight bytes each; `None` when their length is refused.
fn values(memory: &mut Memory<'_>, data: u64, len: u64) -> Result<Option<Vec<u64>>, Fault> {
    let len = u64::from(len as u32);
    if !len.is_multiple_of(8) || len > MAX_VARARGS {
        return Ok(None);
    }
    let data = memory.buffer(data, len)?;
    let word = |c: &[u8]| c.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
    Ok(Some(data.chunks(8).map(word).collect()))
}

/// A string up to its NUL, which is kept, or to `max` bytes.
fn string(memory: &mut Memory<'_>, address: u64, max: usize) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    while text.len() < max {
        let byte = memory.buffer(address.wrapping_add(text.len() as u64), 1)?;
        text.extend_from_slice(&byte);
        if byte == [0] {
            break;
        }
    }
    Ok(text)
}

fn trace(memory: &mut Memory<'_>, fmt: &[u8], args: &[u64]) -> Result<i64, Fault> {
    let read = |address, len| memory.buffer(address, len as u64);
    let line = match printk::format(fmt, args, printk::MAX_LINE, read)? {
        Ok(line) => line,
        Err(error) => return Ok(error),
    };
    memory.host.printk(printk::line_text(&line));
    Ok(line.len as i64)
}

/// The text is cut to the buffer and ends with a NUL; the result counts what it would have taken, NUL
/// included.
fn snprintf(
    memory: &mut Memory<'_>,
    to: u64,
    size: u64,
    fmt: &[u8],
    args: &[u64],
) -> Result<i64, Fault> {
    let read = |address, len| memory.buffer(address, len as u64);
    let room = size.saturating_sub(1) as usize;
    let line = match printk::format(fmt, args, room, read)? {
        Ok(line) => line,
        Err(error) => return Ok(error),
    };
    if size != 0 {
        memory.store(to, &[&line.text[..], &[0]].concat())?;
    }
    Ok(line.len as i64 + 1)
}

fn strncmp(first: &[u8], second: &[u8]) -> i64 {
    for (i, a) in first.iter().enumerate() {
        let b = second.get(i).copied().unwrap_or(0);
        if *a != b {
            return if *a < b { -1 } else { 1 };
        }
        if *a == 0 {
            break;
        }
    }
    0
}

/// `__bpf_strtoull()`: sign, magnitude and bytes consumed.
fn number(text: &[u8], flags: u64) -> Result<(bool, u64, i64), i64> {
    const BASE: u64 = 0x1f;
    /// The number is copied to a buffer of 64 bytes first.
    const MAX: usize = 63;
    let base = (flags & BASE) as u32;
    if text.is_empty() || !matches!(base, 0 | 8 | 10 | 16) || flags & !BASE != 0 {
        return Err(-EINVAL);
    }
    let mut at = text.iter().take_while(|b| printk::is_space(**b)).count();
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(negative);
    let digits = &text[at..];
    let digits = &digits[..digits.len().min(MAX)];
    if digits.is_empty() {
        return Err(-EINVAL);
    }
    let (base, skip) = radix(digits, base);
    let (mut value, mut count) = (Some(0u64), 0usize);
    for digit in digits[skip..]
        .iter()
        .map_while(|b| char::from(*b).to_digit(base))
    {
        value = value
            .and_then(|v| v.checked_mul(u64::from(base)))
            .and_then(|v| v.checked_add(u64::from(digit)));
        count += 1;
    }
    match value {
        None => Err(-ERANGE),
        Some(_) if count == 0 => Err(-EINVAL),
        Some(value) => Ok((negative, value, (at + skip + count) as i64)),
    }
}

/// `_parse_integer_fixup_radix()` (lib/kstrtox.c): the base, and how many bytes say it.
fn radix(digits: &[u8], base: u32) -> (u32, usize) {
    let x = digits.first() == Some(&b'0') && matches!(digits.get(1), Some(b'x' | b'X'));
    let hex = x && digits.get(2).is_some_and(u8::is_ascii_hexdigit);
    match base {
        0 if hex => (16, 2),
        0 if digits.first() == Some(&b'0') => (8, 0),
        0 => (10, 0),
        16 if x => (16, 2),
        base => (base, 0),
    }
}

fn strtol(text: &[u8], flags: u64) -> Result<(u64, i64), i64> {
    let (negative, value, consumed) = number(text, flags)?;
    let limit = i64::MAX as u64 + u64::from(negative);
    if value > limit {
        return Err(-ERANGE);
    }
    let value = if negative {
        value.wrapping_neg()
    } else {
        value
    };
    Ok((value, consumed))
}

fn strtoul(text: &[u8], flags: u64) -> Result<(u64, i64), i64> {
    match number(text, flags)? {
        (true, ..) => Err(-EINVAL),
        (false, value, consumed) => Ok((value, consumed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// bpf-helpers(7), `bpf_strtol()`: white space, a sign, `0x` with base 16 or 0; the result is the number of
    /// characters consumed; `-EINVAL` without digits or for another base, `-ERANGE` when it does not fit.
    #[test]
    fn numbers_in_text() {
        assert_eq!(strtol(b" -42x", 10), Ok((-42i64 as u64, 4)));
        assert_eq!(strtol(b"0x1fz", 0), Ok((0x1f, 4)));
        assert_eq!(strtol(b"017", 0), Ok((0o17, 3)));
        assert_eq!(strtol(b"0x", 0), Ok((0, 1)));
        assert_eq!(strtol(b"0xff", 16), Ok((0xff, 4)));
        assert_eq!(strtol(b"12", 7), Err(-EINVAL));
        assert_eq!(strtol(b"12", 10 | 32), Err(-EINVAL));
        assert_eq!(strtol(b"x", 10), Err(-EINVAL));
        assert_eq!(strtol(b"-", 10), Err(-EINVAL));
        assert_eq!(strtol(b"", 10), Err(-EINVAL));
        assert_eq!(
            strtol(b"9223372036854775807", 10),
            Ok((i64::MAX as u64, 19))
        );
        assert_eq!(strtol(b"9223372036854775808", 10), Err(-ERANGE));
        assert_eq!(strtol(b"-9223372036854775808", 10), Ok((1 << 63, 20)));
        assert_eq!(strtoul(b"18446744073709551615", 0), Ok((u64::MAX, 20)));
        assert_eq!(strtoul(b"18446744073709551616", 0), Err(-ERANGE));
        assert_eq!(strtoul(b"-1", 0), Err(-EINVAL));
    }

    #[test]
    fn strings_compare_up_to_the_size() {
        assert_eq!(strncmp(b"abc", b"abd\0"), -1);
        assert_eq!(strncmp(b"ab", b"abd\0"), 0);
        assert_eq!(strncmp(b"abc\0zz", b"abc\0"), 0);
        assert_eq!(strncmp(b"b", b"a\0"), 1);
    }
}
