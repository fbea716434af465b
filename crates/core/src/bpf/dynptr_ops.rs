//! Bytes behind a dynptr: reading, writing, slices (`__bpf_dynptr_read()`, `__bpf_dynptr_write()`,
//! `bpf_dynptr_slice()`, `bpf_dynptr_copy()`, `bpf_dynptr_memset()` in kernel/bpf/helpers.c).

use super::dynptr::{Dynptr, Dynptrs, E2BIG, EINVAL};
use super::fault::Fault;
use super::memory::{Memory, Slice};
use super::program::ProgType;

const EFAULT: i64 = 14;

/// What a dynptr points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// The program's own memory, from an address on.
    Local(u64),
    /// A reserved record of a ring buffer.
    Ring(u64),
    /// The packet under a TC program and its like.
    Skb,
    /// The packet under an XDP program.
    Xdp,
    /// The packet's metadata.
    SkbMeta,
}

impl Space {
    /// `enum bpf_dynptr_type` (include/linux/bpf.h).
    pub fn number(self) -> u32 {
        match self {
            Space::Local(_) => 1,
            Space::Ring(_) => 2,
            Space::Skb => 3,
            Space::Xdp => 4,
            Space::SkbMeta => 5,
        }
    }
}

/// `may_access_direct_pkt_data(BPF_WRITE)` (kernel/bpf/verifier.c): where it says no, a dynptr of the packet
/// is read-only.
pub(super) fn may_write(prog_type: &ProgType) -> bool {
    matches!(
        prog_type,
        ProgType::Xdp | ProgType::SchedCls | ProgType::LwtXmit | ProgType::SkSkb
    )
}

/// What `bpf_xdp_pointer()` refuses without looking at the packet.
fn too_far(offset: u32, len: u64) -> bool {
    offset > 0xffff || len > 0xffff
}

/// `bpf_dynptr_check_off_len()`, for which a null dynptr has a size of 0.
fn reaches(dynptr: Option<Dynptr>, offset: u64, len: u64) -> bool {
    match dynptr {
        Some(dynptr) => dynptr.inside(offset, len).is_some(),
        None => offset == 0 && len == 0,
    }
}

impl Dynptrs {
    /// `__bpf_dynptr_read()`.
    pub fn read(
        &self,
        memory: &mut Memory<'_>,
        src: u64,
        offset: u64,
        len: u64,
        flags: u64,
    ) -> Result<Result<Vec<u8>, i64>, Fault> {
        let Some(dynptr) = self.get(memory, src)?.filter(|_| flags == 0) else {
            return Ok(Err(-EINVAL));
        };
        let Some(at) = dynptr.inside(offset, len) else {
            return Ok(Err(-E2BIG));
        };
        let mut bytes = vec![0; len as usize];
        let ret = match dynptr.space {
            Space::Local(start) | Space::Ring(start) => {
                return Ok(Ok(memory.buffer(start + u64::from(at), len)?));
            }
            Space::Xdp if too_far(at, len) => -EFAULT,
            Space::Skb | Space::Xdp => memory.host.load_bytes(at, &mut bytes),
            Space::SkbMeta => memory.host.skb_meta_load(at, &mut bytes),
        };
        Ok(if ret == 0 { Ok(bytes) } else { Err(ret) })
    }

    /// `__bpf_dynptr_write()`.
    pub fn write(
        &self,
        memory: &mut Memory<'_>,
        dst: u64,
        offset: u64,
        from: &[u8],
        flags: u64,
    ) -> Result<i64, Fault> {
        let Some(dynptr) = self.get(memory, dst)?.filter(|d| !d.rdonly) else {
            return Ok(-EINVAL);
        };
        let len = from.len() as u64;
        let Some(at) = dynptr.inside(offset, len) else {
            return Ok(-E2BIG);
        };
        if flags != 0 && dynptr.space != Space::Skb {
            return Ok(-EINVAL);
        }
        Ok(match dynptr.space {
            Space::Local(start) | Space::Ring(start) => {
                memory.store(start + u64::from(at), from)?;
                0
            }
            Space::Skb => memory.host.skb_store_bytes(at, from, flags),
            Space::Xdp if too_far(at, len) => -EFAULT,
            Space::Xdp => memory.host.xdp_store_bytes(at, from),
            Space::SkbMeta => memory.host.skb_meta_store(at, from),
        })
    }

