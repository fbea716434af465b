//! What the registers hold where a program is refused, in words (the kernel's log prints it as `print_verifier_state()` does,
//! kernel/bpf/log.c, in a form of its own).

use super::reg::{AT_END, BEYOND_END, INNER, Kind, Reg};
use super::scalar::Scalar;
use super::state::State;
use super::walk::map_of;
use crate::bpf::program::{MapDef, Program};

/// A register and what the verifier knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Number, 0 to 10.
    pub register: u8,
    /// Its type as the kernel's log names it, and what is known of its value: `pkt + 14, 34 bytes shown to lie there`.
    pub what: String,
}

/// The registers of the running function that hold something. Those that nobody reads any more are forgotten at the last branch.
pub(super) fn held(program: &Program, state: &State) -> Vec<Held> {
    let regs = state.frame().regs.iter().enumerate();
    regs.filter(|(_, reg)| reg.kind != Kind::NotInit)
        .map(|(register, reg)| Held {
            register: register as u8,
            what: words(program, reg),
        })
        .collect()
}

fn words(program: &Program, reg: &Reg) -> String {
    if reg.is_scalar() {
        return number(&reg.var);
    }
    let name = match reg.kind {
        Kind::Stack => "fp".to_owned(),
        _ => reg.type_name(),
    };
    let offset = match reg.off() {
        Some(0) => String::new(),
        Some(off) if off < 0 => format!(" - {}", off.unsigned_abs()),
        Some(off) => format!(" + {off}"),
        None => format!(" + {}", number(&reg.var)),
    };
    format!("{name}{offset}{}", behind(program, reg))
}

/// What lies behind a pointer, as far as that was shown.
fn behind(program: &Program, reg: &Reg) -> String {
    let map = || map_of(program, reg.aux);
    let of = |map: &MapDef| match reg.aux & INNER {
        0 => format!(" of {}", map.name),
        _ => format!(" of a map that {} holds", map.name),
    };
    match (reg.kind, reg.range) {
        (Kind::MapPtr, _) => map().map_or_else(String::new, of),
        (Kind::MapValue, _) => map().map_or_else(String::new, |map| {
            format!("{}, {} bytes", of(map), map.value_size)
        }),
        (Kind::Packet | Kind::Meta, AT_END) => ", at the end of the packet".into(),
        (Kind::Packet | Kind::Meta, BEYOND_END) => ", behind the end of the packet".into(),
        (Kind::Packet | Kind::Meta, 0) => ", compared with no end".into(),
        (Kind::Packet | Kind::Meta, 1) => ", 1 byte shown to lie there".into(),
        (Kind::Packet | Kind::Meta, range) => format!(", {range} bytes shown to lie there"),
        (Kind::Mem, _) => format!(", {} bytes", reg.aux),
        _ => String::new(),
    }
}

/// `42`, `-1`, `0 to 255`, `any number`.
fn number(var: &Scalar) -> String {
    let (umax, smin, smax) = (var.umax(), var.smin(), var.smax());
    match var.constant(true) {
        Some(value) => (value as i64).to_string(),
        None if umax == u64::MAX && smin == i64::MIN && smax == i64::MAX => "any number".into(),
        None if umax <= i64::MAX as u64 => format!("{} to {umax}", var.umin()),
        None if smin > i64::MIN || smax < i64::MAX => format!("{smin} to {smax}"),
        None => format!("{} to {umax}", var.umin()),
    }
}
