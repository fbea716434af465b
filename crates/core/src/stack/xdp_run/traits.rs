//! `bpf_xdp_trait_set()` and its like (`net/core/xdp.c` in RFC v2, 22 Apr 2025), in the design that has them.

use super::XdpHost;
use crate::bpf::TraitCall;
use crate::design::TRAITS_HEADER;
use crate::design::traits::Traits;
use crate::trace::{Edge, Layer, Outcome, StepKind};
use crate::xdp::{EINVAL, XDP_FRAME_SIZE};

/// `-EOPNOTSUPP`.
const EOPNOTSUPP: i64 = -95;

impl XdpHost<'_, '_> {
    /// Whether this run has used traits, so that metadata can't be used any more (`XDP_FLAGS_META_SUPPORTED`).
    pub(super) fn uses_traits(&self) -> bool {
        self.kernel.xdp_traits == Some(self.xdp.head)
    }

    /// `xdp_data_hard_start()`: what `bpf_xdp_adjust_head()` must leave alone.
    pub(super) fn reaches_traits(&self, delta: i32) -> bool {
        let data = i64::from(self.xdp.data) + i64::from(delta);
        self.uses_traits() && data < i64::from(XDP_FRAME_SIZE + self.traits().size())
    }

    fn traits(&self) -> Traits {
        let room = self.xdp.data.saturating_sub(XDP_FRAME_SIZE);
        let buffer = self.kernel.buffers.get(self.xdp.head);
        Traits::in_memory(buffer.bytes(XDP_FRAME_SIZE, room), room)
    }

    /// Writes header and values; the header is there from the first use on (`traits_init()`).
    fn keep_traits(&mut self, traits: &Traits) {
        let label = |program: &str| format!("metadata of {program}");
        let layer = Layer::Metadata;
        let source = self.kernel.program_source(self.run, layer, self.dev, label);
        let head = self.xdp.head;
        let buffers = &mut self.kernel.buffers;
        buffers.write(head, XDP_FRAME_SIZE, &traits.header(), source, 0);
        let start = XDP_FRAME_SIZE + TRAITS_HEADER;
        buffers.write(head, start, traits.values(), source, 0);
    }

    /// Carries out a call, with its entry and exit in the trace.
    pub(super) fn trait_call(&mut self, call: TraitCall<'_>) -> i64 {
        let name = match call {
            TraitCall::Set(..) => "bpf_xdp_trait_set",
            TraitCall::IsSet(_) => "bpf_xdp_trait_is_set",
            TraitCall::Get(..) => "bpf_xdp_trait_get",
            TraitCall::Delete(_) => "bpf_xdp_trait_del",
        };
        let step = |edge| StepKind::Function {
            name,
            file: "net/core/xdp.c",
            edge,
        };
        self.step(step(Edge::Entry), Outcome::None);
        let ret = self.xdp_trait(call).unwrap_or_else(|error| error);
        self.step(step(Edge::Exit), Outcome::Ret(ret));
        ret
    }

    fn xdp_trait(&mut self, call: TraitCall<'_>) -> Result<i64, i64> {
        // bpf_xdp_adjust_meta() was there first (XDP_FLAGS_TRAITS_SUPPORTED)
        if self.adjusted_meta {
            return Err(EOPNOTSUPP);
        }
        let mut traits = match self.uses_traits() {
            true => self.traits(),
            false => {
                let room = self.xdp.data.saturating_sub(XDP_FRAME_SIZE);
                let empty = Traits::in_memory(&[], room);
                self.keep_traits(&empty);
                self.kernel.xdp_traits = Some(self.xdp.head);
                empty
            }
        };
        let number = |key: u64| u32::try_from(key).map_err(|_| EINVAL);
        let ret = match call {
            TraitCall::Set(key, value) => traits.set(number(key)?, value).map(|()| 0),
            TraitCall::Delete(key) => traits.delete(number(key)?).map(|()| 0),
            TraitCall::IsSet(key) => return traits.is_set(number(key)?).map(i64::from),
            TraitCall::Get(key, into) => return get(&traits, number(key)?, into),
        }?;
        self.keep_traits(&traits);
        Ok(ret)
    }
}

/// `trait_get()`: the value's length.
pub(in crate::stack) fn get(traits: &Traits, key: u32, into: &mut [u8]) -> Result<i64, i64> {
    let value = traits.get(key, into.len())?;
    into[..value.len()].copy_from_slice(value);
    Ok(value.len() as i64)
}
