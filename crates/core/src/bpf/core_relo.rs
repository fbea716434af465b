//! CO-RE relocations: offsets, sizes and existence of fields of kernel types, put into the instructions
//! (tools/lib/bpf/relo_core.c: `bpf_core_calc_relo_insn()`, `bpf_core_patch_insn()`).

use super::btf::{Btf, Type, u16_at, u32_at};
use super::kernel_types::{self, Field};

/// What libbpf puts in place of an instruction whose relocation fails: a call of a helper that does not
/// exist, so that it matters only if it is reached.
pub(super) const POISON: i32 = 0x0bad_2310;

/// One record of `.BTF.ext`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CoreRelo {
    pub section: String,
    /// Bytes from the start of the section.
    pub offset: u32,
    type_id: u32,
    access: String,
    kind: u32,
}

/// `enum bpf_core_relo_kind`.
mod kind {
    pub const FIELD_BYTE_OFFSET: u32 = 0;
    pub const FIELD_BYTE_SIZE: u32 = 1;
    pub const FIELD_EXISTS: u32 = 2;
    pub const FIELD_SIGNED: u32 = 3;
    pub const FIELD_LSHIFT_U64: u32 = 4;
    pub const FIELD_RSHIFT_U64: u32 = 5;
    pub const TYPE_ID_LOCAL: u32 = 6;
    pub const TYPE_EXISTS: u32 = 8;
    pub const TYPE_SIZE: u32 = 9;
    pub const ENUMVAL_EXISTS: u32 = 10;
    pub const TYPE_MATCHES: u32 = 12;
}

/// Reads the relocations; on error: byte offset in `.BTF.ext` and what is wrong there.
pub(super) fn records(data: &[u8], btf: &Btf) -> Result<Vec<CoreRelo>, (u64, String)> {
    const HEADER: u32 = 32;
    let cut_off = |offset: usize| {
        let why = "CO-RE relocations are cut off".to_owned();
        (offset as u64, why)
    };
    if u16_at(data, 0) != Some(0xeb9f) {
        return Err((0, "no BTF magic number".to_owned()));
    }
    let header = |i: usize| u32_at(data, i).ok_or_else(|| cut_off(i));
    if header(4)? < HEADER {
        return Ok(Vec::new());
    }
    let sum = |a: u32, b: u32| (a as usize).checked_add(b as usize);
    let start = sum(header(4)?, header(24)?).ok_or_else(|| cut_off(24))?;
    let len = header(28)?;
    if len == 0 {
        return Ok(Vec::new());
    }
    let end = start.checked_add(len as usize).ok_or_else(|| cut_off(28))?;
    let part = data.get(..end).ok_or_else(|| cut_off(28))?;
    let word = |at: usize| u32_at(part, at).ok_or_else(|| cut_off(at));
    let record_size = word(start)? as usize;
    if record_size < 16 {
        let why = format!("CO-RE records of {record_size} bytes");
        return Err((start as u64, why));
    }
    let mut out = Vec::new();
    let mut pos = start + 4;
    while pos < end {
        let section = btf.string(word(pos)?);
        let count = word(pos + 4)?;
        pos += 8;
        for _ in 0..count {
            out.push(CoreRelo {
                section: section.clone(),
                offset: word(pos)?,
                type_id: word(pos + 4)?,
                access: btf.string(word(pos + 8)?),
                kind: word(pos + 12)?,
            });
            pos = pos.checked_add(record_size).ok_or_else(|| cut_off(pos))?;
        }
    }
    Ok(out)
}

/// A type's name without what libbpf calls its flavor: `sk_buff___old` is `sk_buff`.
fn essential(name: &str) -> &str {
    name.split_once("___").map_or(name, |(name, _)| name)
}

/// The field that an access string such as `0:5:3` names in the kernel.
fn target(btf: &Btf, relo: &CoreRelo) -> Result<Option<Field>, String> {
    let wrong = || format!("the CO-RE access {} does not fit its type", relo.access);
    let mut steps = Vec::new();
    for step in relo.access.split(':') {
        steps.push(step.parse::<u32>().map_err(|_| wrong())?);
    }
    let Some(Type::Struct(_, _, name)) = btf.resolve(relo.type_id) else {
        return Ok(None);
    };
    let root = essential(name).to_owned();
    let size = kernel_types::size(&root).unwrap_or(0);
    // The first step is an index of the pointer itself.
    let mut offset = u64::from(steps.first().copied().unwrap_or(0)) * u64::from(size) * 8;
    let (mut ty, mut path, mut element) = (relo.type_id, String::new(), None);
    for step in steps.iter().skip(1) {
        match btf.resolve(ty).ok_or_else(wrong)? {
            Type::Struct(_, members, _) => {
                let member = members.get(*step as usize).ok_or_else(wrong)?;
                (ty, element) = (member.type_id, None);
                if !member.name.is_empty() {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&member.name);
                }
            }
            Type::Array(inner, _) => {
                let array = kernel_types::field(&root, &path);
                let Some(array) = array.filter(|array| array.element != 0) else {
                    return Ok(None);
                };
                let bits = array.element * 8;
                if *step >= array.bits / bits {
                    return Ok(None);
                }
                offset += u64::from(*step) * u64::from(bits);
                (ty, element) = (*inner, Some(bits));
            }
            _ => return Err(wrong()),
        }
    }
    let Some(field) = kernel_types::field(&root, &path) else {
        return Ok(None);
    };
    let offset = u32::try_from(offset)
        .ok()
        .and_then(|o| o.checked_add(field.offset));
    Ok(Some(Field {
        offset: offset.ok_or_else(wrong)?,
        bits: element.unwrap_or(field.bits),
        ..field
    }))
}