    /// `bpf_dynptr_slice(p, offset, buffer, len)` and `bpf_dynptr_slice_rdwr()`: an address, or NULL.
    pub fn slice(
        &self,
        memory: &mut Memory<'_>,
        args: [u64; 5],
        writable: bool,
    ) -> Result<u64, Fault> {
        let [src, offset, buffer, len, _] = args;
        let dynptr = self.get(memory, src)?.filter(|d| !(writable && d.rdonly));
        let Some((dynptr, at)) = dynptr.and_then(|d| Some((d, d.inside(offset, len)?))) else {
            return Ok(0);
        };
        match dynptr.space {
            Space::Local(start) | Space::Ring(start) => Ok(start + u64::from(at)),
            Space::SkbMeta => Ok(meta_slice(memory, at, len as u32, writable)),
            Space::Skb | Space::Xdp => self.packet_slice(memory, dynptr, at, buffer, len),
        }
    }

    /// Bytes of the packet in one piece are where they are; others are copied to the buffer, if there is one.
    fn packet_slice(
        &self,
        memory: &mut Memory<'_>,
        dynptr: Dynptr,
        at: u32,
        buffer: u64,
        len: u64,
    ) -> Result<u64, Fault> {
        let far = dynptr.space == Space::Xdp && too_far(at, len);
        if let Some(place) = memory.host.linear(at, len as u32).filter(|_| !far) {
            return Ok(memory.host.packet_address() + u64::from(place));
        }
        if buffer == 0 {
            return Ok(0);
        }
        memory.check_writable(buffer, len)?;
        let mut bytes = vec![0; len as usize];
        let ret = memory.host.load_bytes(at, &mut bytes);
        if ret < 0 && dynptr.space == Space::Skb {
            return Ok(0);
        }
        memory.store(buffer, &bytes)?;
        Ok(buffer)
    }

    /// `bpf_dynptr_memset(p, offset, size, value)`.
    pub fn memset(
        &self,
        memory: &mut Memory<'_>,
        p: u64,
        [offset, size]: [u64; 2],
        value: u8,
    ) -> Result<i64, Fault> {
        let address = self.slice(memory, [p, offset, 0, size, 0], true)?;
        let dynptr = self.get(memory, p)?;
        if address == 0 {
            if dynptr.is_some_and(|d| d.rdonly) {
                return Ok(-EINVAL);
            }
            if !reaches(dynptr, offset, size) {
                return Ok(-E2BIG);
            }
            if size == 0 {
                return Ok(0);
            }
        }
        let bytes = vec![value; size as usize];
        if address != 0 {
            memory.store(address, &bytes)?;
            return Ok(0);
        }
        self.write(memory, p, offset, &bytes, 0)
    }

    /// `bpf_dynptr_copy(dst, dst_off, src, src_off, size)`.
    pub fn copy(
        &self,
        memory: &mut Memory<'_>,
        [dst, dst_off]: [u64; 2],
        [src, src_off]: [u64; 2],
        size: u64,
    ) -> Result<i64, Fault> {
        let into = self.slice(memory, [dst, dst_off, 0, size, 0], true)?;
        match self.read(memory, src, src_off, size, 0)? {
            Ok(bytes) if into != 0 => {
                memory.store(into, &bytes)?;
                Ok(0)
            }
            Ok(bytes) => self.write(memory, dst, dst_off, &bytes, 0),
            Err(error) if into != 0 => Ok(error),
            Err(error) => {
                let both = reaches(self.get(memory, dst)?, dst_off, size)
                    && reaches(self.get(memory, src)?, src_off, size);
                Ok(match (both, size) {
                    (false, _) => -E2BIG,
                    (true, 0) => 0,
                    (true, _) => error,
                })
            }
        }
    }
}

/// A slice of the metadata, which are always in one piece, so that a buffer is not used.
fn meta_slice(memory: &mut Memory<'_>, first: u32, len: u32, writable: bool) -> u64 {
    let Some(at) = memory.host.skb_meta_slice(first) else {
        return 0;
    };
    memory.add_slice(Slice {
        at,
        len,
        first,
        writable,
    });
    let head = memory.host.packet_address();
    head.wrapping_add_signed(i64::from(at))
}
