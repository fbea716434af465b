//! `.BTF.ext` line info: which line of C an instruction came from
//! (Documentation/bpf/btf.rst, "BTF.ext section").

use super::btf::{Btf, u16_at, u32_at};

/// One line record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineRecord {
    /// Section of the instruction.
    pub section: String,
    /// Bytes from the start of that section; the record holds from there to the next one.
    pub offset: u32,
    /// Source file as the compiler was given it.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
    /// Text of the line.
    pub text: String,
}

/// Reads the line info; on error: byte offset in `.BTF.ext` and what is wrong there.
///
/// The relocations in `.rel.BTF.ext` are against section symbols, whose value is 0, so the
/// offsets that stand in the section are the final ones.
pub(super) fn line_info(data: &[u8], btf: &Btf) -> Result<Vec<LineRecord>, (u64, String)> {
    let cut_off = |offset: usize| (offset as u64, "line info is cut off".to_owned());
    if u16_at(data, 0) != Some(0xeb9f) {
        return Err((0, "no BTF magic number".to_owned()));
    }
    let header = |i: usize| {
        u32_at(data, i)
            .map(|v| v as usize)
            .ok_or_else(|| cut_off(i))
    };
    let start = header(4)?
        .checked_add(header(16)?)
        .ok_or_else(|| cut_off(16))?;
    let end = start.checked_add(header(20)?).ok_or_else(|| cut_off(20))?;
    if start == end {
        return Ok(Vec::new());
    }
    let part = data.get(..end).ok_or_else(|| cut_off(20))?;
    let word = |at: usize| u32_at(part, at).ok_or_else(|| cut_off(at));
    let record_size = word(start)? as usize;
    if record_size < 16 {
        return Err((start as u64, format!("line records of {record_size} bytes")));
    }
    let mut out = Vec::new();
    let mut pos = start + 4;
    while pos < end {
        let section = btf.string(word(pos)?);
        let count = word(pos + 4)? as usize;
        pos += 8;
        for _ in 0..count {
            let line = word(pos + 12)? >> 10;
            out.push(LineRecord {
                section: section.clone(),
                offset: word(pos)?,
                file: btf.string(word(pos + 4)?),
                line,
                text: btf.string(word(pos + 8)?),
            });
            pos = pos.checked_add(record_size).ok_or_else(|| cut_off(pos))?;
        }
    }
    Ok(out)
}
