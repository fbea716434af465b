//! Memory accesses by instructions (`check_mem_access()`, kernel/bpf/verifier.c).

use crate::bpf::insn::{AtomicOp, Insn, Operand, Reg as Register, Size};
use crate::bpf::program::MapKind;

use super::Warning;
use super::context;
use super::precise::Node;
use super::protos;
use super::refusal::{Checked, Refusal, bits};
use super::reg::{Kind, MAYBE_NULL, RDONLY, Reg};
use super::walk::Walk;

/// A read, where it goes to; or a write, of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Into a register, sign-extended or not.
    Read { dst: usize, signed: bool },
    /// It does not matter what is read.
    ReadAny,
    /// Of a register.
    Write(usize),
    /// Of an immediate.
    WriteImm(i32),
    /// Of something.
    WriteAny,
}

impl Access {
    pub(super) fn writes(self) -> bool {
        matches!(
            self,
            Access::Write(_) | Access::WriteImm(_) | Access::WriteAny
        )
    }
}

/// One access: through which register, at which distance from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub reg: usize,
    pub base: Reg,
    pub off: i64,
    pub size: u32,
}

impl Walk<'_> {
    pub(super) fn check_memory(&mut self, insn: &Insn) -> Checked {
        match *insn {
            Insn::Load {
                size,
                signed,
                dst,
                base,
                off,
            } => {
                let place = self.place(base.number(), off, size)?;
                let dst = dst.number();
                self.check_access(place, Access::Read { dst, signed }, false)?;
                self.same_type(&place.base, true)
            }
            Insn::Store {
                size,
                base,
                off,
                src,
            } => {
                let access = match src {
                    Operand::Reg(src) => {
                        self.read(src.number())?;
                        Access::Write(src.number())
                    }
                    Operand::Imm(imm) => Access::WriteImm(imm),
                };
                let place = self.place(base.number(), off, size)?;
                self.check_access(place, access, false)?;
                self.same_type(&place.base, false)
            }
            Insn::LoadAcquire {
                size,
                dst,
                base,
                off,
            } => {
                let place = self.place(base.number(), off, size)?;
                self.check_atomic_type(&place, "loads from")?;
                let dst = dst.number();
                let access = Access::Read { dst, signed: false };
                self.check_access(place, access, true)?;
                self.same_type(&place.base, false)
            }
            Insn::StoreRelease {
                size,
                base,
                off,
                src,
            } => {
                self.read(src.number())?;
                let place = self.place(base.number(), off, size)?;
                self.check_access(place, Access::Write(src.number()), true)?;
                self.same_type(&place.base, false)?;
                self.check_atomic_type(&place, "stores into")
            }
            Insn::Atomic {
                size,
                op,
                base,
                off,
                src,
            } => self.check_atomic(size, op, base.number(), off, src),
            _ => Ok(()),
        }
    }

    fn place(&self, reg: usize, off: i16, size: Size) -> Checked<Place> {
        Ok(Place {
            reg,
            base: self.read(reg)?,
            off: i64::from(off),
            size: size.bytes(),
        })
    }

    /// `atomic_ptr_type_ok()`.
    fn check_atomic_type(&self, place: &Place, what: &'static str) -> Checked {
        match place.base.kind {
            Kind::Ctx
            | Kind::Packet
            | Kind::Meta
            | Kind::Sock
            | Kind::SockCommon
            | Kind::TcpSock
            | Kind::XdpSock => {
                let name = place.base.type_name();
                Err(Refusal::Atomic(what, place.reg, name))
            }
            _ => Ok(()),
        }
    }

    /// `check_atomic_rmw()`.
    fn check_atomic(
        &mut self,
        size: Size,
        op: AtomicOp,
        base: usize,
        off: i16,
        src: Register,
    ) -> Checked {
        let value = self.read(src.number())?;
        let place = self.place(base, off, size)?;
        if !value.is_scalar() {
            self.leak(src.number());
        }
        if op == AtomicOp::Cmpxchg {
            self.read(0)?;
        }
        self.check_atomic_type(&place, "stores into")?;
        self.check_access(place, Access::ReadAny, true)?;
        if let Some(dst) = op.old_into(src) {
            let dst = dst.number();
            self.set_unknown(dst);
            let access = Access::Read { dst, signed: false };
            self.check_access(place, access, true)?;
        }
        self.same_type(&place.base, false)?;
        self.check_access(place, Access::WriteAny, true)
    }

    /// `save_aux_ptr_type()`.
    fn same_type(&mut self, base: &Reg, mixed_memory: bool) -> Checked {
        let new = (base.kind, base.flags);
        let Some(old) = self.pointer_types.get_mut(self.insn) else {
            return Ok(());
        };
        let Some(before) = *old else {
            *old = Some(new);
            return Ok(());
        };
        // those that are read alike
        let plain = |kind: Kind| {
            !matches!(
                kind,
                Kind::Ctx
                    | Kind::Sock
                    | Kind::SockCommon
                    | Kind::TcpSock
                    | Kind::XdpSock
                    | Kind::Btf
            )
        };
        let memory = |kind: Kind| matches!(kind, Kind::Mem | Kind::Btf);
        let mixed = mixed_memory && memory(before.0) && memory(new.0);
        if before == new || plain(before.0) && plain(new.0) || mixed {
            return Ok(());
        }
        Err(Refusal::DifferentPointers)
    }

    /// `check_ptr_alignment()`. `strict`: atomics must be aligned wherever they go.
    pub(super) fn check_alignment(&self, place: &Place, strict: bool) -> Checked {
        let base = &place.base;
        let stack = base.kind == Kind::Stack;
        if !(strict || stack) || place.size == 1 {
            return Ok(());
        }
        let extra = if base.is_packet() { 2 } else { 0 };
        let at = super::tnum::Tnum::known((place.off + extra) as u64);
        if base.var.bits.add(at).is_aligned(u64::from(place.size)) {
            return Ok(());
        }
        let (var, off, size) = (bits(base.var.bits), place.off, place.size);
        Err(match base.kind {
            Kind::Packet | Kind::Meta => Refusal::MisalignedPacket { var, off, size },
            Kind::Stack => Refusal::MisalignedStack { var, off, size },
            kind => Refusal::Misaligned {
                what: match kind {
                    Kind::MapValue => "value ",
                    Kind::MapKey => "key ",
                    Kind::Ctx => "context ",
                    _ => "",
                },
                var,
                off,
                size,
            },
        })
    }

    pub(super) fn check_access(&mut self, place: Place, access: Access, strict: bool) -> Checked {
        let Place {
            reg,
            base,
            off,
            size,
        } = place;
        let writes = access.writes();
        self.check_alignment(&place, strict)?;
        if let Access::Write(src) = access
            && !self.state.reg(src).is_scalar()
            && base.kind != Kind::Stack
        {
            self.leak(src);
        }
        let bytes = i64::from(size);
        match base.kind {
            Kind::Stack => return self.check_stack(place, access),
            Kind::Ctx => return self.check_context(place, access),
            Kind::MapKey => {
                if writes {
                    return Err(Refusal::WriteKey(reg));
                }
                let key = self.map(base.aux).map_or(0, |def| def.key_size);
                self.check_region(&base, reg, off, bytes, key, false)?;
            }
            Kind::MapValue if base.flags & MAYBE_NULL == 0 => {
                self.check_map_access(&base, reg, off, bytes, writes, false)?;
                if let Access::Read { dst, signed } = access
                    && let Some(value) = self.constant_value(&base, off, size)
                {
                    let mut new = Reg::number(value);
                    if signed && size < 8 {
                        new.var.sign_extend(size);
                    }
                    self.put(dst, new, [Node::NONE; 2]);
                    return Ok(());
                }
            }
            Kind::Mem if base.flags & MAYBE_NULL == 0 => {
                if writes && base.flags & RDONLY != 0 {
                    return Err(Refusal::WriteInto(reg, base.type_name()));
                }
                self.check_region(&base, reg, off, bytes, base.aux, false)?;
            }
            Kind::Packet | Kind::Meta => {
                if writes {
                    if self.class & protos::WRITE == 0 {
                        return Err(Refusal::WritePacket);
                    }
                    self.out.facts.writes_packet = true;
                }
                self.check_packet(&base, reg, off, bytes, false)?;
            }
            Kind::Sock | Kind::SockCommon | Kind::TcpSock | Kind::XdpSock
                if base.flags & MAYBE_NULL == 0 =>
            {
                if writes {
                    return Err(Refusal::WriteInto(reg, base.type_name()));
                }
                if base.var.smin() < 0 {
                    return Err(Refusal::NegativeIndex(reg));
                }
                if !context::socket_ok(base.kind, off, size) {
                    return Err(Refusal::Socket(reg, base.type_name(), off, size));
                }
            }
            Kind::Btf if base.flags & MAYBE_NULL == 0 && base.aux != 0 => {
                return self.check_nf_structure(place, access);
            }
            Kind::Btf if base.flags & MAYBE_NULL == 0 => {
                let (insn, reg) = (self.insn, reg as u8);
                self.warn(Warning::KernelStructure { insn, reg });
            }
            _ => return Err(Refusal::MemAccess(reg, base.type_name())),
        }
        self.loaded(access, size);
        Ok(())
    }

    /// A register that something unknown was read into.
    pub(super) fn loaded(&mut self, access: Access, size: u32) {
        if let Access::Read { dst, signed } = access {
            let mut new = Reg::UNKNOWN;
            if signed && size < 8 {
                new.var.sign_extend(size);
            } else {
                new.var.truncate(size);
            }
            self.put(dst, new, [Node::NONE; 2]);
        }
    }

    /// A number in a map that nobody writes (`bpf_map_direct_read()`).
    fn constant_value(&self, base: &Reg, off: i64, size: u32) -> Option<u64> {
        let def = self.map(base.aux)?;
        if def.kind != (MapKind::Data { read_only: true }) {
            return None;
        }
        let at = usize::try_from(base.off()?.checked_add(off)?).ok()?;
        let bytes = def.initial.get(at..at.checked_add(size as usize)?)?;
        Some(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }
}
