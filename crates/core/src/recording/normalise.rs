//! What is not the same every time: every rule that lets a recording and a trace differ, in one place.
//! Source of the list: the recordings' README, "What is not the same every time".
//!
//! No rule is needed for:
//! * **IPv4 identifications.** In recordings, those drawn at random are 0xe001, 0xe002 … in order of appearance;
//!   the simulator's own counter starts at 0xe001 and draws in the same order.
//! * **The UDP source port of geneve** (a hash with a random key, 0xe5e5 in recordings): whoever simulates geneve
//!   writes 0xe5e5.
//! * **`end` of buffers of ICMP and TCP replies**: it depends on the allocator, but was the same in both kernels.
//! * **Interface indexes**: `redirect` returns 7 (`TC_ACT_REDIRECT`), as `TC_ACT_REDIRECT` is 7.

use std::collections::BTreeMap;

use super::events::TracedEvent;
use super::visible::is_visible;
use crate::trace::{Edge, OriginId, SourceTable};

/// `__dev_queue_xmit:exit` is left out of recordings: where it falls depends on when the softirq ran.
const NEVER_RECORDED: [(&str, Edge); 1] = [("__dev_queue_xmit", Edge::Exit)];

/// The inside of freeing is left out of recordings, also where the functions are traced. The end of a
/// packet shows as the tracepoints `consume_skb` and `kfree_skb`, not as the functions of these names.
const FREEING: [&str; 7] = [
    "sk_skb_reason_drop",
    "consume_skb",
    "kfree_skb",
    "__kfree_skb",
    "skb_release_head_state",
    "skb_release_data",
    "kfree_skbmem",
];

/// Whether a simulated event would be in a recording of `design`.
#[must_use]
pub fn is_recorded(design: &str, traced: &TracedEvent) -> bool {
    let event = &traced.event;
    if event.end_of_life || event.prog {
        return true;
    }
    let name = event.stage.name.as_str();
    is_visible(design, name, traced.caller.as_deref())
        && !FREEING.contains(&name)
        && !NEVER_RECORDED.contains(&(name, event.stage.edge))
}

/// Whether recordings leave out a function's entry or exit although its kernel has it.
#[must_use]
pub fn is_left_out(function: &str, point: crate::scene::Point) -> bool {
    let edge = match point {
        crate::scene::Point::Exit => Edge::Exit,
        _ => Edge::Entry,
    };
    FREEING.contains(&function) || NEVER_RECORDED.contains(&(function, edge))
}

/// Whether a byte may differ: this packet never wrote it (an old page's content). Such bytes are counted
/// by themselves, and are a failure only when a program read them.
#[must_use]
pub fn may_differ(origin: Option<OriginId>) -> bool {
    origin.is_some_and(|origin| origin.source == SourceTable::UNWRITTEN)
}

/// Numbers of skbs and buffers mean identity only. Skbs are matched in pairs by the alignment; this is
/// what the number of a buffer says: is it the one this skb had before, and which other skbs share it.
#[derive(Debug, Default)]
pub struct Heads {
    /// skb → number of its buffer; skbs that have ended are taken out.
    latest: BTreeMap<u32, u32>,
}

/// What is comparable in the number of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadIdentity {
    /// The buffer is the one of the skb's previous compared event; `None` at its first.
    pub same_as_before: Option<bool>,
    /// Other living skbs in the same buffer. Empty when `dataref` is 1: nobody shares then, and a buffer
    /// number that shows up again was freed in between.
    pub shared_with: Vec<u32>,
}

impl Heads {
    /// Takes an event's buffer in and says what its number means. `skb` is a number common to both sides.
    pub fn identity(&mut self, skb: u32, head: u32, dataref: u32) -> HeadIdentity {
        let same_as_before = self.latest.insert(skb, head).map(|before| before == head);
        let others = self
            .latest
            .iter()
            .filter(|(other, number)| **other != skb && **number == head);
        let shared_with = if dataref > 1 {
            others.map(|(other, _)| *other).collect()
        } else {
            Vec::new()
        };
        HeadIdentity {
            same_as_before,
            shared_with,
        }
    }

    /// The skb is gone.
    pub fn end(&mut self, skb: u32) {
        self.latest.remove(&skb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_numbers_are_identity_only() {
        let mut heads = Heads::default();
        assert_eq!(
            heads.identity(1, 1, 1),
            HeadIdentity {
                same_as_before: None,
                shared_with: vec![]
            }
        );
        // A clone.
        assert_eq!(
            heads.identity(2, 1, 2),
            HeadIdentity {
                same_as_before: None,
                shared_with: vec![1]
            }
        );
        // It gets a buffer of its own.
        assert_eq!(
            heads.identity(2, 2, 1),
            HeadIdentity {
                same_as_before: Some(false),
                shared_with: vec![]
            }
        );
        // Number 2 shows up again although nobody shares: it was freed without an event.
        assert!(heads.identity(4, 2, 1).shared_with.is_empty());
        // Number 1 is reused after its owner ended.
        heads.end(1);
        assert_eq!(
            heads.identity(3, 1, 2),
            HeadIdentity {
                same_as_before: None,
                shared_with: vec![]
            }
        );
    }

    #[test]
    fn only_unwritten_bytes_may_differ() {
        assert!(may_differ(Some(OriginId { source: 0, byte: 7 })));
        assert!(!may_differ(Some(OriginId { source: 1, byte: 0 })));
        assert!(!may_differ(None));
    }
}
