//! From bytes to instructions (RFC 9669, sections 3 to 5).

use std::collections::BTreeMap;

use super::decode_jump::decode_jump;
use super::insn::{AluOp, AtomicOp, Callee, Insn, Operand, Reg, Size, Wide, Width};

/// What a relocation makes of the instruction at a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A wide load of this.
    Wide(Wide),
    /// A call of this.
    Call(Callee),
}

/// Why a slot is no instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecodeError {
    /// Slot, counted from the start of the function.
    pub slot: usize,
    /// What is wrong.
    pub why: String,
}

/// One decoded instruction and the slot it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Slot, counted from the start of the function.
    pub slot: usize,
    /// The instruction.
    pub insn: Insn,
}

#[derive(Clone, Copy)]
pub(super) struct Raw {
    pub op: u8,
    pub dst: u8,
    pub src: u8,
    pub off: i16,
    pub imm: i32,
}

fn raw_at(bytes: &[u8], slot: usize) -> Option<Raw> {
    let at = slot.checked_mul(8)?;
    let b: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
    Some(Raw {
        op: b[0],
        dst: b[1] & 0xf,
        src: b[1] >> 4,
        off: i16::from_le_bytes([b[2], b[3]]),
        imm: i32::from_le_bytes([b[4], b[5], b[6], b[7]]),
    })
}

/// Whether a call without relocation may name a place in the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// Only the loader knows where functions are: such a call is an error.
    ByReference,
    /// The bytes are the whole program.
    Inside,
}

/// Decodes one function, or a whole program. `refs` says what relocations make of a slot.
pub(super) fn decode(
    bytes: &[u8],
    refs: &BTreeMap<usize, Reference>,
    calls: Calls,
) -> Result<Vec<Decoded>, DecodeError> {
    let fail = |slot: usize, why: &str| DecodeError {
        slot,
        why: why.to_owned(),
    };
    if bytes.is_empty() {
        return Err(fail(0, "the program is empty"));
    }
    if !bytes.len().is_multiple_of(8) {
        return Err(fail(
            0,
            "length of the program is not a multiple of 8 bytes",
        ));
    }
    let slots = bytes.len() / 8;
    let mut out: Vec<Decoded> = Vec::with_capacity(slots);
    // Jump targets are slots at first.
    let mut entry_of_slot: Vec<Option<usize>> = vec![None; slots];
    let mut slot = 0;
    while let Some(raw) = raw_at(bytes, slot) {
        let insn = decode_one(raw, raw_at(bytes, slot + 1), slot, refs.get(&slot), calls)
            .map_err(|why| DecodeError { slot, why })?;
        if let Some(entry) = entry_of_slot.get_mut(slot) {
            *entry = Some(out.len());
        }
        let width = insn.slots();
        out.push(Decoded { slot, insn });
        slot += width;
    }
    for one in &mut out {
        let inside = calls == Calls::Inside;
        let function = one.insn.function().filter(|_| inside);
        let Some(target) = function.or(one.insn.target()) else {
            continue;
        };
        let Some(entry) = entry_of_slot.get(target).copied().flatten() else {
            let (slot, target) = (one.slot, target as isize);
            let why = format!("jump out of range from insn {slot} to {target}");
            return Err(DecodeError { slot, why });
        };
        let insn = one.insn.clone().retarget(|_| entry);
        one.insn = if inside {
            insn.refunction(|_| entry)
        } else {
            insn
        };
    }
    match out.last().map(|d| &d.insn) {
        Some(Insn::Exit | Insn::Jump { .. }) => Ok(out),
        _ => Err(fail(slots - 1, "last insn is not an exit or jmp")),
    }
}

