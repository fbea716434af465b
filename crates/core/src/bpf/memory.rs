//! The memory a program may touch, at fixed, kernel-looking addresses.
//!
//! Nothing here is a host pointer: an address is looked up, and an access must lie in one region
//! from its first to its last byte.

use super::fault::Fault;
use super::frames::Stack;
pub(super) use super::frames::{FRAME, MAX_FRAMES};
use super::host::Host;
use super::maps::{Maps, ValuePlace};

/// Address of the context (`struct xdp_buff` or `struct sk_buff`).
pub const CTX_ADDRESS: u64 = 0xffff_8881_0300_0000;
/// Address of `xdp_rxq_info`.
pub(super) const RXQ_ADDRESS: u64 = 0xffff_8881_0310_0000;
/// Address of the device.
pub(super) const DEV_ADDRESS: u64 = 0xffff_8881_0320_0000;
/// Address of `skb_shared_info`.
pub(super) const SHINFO_ADDRESS: u64 = 0xffff_8881_0330_0000;
/// Address of a netfilter program's context (`struct bpf_nf_ctx`); the skb is at [`CTX_ADDRESS`].
pub(super) const NF_CTX_ADDRESS: u64 = 0xffff_8881_0340_0000;
/// Address of the `struct nf_hook_state`.
pub(super) const NF_STATE_ADDRESS: u64 = 0xffff_8881_0350_0000;
/// Addresses of the devices of a hook.
pub(super) const NF_IN_ADDRESS: u64 = 0xffff_8881_0360_0000;
pub(super) const NF_OUT_ADDRESS: u64 = 0xffff_8881_0370_0000;
/// First address behind the stack: r10 of the outermost function.
pub const STACK_TOP: u64 = 0xffff_c900_0040_0000;
/// Address of the key of the map element that a callback is called for.
pub(super) const KEY_ADDRESS: u64 = 0xffff_c900_0080_0000;
/// Address of the function that begins with instruction 0; the next instruction's is 8 further.
pub(super) const FUNCTION_ADDRESS: u64 = 0xffff_ffff_c000_0000;
/// `MAX_TAIL_CALL_CNT` (include/linux/bpf.h).
pub(super) const MAX_TAIL_CALLS: u32 = 33;
/// Frames of all programs: a tail call out of a function leaves its callers' frames below the new program.
const MAX_DEPTH: usize = MAX_FRAMES + MAX_TAIL_CALLS as usize;

/// How far from `packet_address()` an address still counts as one of the packet in messages.
const PACKET_REACH: i64 = 0x2_0000;
/// Bytes a helper may read or write at once.
const MAX_BUFFER: u64 = 1 << 20;

enum Place {
    /// Index into the stack's bytes, and the lowest index in use.
    Stack(i64),
    /// Offset from `head`.
    Packet(i64),
    Value(ValuePlace),
    Ctx(i64),
    Key(usize),
    Nowhere,
}

/// Metadata bytes that a program got from `bpf_dynptr_slice()`. They need not lie where `data_meta` points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// Offset from `head`; negative below it.
    pub at: i32,
    /// Bytes.
    pub len: u32,
    /// Which byte of the metadata is the first.
    pub first: u32,
    /// From `bpf_dynptr_slice_rdwr()`.
    pub writable: bool,
}

impl Slice {
    /// Which byte of the metadata lies at an offset from `head`, if all `len` bytes lie in the slice.
    fn byte_at(&self, off: i64, len: usize) -> Option<u32> {
        let from = u32::try_from(off.checked_sub(i64::from(self.at))?).ok()?;
        let end = from as usize + len;
        (end <= self.len as usize).then_some(self.first + from)
    }
}

/// Everything a running program can reach.
pub(super) struct Memory<'m> {
    pub host: &'m mut dyn Host,
    pub maps: &'m mut Maps,
    pub stack: &'m mut Stack,
    /// Nested calls now; frames below are not there yet.
    pub depth: usize,
    /// Instruction at work, for messages.
    pub insn: usize,
    /// Slices of the metadata that are valid now.
    pub slices: Vec<Slice>,
    /// The key that a callback looks at, at [`KEY_ADDRESS`].
    pub key: Vec<u8>,
}

