//! Which accesses of the context Linux allows (`tc_cls_act_is_valid_access()`, `lwt_is_valid_access()`,
//! `xdp_is_valid_access()`, `bpf_skb_is_valid_access()`, net/core/filter.c).

use crate::bpf::layout::{self, Member, PacketPointer};

use super::access::{Access, Place};
use super::precise::Node;
use super::protos;
use super::refusal::{Checked, Refusal};
use super::reg::{Kind, MAYBE_NULL, Reg};
use super::walk::Walk;

/// What a load gives: a number, or a pointer of that kind.
fn loads(class: u8, off: i64, size: u32, write: bool, signed: bool) -> Option<Kind> {
    if off < 0 || off % i64::from(size) != 0 {
        return None;
    }
    match class {
        protos::XDP => {
            // egress_ifindex (20) is for devmap programs only
            let kind = match off {
                0 => Kind::Packet,
                4 => Kind::PacketEnd,
                8 => Kind::Meta,
                12 | 16 => Kind::Scalar,
                _ => return None,
            };
            (size == 4 && !write && !(signed && kind != Kind::Scalar)).then_some(kind)
        }
        _ => skb_loads(class, off, size, write, signed),
    }
}

fn skb_loads(class: u8, off: i64, size: u32, write: bool, signed: bool) -> Option<Kind> {
    let tc = class == protos::TC;
    let lwt = !tc && class != protos::SOCKET;
    // fields that the type lacks
    match off {
        // family … local_port
        88..=139 => return None,
        72..=75 | 140..=143 | 152..=163 | 184..=191 if !tc => return None,
        76..=83 if class == protos::SOCKET => return None,
        _ => {}
    }
    let writable = match off {
        8..=11 | 32..=35 => tc || lwt,
        48..=67 => true,
        12..=15 | 44..=47 | 72..=75 | 152..=159 => tc,
        _ => false,
    };
    if write && !writable {
        return None;
    }
    match off {
        48..=67 => (off + i64::from(size) <= 68).then_some(Kind::Scalar),
        76..=83 | 140..=143 => {
            let kind = match off {
                76..=79 => Kind::Packet,
                80..=83 => Kind::PacketEnd,
                _ => Kind::Meta,
            };
            (size == 4 && !signed).then_some(kind)
        }
        152..=159 | 184..=191 => (size == 8).then_some(Kind::Scalar),
        168..=175 => (size == 8).then_some(Kind::SockCommon),
        180 => (tc && size == 1).then_some(Kind::Scalar),
        144..=151 | 181..=183 => None,
        0..=191 if write => (size == 4).then_some(Kind::Scalar),
        0..=191 => (size <= 4).then_some(Kind::Scalar),
        _ => None,
    }
}

/// Loads from a socket (`bpf_sock_is_valid_access()` and others): `struct bpf_sock`, `bpf_tcp_sock`,
/// `bpf_xdp_sock` of include/uapi/linux/bpf.h.
pub(super) fn socket_ok(kind: Kind, off: i64, size: u32) -> bool {
    if off < 0 || off % i64::from(size) != 0 {
        return false;
    }
    match kind {
        // type, protocol, mark, priority
        Kind::SockCommon => !(8..=23).contains(&off) && sock_field(off, size),
        Kind::Sock => sock_field(off, size),
        Kind::TcpSock => match off {
            // bytes_received, bytes_acked
            80 | 88 => size == 8,
            0..=111 => size == 4,
            _ => false,
        },
        Kind::XdpSock => off == 0 && size == 4,
        _ => false,
    }
}

/// Fields of `struct bpf_sock`; some may be read in part.
fn sock_field(off: i64, size: u32) -> bool {
    match off {
        4 | 8 | 12 | 24..=44 | 52..=72 | 76 => size <= 4,
        // dst_port has two bytes
        48 => size <= 4,
        49 => size == 1,
        0..=79 => size == 4,
        _ => false,
    }
}

impl Walk<'_> {
    /// `check_ctx_access()`.
    pub(super) fn check_context(&mut self, place: Place, access: Access) -> Checked {
        let Place {
            reg,
            base,
            off,
            size,
        } = place;
        self.check_unmodified(&base, reg, false)?;
        let off = off + base.var.umax() as i64;
        let (dst, signed, write) = match access {
            Access::Read { dst, signed } => (Some(dst), signed, false),
            Access::ReadAny => (None, false, false),
            _ => (None, false, true),
        };
        let Some(kind) = loads(self.class, off, size, write, signed) else {
            return Err(Refusal::Context(off, size));
        };
        let prog_type = &self.program.prog_type;
        if write {
            return match layout::ctx_store_field(prog_type, off) {
                Some(field) => Err(Refusal::NotCovered(format!(
                    "a store to the context field {field} is not covered by the simulator"
                ))),
                None => Err(Refusal::NotCovered(format!(
                    "a store to the context at off={off} is not covered by the simulator"
                ))),
            };
        }
        let load = layout::ctx_load(prog_type, off, size, signed);
        if load.is_some_and(|l| l.member == Member::Pointer(PacketPointer::DataMeta)) {
            self.out.facts.loads_data_meta = true;
        }
        if let Some(slot) = self.out.ctx_loads.get_mut(self.insn) {
            *slot = load;
        }
        let Some(dst) = dst else {
            return Ok(());
        };
        match kind {
            Kind::Scalar => self.loaded(access, size),
            Kind::SockCommon => {
                let mut new = Reg::pointer(kind, 0);
                new.flags = MAYBE_NULL;
                new.id = self.new_id();
                self.put(dst, new, [Node::NONE; 2]);
            }
            kind => self.put(dst, Reg::pointer(kind, 0), [Node::NONE; 2]),
        }
        Ok(())
    }
}
