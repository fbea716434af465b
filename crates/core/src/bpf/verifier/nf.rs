//! What a netfilter program was given (`struct bpf_nf_ctx`): the skb, the state of the hook, its devices
//! (`nf_is_valid_access()`, net/netfilter/nf_bpf_link.c; `check_ptr_to_btf_access()`, kernel/bpf/verifier.c).

use super::access::{Access, Place};
use super::precise::Node;
use super::refusal::{Checked, Refusal};
use super::reg::{self, Kind, Reg};
use super::walk::Walk;
use crate::bpf::host::CtxField;
use crate::bpf::layout::{self, CtxLoad, Member, NfStruct};

/// Whether a register holds the skb.
pub(super) fn is_skb(value: &Reg) -> bool {
    value.kind == Kind::Btf && value.aux == NfStruct::Skb as u32
}

impl Walk<'_> {
    /// A pointer of the context or of the state: says so, and puts it into `dst`.
    pub(super) fn nf_pointer(&mut self, field: CtxField, dst: usize) -> bool {
        let (structure, trusted) = match field {
            CtxField::NfSkb => (NfStruct::Skb, true),
            CtxField::NfState => (NfStruct::State, true),
            // may be NULL, and Linux reads such pointers with care (PROBE_MEM)
            CtxField::NfIn => (NfStruct::In, false),
            CtxField::NfOut => (NfStruct::Out, false),
            _ => return false,
        };
        let mut new = Reg::pointer(Kind::Btf, structure as u32);
        if trusted {
            new.flags = reg::TRUSTED;
        }
        self.put(dst, new, [Node::NONE; 2]);
        true
    }

    /// A load from one of the structures.
    pub(super) fn check_nf_structure(&mut self, place: Place, access: Access) -> Checked {
        let Place {
            reg,
            base,
            off,
            size,
        } = place;
        if access.writes() {
            return Err(Refusal::WriteInto(reg, base.type_name()));
        }
        let at = base.off().and_then(|at| at.checked_add(off));
        let Some(at) = at.filter(|at| *at >= 0) else {
            return Err(Refusal::NegativeIndex(reg));
        };
        let load = layout::nf_load(base.aux, at, size).unwrap_or(CtxLoad {
            member: Member::NotCovered,
            name: "skb, state, or one of their members",
            inside: 0,
        });
        if let Some(slot) = self.out.ctx_loads.get_mut(self.insn) {
            *slot = Some(load);
        }
        if let (Access::Read { dst, .. }, Member::Number(field)) = (access, load.member)
            && self.nf_pointer(field, dst)
        {
            return Ok(());
        }
        self.loaded(access, size);
        Ok(())
    }
}
