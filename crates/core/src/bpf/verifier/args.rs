//! Arguments of helpers (`check_func_arg()`, kernel/bpf/verifier.c).

use crate::bpf::program::MapKind;

use super::Warning;
use super::access::Place;
use super::call::Meta;
use super::objects::{LOCAL, RINGBUF, Wants};
use super::protos::{self, Proto};
use super::refusal::{Checked, Refusal};
use super::reg::{self, Kind, MAYBE_NULL, OF_PACKET, RDONLY, Reg};
use super::state::{Byte, slot_of};
use super::walk::Walk;

/// `BPF_MAX_VAR_SIZ`.
const MAX_SIZE: u64 = 1 << 29;

/// Which pointers an argument takes (`compatible_reg_types`), and how the log lists them.
fn accepts(code: u8) -> (&'static [(Kind, u8)], &'static str) {
    const MEMORY: &[(Kind, u8)] = &[
        (Kind::Stack, 0),
        (Kind::Packet, 0),
        (Kind::Meta, 0),
        (Kind::MapKey, 0),
        (Kind::MapValue, 0),
        (Kind::Mem, 0),
        (Kind::Mem, reg::RINGBUF),
        (Kind::Btf, reg::TRUSTED),
        (Kind::Ctx, 0),
    ];
    const SOCKS: &[(Kind, u8)] = &[
        (Kind::SockCommon, 0),
        (Kind::Sock, 0),
        (Kind::TcpSock, 0),
        (Kind::XdpSock, 0),
        (Kind::Btf, reg::TRUSTED),
    ];
    match code {
        b'n' | b's' | b'z' | b'A' => (&[(Kind::Scalar, 0)], "scalar"),
        b'C' | b'N' => (&[(Kind::Ctx, 0)], "ctx"),
        b'M' => (&[(Kind::MapPtr, 0)], "map_ptr"),
        b'f' => (&[(Kind::Func, 0)], "func"),
        b'S' => (&[(Kind::Stack, 0)], "fp"),
        b'D' | b'L' | b'B' | b'b' => (&[(Kind::Stack, 0), (Kind::Dynptr, 0)], "fp, dynptr_ptr"),
        b'g' => (&[(Kind::Mem, reg::RINGBUF)], "ringbuf_mem"),
        b'K' | b't' => (&[(Kind::MapValue, 0)], "map_value"),
        b'l' => (&[(Kind::MapValue, 0)], "map_value, ptr_"),
        b'c' => (&SOCKS[..4], "sock_common, sock, tcp_sock, xdp_sock"),
        b'o' | b'O' => (
            SOCKS,
            "sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_",
        ),
        b'x' => (&[(Kind::Btf, reg::TRUSTED)], "ptr_, trusted_ptr_, rcu_ptr_"),
        _ => (
            MEMORY,
            "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_, ctx",
        ),
    }
}

fn is_memory(code: u8) -> bool {
    matches!(
        code,
        b'r' | b'R' | b'w' | b'W' | b'U' | b'4' | b'8' | b'h' | b'H'
    )
}

