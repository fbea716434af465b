//! `net/core/page_pool.c` and `include/net/page_pool/helpers.h`: where `skb_pp_cow_data()` takes its buffers from.
//! A receive queue has one pool; small buffers share a page, one behind the other.

use super::Kernel;
use crate::scenario::topology::DevId;
use crate::skb::{Buffer, Buffers, PAGE_SIZE, SHARED_INFO_SIZE};
use crate::trace::{BufferNo, OriginId};

/// Whose pool it is: that of a device's receive queue, or `system_page_pool` of the CPU.
pub(super) type PoolOf = Option<DevId>;

/// `struct page_pool`, as far as fragments go.
#[derive(Debug, Default)]
pub(super) struct PagePool {
    /// There is a `frag_page`.
    has_page: bool,
    /// What earlier buffers left on it; empty: nothing, it is zero.
    left: Left,
    /// Buffers on the page that are in use, or were when it was last looked at: offset and number.
    users: Vec<(u32, BufferNo)>,
    /// `frag_offset`: first free byte of the page.
    frag_offset: u32,
}

/// Bytes that were left on a page, and their origins as far as they are kept.
#[derive(Debug, Default)]
struct Left {
    bytes: Vec<u8>,
    origins: Vec<OriginId>,
}

impl Left {
    fn clear(&mut self) {
        self.bytes.clear();
        self.origins.clear();
    }

    /// What the buffer holds is left at an offset of the page.
    fn take(&mut self, offset: usize, buffer: &Buffer) {
        self.bytes.resize(PAGE_SIZE as usize, 0);
        let end = buffer.end();
        put(&mut self.bytes, offset, buffer.bytes(0, end));
        let origins = buffer.origins(0, end);
        if !origins.is_empty() {
            self.origins.resize(PAGE_SIZE as usize, OriginId::default());
            put(&mut self.origins, offset, origins);
        }
    }
}

/// Stores what fits.
fn put<T: Copy>(page: &mut [T], offset: usize, from: &[T]) {
    for (to, from) in page.iter_mut().skip(offset).zip(from) {
        *to = *from;
    }
}

/// What a pool gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A page of its own.
    Page,
    /// A part of the shared page: offset and size, bytes.
    Fragment { offset: u32, truesize: u32 },
}

impl PagePool {
    /// `page_pool_alloc_netmem()`: more than half a page gets a whole one; the last that fits gets what is left.
    fn take(&mut self, truesize: u32, buffers: &Buffers) -> Piece {
        if truesize * 2 > PAGE_SIZE {
            return Piece::Page;
        }
        let offset = self.place(truesize, buffers);
        self.frag_offset = offset + truesize;
        if self.frag_offset + truesize > PAGE_SIZE {
            self.frag_offset = PAGE_SIZE;
            return Piece::Fragment {
                offset,
                truesize: PAGE_SIZE - offset,
            };
        }
        Piece::Fragment { offset, truesize }
    }

    /// `page_pool_alloc_frag_netmem()`: behind the last fragment; else at the start of the same page, if nobody
    /// uses it any more (`page_pool_drain_frag()`), or of a new page. A new page is zero: the pool takes
    /// 64 of them at once, and a page that comes back late waits in its ring until those are used up.
    fn place(&mut self, truesize: u32, buffers: &Buffers) -> u32 {
        if self.has_page && self.frag_offset + truesize <= PAGE_SIZE {
            return self.frag_offset;
        }
        self.fold(buffers);
        if !self.users.is_empty() {
            self.users.clear();
            self.left.clear();
        }
        self.has_page = true;
        0
    }

    /// Buffers that nobody uses any more leave their bytes on the page.
    pub fn fold(&mut self, buffers: &Buffers) {
        let left = &mut self.left;
        self.users.retain(|(offset, no)| {
            let used = buffers.is_used(*no);
            if !used {
                left.take(*offset as usize, buffers.get(*no));
            }
            used
        });
    }

