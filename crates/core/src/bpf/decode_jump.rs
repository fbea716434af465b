//! Jumps, calls and exit from bytes (RFC 9669, section 4.3).

use super::decode::{Calls, Raw, Reference};
use super::insn::{Callee, Cond, Insn, Operand, Reg, Width};

/// An instruction of class `BPF_JMP` or `BPF_JMP32`; its target is a slot.
pub(super) fn decode_jump(
    raw: Raw,
    slot: usize,
    reference: Option<&Reference>,
    calls: Calls,
    reg: impl Fn(u8) -> Result<Reg, String>,
    reserved: impl Fn(bool, &str) -> Result<(), String>,
    unknown: impl Fn() -> String,
) -> Result<Insn, String> {
    let width = if raw.op & 7 == 5 {
        Width::W64
    } else {
        Width::W32
    };
    let by_reg = raw.op & 8 != 0;
    // A slot below 0 wraps to a huge one, which decode() refuses as out of range.
    let to = |distance: i64| (slot as i64).wrapping_add(1).wrapping_add(distance) as usize;
    let target = to(i64::from(raw.off));
    let cond = match raw.op & 0xf0 {
        0x00 => {
            reserved(raw.dst == 0 && raw.src == 0 && !by_reg, "BPF_JA")?;
            return match width {
                Width::W64 => {
                    reserved(raw.imm == 0, "BPF_JA")?;
                    Ok(Insn::Jump {
                        target,
                        long: false,
                    })
                }
                Width::W32 => {
                    reserved(raw.off == 0, "BPF_JA")?;
                    Ok(Insn::Jump {
                        target: to(i64::from(raw.imm)),
                        long: true,
                    })
                }
            };
        }
        0x80 if raw.op == 0x85 => {
            // The offset of a kfunc call names the BTF it is in.
            let rest = raw.dst == 0 && (raw.off == 0 || raw.src == 2);
            reserved(rest, "BPF_CALL")?;
            return match (reference, raw.src) {
                (Some(Reference::Call(callee)), _) => Ok(Insn::Call(callee.clone())),
                (None, 0) => Ok(Insn::Call(Callee::Helper(raw.imm as u32))),
                (None, 1) if calls == Calls::Inside => {
                    Ok(Insn::Call(Callee::Local(to(i64::from(raw.imm)))))
                }
                (None, 1) => Err("call of a function that is not in the object".to_owned()),
                (None, 2) => Err("kfunc call without relocation".to_owned()),
                _ => Err("BPF_CALL uses reserved fields".to_owned()),
            };
        }
        0x80 if raw.op == 0x8d => {
            let rest = raw.src == 0 && raw.off == 0 && raw.imm == 0;
            reserved(rest, "BPF_CALL")?;
            return Ok(Insn::Call(Callee::Register(reg(raw.dst)?)));
        }
        0x90 if raw.op == 0x95 => {
            reserved(
                raw.dst == 0 && raw.src == 0 && raw.off == 0 && raw.imm == 0,
                "BPF_EXIT",
            )?;
            return Ok(Insn::Exit);
        }
        0x10 => Cond::Eq,
        0x20 => Cond::Gt,
        0x30 => Cond::Ge,
        0x40 => Cond::Set,
        0x50 => Cond::Ne,
        0x60 => Cond::SGt,
        0x70 => Cond::SGe,
        0xa0 => Cond::Lt,
        0xb0 => Cond::Le,
        0xc0 => Cond::SLt,
        0xd0 => Cond::SLe,
        0xe0 if raw.op == 0xe5 => {
            if raw.src != 0 || raw.dst != 0 || raw.imm != 0 {
                return Err(format!("invalid may_goto imm {}", raw.imm));
            }
            return Ok(Insn::MayGoto { target });
        }
        _ => return Err(unknown()),
    };
    let src = if by_reg {
        reserved(raw.imm == 0, "BPF_JMP")?;
        Operand::Reg(reg(raw.src)?)
    } else {
        reserved(raw.src == 0, "BPF_JMP")?;
        Operand::Imm(raw.imm)
    };
    Ok(Insn::Branch {
        width,
        cond,
        dst: reg(raw.dst)?,
        src,
        target,
    })
}