fn decode_one(
    raw: Raw,
    next: Option<Raw>,
    slot: usize,
    reference: Option<&Reference>,
    calls: Calls,
) -> Result<Insn, String> {
    let unknown = || format!("unknown opcode {:02x}", raw.op);
    let reg = |n: u8| Reg::new(n).ok_or_else(|| format!("R{n} is invalid"));
    let writable = |n: u8| match n {
        0..=9 => reg(n),
        10 => Err("frame pointer is read only".to_owned()),
        _ => Err(format!("R{n} is invalid")),
    };
    let reserved = |ok: bool, what: &str| {
        if ok {
            Ok(())
        } else {
            Err(format!("{what} uses reserved fields"))
        }
    };
    match raw.op & 7 {
        // BPF_ALU, BPF_ALU64
        4 | 7 => decode_alu(raw, reg, writable, reserved, unknown),
        // BPF_JMP, BPF_JMP32
        5 | 6 => decode_jump(raw, slot, reference, calls, reg, reserved, unknown),
        0 => {
            if raw.op != 0x18 {
                return decode_packet_load(raw, reg, reserved, unknown);
            }
            let next = next.ok_or("incomplete ld_imm64 insn")?;
            if next.op != 0 || next.dst != 0 || next.src != 0 || next.off != 0 || raw.off != 0 {
                return Err("invalid bpf_ld_imm64 insn".to_owned());
            }
            let dst = writable(raw.dst)?;
            let value = match reference {
                Some(Reference::Wide(value)) => *value,
                Some(Reference::Call(_)) => return Err("relocation of a call on ld_imm64".into()),
                None if raw.src == 0 => {
                    Wide::Number(u64::from(raw.imm as u32) | u64::from(next.imm as u32) << 32)
                }
                // BPF_PSEUDO_FUNC; decode() makes an entry of the slot
                None if raw.src == 4 && calls == Calls::Inside => {
                    Wide::Func((slot as i64 + 1 + i64::from(raw.imm)) as usize)
                }
                None => return Err(format!("ld_imm64 of kind {} without relocation", raw.src)),
            };
            Ok(Insn::LoadImm { dst, value })
        }
        1 => {
            let signed = match raw.op & 0xe0 {
                0x60 => false,
                0x80 if raw.op != 0x99 => true,
                _ => return Err(unknown()),
            };
            reserved(raw.imm == 0, "BPF_LDX")?;
            let (dst, base) = (writable(raw.dst)?, reg(raw.src)?);
            Ok(Insn::Load {
                size: size_of(raw.op),
                signed,
                dst,
                base,
                off: raw.off,
            })
        }
        2 => {
            if raw.op & 0xe0 != 0x60 {
                return Err(unknown());
            }
            reserved(raw.src == 0, "BPF_ST")?;
            let src = Operand::Imm(raw.imm);
            Ok(Insn::Store {
                size: size_of(raw.op),
                base: reg(raw.dst)?,
                off: raw.off,
                src,
            })
        }
        _ => match raw.op & 0xe0 {
            0x60 => {
                reserved(raw.imm == 0, "BPF_STX")?;
                let src = Operand::Reg(reg(raw.src)?);
                Ok(Insn::Store {
                    size: size_of(raw.op),
                    base: reg(raw.dst)?,
                    off: raw.off,
                    src,
                })
            }
            0xc0 => {
                let size = size_of(raw.op);
                match raw.imm {
                    0x100 => {
                        return Ok(Insn::LoadAcquire {
                            size,
                            dst: writable(raw.dst)?,
                            base: reg(raw.src)?,
                            off: raw.off,
                        });
                    }
                    0x110 => {
                        return Ok(Insn::StoreRelease {
                            size,
                            base: reg(raw.dst)?,
                            off: raw.off,
                            src: reg(raw.src)?,
                        });
                    }
                    _ => {}
                }
                if !matches!(size, Size::W | Size::Dw) {
                    return Err("invalid atomic operand size".to_owned());
                }
                let op = match raw.imm {
                    0x00 | 0x01 => AtomicOp::Add {
                        fetch: raw.imm & 1 != 0,
                    },
                    0x40 | 0x41 => AtomicOp::Or {
                        fetch: raw.imm & 1 != 0,
                    },
                    0x50 | 0x51 => AtomicOp::And {
                        fetch: raw.imm & 1 != 0,
                    },
                    0xa0 | 0xa1 => AtomicOp::Xor {
                        fetch: raw.imm & 1 != 0,
                    },
                    0xe1 => AtomicOp::Xchg,
                    0xf1 => AtomicOp::Cmpxchg,
                    imm => return Err(format!("BPF_ATOMIC uses invalid atomic opcode {imm:02x}")),
                };
                let writes_src = !matches!(
                    op,
                    AtomicOp::Add { fetch: false }
                        | AtomicOp::Or { fetch: false }
                        | AtomicOp::And { fetch: false }
                        | AtomicOp::Xor { fetch: false }
                        | AtomicOp::Cmpxchg
                );
                let src = if writes_src {
                    writable(raw.src)?
                } else {
                    reg(raw.src)?
                };
                Ok(Insn::Atomic {
                    size,
                    op,
                    base: reg(raw.dst)?,
                    off: raw.off,
                    src,
                })
            }
            _ => Err(unknown()),
        },
    }
}

