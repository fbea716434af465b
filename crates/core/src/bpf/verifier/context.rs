//! Accesses of the context (`check_ctx_access()`, kernel/bpf/verifier.c; which are allowed: `bpf/layout/access.rs`) and of
//! sockets.

use crate::bpf::layout::{self, Member, PacketPointer};

use super::access::{Access, Place};
use super::precise::Node;
use super::refusal::{Checked, Refusal};
use super::reg::{Kind, MAYBE_NULL, Reg};
use super::walk::Walk;

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
        let prog_type = &self.program.prog_type;
        let refused = Err(Refusal::Context(off, size));
        let (dst, signed) = match access {
            Access::Read { dst, signed } => (Some(dst), signed),
            Access::ReadAny => (None, false),
            _ => {
                let Some(store) = layout::ctx_store(prog_type, off, size) else {
                    return refused;
                };
                if let Some(slot) = self.out.ctx_stores.get_mut(self.insn) {
                    *slot = Some(store);
                }
                return Ok(());
            }
        };
        let Some(load) = layout::ctx_load(prog_type, off, size, signed) else {
            return refused;
        };
        if let Some(slot) = self.out.ctx_loads.get_mut(self.insn) {
            *slot = Some(load);
        }
        let Some(dst) = dst else {
            return Ok(());
        };
        let kind = match load.member {
            Member::Pointer(PacketPointer::Data) => Kind::Packet,
            Member::Pointer(PacketPointer::DataEnd) => Kind::PacketEnd,
            Member::Pointer(PacketPointer::DataMeta) => {
                self.out.facts.loads_data_meta = true;
                Kind::Meta
            }
            Member::Number(field) if self.nf_pointer(field, dst) => return Ok(()),
            _ if load.name == "sk" => {
                let mut new = Reg::pointer(Kind::SockCommon, 0);
                new.flags = MAYBE_NULL;
                new.id = self.new_id();
                self.put(dst, new, [Node::NONE; 2]);
                return Ok(());
            }
            _ => {
                self.loaded(access, size);
                return Ok(());
            }
        };
        self.put(dst, Reg::pointer(kind, 0), [Node::NONE; 2]);
        Ok(())
    }
}
