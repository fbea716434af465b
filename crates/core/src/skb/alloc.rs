//! How large a buffer is when so many bytes are asked for.
//!
//! `end` (and with it tailroom and `frame_sz`) follows from the allocator's size classes. The
//! numbers hold for x86-64, 64-byte cache lines, 4 KiB pages.

/// `SKB_DATA_ALIGN(sizeof(struct skb_shared_info))`, bytes.
pub const SHARED_INFO_SIZE: u32 = 320;
/// `PAGE_SIZE`, bytes.
pub const PAGE_SIZE: u32 = 4096;
/// `NET_SKB_PAD` = `max(32, L1_CACHE_BYTES)`, bytes.
pub const NET_SKB_PAD: u32 = 64;
/// The largest linear buffer that the simulator makes, bytes: a 64 KiB packet and its headroom.
pub const MAX_LINEAR: u32 = 128 * 1024;

/// `SMP_CACHE_BYTES`.
const CACHE_LINE: u32 = 64;
/// `SKB_SMALL_HEAD_CACHE_SIZE` (`net/core/skbuff.c`): `SKB_HEAD_ALIGN(MAX_TCP_HEADER)`, 384 + 320,
/// made not to be a power of two so that it can be told from a kmalloc object.
const SMALL_HEAD: u32 = 704;

/// `SKB_DATA_ALIGN()`: up to a whole cache line.
#[must_use]
pub const fn data_align(bytes: u32) -> u32 {
    bytes.next_multiple_of(CACHE_LINE)
}

/// `kmalloc_reserve()` (`net/core/skbuff.c`): offset of `end` in a fresh head of at least `bytes`.
///
/// Small heads come from their own cache; larger ones from kmalloc's size classes, all of which is used.
#[must_use]
pub fn kmalloc_end(bytes: u32) -> u32 {
    let object = data_align(bytes) + SHARED_INFO_SIZE;
    let size = if object <= SMALL_HEAD {
        SMALL_HEAD
    } else {
        kmalloc_size_roundup(object)
    };
    size - SHARED_INFO_SIZE
}

/// `kmalloc_size_roundup()`: powers of two above 192 bytes, whole pages above 8 KiB.
fn kmalloc_size_roundup(bytes: u32) -> u32 {
    const KMALLOC_MAX_CACHE_SIZE: u32 = 2 * PAGE_SIZE;
    if bytes > KMALLOC_MAX_CACHE_SIZE {
        PAGE_SIZE * bytes.div_ceil(PAGE_SIZE).next_power_of_two()
    } else {
        bytes.next_power_of_two()
    }
}

/// `skb_pp_cow_data()`: offset of `end` in a page-pool fragment with `headroom` and `linear` bytes of packet.
///
/// `truesize = SKB_HEAD_ALIGN(size) + headroom`; `page_pool_dev_alloc_va()` gives a whole page
/// when the fragment would fill more than half of one.
#[must_use]
pub fn page_end(headroom: u32, linear: u32) -> u32 {
    let truesize = data_align(linear) + SHARED_INFO_SIZE + headroom;
    let size = if truesize * 2 > PAGE_SIZE {
        PAGE_SIZE
    } else {
        truesize
    };
    size - SHARED_INFO_SIZE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden E1-veth-4b-native, seq 1: a 66-byte frame with 16 bytes reserved has `end` 384.
    #[test]
    fn small_heads_have_384_usable_bytes() {
        assert_eq!(kmalloc_end(82), 384);
        assert_eq!(kmalloc_end(384), 384);
    }

    /// golden E1-veth-4b-generic, seq 22: 384 + 256 + shared info = 960, from kmalloc-1k.
    #[test]
    fn larger_heads_use_the_whole_size_class() {
        assert_eq!(kmalloc_end(384 + 256), 1024 - 320);
    }

    /// golden E1-veth-4b-native, seq 15–16: 66 bytes behind 256 of headroom, `end` 384, `frame_sz` 704.
    #[test]
    fn page_pool_fragment_of_a_small_frame() {
        assert_eq!(page_end(256, 66), 384);
        assert_eq!(page_end(256, 90), 384);
    }
}
