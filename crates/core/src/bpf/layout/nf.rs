//! What a netfilter program may read (`nf_is_valid_access()`, net/netfilter/nf_bpf_link.c), and what of the structures
//! behind it the simulator has.

use super::{CtxLoad, Member, offsets as at};
use crate::bpf::host::CtxField as F;

/// Structures that a netfilter program reaches; a number other than 0 marks pointers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bpf) enum NfStruct {
    /// `bpf_nf_ctx.skb`.
    Skb = 1,
    /// `bpf_nf_ctx.state`.
    State = 2,
    /// `nf_hook_state.in`.
    In = 3,
    /// `nf_hook_state.out`.
    Out = 4,
}

/// A field: its structure, first byte, width, name, what it is.
type Row = (NfStruct, i16, u32, &'static str, F);

const ROWS: [Row; 13] = {
    use NfStruct::{In, Out, Skb, State};
    [
        (Skb, at::SKB_LEN, 4, "skb->len", F::Len),
        (Skb, at::SKB_PROTOCOL, 2, "skb->protocol", F::Protocol),
        (Skb, at::SKB_MARK, 4, "skb->mark", F::Mark),
        (Skb, at::SKB_PRIORITY, 4, "skb->priority", F::Priority),
        (Skb, at::SKB_SKB_IIF, 4, "skb->skb_iif", F::IngressIfindex),
        (Skb, at::SKB_HASH, 4, "skb->hash", F::Hash),
        (Skb, at::SKB_VLAN_TCI, 2, "skb->vlan_tci", F::VlanTci),
        (State, at::NF_STATE_HOOK, 1, "state->hook", F::NfHook),
        (State, at::NF_STATE_PF, 1, "state->pf", F::NfPf),
        (State, at::NF_STATE_IN, 8, "state->in", F::NfIn),
        (State, at::NF_STATE_OUT, 8, "state->out", F::NfOut),
        (
            In,
            at::NET_DEVICE_IFINDEX,
            4,
            "state->in->ifindex",
            F::NfInIndex,
        ),
        (
            Out,
            at::NET_DEVICE_IFINDEX,
            4,
            "state->out->ifindex",
            F::NfOutIndex,
        ),
    ]
};

/// The context: two pointers, each read whole.
pub(super) fn ctx(off: u32, size: u32, signed: bool) -> Option<CtxLoad> {
    let (name, field) = match off {
        0 => ("state", F::NfState),
        8 => ("skb", F::NfSkb),
        _ => return None,
    };
    (size == 8 && !signed).then_some(CtxLoad {
        member: Member::Number(field),
        name,
        inside: 0,
    })
}

/// A field of a structure, read whole; `None` for one that the simulator does not have.
pub(in crate::bpf) fn nf_load(structure: u32, off: i64, size: u32) -> Option<CtxLoad> {
    let fits = |row: &&Row| row.0 as u32 == structure && i64::from(row.1) == off && row.2 == size;
    let (.., name, field) = *ROWS.iter().find(fits)?;
    Some(CtxLoad {
        member: Member::Number(field),
        name,
        inside: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct bpf_nf_ctx` and `struct nf_hook_state` (include/linux/netfilter.h), counted by hand for 64 bits.
    #[test]
    fn fields_of_a_netfilter_program() {
        let name = |off, size| ctx(off, size, false).map(|load| load.name);
        assert_eq!((name(0, 8), name(8, 8)), (Some("state"), Some("skb")));
        assert_eq!((name(0, 4), name(8, 1), name(16, 8)), (None, None, None));
        let field = |of: NfStruct, off, size| nf_load(of as u32, off, size).map(|load| load.name);
        assert_eq!(field(NfStruct::State, 0, 1), Some("state->hook"));
        assert_eq!(field(NfStruct::State, 8, 8), Some("state->in"));
        assert_eq!(field(NfStruct::Skb, 112, 4), Some("skb->len"));
        assert_eq!(field(NfStruct::Skb, 112, 2), None);
    }
}