/// `BPF_ABS` and `BPF_IND` (`check_ld_abs()`, kernel/bpf/verifier.c).
fn decode_packet_load(
    raw: Raw,
    reg: impl Fn(u8) -> Result<Reg, String>,
    reserved: impl Fn(bool, &str) -> Result<(), String>,
    unknown: impl Fn() -> String,
) -> Result<Insn, String> {
    let size = size_of(raw.op);
    let indirect = match raw.op & 0xe0 {
        0x20 => false,
        0x40 => true,
        _ => return Err(unknown()),
    };
    if size == Size::Dw {
        return Err(unknown());
    }
    let used = raw.dst == 0 && raw.off == 0 && (indirect || raw.src == 0);
    reserved(used, "BPF_LD_[ABS|IND]")?;
    let index = if indirect { Some(reg(raw.src)?) } else { None };
    let off = raw.imm;
    Ok(Insn::PacketLoad { size, index, off })
}

fn size_of(op: u8) -> Size {
    match op & 0x18 {
        0x00 => Size::W,
        0x08 => Size::H,
        0x10 => Size::B,
        _ => Size::Dw,
    }
}

fn decode_alu(
    raw: Raw,
    reg: impl Fn(u8) -> Result<Reg, String>,
    writable: impl Fn(u8) -> Result<Reg, String>,
    reserved: impl Fn(bool, &str) -> Result<(), String>,
    unknown: impl Fn() -> String,
) -> Result<Insn, String> {
    let width = if raw.op & 7 == 7 {
        Width::W64
    } else {
        Width::W32
    };
    let by_reg = raw.op & 8 != 0;
    let dst = writable(raw.dst)?;
    let code = raw.op & 0xf0;
    let src = if by_reg && code != 0xd0 && code != 0x80 {
        reserved(raw.imm == 0, "BPF_ALU")?;
        Operand::Reg(reg(raw.src)?)
    } else {
        reserved(raw.src == 0, "BPF_ALU")?;
        Operand::Imm(raw.imm)
    };
    let plain = |op: AluOp| reserved(raw.off == 0, "BPF_ALU").map(|()| op);
    let op = match code {
        0x00 => plain(AluOp::Add)?,
        0x10 => plain(AluOp::Sub)?,
        0x20 => plain(AluOp::Mul)?,
        0x30 if raw.off == 1 => AluOp::SDiv,
        0x30 => plain(AluOp::Div)?,
        0x40 => plain(AluOp::Or)?,
        0x50 => plain(AluOp::And)?,
        0x60 => plain(AluOp::Lsh)?,
        0x70 => plain(AluOp::Rsh)?,
        0x80 if by_reg => return Err(unknown()),
        0x80 => {
            reserved(raw.imm == 0, "BPF_NEG")?;
            plain(AluOp::Neg)?
        }
        0x90 if raw.off == 1 => AluOp::SMod,
        0x90 => plain(AluOp::Mod)?,
        0xa0 => plain(AluOp::Xor)?,
        0xb0 if by_reg && raw.off != 0 => match (raw.off, width) {
            (8 | 16, _) | (32, Width::W64) => AluOp::MovSx(raw.off as u8),
            _ => return Err("BPF_MOV uses reserved fields".to_owned()),
        },
        0xb0 => plain(AluOp::Mov)?,
        0xc0 => plain(AluOp::Arsh)?,
        0xd0 => {
            reserved(raw.off == 0, "BPF_END")?;
            let bits = match raw.imm {
                16 | 32 | 64 => raw.imm as u8,
                _ => return Err("BPF_END uses reserved fields".to_owned()),
            };
            match (width, by_reg) {
                (Width::W32, false) => AluOp::ToLe(bits),
                (Width::W32, true) => AluOp::ToBe(bits),
                (Width::W64, false) => AluOp::Bswap(bits),
                (Width::W64, true) => return Err(unknown()),
            }
        }
        _ => return Err(unknown()),
    };
    Ok(Insn::Alu {
        width,
        op,
        dst,
        src,
    })
}
