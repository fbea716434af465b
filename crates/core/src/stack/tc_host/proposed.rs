//! What the kernels of some designs have beyond Linux, under a program with an skb: the dynptr of an skb extension, and traits.

use super::TcHost;
use crate::bpf::{SKB_EXT_CREATE, TraitCall};
use crate::design::traits::{ENOENT, Traits};
use crate::design::{TRAITS_HEADER, TRAITS_START};
use crate::stack::xdp_run::traits::get;
use crate::stack::{Kernel, Run};
use crate::trace::{ReadHow, SkbNo};
use crate::xdp::{EINVAL, XDP_FRAME_SIZE};

const FILE: &str = "net/core/filter.c";
/// `-E2BIG`, `-EOPNOTSUPP`.
const E2BIG: i64 = -7;
const EOPNOTSUPP: i64 = -95;
/// Bytes of an extension that a program creates: the default of the RFC of July 2026.
const EXTENSION: u32 = 64;

impl Kernel {
    /// `bpf_dynptr_from_skb_ext()`: size of the buffer, or an error. With the create flag there is one afterwards, and it is
    /// this packet's own.
    fn bpf_dynptr_from_skb_ext(&mut self, no: SkbNo, size: u32, flags: u64) -> Run<i64> {
        self.traced("bpf_dynptr_from_skb_ext", FILE, no, |k| {
            if flags & !SKB_EXT_CREATE != 0 {
                return Ok(EINVAL);
            }
            let place = match flags & SKB_EXT_CREATE != 0 {
                true => k
                    .metadata_to_write(no)
                    .or_else(|| k.metadata_created(no, EXTENSION)),
                false => k.metadata_place(no),
            };
            Ok(match place {
                None => ENOENT,
                Some(place) if size > place.len => E2BIG,
                Some(place) => i64::from(if size == 0 { place.len } else { size }),
            })
        })
    }

    /// The traits at the start of a packet's head, if it has any (`skb_traits()`), with room up to the packet.
    fn skb_traits(&self, no: SkbNo) -> Option<Traits> {
        let skb = self.skb(no);
        let len = u32::from(self.buffers.get(skb.head).shinfo.meta_len);
        let room = skb.data.saturating_sub(XDP_FRAME_SIZE);
        let bytes = self
            .buffers
            .get(skb.head)
            .bytes(XDP_FRAME_SIZE, TRAITS_HEADER + len);
        (len > 0).then(|| Traits::in_memory(bytes, room))
    }
}

impl TcHost<'_> {
    pub(super) fn skb_ext(&mut self, size: u32, flags: u64) -> Result<(u32, bool), i64> {
        let ret = self.call(|k, no| k.bpf_dynptr_from_skb_ext(no, size, flags));
        if ret == ENOENT {
            self.looked.get_or_insert(ReadHow::Dynptr);
        }
        match u32::try_from(ret) {
            Ok(size) => Ok((size, flags & SKB_EXT_CREATE == 0)),
            Err(_) => Err(ret),
        }
    }

    /// `bpf_skb_trait_set()`, `_get()`, `_del()` (RFC v1, patch 17), with entry and exit in the trace.
    pub(super) fn trait_call(&mut self, call: TraitCall<'_>) -> i64 {
        let name = match call {
            TraitCall::Set(..) => "bpf_skb_trait_set",
            TraitCall::IsSet(_) => "bpf_skb_trait_is_set",
            TraitCall::Get(..) => "bpf_skb_trait_get",
            TraitCall::Delete(_) => "bpf_skb_trait_del",
        };
        let ret = self.skb_trait(call).unwrap_or_else(|error| error);
        self.call(|k, no| k.traced(name, FILE, no, |_| Ok(ret)))
    }

    fn skb_trait(&mut self, call: TraitCall<'_>) -> Result<i64, i64> {
        let Some(mut traits) = self.kernel.skb_traits(self.no) else {
            self.looked.get_or_insert(ReadHow::Dynptr);
            return Err(EOPNOTSUPP);
        };
        let number = |key: u64| u32::try_from(key).map_err(|_| EINVAL);
        match call {
            TraitCall::Set(key, value) => traits.set(number(key)?, value)?,
            TraitCall::Delete(key) => traits.delete(number(key)?)?,
            TraitCall::IsSet(key) => return traits.is_set(number(key)?).map(i64::from),
            TraitCall::Get(key, into) => {
                let (key, head) = (number(key)?, self.head());
                let len = get(&traits, key, into)?;
                // the same bytes, judged
                let (first, value) = (traits.offset(key), &mut into[..len as usize]);
                self.read_metadata(head, TRAITS_START + first, value, ReadHow::Dynptr, first);
                return Ok(len);
            }
        }
        let head = self.head();
        let source = self.source(crate::trace::Layer::Metadata, "metadata of");
        let buffers = &mut self.kernel.buffers;
        buffers.write(head, XDP_FRAME_SIZE, &traits.header(), source, 0);
        buffers.write(head, TRAITS_START, traits.values(), source, 0);
        let len = traits.values().len() as u32;
        let origins = buffers.get(head).origins(TRAITS_START, len).to_vec();
        self.kernel
            .judge
            .handed_over(head, TRAITS_START as i32, &origins);
        self.kernel.skb_metadata_set(self.no, len);
        Ok(0)
    }
}
