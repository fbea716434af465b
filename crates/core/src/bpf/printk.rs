//! `bpf_printk()` and `bpf_snprintf()`: the formats that `bpf_bprintf_prepare()` (kernel/bpf/helpers.c) lets pass, as
//! `bstr_printf()` (lib/vsprintf.c) writes them.

use super::fault::Fault;

/// The longest line of the trace: `MAX_BPRINTF_BUF` without its NUL.
pub(super) const MAX_LINE: usize = 1023;
/// `MAX_BPRINTF_BIN_ARGS`: bytes that all arguments of a call may take in binary form.
const MAX_BIN_ARGS: usize = 512;
/// `FIELD_WIDTH_MAX` (lib/vsprintf.c).
const MAX_WIDTH: usize = (1 << 23) - 1;
const EINVAL: i64 = 22;
const ENOSPC: i64 = 28;

/// A conversion: `%`, flags, width, letters.
#[derive(Debug, Clone, Copy)]
struct Spec {
    zero: bool,
    left: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `%d`, `%i`: bits of the argument.
    Signed(u32),
    /// `%u`.
    Unsigned(u32),
    /// `%x`, `%X`.
    Hex { bits: u32, upper: bool },
    /// `%c`.
    Char,
    /// `%s`.
    Str,
    /// `%pks`: as `%s`, but no width counts.
    KernelStr,
    /// `%pus`: there is no user's memory, and nothing is copied.
    UserStr,
    /// `%p`, `%px`, `%pK`. Linux hashes the first and the last with a secret.
    Pointer,
    /// `%pI4`; `%pi4` has three digits a byte.
    Ipv4 { zeros: bool },
    /// `%pI6`; `%pi6` has no colons.
    Ipv6 { colons: bool },
    /// `%ps`, `%pS`: no number is the address of a symbol here.
    Symbol,
    /// `%pB`, on which no width counts.
    Backtrace,
}

/// What is written, up to `room` bytes of it, and how many bytes it would have been.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub text: Vec<u8>,
    pub len: usize,
    room: usize,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = self.room.saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.len += bytes.len();
    }

    fn fill(&mut self, byte: u8, count: usize) {
        let room = self.room.saturating_sub(self.text.len());
        self.text.resize(self.text.len() + count.min(room), byte);
        self.len += count;
    }

    /// `string()`, `number()`: sign, zeros, digits, and spaces up to the width.
    fn field(&mut self, spec: &Spec, sign: &str, digits: &[u8], zeros: bool) {
        let used = sign.len() + digits.len();
        let fill = spec.width.unwrap_or(0).saturating_sub(used);
        let zeros = zeros && !spec.left;
        if !spec.left && !zeros {
            self.fill(b' ', fill);
        }
        self.push(sign.as_bytes());
        if zeros {
            self.fill(b'0', fill);
        }
        self.push(digits);
        if spec.left {
            self.fill(b' ', fill);
        }
    }
}

/// The arguments, and the room that they take in binary form.
struct Args<'a, R> {
    raw: std::slice::Iter<'a, u64>,
    used: usize,
    read: R,
}

