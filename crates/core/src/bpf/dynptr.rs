//! `struct bpf_dynptr` on the stack: 16 bytes as in the kernel's `struct bpf_dynptr_kern`
//! (include/linux/bpf.h): data pointer, size with type and read-only bit in its upper bits, offset.
//!
//! A side table keyed by address says which stack bytes are a dynptr; if the program changed the
//! bytes (the verifier forbids it), it is none any more.

use std::collections::BTreeMap;

use super::dynptr_ops::{Space, may_write};
use super::fault::Fault;
use super::helpers::event;
use super::maps::values_address;
use super::memory::{CTX_ADDRESS, Memory};
use super::program::ProgType;
use super::proposed::SKB_EXT_CREATE;

/// `DYNPTR_TYPE_SHIFT` (kernel/bpf/helpers.c).
const TYPE_SHIFT: u32 = 28;
/// `DYNPTR_RDONLY_BIT`.
const RDONLY_BIT: u32 = 1 << 31;
/// `DYNPTR_MAX_SIZE`.
const MAX_SIZE: u64 = (1 << 24) - 1;

pub(super) const E2BIG: i64 = 7;
pub(super) const EINVAL: i64 = 22;
const ERANGE: i64 = 34;

/// A dynptr that is not null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dynptr {
    pub space: Space,
    /// Bytes from the start of the space.
    pub offset: u32,
    /// Bytes it reaches over.
    pub size: u32,
    pub rdonly: bool,
}

impl Dynptr {
    fn over(space: Space, size: u32) -> Dynptr {
        Dynptr {
            space,
            offset: 0,
            size,
            rdonly: false,
        }
    }

    /// `bpf_dynptr_check_off_len()`: the offset in the space if all bytes lie inside.
    pub fn inside(self, offset: u64, len: u64) -> Option<u32> {
        let end = offset.checked_add(len)?;
        if end > u64::from(self.size) {
            return None;
        }
        u32::try_from(offset).ok()?.checked_add(self.offset)
    }
}

/// The bytes that stand on the stack.
fn bytes(dynptr: Option<Dynptr>) -> [u8; 16] {
    let mut bytes = [0; 16];
    let Some(d) = dynptr else {
        return bytes;
    };
    let data = match d.space {
        Space::Local(address) | Space::Ring(address) => address,
        Space::Skb | Space::Xdp | Space::SkbMeta => CTX_ADDRESS,
    };
    let rdonly = if d.rdonly { RDONLY_BIT } else { 0 };
    let size = d.size | d.space.number() << TYPE_SHIFT | rdonly;
    bytes[..8].copy_from_slice(&data.to_le_bytes());
    bytes[8..12].copy_from_slice(&size.to_le_bytes());
    bytes[12..].copy_from_slice(&d.offset.to_le_bytes());
    bytes
}

/// The dynptrs of a run.
#[derive(Debug, Default)]
pub(super) struct Dynptrs {
    /// `None` was made by a call that failed.
    at: BTreeMap<u64, Option<Dynptr>>,
}

impl Dynptrs {
    fn put(
        &mut self,
        memory: &mut Memory<'_>,
        address: u64,
        dynptr: Option<Dynptr>,
    ) -> Result<(), Fault> {
        memory.store(address, &bytes(dynptr))?;
        self.at.insert(address, dynptr);
        Ok(())
    }

    /// Writes the dynptr, or a null one and the error.
    fn make(
        &mut self,
        memory: &mut Memory<'_>,
        address: u64,
        made: Result<Dynptr, i64>,
    ) -> Result<i64, Fault> {
        self.put(memory, address, made.ok())?;
        Ok(made.err().unwrap_or(0))
    }

    /// The dynptr at an address; `None` for a null one.
    pub fn get(&self, memory: &mut Memory<'_>, address: u64) -> Result<Option<Dynptr>, Fault> {
        let known = self.at.get(&address).copied();
        let mut now = [0; 16];
        memory.load(address, &mut now)?;
        known
            .filter(|d| bytes(*d) == now)
            .ok_or_else(|| Fault::Instruction {
                insn: memory.insn,
                what: "expected an initialized dynptr".to_owned(),
            })
    }

