//! Whether an access lies in its memory, wherever a variable offset takes it
//! (`check_mem_region_access()`, kernel/bpf/verifier.c).

use crate::bpf::program::MapKind;

use super::refusal::{Checked, Refusal, bits};
use super::reg::{Kind, Reg};
use super::walk::Walk;

impl Walk<'_> {
    /// `check_map_access_type()`, `check_map_access()`.
    pub(super) fn check_map_access(
        &self,
        base: &Reg,
        reg: usize,
        off: i64,
        size: i64,
        writes: bool,
        zero: bool,
    ) -> Checked {
        // BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG
        const RDONLY_PROG: u32 = 1 << 7;
        const WRONLY_PROG: u32 = 1 << 8;
        let Some(def) = self.map(base.aux) else {
            return Err(Refusal::MemAccess(reg, base.type_name()));
        };
        let read_only =
            def.kind == (MapKind::Data { read_only: true }) || def.flags & RDONLY_PROG != 0;
        let what = match writes {
            true if read_only => Some("write into"),
            false if def.flags & WRONLY_PROG != 0 => Some("read from"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(Refusal::MapForbidden {
                what,
                value: def.value_size,
                off: base.var.smin().saturating_add(off),
                size,
            });
        }
        self.check_region(base, reg, off, size, def.value_size, zero)?;
        let (first, last) = (base.var.smin().saturating_add(off), base.var.umax());
        let end = (last as i64).saturating_add(off).saturating_add(size);
        for (field, at, len) in def.details.fields() {
            if first < i64::from(at + len) && i64::from(at) < end {
                return Err(Refusal::Field(field));
            }
        }
        Ok(())
    }

    /// `check_packet_access()`.
    pub(super) fn check_packet(
        &self,
        base: &Reg,
        reg: usize,
        off: i64,
        size: i64,
        zero: bool,
    ) -> Checked {
        match u32::try_from(base.range) {
            Ok(range) => self.check_region(base, reg, off, size, range, zero),
            Err(_) => Err(Refusal::BeyondPacket(reg)),
        }
    }

    /// `check_mem_region_access()`: all places that the access may go to lie in `limit` bytes.
    pub(super) fn check_region(
        &self,
        base: &Reg,
        reg: usize,
        off: i64,
        size: i64,
        limit: u32,
        zero: bool,
    ) -> Checked {
        let inside = |at: i64, end: &'static str| {
            let sized = size > 0 || size == 0 && zero;
            if at >= 0 && sized && at + size <= i64::from(limit) {
                return Ok(());
            }
            let place = outside(base, reg, at, size, limit);
            Err(Refusal::Outside { place, reg, end })
        };
        let smin = base.var.smin();
        if smin < 0
            && smin
                .checked_add(off)
                .is_none_or(|at| at < 0 || i32::try_from(at).is_err())
        {
            return Err(Refusal::NegativeIndex(reg));
        }
        // the kernel's offset has 32 bits
        inside(i64::from(smin.wrapping_add(off) as i32), "min")?;
        let umax = base.var.umax();
        if umax >= super::alu::MAX_VAR_OFF as u64 {
            return Err(Refusal::Unbounded(reg));
        }
        inside(umax as i64 + off, "max")
    }

    /// `__check_ptr_off_reg()`: a pointer that must be used as it was given.
    pub(super) fn check_unmodified(&self, base: &Reg, reg: usize, fixed: bool) -> Checked {
        let Some(off) = base.off() else {
            return Err(Refusal::VariableOff(base.type_name(), bits(base.var.bits)));
        };
        if base.var.smin() < 0 {
            return Err(Refusal::NegativeOff(base.type_name(), reg, off));
        }
        if !fixed && off != 0 {
            return Err(Refusal::ModifiedOff(base.type_name(), reg, off));
        }
        Ok(())
    }
}

/// `__check_mem_access()`.
fn outside(base: &Reg, reg: usize, off: i64, size: i64, limit: u32) -> String {
    match base.kind {
        Kind::MapKey => {
            format!("invalid access to map key, key_size={limit} off={off} size={size}")
        }
        Kind::MapValue => {
            format!("invalid access to map value, value_size={limit} off={off} size={size}")
        }
        Kind::Packet | Kind::Meta => format!(
            "invalid access to packet, off={off} size={size}, R{reg}(id={},off={off},r={limit})",
            base.id
        ),
        _ => format!("invalid access to memory, mem_size={limit} off={off} size={size}"),
    }
}