impl Walk<'_> {
    pub(super) fn check_arg(
        &mut self,
        proto: &Proto,
        regno: usize,
        code: u8,
        meta: &mut Meta,
    ) -> Checked {
        if code == b'.' {
            return Ok(());
        }
        let value = self.read(regno)?;
        if code == b'a' {
            if !value.is_scalar() {
                self.leak(regno);
            }
            return Ok(());
        }
        if value.is_packet() && proto.flags & protos::PACKET == 0 {
            return Err(Refusal::HelperPacket);
        }
        let nullable = matches!(code, b'N' | b'V' | b'R' | b'W' | b'S');
        if value.is_null() && nullable {
            self.nodes.ask(value.node);
        } else {
            check_type(&value, regno, code, nullable)?;
            self.check_offset(&value, regno, code)?;
        }
        if matches!(code, b'g' | b'O') && !self.state.has_ref(value.id) && !value.is_null() {
            return Err(Refusal::ReleaseRef(
                super::call::name(u32::from(proto.id)),
                regno,
            ));
        }
        if self.state.has_ref(value.id) {
            meta.reference = value.id;
        }
        self.check_argument(proto, regno, code, &value, meta)
    }

    /// `check_func_arg_reg_off()`.
    fn check_offset(&self, value: &Reg, regno: usize, code: u8) -> Checked {
        if matches!(code, b'g' | b'O') && value.off() != Some(0) {
            return Err(Refusal::ReleaseOff(regno));
        }
        match value.kind {
            Kind::Stack
            | Kind::Packet
            | Kind::Meta
            | Kind::MapKey
            | Kind::MapValue
            | Kind::Scalar => Ok(()),
            Kind::Mem if value.flags & !(RDONLY | reg::RINGBUF) == 0 => Ok(()),
            Kind::Btf => self.check_unmodified(value, regno, true),
            _ => self.check_unmodified(value, regno, false),
        }
    }

    fn check_argument(
        &mut self,
        proto: &Proto,
        regno: usize,
        code: u8,
        value: &Reg,
        meta: &mut Meta,
    ) -> Checked {
        match code {
            b'M' => {
                if let Some(map) = meta.map.filter(|map| *map != value.aux) {
                    // ids of maps in maps are not counted here: one map's is 0
                    let ids = [map, value.aux].map(|map| u32::from(map & reg::INNER != 0));
                    return Err(Refusal::TimerMap(ids[0], ids[1]));
                }
                meta.map = Some(value.aux);
            }
            b't' => {
                self.check_field("bpf_timer", value, regno)?;
                meta.map = Some(value.aux);
            }
            b'k' => {
                let def = meta.map.and_then(|map| self.map(map));
                let (size, array) = def.map_or((0, false), |d| {
                    (d.key_size, matches!(d.kind.number(), 2 | 6))
                });
                self.check_helper_memory(value, regno, i64::from(size), false, false, None)?;
                if array {
                    meta.key = self.constant_key(value, size);
                }
            }
            b'v' | b'V' | b'u' => {
                if value.is_null() && code == b'V' {
                    return Ok(());
                }
                let size = meta
                    .map
                    .and_then(|map| self.map(map))
                    .map_or(0, |d| d.value_size);
                let raw = (code == b'u').then_some(meta);
                self.check_helper_memory(value, regno, i64::from(size), code == b'u', false, raw)?;
            }
            b'4' | b'8' | b'h' | b'H' => {
                let (size, writes) = match code {
                    b'4' => (4, true),
                    b'8' => (8, true),
                    b'h' => (20, false),
                    _ => (40, false),
                };
                let raw = (code == b'8').then_some(meta);
                self.check_helper_memory(value, regno, size, writes, false, raw)?;
                if writes {
                    let place = Place {
                        reg: regno,
                        base: *value,
                        off: 0,
                        size: size as u32,
                    };
                    self.check_alignment(&place, true)?;
                }
            }
            b's' | b'z' => {
                let memory = proto
                    .args
                    .get(regno.wrapping_sub(2))
                    .copied()
                    .unwrap_or(b'r');
                let writes = matches!(memory, b'w' | b'W' | b'U');
                let raw = (memory == b'U').then_some(meta);
                self.check_size(regno - 1, regno, writes, code == b'z', raw)?;
            }
            b'A' => {
                let Some(size) = value.var.constant(true) else {
                    return Err(Refusal::NotConstant(regno));
                };
                meta.mem_size = size as u32;
                self.nodes.ask(value.node);
            }
            b'f' => meta.function = Some(value.aux as usize),
            b'D' => meta.dynptr = self.use_dynptr(value, regno, Wants::Any)?,
            b'b' => meta.dynptr = self.use_dynptr(value, regno, Wants::Release(RINGBUF))?,
            b'L' => self.make_dynptr(value, regno, LOCAL, None)?,
            b'B' => self.make_dynptr(value, regno, RINGBUF, None)?,
            b'K' => self.check_string(value, regno)?,
            b'l' => self.check_lock(proto.id == 93, value, regno)?,
            b'x' => {
                let (insn, reg) = (self.insn, regno as u8);
                self.warn(Warning::KernelStructure { insn, reg });
            }
            _ => {}
        }
        Ok(())
    }

    /// `check_mem_size_reg()`.
    pub(super) fn check_size(
        &mut self,
        memory: usize,
        size: usize,
        writes: bool,
        zero: bool,
        meta: Option<&mut Meta>,
    ) -> Checked {
        let (value, bytes) = (*self.state.reg(memory), *self.state.reg(size));
        if bytes.var.smin() < 0 {
            return Err(Refusal::NegativeSize(size));
        }
        let (min, max) = (bytes.var.umin(), bytes.var.umax());
        if min == 0 && !zero {
            return Err(Refusal::ZeroSize(size, min, max));
        }
        if max >= MAX_SIZE {
            return Err(Refusal::UnboundedSize(size));
        }
        let raw = meta.filter(|_| bytes.var.is_const());
        self.check_helper_memory(&value, memory, max as i64, writes, zero, raw)?;
        self.nodes.ask(bytes.node);
        Ok(())
    }

    /// `check_helper_mem_access()`. With `raw` the helper writes, and the stack may be unset before.
    pub(super) fn check_helper_memory(
        &mut self,
        value: &Reg,
        regno: usize,
        size: i64,
        writes: bool,
        zero: bool,
        raw: Option<&mut Meta>,
    ) -> Checked {
        match value.kind {
            Kind::Packet | Kind::Meta => self.check_packet(value, regno, 0, size, zero),
            Kind::MapKey if writes => Err(Refusal::WriteInto(regno, value.type_name())),
            Kind::MapKey => {
                let key = self.map(value.aux).map_or(0, |def| def.key_size);
                self.check_region(value, regno, 0, size, key, false)
            }
            Kind::MapValue => self.check_map_access(value, regno, 0, size, writes, zero),
            Kind::Mem if writes && value.flags & RDONLY != 0 => {
                Err(Refusal::WriteInto(regno, value.type_name()))
            }
            Kind::Mem => self.check_region(value, regno, 0, size, value.aux, zero),
            Kind::Stack => {
                let (Some(meta), Some(off)) = (raw, value.off()) else {
                    return self.check_stack_range(value, regno, 0, size, zero, writes);
                };
                if size == 0 && !zero {
                    return Err(Refusal::ZeroRead);
                }
                self.check_stack_bounds(value, regno, 0, size, writes)?;
                let frame = self.state.frames.get(value.aux as usize);
                for at in off..off + size {
                    let (slot, byte) = slot_of(at);
                    let slot = frame.and_then(|f| f.stack.get(slot));
                    if slot.is_some_and(|slot| slot.bytes[byte] == Byte::Dynptr) {
                        return Err(Refusal::DynptrWrite(at));
                    }
                }
                meta.raw = Some((regno, size));
                Ok(())
            }
            Kind::Btf => {
                let (insn, reg) = (self.insn, regno as u8);
                self.warn(Warning::KernelStructure { insn, reg });
                Ok(())
            }
            _ if zero && size == 0 && value.is_null() => Ok(()),
            _ => Err(Refusal::ArgType(regno, value.type_name(), "fp".to_owned())),
        }
    }

    /// `get_constant_map_key()`.
    fn constant_key(&mut self, value: &Reg, size: u32) -> Option<u64> {
        if value.kind != Kind::Stack {
            return None;
        }
        let (at, byte) = slot_of(value.off()?);
        let slot = self.state.frames.get(value.aux as usize)?.stack.get(at)?;
        let run = |of: Byte| {
            let bytes = slot.bytes.get(..=byte).unwrap_or_default();
            bytes.iter().rev().take_while(|b| **b == of).count()
        };
        if run(Byte::Zero) >= size as usize {
            return Some(0);
        }
        if !slot.is_scalar_spill() || run(Byte::Spill) != size as usize {
            return None;
        }
        let key = slot.reg.var.constant(true)?;
        self.nodes.ask(slot.reg.node);
        Some(key)
    }

    /// `check_arg_const_str()`.
    fn check_string(&self, value: &Reg, regno: usize) -> Checked {
        let Some(def) = self.map(value.aux) else {
            return Err(Refusal::NotReadOnly(regno));
        };
        if def.kind != (MapKind::Data { read_only: true }) {
            return Err(Refusal::NotReadOnly(regno));
        }
        let Some(off) = value.off() else {
            return Err(Refusal::NotConstantAddress(regno));
        };
        let rest = i64::from(def.value_size) - off;
        self.check_map_access(value, regno, 0, rest, false, false)?;
        let text = def.initial.get(off as usize..).unwrap_or_default();
        if text.contains(&0) {
            Ok(())
        } else {
            Err(Refusal::NotTerminated)
        }
    }

    /// The structure that a helper wants in a map's value is there (`check_map_field_pointer()`, and the beginning of
    /// `process_spin_lock()`).
    fn check_field(&mut self, what: &'static str, value: &Reg, regno: usize) -> Checked {
        let refused = |why: String| Err(Refusal::Lock(why));
        let Some(off) = value.off() else {
            return refused(format!(
                "R{regno} doesn't have constant offset. {what} has to be at the constant offset"
            ));
        };
        let Some(def) = self.map(value.aux) else {
            return Ok(());
        };
        if let MapKind::Data { .. } = def.kind {
            // what lies in a data section is not looked up
            let (insn, name) = (self.insn, what.to_owned());
            self.warn(Warning::Lock { insn, name });
            return Ok(());
        }
        // `BPF_OBJ_NAME_LEN`, with the 0 at its end
        let name: String = def.name.chars().take(15).collect();
        if !def.details.btf {
            return refused(format!(
                "map '{name}' has to have BTF in order to use {what}"
            ));
        }
        let fields = &mut def.details.fields();
        match fields.find(|(field, ..)| *field == what) {
            None => refused(format!("map '{name}' has no valid {what}")),
            Some((_, at, _)) if i64::from(at) != off => refused(format!(
                "off {off} doesn't point to 'struct {what}' that is at {at}"
            )),
            Some(_) => Ok(()),
        }
    }

    /// `process_spin_lock()`.
    fn check_lock(&mut self, takes: bool, value: &Reg, regno: usize) -> Checked {
        let refused = |why: &str| Err(Refusal::Lock(why.to_owned()));
        self.check_field("bpf_spin_lock", value, regno)?;
        let own = (value.id, value.aux);
        match (takes, self.state.lock) {
            (true, Some(_)) => refused("Locking two bpf_spin_locks are not allowed"),
            (true, None) => {
                self.state.lock = Some(own);
                Ok(())
            }
            (false, None) => refused("bpf_spin_unlock without taking a lock"),
            (false, Some(lock)) if lock != own => refused("bpf_spin_unlock of different lock"),
            (false, Some(_)) => {
                self.state.lock = None;
                Ok(())
            }
        }
    }
}

/// `check_reg_type()`.
fn check_type(value: &Reg, regno: usize, code: u8, nullable: bool) -> Checked {
    let (types, expected) = accepts(code);
    let mut flags = value.flags;
    if matches!(code, b'r' | b'R' | b'h' | b'H') {
        flags &= !RDONLY;
    }
    if nullable {
        flags &= !MAYBE_NULL;
    }
    if is_memory(code) {
        flags &= !OF_PACKET;
    }
    if types.contains(&(value.kind, flags)) {
        return Ok(());
    }
    Err(Refusal::ArgType(
        regno,
        value.type_name(),
        expected.to_owned(),
    ))
}
