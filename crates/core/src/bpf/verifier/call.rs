//! Calls of helpers (`check_helper_call()`, kernel/bpf/verifier.c).

use crate::bpf::helpers;
use crate::bpf::program::MapKind;

use super::Warning;
use super::access::{Access, Place};
use super::objects::{Dynptr, SKB, SKB_META};
use super::precise::Node;
use super::protos::{self, Proto};
use super::refusal::{Checked, Refusal};
use super::reg::{self, Kind, MAYBE_NULL, Reg};
use super::scalar::Scalar;
use super::walk::{Next, Walk};

/// CPUs that `bpf_get_smp_processor_id()` may name: those of a small machine. The simulator has one.
const CPUS: u64 = 8;

/// What the arguments of a call were (`struct bpf_call_arg_meta`).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meta {
    pub map: Option<u32>,
    /// Key of an array, if it is constant.
    pub key: Option<u64>,
    pub dynptr: Dynptr,
    /// First instruction of the function that the helper calls.
    pub function: Option<usize>,
    pub mem_size: u32,
    /// Stack that the helper writes and that may be unset before: register and bytes.
    pub raw: Option<(usize, i64)>,
    /// Id of an argument that must be given back.
    pub reference: u32,
}

/// Name of a helper for messages (`func_id_name()`).
pub(super) fn name(id: u32) -> String {
    match id {
        0 => "bpf_unspec".to_owned(),
        _ => helpers::name(id).unwrap_or_else(|| "unknown".to_owned()),
    }
}