    /// Carries out one of the helpers 197 to 203 (kernel/bpf/helpers.c, ringbuf.c).
    pub fn helper(
        &mut self,
        id: u32,
        args: [u64; 5],
        memory: &mut Memory<'_>,
    ) -> Result<u64, Fault> {
        let [a1, a2, a3, a4, a5] = args;
        let ret = match id {
            // bpf_dynptr_from_mem(data, size, flags, ptr)
            197 => {
                let made = match a3 {
                    _ if a2 > MAX_SIZE => Err(-E2BIG),
                    0 => {
                        memory.check_writable(a1, a2)?;
                        Ok(Dynptr::over(Space::Local(a1), a2 as u32))
                    }
                    _ => Err(-EINVAL),
                };
                self.make(memory, a4, made)?
            }
            // bpf_ringbuf_reserve_dynptr(map, size, flags, ptr)
            198 => {
                let map = event::ring(memory, a1)?;
                let size = u64::from(a2 as u32);
                let made = match a3 {
                    0 if size > MAX_SIZE => Err(-E2BIG),
                    0 => match memory.maps.ring_reserve(map, size) {
                        Some(place) => {
                            let address = values_address(map) + place.at as u64;
                            Ok(Dynptr::over(Space::Ring(address), size as u32))
                        }
                        None => Err(-EINVAL),
                    },
                    _ => Err(-EINVAL),
                };
                self.make(memory, a4, made)?
            }
            // bpf_ringbuf_submit_dynptr(ptr, flags), bpf_ringbuf_discard_dynptr(ptr, flags)
            199 | 200 => {
                if let Some(Space::Ring(address)) = self.get(memory, a1)?.map(|d| d.space) {
                    event::commit(memory, address, id == 200)?;
                }
                self.put(memory, a1, None)?;
                0
            }
            // bpf_dynptr_read(dst, len, src, offset, flags)
            201 => {
                memory.check_writable(a1, a2)?;
                match self.read(memory, a3, a4, a2, a5)? {
                    Ok(bytes) => {
                        memory.store(a1, &bytes)?;
                        0
                    }
                    Err(error) => error,
                }
            }
            // bpf_dynptr_write(dst, offset, src, len, flags)
            202 => {
                let from = memory.buffer(a3, a4)?;
                let ret = self.write(memory, a1, a2, &from, a5)?;
                memory.forget_slices();
                ret
            }
            // bpf_dynptr_data(ptr, offset, len)
            _ => {
                let data = self.get(memory, a1)?.filter(|d| !d.rdonly);
                let address = data.and_then(|d| match d.space {
                    Space::Local(start) | Space::Ring(start) => {
                        Some(start + u64::from(d.inside(a2, a3)?))
                    }
                    _ => None,
                });
                return Ok(address.unwrap_or(0));
            }
        };
        Ok(ret as u64)
    }

    /// `bpf_dynptr_from_skb_ext(skb, size, flags, ptr)`. With the create flag what slices pointed at may be another's now.
    pub fn skb_ext(
        &mut self,
        [_, size, flags, ptr, _]: [u64; 5],
        memory: &mut Memory<'_>,
    ) -> Result<u64, Fault> {
        let made = memory.host.dynptr_from_skb_ext(size as u32, flags);
        if flags & SKB_EXT_CREATE != 0 {
            memory.forget_slices();
        }
        let made = made.map(|(size, rdonly)| Dynptr {
            rdonly,
            ..Dynptr::over(Space::SkbMeta, size)
        });
        Ok(self.make(memory, ptr, made)? as u64)
    }

    /// Carries out a kernel function of dynptrs; the name is one that `helpers::has_kfunc()` knows.
    pub fn kfunc(
        &mut self,
        name: &str,
        args: [u64; 5],
        prog_type: &ProgType,
        memory: &mut Memory<'_>,
    ) -> Result<u64, Fault> {
        let [a1, a2, a3, a4, a5] = args;
        let ret = match name {
            "bpf_dynptr_from_skb_meta" => {
                memory.check_context(a1)?;
                // The host hears of the call whatever the flags are.
                let size = memory.host.dynptr_from_skb_meta(a2);
                let size = if a2 == 0 { size } else { Err(-EINVAL) };
                let made = size.map(|size| Dynptr::over(Space::SkbMeta, size));
                self.make(memory, a3, made)?
            }
            "bpf_dynptr_from_skb" | "bpf_dynptr_from_xdp" => {
                memory.check_context(a1)?;
                let space = if name == "bpf_dynptr_from_xdp" {
                    Space::Xdp
                } else {
                    Space::Skb
                };
                let made = Dynptr {
                    rdonly: !may_write(prog_type),
                    ..Dynptr::over(space, memory.host.packet_len())
                };
                let made = if a2 == 0 { Ok(made) } else { Err(-EINVAL) };
                self.make(memory, a3, made)?
            }
            "bpf_dynptr_slice" => return self.slice(memory, args, false),
            "bpf_dynptr_slice_rdwr" => return self.slice(memory, args, true),
            "bpf_dynptr_size" => self.get(memory, a1)?.map_or(-EINVAL, |d| i64::from(d.size)),
            "bpf_dynptr_is_null" => i64::from(self.get(memory, a1)?.is_none()),
            "bpf_dynptr_is_rdonly" => i64::from(self.get(memory, a1)?.is_some_and(|d| d.rdonly)),
            "bpf_dynptr_adjust" => self.adjust(memory, a1, a2, a3)?,
            "bpf_dynptr_clone" => {
                let dynptr = self.get(memory, a1)?;
                self.make(memory, a2, dynptr.ok_or(-EINVAL))?
            }
            "bpf_dynptr_memset" => self.memset(memory, a1, [a2, a3], a4 as u8)?,
            // bpf_dynptr_copy(dst, dst_off, src, src_off, size)
            _ => self.copy(memory, [a1, a2], [a3, a4], a5)?,
        };
        Ok(ret as u64)
    }

    /// `bpf_dynptr_adjust(p, start, end)`.
    fn adjust(
        &mut self,
        memory: &mut Memory<'_>,
        address: u64,
        start: u64,
        end: u64,
    ) -> Result<i64, Fault> {
        let Some(dynptr) = self.get(memory, address)?.filter(|_| start <= end) else {
            return Ok(-EINVAL);
        };
        let size = u64::from(dynptr.size);
        if start > size || end > size {
            return Ok(-ERANGE);
        }
        let dynptr = Dynptr {
            offset: dynptr.offset + start as u32,
            size: (end - start) as u32,
            ..dynptr
        };
        self.put(memory, address, Some(dynptr))?;
        Ok(0)
    }
}
