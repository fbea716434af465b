//! What stands around instructions in listings: headings, numbers, opcodes, bytes, labels.

use super::error::AsmError;
use super::lex::Cursor;

/// A label and its place.
type Label<'t> = Option<(&'t str, Cursor<'t>)>;

/// Lines that are no instructions: `file.o: file format elf64-bpf`, `Disassembly of section xdp:`,
/// `int set_tag(struct xdp_md * ctx):`, the bytes that `bpftool … opcodes` puts on a line of their own.
pub(super) fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.contains("file format elf64-bpf")
        || line.starts_with("Disassembly of section")
        || line.ends_with(':') && line.contains('(')
        || is_bytes(line)
}

fn is_bytes(line: &str) -> bool {
    let words = line.split_ascii_whitespace();
    line.len() >= 23 && words.clone().all(|word| byte(word).is_some())
}

fn byte(word: &str) -> Option<u8> {
    (word.len() == 2)
        .then(|| u8::from_str_radix(word, 16).ok())
        .flatten()
}

/// Whether clang or llvm-objdump wrote the line, or a person in its manner.
pub(super) fn shows_clang(line: &str) -> bool {
    let code = line.split(';').next().unwrap_or(line);
    let words = || code.split_ascii_whitespace();
    let goes = |word: &str| matches!(word, "goto" | "gotol" | "ja");
    words().any(|word| word == "ll")
        || code.contains(" + 0x")
        || code.contains(" - 0x")
        || words()
            .zip(words().skip(1))
            .any(|(a, b)| goes(a) && b.starts_with(['+', '-']))
}

/// Takes label, line number, bytes and opcode from the front. The bytes are empty, only the opcode,
/// or all of the instruction.
pub(super) fn prefix(mut cursor: Cursor<'_>) -> Result<(Label<'_>, Vec<u8>, Cursor<'_>), AsmError> {
    let mut label = None;
    // `0000000000000000 <set_tag>:` of llvm-objdump
    if cursor.look(1) == Some("<") && cursor.look(3) == Some(">") && cursor.look(4) == Some(":") {
        cursor.skip(2);
        let place = cursor.clone();
        label = cursor.bump().map(|name| (name, place));
        cursor.skip(2);
        return Ok((label, Vec::new(), cursor));
    }
    if cursor.look(1) == Some(":") {
        let place = cursor.clone();
        let name = cursor.bump().unwrap_or_default();
        cursor.skip(1);
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            if let Some(relocation) = cursor.peek().filter(|word| word.starts_with("R_BPF_")) {
                let what = format!("an instruction ({relocation} needs the object file)");
                return Err(cursor.fail(what));
            }
        } else {
            label = Some((name, place));
        }
    }
    let mut bytes = Vec::new();
    while let Some(byte) = cursor.look(bytes.len()).and_then(byte) {
        bytes.push(byte);
    }
    if bytes.len() >= 8 {
        bytes.truncate(bytes.len() / 8 * 8);
        cursor.skip(bytes.len());
    } else {
        bytes.clear();
    }
    // `(bf)` of the kernel
    if cursor.peek() == Some("(")
        && cursor.look(2) == Some(")")
        && let Some(opcode) = cursor.look(1).and_then(byte)
    {
        cursor.skip(3);
        if bytes.is_empty() {
            bytes.push(opcode);
        }
    }
    Ok((label, bytes, cursor))
}
