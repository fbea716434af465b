//! What of a packet lies outside of its linear buffer.

use smallvec::SmallVec;

use crate::trace::BufferNo;

/// `MAX_SKB_FRAGS` (`CONFIG_MAX_SKB_FRAGS`).
pub const MAX_SKB_FRAGS: usize = 17;

/// `skb_frag_t`: a part of the packet in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frag {
    /// The page. It has one user for each fragment in it.
    pub page: BufferNo,
    /// `skb_frag_off()`, bytes from the start of the page.
    pub offset: u32,
    /// `skb_frag_size()`, bytes.
    pub size: u32,
}

/// A stretch of a packet that lies in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The buffer or page.
    pub buffer: BufferNo,
    /// Where it begins there, bytes.
    pub at: u32,
    /// Bytes.
    pub len: u32,
}

/// Stretches of a packet; most packets lie in one.
pub type Stretches = SmallVec<[Stretch; 2]>;

/// Takes `len` bytes away from the front of fragments; gives those that are empty now, whose pages lose a user.
pub fn eat(frags: &mut Vec<Frag>, len: u32) -> Vec<Frag> {
    let mut left = len;
    let mut gone = 0;
    for frag in frags.iter_mut() {
        if frag.size > left {
            frag.offset += left;
            frag.size -= left;
            break;
        }
        left -= frag.size;
        gone += 1;
    }
    frags.drain(..gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frag(page: u32, offset: u32, size: u32) -> Frag {
        Frag {
            page: BufferNo(page),
            offset,
            size,
        }
    }

    /// `__pskb_pull_tail()`: a fragment that is eaten as a whole is let go, the next one begins later.
    #[test]
    fn eating_lets_whole_fragments_go_and_shortens_one() {
        let mut frags = vec![frag(1, 64, 100), frag(2, 0, 50)];
        assert_eq!(eat(&mut frags, 30), []);
        assert_eq!(frags, [frag(1, 94, 70), frag(2, 0, 50)]);
        assert_eq!(eat(&mut frags, 75), [frag(1, 94, 70)]);
        assert_eq!(frags, [frag(2, 5, 45)]);
        assert_eq!(eat(&mut frags, 45), [frag(2, 5, 45)]);
        assert_eq!(frags, []);
    }
}
