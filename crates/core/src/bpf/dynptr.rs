//! `struct bpf_dynptr` on the stack: 16 bytes as in the kernel's `struct bpf_dynptr_kern`
//! (include/linux/bpf.h): data pointer, size with the type in its upper bits, offset.
//!
//! A side table keyed by address says which stack bytes are a dynptr; if the program changed the
//! bytes (the verifier forbids it), it is none any more.

use std::collections::BTreeMap;

use super::host::Fault;
use super::memory::{CTX_ADDRESS, Memory, Slice};

/// `DYNPTR_TYPE_SHIFT` (kernel/bpf/helpers.c).
const TYPE_SHIFT: u32 = 28;
/// `BPF_DYNPTR_TYPE_SKB_META` (include/linux/bpf.h, 6.18).
const TYPE_SKB_META: u32 = 5;

pub(super) const E2BIG: i64 = 7;
pub(super) const EINVAL: i64 = 22;

/// A dynptr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dynptr {
    /// Made by a call that failed.
    Null,
    /// The metadata of the skb; bytes, fixed when it was made.
    SkbMeta { size: u32 },
}

impl Dynptr {
    fn bytes(self) -> [u8; 16] {
        let (data, size) = match self {
            Dynptr::Null => (0, 0),
            Dynptr::SkbMeta { size } => (CTX_ADDRESS, size | TYPE_SKB_META << TYPE_SHIFT),
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&u64::to_le_bytes(data));
        bytes[8..12].copy_from_slice(&size.to_le_bytes());
        bytes
    }
}

/// The dynptrs of a run.
#[derive(Debug, Default)]
pub(super) struct Dynptrs {
    at: BTreeMap<u64, Dynptr>,
}

impl Dynptrs {
    fn put(&mut self, memory: &mut Memory<'_>, address: u64, dynptr: Dynptr) -> Result<(), Fault> {
        memory.store(address, &dynptr.bytes())?;
        self.at.insert(address, dynptr);
        Ok(())
    }

    /// The dynptr at an address.
    pub fn get(&self, memory: &mut Memory<'_>, address: u64) -> Result<Dynptr, Fault> {
        let known = self.at.get(&address).copied();
        let mut bytes = [0; 16];
        memory.load(address, &mut bytes)?;
        known
            .filter(|d| d.bytes() == bytes)
            .ok_or_else(|| Fault::Instruction {
                insn: memory.insn,
                what: "expected an initialized dynptr".to_owned(),
            })
    }

    /// `bpf_dynptr_from_skb_meta()` (net/core/filter.c): 0 or a negative error; the dynptr is
    /// written in both cases.
    pub fn make_skb_meta(
        &mut self,
        memory: &mut Memory<'_>,
        flags: u64,
        address: u64,
    ) -> Result<i64, Fault> {
        // The host hears of the call whatever the flags are.
        let made = memory.host.dynptr_from_skb_meta(flags);
        let made = if flags == 0 { made } else { Err(-EINVAL) };
        let (dynptr, ret) = match made {
            Ok(size) => (Dynptr::SkbMeta { size }, 0),
            Err(error) => (Dynptr::Null, error),
        };
        self.put(memory, address, dynptr)?;
        Ok(ret)
    }

    /// `bpf_dynptr_size()` (kernel/bpf/helpers.c).
    pub fn size(&self, memory: &mut Memory<'_>, address: u64) -> Result<i64, Fault> {
        Ok(match self.get(memory, address)? {
            Dynptr::Null => -EINVAL,
            Dynptr::SkbMeta { size } => i64::from(size),
        })
    }

    /// `bpf_dynptr_read(dst, len, src, offset, flags)`.
    pub fn read(&self, memory: &mut Memory<'_>, args: [u64; 5]) -> Result<i64, Fault> {
        let [dst, len, src, offset, flags] = args;
        memory.check_writable(dst, len)?;
        let Dynptr::SkbMeta { size } = self.get(memory, src)? else {
            return Ok(-EINVAL);
        };
        if flags != 0 {
            return Ok(-EINVAL);
        }
        let Some(at) = inside(size, offset, len) else {
            return Ok(-E2BIG);
        };
        let mut bytes = vec![0; len as usize];
        let ret = memory.host.skb_meta_load(at, &mut bytes);
        if ret == 0 {
            memory.store(dst, &bytes)?;
        }
        Ok(ret)
    }

    /// `bpf_dynptr_slice(p, offset, buffer, len)` and `bpf_dynptr_slice_rdwr()` of metadata, which are always in
    /// one piece, so that the buffer is not used: an address, or NULL.
    pub fn slice(
        &self,
        memory: &mut Memory<'_>,
        args: [u64; 5],
        writable: bool,
    ) -> Result<u64, Fault> {
        let [src, offset, _, len, _] = args;
        let Dynptr::SkbMeta { size } = self.get(memory, src)? else {
            return Ok(0);
        };
        let Some(first) = inside(size, offset, len) else {
            return Ok(0);
        };
        let Some(at) = memory.host.skb_meta_slice(first) else {
            return Ok(0);
        };
        memory.add_slice(Slice {
            at,
            len: len as u32,
            first,
            writable,
        });
        Ok(memory.host.packet_address() + u64::from(at))
    }

    /// `bpf_dynptr_write(dst, offset, src, len, flags)`; for metadata flags must be 0.
    pub fn write(&self, memory: &mut Memory<'_>, args: [u64; 5]) -> Result<i64, Fault> {
        let [dst, offset, src, len, flags] = args;
        let bytes = memory.buffer(src, len)?;
        let Dynptr::SkbMeta { size } = self.get(memory, dst)? else {
            return Ok(-EINVAL);
        };
        let Some(at) = inside(size, offset, len) else {
            return Ok(-E2BIG);
        };
        if flags != 0 {
            return Ok(-EINVAL);
        }
        Ok(memory.host.skb_meta_store(at, &bytes))
    }
}

/// `bpf_dynptr_check_off_len()`: the offset if all bytes lie inside.
fn inside(size: u32, offset: u64, len: u64) -> Option<u32> {
    let end = offset.checked_add(len)?;
    if end > u64::from(size) {
        None
    } else {
        u32::try_from(offset).ok()
    }
}