impl<R: FnMut(u64, usize) -> Result<Vec<u8>, Fault>> Args<'_, R> {
    fn next(&mut self) -> Result<u64, i64> {
        self.raw.next().copied().ok_or(-EINVAL)
    }

    /// Bytes that stand aligned to four, as numbers and pointers do.
    fn take(&mut self, size: usize) -> Result<(), i64> {
        self.used = self.used.next_multiple_of(4);
        self.take_bytes(size)
    }

    fn take_bytes(&mut self, size: usize) -> Result<(), i64> {
        if MAX_BIN_ARGS.saturating_sub(self.used) < size {
            return Err(-ENOSPC);
        }
        self.used += size;
        Ok(())
    }

    /// `copy_from_kernel_nofault()`: `None` where nothing is.
    fn bytes(&mut self, address: u64, len: usize) -> Result<Option<Vec<u8>>, Fault> {
        match (self.read)(address, len) {
            Err(Fault::Access { what: "memory", .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    /// `bpf_trace_copy_string()`: up to the NUL or to the end of the room; nothing where no memory is.
    fn string(&mut self, address: u64) -> Result<Result<Vec<u8>, i64>, Fault> {
        let room = MAX_BIN_ARGS.saturating_sub(self.used);
        if room == 0 {
            return Ok(Err(-ENOSPC));
        }
        let mut text = Vec::new();
        while text.len() + 1 < room {
            let at = address.wrapping_add(text.len() as u64);
            match self.bytes(at, 1)?.as_deref() {
                Some([0]) => break,
                Some(byte) => text.extend_from_slice(byte),
                None => {
                    text.clear();
                    break;
                }
            }
        }
        self.used += text.len() + 1;
        Ok(Ok(text))
    }
}

/// Formats into `room` bytes; `Err` is the error code that the kernel gives. `read` fetches bytes behind a pointer
/// argument.
pub(super) fn format(
    fmt: &[u8],
    args: &[u64],
    room: usize,
    read: impl FnMut(u64, usize) -> Result<Vec<u8>, Fault>,
) -> Result<Result<Line, i64>, Fault> {
    let Some(end) = fmt.iter().position(|&b| b == 0) else {
        return Ok(Err(-EINVAL));
    };
    let fmt = &fmt[..end];
    // What is neither printable nor white space is refused; bytes above 0x7f may stand in text.
    let shown = |b: &u8| !b.is_ascii() || *b == b' ' || b.is_ascii_graphic() || is_space(*b);
    if !fmt.iter().all(shown) {
        return Ok(Err(-EINVAL));
    }
    let mut args = Args {
        raw: args.iter(),
        used: 0,
        read,
    };
    let mut line = Line {
        text: Vec::new(),
        len: 0,
        room,
    };
    let mut rest = fmt;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        line.push(&rest[..at]);
        rest = &rest[at + 1..];
        if let [b'%', tail @ ..] = rest {
            line.push(b"%");
            rest = tail;
            continue;
        }
        let arg = args.next();
        let parsed = arg.and_then(|arg| Ok((arg, conversion(&mut rest).ok_or(-EINVAL)?)));
        let (arg, spec) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = write(&mut line, &spec, arg, &mut args)? {
            return Ok(Err(error));
        }
    }
    line.push(rest);
    Ok(Ok(line))
}

fn write<R: FnMut(u64, usize) -> Result<Vec<u8>, Fault>>(
    line: &mut Line,
    spec: &Spec,
    arg: u64,
    args: &mut Args<'_, R>,
) -> Result<Result<(), i64>, Fault> {
    match spec.kind {
        Kind::Str | Kind::KernelStr | Kind::UserStr => {
            if spec.kind == Kind::UserStr {
                return Ok(args.take_bytes(1));
            }
            let text = match args.string(arg)? {
                Ok(text) => text,
                Err(error) => return Ok(Err(error)),
            };
            if spec.kind == Kind::Str {
                line.field(spec, "", &text, false);
            } else {
                line.push(&text);
            }
            return Ok(Ok(()));
        }
        Kind::Ipv4 { .. } | Kind::Ipv6 { .. } => {
            let len = if matches!(spec.kind, Kind::Ipv4 { .. }) {
                4
            } else {
                16
            };
            if MAX_BIN_ARGS.saturating_sub(args.used) < len {
                return Ok(Err(-ENOSPC));
            }
            let bytes = args.bytes(arg, len)?.unwrap_or_else(|| vec![0; len]);
            let text = address(spec.kind, &bytes);
            args.used += text.len() + 1;
            line.push(text.as_bytes());
            return Ok(Ok(()));
        }
        _ => {}
    }
    let room = match spec.kind {
        Kind::Char => args.take_bytes(1),
        Kind::Backtrace => args.take_bytes(format!("{arg:#x}").len() + 1),
        Kind::Signed(32) | Kind::Unsigned(32) | Kind::Hex { bits: 32, .. } => args.take(4),
        _ => args.take(8),
    };
    if room.is_ok() {
        number(line, spec, arg);
    }
    Ok(room)
}

fn number(line: &mut Line, spec: &Spec, arg: u64) {
    let cut = |bits| if bits == 64 { arg } else { arg & 0xffff_ffff };
    match spec.kind {
        Kind::Signed(bits) => {
            let value = if bits == 64 {
                arg as i64
            } else {
                i64::from(arg as i32)
            };
            let sign = match (value < 0, spec.plus, spec.space) {
                (true, ..) => "-",
                (false, true, _) => "+",
                (false, false, true) => " ",
                _ => "",
            };
            let digits = value.unsigned_abs().to_string();
            line.field(spec, sign, digits.as_bytes(), spec.zero);
        }
        Kind::Unsigned(bits) => {
            line.field(spec, "", cut(bits).to_string().as_bytes(), spec.zero);
        }
        Kind::Hex { bits, upper } => {
            let mut digits = format!("{:x}", cut(bits));
            if upper {
                digits.make_ascii_uppercase();
            }
            line.field(spec, "", digits.as_bytes(), spec.zero);
        }
        Kind::Char => line.field(spec, "", &[arg as u8], false),
        Kind::Symbol => line.field(spec, "", format!("{arg:#x}").as_bytes(), false),
        Kind::Backtrace => line.push(format!("{arg:#x}").as_bytes()),
        // `pointer_string()`: 16 digits unless the format has a width
        _ if spec.width.is_none() => line.push(format!("{arg:016x}").as_bytes()),
        _ => line.field(spec, "", format!("{arg:x}").as_bytes(), spec.zero),
    }
}

/// Documentation/core-api/printk-formats.rst, "IPv4 addresses", "IPv6 addresses".
fn address(kind: Kind, bytes: &[u8]) -> String {
    let group = |pair: &[u8]| pair.iter().map(|b| format!("{b:02x}")).collect::<String>();
    match kind {
        Kind::Ipv4 { zeros } => {
            let byte = |b: &u8| {
                if zeros {
                    format!("{b:03}")
                } else {
                    b.to_string()
                }
            };
            bytes.iter().map(byte).collect::<Vec<_>>().join(".")
        }
        Kind::Ipv6 { colons } => {
            let groups: Vec<String> = bytes.chunks(2).map(group).collect();
            groups.join(if colons { ":" } else { "" })
        }
        _ => String::new(),
    }
}

/// What follows a `%`; moves behind it.
fn conversion(rest: &mut &[u8]) -> Option<Spec> {
    let mut spec = Spec {
        zero: false,
        left: false,
        plus: false,
        space: false,
        width: None,
        kind: Kind::Char,
    };
    loop {
        match rest.first()? {
            b'0' => spec.zero = true,
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    while let Some(digit) = rest.first().filter(|b| b.is_ascii_digit()) {
        let width = spec.width.unwrap_or(0) * 10 + usize::from(digit - b'0');
        spec.width = Some(width.min(MAX_WIDTH));
        *rest = &rest[1..];
    }
    let longs = rest.iter().take(2).take_while(|b| **b == b'l').count();
    let bits = if longs > 0 { 64 } else { 32 };
    let (letter, tail) = rest[longs..].split_first()?;
    *rest = tail;
    spec.kind = match letter {
        b'd' | b'i' => Kind::Signed(bits),
        b'u' => Kind::Unsigned(bits),
        b'x' => Kind::Hex { bits, upper: false },
        b'X' => Kind::Hex { bits, upper: true },
        b'c' if longs == 0 => Kind::Char,
        b's' if longs == 0 && ends(tail) => Kind::Str,
        b'p' if longs == 0 => pointer(rest)?,
        _ => return None,
    };
    Some(spec)
}

/// The letters after `%p`. `bstr_printf()` passes over all letters and digits that follow them, too.
fn pointer(rest: &mut &[u8]) -> Option<Kind> {
    let kind = match *rest {
        tail if ends(tail) => Kind::Pointer,
        [b'k', b's', tail @ ..] if ends(tail) => Kind::KernelStr,
        [b'u', b's', tail @ ..] if ends(tail) => Kind::UserStr,
        [b'x' | b'K', ..] => Kind::Pointer,
        [b's' | b'S', ..] => Kind::Symbol,
        [b'B', ..] => Kind::Backtrace,
        [letter @ (b'i' | b'I'), b'4', ..] => Kind::Ipv4 {
            zeros: *letter == b'i',
        },
        [letter @ (b'i' | b'I'), b'6', ..] => Kind::Ipv6 {
            colons: *letter == b'I',
        },
        _ => return None,
    };
    let letters = rest.iter().take_while(|b| is_alnum(**b)).count();
    *rest = &rest[letters..];
    Some(kind)
}

/// `isspace()` of lib/ctype.c, which knows Latin-1.
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b'\t'..=b'\r' | b' ' | 0xa0)
}

/// `isalnum()`.
fn is_alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b >= 0xc0 && !is_latin_sign(b)
}

/// The two signs among the letters of Latin-1.
fn is_latin_sign(b: u8) -> bool {
    matches!(b, 0xd7 | 0xf7)
}

/// What may follow `%s` and a bare `%p`: the end, white space, `ispunct()`.
fn ends(rest: &[u8]) -> bool {
    let punctuation =
        |b: u8| b.is_ascii_punctuation() || matches!(b, 0xa1..=0xbf) || is_latin_sign(b);
    rest.first().is_none_or(|b| is_space(*b) || punctuation(*b))
}

/// The line as the trace buffer shows it: a trailing newline is not part of it.
pub(super) fn line_text(line: &Line) -> String {
    let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
#[path = "printk_tests.rs"]
mod tests;