/// Offset and size in bytes of the access that holds a field: an aligned one for a bit field.
fn container(field: Field) -> (u32, u32) {
    if !field.bit_field {
        return (field.offset / 8, field.bits / 8);
    }
    let mut size = 1;
    let mut offset = field.offset / 8;
    while field.offset + field.bits - offset * 8 > size * 8 && size < 8 {
        size *= 2;
        offset = field.offset / 8 / size * size;
    }
    (offset, size)
}

/// The number a relocation puts into its instruction; `None` when the kernel has no such thing.
fn value(btf: &Btf, relo: &CoreRelo) -> Result<Option<u64>, String> {
    let type_size = || match btf.resolve(relo.type_id) {
        Some(Type::Struct(_, _, name)) => kernel_types::size(essential(name)),
        // Numbers have the same size everywhere.
        Some(Type::Int(size, ..)) => Some(*size),
        _ => None,
    };
    Ok(match relo.kind {
        kind::TYPE_ID_LOCAL => Some(u64::from(relo.type_id)),
        kind::TYPE_EXISTS | kind::TYPE_MATCHES => Some(u64::from(type_size().is_some())),
        kind::TYPE_SIZE => Some(u64::from(type_size().unwrap_or(0))),
        kind::ENUMVAL_EXISTS => Some(0),
        kind::FIELD_EXISTS => Some(u64::from(target(btf, relo)?.is_some())),
        kind::FIELD_BYTE_OFFSET..=kind::FIELD_RSHIFT_U64 => {
            let Some(field) = target(btf, relo)? else {
                return Ok(None);
            };
            let (offset, size) = container(field);
            Some(u64::from(match relo.kind {
                kind::FIELD_BYTE_OFFSET => offset,
                kind::FIELD_BYTE_SIZE => size,
                kind::FIELD_SIGNED => u32::from(field.signed),
                // The field's bits to the top, then down again.
                kind::FIELD_LSHIFT_U64 => 64 - (field.offset + field.bits - offset * 8),
                _ => 64 - field.bits,
            }))
        }
        _ => None,
    })
}

/// Patches the instruction at `slot` of a function's bytes.
pub(super) fn apply(
    btf: &Btf,
    relo: &CoreRelo,
    body: &mut [u8],
    slot: usize,
) -> Result<(), String> {
    let outside = || "CO-RE relocation outside the function".to_owned();
    let at = slot * 8;
    let insn = body.get_mut(at..at + 8).ok_or_else(outside)?;
    let value = value(btf, relo)?;
    let (class, wide) = (insn[0] & 7, insn[0] == 0x18);
    let Some(value) = value else {
        insn.copy_from_slice(&[0x85, 0, 0, 0, 0, 0, 0, 0]);
        insn[4..].copy_from_slice(&POISON.to_le_bytes());
        if let Some(second) = body.get_mut(at + 8..at + 16)
            && wide
        {
            // The second half of a wide load: a jump to the next instruction.
            second.copy_from_slice(&[0x05, 0, 0, 0, 0, 0, 0, 0]);
        }
        return Ok(());
    };
    match class {
        // BPF_ALU, BPF_ALU64 with an immediate
        4 | 7 if insn[0] & 8 == 0 => {
            let imm = u32::try_from(value).map_err(|_| "CO-RE value of more than 32 bits")?;
            insn[4..].copy_from_slice(&imm.to_le_bytes());
        }
        // BPF_LDX, BPF_ST, BPF_STX
        1..=3 => {
            let off = i16::try_from(value).map_err(|_| "CO-RE offset of more than 15 bits")?;
            insn[2..4].copy_from_slice(&off.to_le_bytes());
        }
        0 if wide => {
            insn[4..].copy_from_slice(&(value as u32).to_le_bytes());
            let second = body.get_mut(at + 12..at + 16).ok_or_else(outside)?;
            second.copy_from_slice(&((value >> 32) as u32).to_le_bytes());
        }
        _ => return Err(format!("CO-RE relocation on opcode {:02x}", insn[0])),
    }
    Ok(())
}