impl<'m> Memory<'m> {
    pub fn new(host: &'m mut dyn Host, maps: &'m mut Maps, stack: &'m mut Stack) -> Memory<'m> {
        stack.clear();
        Memory {
            host,
            maps,
            stack,
            depth: 0,
            insn: 0,
            slices: Vec::new(),
            key: Vec::new(),
        }
    }

    fn fault(&self, what: &'static str, off: i64, size: usize) -> Fault {
        Fault::Access {
            insn: self.insn,
            what,
            off,
            size: u32::try_from(size).unwrap_or(u32::MAX),
        }
    }

    fn place(&self, address: u64) -> Place {
        let bottom = STACK_TOP - FRAME * self.stack.frames() as u64;
        let distance = |base: u64| address.wrapping_sub(base) as i64;
        // One frame of slack on both sides, so that a miss is reported as one of the stack.
        if (bottom - FRAME..STACK_TOP + FRAME).contains(&address) {
            return Place::Stack(distance(bottom));
        }
        if let Some(place) = self.maps.place_of_address(address) {
            return Place::Value(place);
        }
        if (CTX_ADDRESS..CTX_ADDRESS + 0x1000).contains(&address) {
            return Place::Ctx(distance(CTX_ADDRESS));
        }
        if (KEY_ADDRESS..KEY_ADDRESS + self.key.len() as u64).contains(&address) {
            return Place::Key((address - KEY_ADDRESS) as usize);
        }
        let off = distance(self.host.packet_address());
        if (-PACKET_REACH..PACKET_REACH).contains(&off) {
            return Place::Packet(off);
        }
        Place::Nowhere
    }

    fn stack_range(&self, index: i64, len: usize) -> Result<std::ops::Range<usize>, Fault> {
        let frames = self.stack.frames();
        let size = FRAME as usize * frames;
        let lowest = FRAME as usize * (frames - 1).saturating_sub(self.depth);
        match usize::try_from(index) {
            Ok(start) if start >= lowest && start + len <= size => Ok(start..start + len),
            // Relative to the frame pointer, as verifier messages are.
            _ => Err(self.fault("stack", index - (lowest as i64 + FRAME as i64), len)),
        }
    }

    fn packet_range(&self, off: i64, len: usize) -> Result<i32, Fault> {
        let (start, end) = self.host.packet_bounds();
        match i32::try_from(off) {
            Ok(at) if at >= start && off.saturating_add(len as i64) <= i64::from(end) => Ok(at),
            _ => Err(self.fault("packet", off - i64::from(start), len)),
        }
    }

    /// A slice of the metadata may be touched by pointer from now on.
    pub fn add_slice(&mut self, slice: Slice) {
        if !self.slices.contains(&slice) {
            self.slices.push(slice);
        }
    }

    /// A helper may have moved the packet (`clear_all_pkt_pointers()`).
    pub fn forget_slices(&mut self) {
        self.slices.clear();
    }

    /// Which byte of the metadata an access by a slice begins with.
    fn slice_byte(&self, off: i64, len: usize, write: bool) -> Option<u32> {
        self.slices
            .iter()
            .filter(|slice| slice.writable || !write)
            .find_map(|slice| slice.byte_at(off, len))
    }

    /// Reads bytes at an address.
    pub fn load(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        let len = into.len();
        match self.place(address) {
            Place::Stack(index) => {
                let range = self.stack_range(index, len)?;
                let Some(bytes) = self.stack.load(range) else {
                    let frames = self.stack.frames().saturating_sub(self.depth);
                    let frame_pointer = frames as i64 * FRAME as i64;
                    return Err(self.fault("stack", index - frame_pointer, len));
                };
                into.copy_from_slice(bytes);
            }
            Place::Packet(off) => {
                if let Some(first) = self.slice_byte(off, len, false) {
                    self.host.skb_meta_load(first, into);
                } else {
                    let at = self.packet_range(off, len)?;
                    self.host.packet_load(at, into);
                }
            }
            Place::Value(place) => match self.maps.bytes(place, len) {
                Ok(bytes) => into.copy_from_slice(bytes),
                Err(off) => return Err(self.fault("map value", off, len)),
            },
            Place::Key(at) => match self.key.get(at..at.saturating_add(len)) {
                Some(bytes) => into.copy_from_slice(bytes),
                None => return Err(self.fault("map key", at as i64, len)),
            },
            Place::Ctx(off) => return Err(self.fault("ctx", off, len)),
            Place::Nowhere => return Err(self.fault("memory", address as i64, len)),
        }
        Ok(())
    }

    /// Writes bytes at an address.
    pub fn store(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        let len = bytes.len();
        match self.place(address) {
            Place::Stack(index) => {
                let range = self.stack_range(index, len)?;
                self.stack.store(range, bytes);
                self.host.stored(address, bytes);
            }
            Place::Packet(off) => {
                if let Some(first) = self.slice_byte(off, len, true) {
                    self.host.skb_meta_slice_store(first, bytes);
                } else {
                    let at = self.packet_range(off, len)?;
                    self.host.packet_store(at, bytes);
                }
            }
            Place::Value(place) => {
                if self.maps.is_read_only(place.map) {
                    return Err(self.fault("map value", place.at as i64, len));
                }
                match self.maps.bytes(place, len) {
                    Ok(value) => {
                        value.copy_from_slice(bytes);
                        self.host.stored(address, bytes);
                    }
                    Err(off) => return Err(self.fault("map value", off, len)),
                }
            }
            Place::Key(at) => return Err(self.fault("map key", at as i64, len)),
            Place::Ctx(off) => return Err(self.fault("ctx", off, len)),
            Place::Nowhere => return Err(self.fault("memory", address as i64, len)),
        }
        Ok(())
    }

    /// Whether one more frame is there.
    pub fn has_frame(&self) -> bool {
        self.depth + 1 < MAX_DEPTH
    }

    /// r10 of the function at work.
    pub fn frame_pointer(&self) -> u64 {
        STACK_TOP - FRAME * self.depth as u64
    }

    /// The context and nothing else is what a helper wants.
    pub fn check_context(&self, argument: u64) -> Result<(), Fault> {
        if argument == CTX_ADDRESS {
            return Ok(());
        }
        Err(Fault::Instruction {
            insn: self.insn,
            what: "R1 is not the context".to_owned(),
        })
    }

    /// Reads a buffer that a program hands to a helper.
    pub fn buffer(&mut self, address: u64, len: u64) -> Result<Vec<u8>, Fault> {
        if len > MAX_BUFFER {
            return Err(self.fault("memory", address as i64, usize::MAX));
        }
        let mut bytes = vec![0; len as usize];
        if len > 0 {
            self.load(address, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Checks that a helper may write a buffer, before it does anything.
    pub fn check_writable(&mut self, address: u64, len: u64) -> Result<(), Fault> {
        let size = usize::try_from(len.min(u64::from(u32::MAX))).unwrap_or(usize::MAX);
        match self.place(address) {
            Place::Stack(index) => self.stack_range(index, size).map(|_| ()),
            Place::Packet(off) if self.slice_byte(off, size, true).is_some() => Ok(()),
            Place::Packet(off) => self.packet_range(off, size).map(|_| ()),
            Place::Value(place) if !self.maps.is_read_only(place.map) => self
                .maps
                .bytes(place, size)
                .map(|_| ())
                .map_err(|off| Fault::Access {
                    insn: self.insn,
                    what: "map value",
                    off,
                    size: size as u32,
                }),
            Place::Value(place) => Err(self.fault("map value", place.at as i64, size)),
            Place::Key(at) => Err(self.fault("map key", at as i64, size)),
            Place::Ctx(off) => Err(self.fault("ctx", off, size)),
            Place::Nowhere => Err(self.fault("memory", address as i64, size)),
        }
    }
}