impl Walk<'_> {
    pub(super) fn call_helper(&mut self, id: u32) -> Checked<Next> {
        let proto = self.find_helper(id)?;
        let mut meta = Meta::default();
        if matches!(id, 93 | 94) && self.class == protos::SOCKET {
            // `check_map_prog_compatibility()`, for the map with the lock
            let why = "socket filter progs cannot use bpf_spin_lock yet";
            return Err(Refusal::Lock(why.to_owned()));
        }
        if id == 165 {
            self.warn(Warning::FormatString { insn: self.insn });
        }
        for (i, code) in proto.args.iter().enumerate() {
            self.check_arg(proto, i + 1, *code, &mut meta)?;
        }
        let read_only = |map: u32| {
            let def = self.map(map);
            def.is_some_and(|d| {
                d.kind == (MapKind::Data { read_only: true }) || d.flags & 1 << 7 != 0
            })
        };
        if matches!(id, 2 | 3 | 87 | 88) && meta.map.is_some_and(read_only) {
            return Err(Refusal::MapWrite);
        }
        if id == 12 {
            let map = meta.map.and_then(|map| self.map(map));
            if map.is_none_or(|def| def.kind.number() != 3) {
                return Err(Refusal::TailCallMap);
            }
            self.nodes.ask(self.state.reg(3).node);
        }
        self.write_raw(&meta)?;
        self.give_back(proto, &meta)?;
        let mut changes = protos::changes_packet(id);
        match id {
            12 => self.check_leak(true, "tail_call")?,
            164 | 181 | 209 => self.call_back(id, &meta)?,
            170 => self.call_later(&meta)?,
            197 if self.state.reg(1).kind != Kind::MapValue => {
                return Err(Refusal::FromMem(self.state.reg(1).type_name()));
            }
            202 => changes = matches!(meta.dynptr.of, SKB | SKB_META),
            _ => {}
        }
        self.scratch();
        self.returned(proto, &meta)?;
        if let Some(map) = meta.map {
            self.check_map_type(map, id)?;
        }
        if id == 12 && self.state.frames.len() > 1 {
            // a tail call that works is an exit of this function
            if self.state.frame().callback {
                return Err(Refusal::TailCallCallback);
            }
            self.push(self.insn + 1)?;
            self.packet_changed();
            self.set_unknown(0);
            return self.leave().map(Next::To);
        }
        if changes && id != 12 {
            self.packet_changed();
        }
        Ok(Next::Fall)
    }

    fn find_helper(&self, id: u32) -> Checked<&'static Proto> {
        // `__BPF_FUNC_MAX_ID` of 7.2
        if id >= 212 {
            // libbpf's mark of an access that the kernel's structures have not (`bpf_core_poison_insn()`)
            let poisoned = if id == 0x0bad_2310 {
                ": invalid CO-RE relocation"
            } else {
                ""
            };
            return Err(Refusal::InvalidFunc(name(id), id, poisoned));
        }
        let Some(proto) = protos::proto(id, self.class) else {
            return Err(Refusal::HelperType(name(id), id, protos::who_has(id)));
        };
        if proto.flags & protos::GPL != 0 && !self.program.gpl {
            return Err(Refusal::Gpl);
        }
        if proto.flags & protos::SLEEPS != 0 {
            return Err(Refusal::Sleepable(name(id), id));
        }
        Ok(proto)
    }

    /// Bytes of the stack that the helper fills.
    fn write_raw(&mut self, meta: &Meta) -> Checked {
        let Some((reg, size)) = meta.raw else {
            return Ok(());
        };
        for off in 0..size {
            let place = Place {
                reg,
                base: *self.state.reg(reg),
                off,
                size: 1,
            };
            self.check_access(place, Access::WriteAny, false)?;
        }
        Ok(())
    }

    fn give_back(&mut self, proto: &Proto, meta: &Meta) -> Checked {
        match proto.args[0] {
            b'g' | b'O' => {
                let id = self.state.reg(1).id;
                if self.state.has_ref(id) {
                    self.release(id)?;
                }
                Ok(())
            }
            b'b' => self.release(meta.dynptr.parent),
            _ => Ok(()),
        }
    }

    /// A helper that calls a function of the program.
    fn call_back(&mut self, id: u32, meta: &Meta) -> Checked {
        let Some(entry) = meta.function else {
            return Ok(());
        };
        let context = *self.state.reg(3);
        let mut args = [Reg::NOT_INIT; 5];
        match id {
            // bpf_for_each_map_elem(map, callback, ctx, flags): callback(map, key, value, ctx)
            164 => {
                let map = meta.map.unwrap_or_default();
                let number = self.map(map).map_or(0, |def| def.kind.number());
                if !matches!(number, 1 | 2 | 5 | 6 | 9 | 10) {
                    return Err(Refusal::NoCallbackMap);
                }
                args[0] = *self.state.reg(1);
                args[1] = Reg::pointer(Kind::MapKey, map);
                args[2] = Reg::pointer(Kind::MapValue, map);
                args[3] = context;
                self.push_callback(entry, args)
            }
            // bpf_loop(count, callback, ctx, flags): callback(index, ctx)
            181 => {
                let count = *self.state.reg(1);
                self.nodes.ask(count.node);
                if self.state.frame().callback_depth >= count.var.umax() {
                    self.state.frame_mut().callback_depth = 0;
                    return Ok(());
                }
                args[0] = Reg::UNKNOWN;
                args[0].node = self.nodes.make([Node::NONE; 2]);
                args[1] = context;
                self.push_callback(entry, args)
            }
            // bpf_user_ringbuf_drain(map, callback, ctx, flags): callback(dynptr, ctx)
            _ => {
                args[0] = Reg::pointer(Kind::Dynptr, super::objects::LOCAL);
                args[0].id = self.new_id();
                args[1] = context;
                self.push_callback(entry, args)
            }
        }
    }

    /// A function that a timer calls: walked by itself (`push_async_cb()`, `set_timer_callback_state()`).
    fn call_later(&mut self, meta: &Meta) -> Checked {
        let (Some(entry), Some(map)) = (meta.function, meta.map) else {
            return Ok(());
        };
        if !self.timers.contains(&entry) {
            self.timers.push(entry);
        }
        let args = [Kind::MapPtr, Kind::MapKey, Kind::MapValue].map(|kind| Reg::pointer(kind, map));
        self.push_later(entry, args)
    }

    /// r0 after the call.
    fn returned(&mut self, proto: &Proto, meta: &Meta) -> Checked {
        let id = u32::from(proto.id);
        let pointer = |kind, aux, flags| {
            let mut new = Reg::pointer(kind, aux);
            new.flags = flags;
            new
        };
        let mut new = match proto.ret {
            b'i' => {
                let mut new = Reg::UNKNOWN;
                if id == 8 {
                    new.var = Scalar::known(0);
                    new.var.bits = super::tnum::Tnum::range(0, CPUS - 1);
                    new.var.set_u64(0, CPUS - 1);
                    new.var.set_u32(0, CPUS - 1);
                }
                new
            }
            b'v' => {
                let map = meta.map.unwrap_or_default();
                let entries = self.map(map).map_or(0, |def| u64::from(def.max_entries));
                // an array has every key below its size
                let there = id == 1 && meta.key.is_some_and(|key| key < entries);
                pointer(Kind::MapValue, map, if there { 0 } else { MAYBE_NULL })
            }
            b'V' => pointer(Kind::MapValue, meta.map.unwrap_or_default(), 0),
            b's' => pointer(Kind::Sock, 0, MAYBE_NULL),
            b'c' => pointer(Kind::SockCommon, 0, MAYBE_NULL),
            b't' => pointer(Kind::TcpSock, 0, MAYBE_NULL),
            b'm' => {
                let mut new = pointer(Kind::Mem, meta.mem_size, MAYBE_NULL);
                new.parent = meta.dynptr.id;
                new
            }
            b'r' => pointer(Kind::Mem, meta.mem_size, MAYBE_NULL | reg::RINGBUF),
            b'P' => pointer(Kind::Btf, 0, reg::TRUSTED),
            b'p' => pointer(Kind::Btf, 0, MAYBE_NULL | reg::TRUSTED),
            _ => Reg::NOT_INIT,
        };
        if new.may_be_null() {
            new.id = self.new_id();
        }
        // a socket seen as another type: it may be none of that type
        let casts = matches!(id, 95 | 96 | 136..=140 | 196);
        if casts && self.state.has_ref(meta.reference) {
            self.put(0, Reg::number(0), [Node::NONE; 2]);
            self.push(self.insn + 1)?;
            new.flags &= !MAYBE_NULL;
            new.id = meta.reference;
        } else if matches!(id, 84 | 85 | 99 | 131) {
            new.id = self.acquire(0);
        }
        self.put(0, new, [Node::NONE; 2]);
        Ok(())
    }

    /// `check_map_func_compatibility()`, for the maps and helpers of these program types.
    fn check_map_type(&self, map: u32, id: u32) -> Checked {
        let number = self.map(map).map_or(0, |def| def.kind.number());
        let by_map = match number {
            3 => id == 12,
            4 => matches!(id, 22 | 25 | 55 | 111 | 121),
            7 => id == 27,
            8 => matches!(id, 33 | 37),
            14 | 25 | 17 => matches!(id, 1 | 51),
            16 => id == 51,
            12 | 13 => id == 1,
            15 => matches!(id, 52 | 53 | 60 | 82 | 1 | 2 | 3),
            18 => matches!(id, 72 | 70 | 71 | 82 | 1 | 2 | 3),
            20 => id == 82,
            22 | 23 => matches!(id, 87..=89),
            24 => matches!(id, 107 | 108 | 194),
            27 => matches!(id, 130 | 131 | 134 | 198..=200),
            30 => matches!(id, 87 | 89),
            31 => id == 209,
            _ => true,
        };
        let by_helper = match id {
            12 => number == 3,
            22 | 25 | 55 => number == 4,
            130 | 131 | 134 | 198..=200 => number == 27,
            209 => number == 31,
            33 | 37 => number == 8,
            51 => matches!(number, 14 | 25 | 16 | 17),
            87 | 89 => matches!(number, 22 | 23 | 30),
            88 => matches!(number, 22 | 23),
            195 => matches!(number, 5 | 6 | 10),
            107 | 108 => number == 24,
            _ => true,
        };
        if by_map && by_helper {
            Ok(())
        } else {
            Err(Refusal::MapFunc(number, name(id), id))
        }
    }
}
