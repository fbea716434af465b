//! Kernel functions that Linux does not have, but the kernels of some designs: `bpf_dynptr_from_skb_ext()` (August 2026) and
//! those of traits (RFC v2, 22 Apr 2025; for skbs RFC v1, 5 Mar 2025). Names, arguments and errors are the proposals'.

use super::dynptr::Dynptrs;
use super::fault::Fault;
use super::memory::Memory;
use super::program::ProgType;

/// `bpf_dynptr_from_skb_ext(skb, size, flags__k, ptr__uninit)`.
pub(super) const SKB_EXT: &str = "bpf_dynptr_from_skb_ext";
/// `BPF_SKB_EXT_F_CREATE`.
pub(crate) const SKB_EXT_CREATE: u64 = 1;

/// What a design's kernel has beyond Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proposed {
    /// `bpf_dynptr_from_skb_ext()`, in programs with an skb.
    pub skb_ext: bool,
    /// `bpf_xdp_trait_set()` and its like.
    pub traits: bool,
}

impl Proposed {
    /// Whether a program of that type has the function.
    pub fn has(self, name: &str, prog_type: &ProgType) -> bool {
        let xdp = name.starts_with("bpf_xdp_trait_");
        let fits = match xdp {
            true => *prog_type == ProgType::Xdp,
            false => prog_type.has_skb(),
        };
        fits && self.knows(name)
    }

    /// Whether that kernel knows the function.
    pub(super) fn knows(self, name: &str) -> bool {
        match name {
            SKB_EXT => self.skb_ext,
            "bpf_xdp_trait_set"
            | "bpf_xdp_trait_is_set"
            | "bpf_xdp_trait_get"
            | "bpf_xdp_trait_del"
            | "bpf_skb_trait_set"
            | "bpf_skb_trait_get"
            | "bpf_skb_trait_del" => self.traits,
            _ => false,
        }
    }
}

/// A call of a function of traits. No key from 64 on exists.
#[derive(Debug, PartialEq, Eq)]
pub enum TraitCall<'b> {
    /// Key and value.
    Set(u64, &'b [u8]),
    /// 1 if the key is set.
    IsSet(u64),
    /// Key, and where its value goes; the answer is the value's length.
    Get(u64, &'b mut [u8]),
    /// Key.
    Delete(u64),
}

/// Carries out one of them; gives r0. The name is one that [`Proposed::has`] said yes to.
pub(super) fn call(
    name: &str,
    args: [u64; 5],
    memory: &mut Memory<'_>,
    dynptrs: &mut Dynptrs,
) -> Result<u64, Fault> {
    let [ctx, key, place, size, _] = args;
    memory.check_context(ctx)?;
    let ret = if name == SKB_EXT {
        return dynptrs.skb_ext(args, memory);
    } else if name.ends_with("_trait_set") {
        let value = memory.buffer(place, size)?;
        memory.host.traits(TraitCall::Set(key, &value))
    } else if name.ends_with("_trait_is_set") {
        memory.host.traits(TraitCall::IsSet(key))
    } else if name.ends_with("_trait_get") {
        memory.check_writable(place, size)?;
        let mut value = vec![0; size as usize];
        let ret = memory.host.traits(TraitCall::Get(key, &mut value));
        let len = usize::try_from(ret).unwrap_or(0);
        memory.store(place, value.get(..len).unwrap_or_default())?;
        ret
    } else {
        memory.host.traits(TraitCall::Delete(key))
    };
    Ok(ret as u64)
}