    /// What lies in a part of the page; `None`: zero.
    fn left_in(&self, offset: u32, len: u32) -> Option<(&[u8], &[OriginId])> {
        let part = offset as usize..(offset + len) as usize;
        let origins = self.left.origins.get(part.clone());
        Some((self.left.bytes.get(part)?, origins.unwrap_or_default()))
    }
}

impl Kernel {
    /// `page_pool_dev_alloc()`: room for `size` bytes in a page, without shared info.
    pub(super) fn page_pool_dev_alloc(&mut self, pool: PoolOf, size: u32) -> BufferNo {
        self.page_pool_take(pool, size, 0)
    }

    /// `page_pool_dev_alloc_va()` and `napi_build_skb()`: a buffer of at least `end` usable bytes.
    pub(super) fn page_pool_dev_alloc_va(&mut self, pool: PoolOf, end: u32) -> BufferNo {
        self.page_pool_take(pool, end, SHARED_INFO_SIZE)
    }

    /// A part of a page with `behind` bytes kept behind what can be used.
    fn page_pool_take(&mut self, pool: PoolOf, end: u32, behind: u32) -> BufferNo {
        let pool = self.page_pools.entry(pool).or_default();
        match pool.take(end + behind, &self.buffers) {
            Piece::Page => self.alloc_head(PAGE_SIZE - behind),
            Piece::Fragment { offset, truesize } => {
                self.recorder.trace.cost.buffer_allocations += 1;
                let end = truesize - behind;
                let no = match pool.left_in(offset, end) {
                    Some((bytes, origins)) => self.buffers.alloc_with(bytes, origins),
                    None => self.buffers.alloc(end),
                };
                pool.users.push((offset, no));
                no
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a fragment and notes it, as the kernel does.
    fn take(pool: &mut PagePool, truesize: u32, buffers: &mut Buffers) -> (u32, u32) {
        match pool.take(truesize, buffers) {
            Piece::Page => panic!("a page"),
            Piece::Fragment { offset, truesize } => {
                pool.users.push((offset, buffers.alloc(truesize)));
                (offset, truesize)
            }
        }
    }

    /// Recorded: five packets of 704 bytes in one burst; the fifth has 960 bytes before its shared info.
    #[test]
    fn the_last_fragment_gets_the_rest_of_the_page() {
        let (mut pool, mut buffers) = (PagePool::default(), Buffers::default());
        let all: Vec<_> = (0..6).map(|_| take(&mut pool, 704, &mut buffers)).collect();
        assert_eq!(
            all,
            [
                (0, 704),
                (704, 704),
                (1408, 704),
                (2112, 704),
                (2816, 1280),
                (0, 704)
            ]
        );
        assert_eq!(pool.users.len(), 1, "the others are in use: a new page");
    }

    /// Recorded: a packet of 78 bytes, then one of 1454, whose buffer ends at 3072.
    #[test]
    fn half_a_page_is_a_fragment_and_more_is_a_page() {
        let (mut pool, mut buffers) = (PagePool::default(), Buffers::default());
        assert_eq!(take(&mut pool, 704, &mut buffers), (0, 704));
        assert_eq!(take(&mut pool, 2048, &mut buffers), (704, 3072 + 320));
        assert_eq!(pool.take(2112, &buffers), Piece::Page);
    }

    #[test]
    fn a_page_that_nobody_uses_begins_again_with_what_is_left_on_it() {
        let (mut pool, mut buffers) = (PagePool::default(), Buffers::default());
        take(&mut pool, 2048, &mut buffers);
        take(&mut pool, 2048, &mut buffers);
        assert_eq!(pool.left_in(2048, 4), None, "a new page is zero");
        for (_, no) in pool.users.clone() {
            buffers.write(no, 0, &[7], 1, 0);
            *buffers.dataref_mut(no) = 0;
        }
        assert_eq!(take(&mut pool, 704, &mut buffers), (0, 704));
        let (bytes, origins) = pool.left_in(2048, 2).expect("a page that was used");
        assert_eq!((bytes, origins[0].source), (&[7, 0][..], 1));
    }
}
