//! What is not the same every time: every rule that lets a recording and a trace differ, in one place.
//! Source of the list: the recordings' README, "What is not the same every time".
//!
//! No rule, or a small one, is needed for:
//! * **IPv4 identifications.** In recordings, those drawn at random are 0xe001, 0xe002 … in order of appearance;
//!   the simulator's own counter starts at 0xe001 and draws in the same order, but for segments: `drawn_ids`.
//! * **The UDP source port of geneve** (a hash with a random key, 0xe5e5 in recordings): whoever simulates geneve
//!   writes 0xe5e5.
//! * **`end` of buffers of ICMP and TCP replies**: it depends on the allocator, but was the same in both kernels.
//! * **`printk` numbers made from replaced bytes** are as the kernel printed them: [`printed_as_drawn`].
//! * **Numbers of packets**: one whose end the recorder cannot see keeps its number, and the next packet in the same
//!   memory gets it too: [`tell_apart`].
//! * **Interface indexes**: `redirect` returns 7 (`TC_ACT_REDIRECT`), as `TC_ACT_REDIRECT` is 7.

use std::collections::BTreeMap;

use super::event::Event;
use super::events::TracedEvent;
use super::visible::Sight;
use crate::trace::origin::Layer;
use crate::trace::{Edge, MetadataRead, OriginId, SourceTable, Trace};

/// `__dev_queue_xmit:exit` is left out of recordings: where it falls depends on when the softirq ran.
const NEVER_RECORDED: [(&str, Edge); 1] = [("__dev_queue_xmit", Edge::Exit)];

/// Who writes the frames of `orc send`: nothing of them is drawn.
pub(super) const SENT: &str = "packet_snd";

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

/// Whether a simulated event would be in a recording that shows so much.
#[must_use]
pub fn is_recorded(sight: Sight<'_>, traced: &TracedEvent) -> bool {
    let event = &traced.event;
    if event.end_of_life || event.prog {
        return true;
    }
    let name = event.stage.name.as_str();
    sight.shows(name, traced.caller.as_deref())
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

/// A packet whose head another has taken goes straight back to its slab (`kfree_skb_partial()`, `net/core/skbuff.c`), and no
/// tracepoint tells. A packet that has its number afterwards is another one in the same memory, so it gets a number of its
/// own, above all others.
pub(super) fn tell_apart(events: &mut [Event]) {
    let numbers = |event: &Event| [event.skb, event.ret_skb.flatten()];
    let mut next = events.iter().flat_map(numbers).flatten().max().unwrap_or(0);
    // number in the file → the packet it stands for now; `None` when that has ended
    let mut now: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for event in events {
        let mut packet = |number: u32| match now.get(&number) {
            None => number,
            Some(Some(packet)) => *packet,
            Some(None) => {
                next += 1;
                now.insert(number, Some(next));
                next
            }
        };
        let number = event.skb;
        event.skb = event.skb.map(&mut packet);
        event.ret_skb = event.ret_skb.map(|ret| ret.map(packet));
        let ended = event.stage.name == "kfree_skb_partial" && event.stage.edge == Edge::Exit;
        if let Some(number) = number.filter(|_| ended && !event.freed) {
            now.insert(number, None);
        }
    }
}

/// Whether a byte may differ: this packet never wrote it (an old page's content). Such bytes are counted
/// by themselves, and are a failure only when a program read them.
#[must_use]
pub fn may_differ(origin: Option<OriginId>) -> bool {
    origin.is_some_and(|origin| origin.source == SourceTable::UNWRITTEN)
}

/// Whether a line of `bpf_printk()` says the same: one number in it is made from bytes that the recorder replaces (a drawn
/// identification, the checksum of its header, a drawn port), and it is there as the kernel printed it. It has to be the
/// number of a metadata read, and all its other bytes have to be equal.
#[must_use]
pub fn printed_as_drawn(trace: &Trace, recorded: &str, simulated: &str) -> bool {
    let Some((drawn, replaced)) = one_number(recorded, simulated) else {
        return false;
    };
    let read = |read: &MetadataRead| {
        let number = read
            .bytes
            .first_chunk()
            .map(|four| u32::from_le_bytes(*four));
        let pairs = drawn.to_le_bytes().into_iter().zip(replaced.to_le_bytes());
        number == Some(replaced)
            && pairs.zip(&read.origins).all(|((left, right), origin)| {
                left == right || is_replaced(&trace.sources, *origin)
            })
    };
    trace.reads.iter().any(read)
}

/// A byte of a header of the kernel's making that the recorder replaces.
fn is_replaced(sources: &SourceTable, origin: OriginId) -> bool {
    let source = sources.source(origin);
    let field = sources.field(origin).map(|(name, _)| name);
    source.writer != SENT
        && match source.layer {
            Layer::Ipv4 => matches!(field, Some("id" | "check")),
            Layer::Udp => field == Some("source"),
            _ => false,
        }
}

/// The two numbers, where two lines differ in one decimal number only.
fn one_number(left: &str, right: &str) -> Option<(u32, u32)> {
    let same = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b);
    let before: Vec<u8> = same.map(|(a, _)| a).collect();
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let start = before.len() - digits.count();
    let split = |line: &str| {
        let rest = line.get(start..)?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        Some((rest.get(..end)?.parse().ok()?, rest.get(end..)?.to_owned()))
    };
    let ((one, tail), (other, rest)) = (split(left)?, split(right)?);
    (tail == rest).then_some((one, other))
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

    /// As `kfree_skb_partial()` of packet 7, then a clone of packet 8 in the memory of 7.
    #[test]
    fn a_number_after_an_end_that_nobody_told() {
        let line = |seq: u32, stage: &str, skb: u32, more: &str| {
            let text = format!(
                r#"{{"seq":{seq},"stage":"{stage}","dev":"rx","kind":"result","skb":{skb}{more}}}"#
            );
            serde_json::from_str(&text).expect("JSON")
        };
        let compact = [
            line(1, "kfree_skb_partial:entry", 7, ""),
            line(2, "kfree_skb_partial:exit", 7, ""),
            line(3, "skb_clone:exit", 8, r#","ret_skb":7"#),
            line(4, "ip_rcv:entry", 7, ""),
        ];
        let events = crate::recording::expand::expand(&compact).expect("events");
        let numbers: Vec<_> = events.iter().map(|it| (it.skb, it.ret_skb)).collect();
        let nine = Some(9);
        assert_eq!(
            numbers,
            [
                (Some(7), None),
                (Some(7), None),
                (Some(8), Some(nine)),
                (nine, None)
            ]
        );
    }

    #[test]
    fn one_number_in_a_line() {
        let numbers = |left, right| one_number(left, right);
        assert_eq!(
            numbers("value 17453166", "value 17463623"),
            Some((17_453_166, 17_463_623))
        );
        assert_eq!(numbers("a 12 b", "a 129 b"), Some((12, 129)));
        assert_eq!(numbers("7", "8"), Some((7, 8)));
        assert_eq!(numbers("a 1 b 2", "a 3 b 4"), None);
        assert_eq!(numbers("a 1", "b 1"), None);
        assert_eq!(numbers("size 4", "size 4 value 2"), None);
        assert_eq!(numbers("get_meta: no metadata", "get_meta: 5"), None);
        assert_eq!(numbers("99999999999", "5"), None);
    }

    /// A read of a tunnel header's checksum and of two bytes of its source address, 10.1: the checksum may differ.
    #[test]
    fn a_printed_number_of_drawn_bytes() {
        let mut trace = crate::trace::Recorder::new("a", "meta_end").trace;
        let add = |trace: &mut Trace, writer: &str| {
            trace.sources.add(crate::trace::origin::Source {
                layer: Layer::Ipv4,
                label: "IPv4".into(),
                writer: writer.into(),
                dev: None,
                step: 0,
                len: 20,
            })
        };
        let (made, sent) = (add(&mut trace, "iptunnel_xmit"), add(&mut trace, SENT));
        let read = |source: u16| MetadataRead {
            run: 0,
            program: "get_tag_dynptr".into(),
            dev: crate::trace::DevRef {
                name: "out".into(),
                netns: None,
            },
            hook: "egress",
            how: crate::trace::ReadHow::Dynptr,
            step: 0,
            buffer: crate::trace::BufferNo(1),
            offset: Some(254),
            bytes: vec![0x47, 0x79, 0x0a, 0x01],
            origins: (10..14).map(|byte| OriginId { source, byte }).collect(),
            verdict: crate::trace::Verdict::Overwritten,
            expected: None,
        };
        let line = |number: u32| format!("get_tag_dynptr: ret 0 size 4 value {number}");
        let (ours, theirs) = (line(0x010a_7947), line(0x010a_506e));
        assert!(!printed_as_drawn(&trace, &theirs, &ours), "nobody read it");
        trace.reads = vec![read(made)];
        assert!(printed_as_drawn(&trace, &theirs, &ours));
        // the address is not drawn, and the size neither
        assert!(!printed_as_drawn(&trace, &line(0x020a_506e), &ours));
        assert!(!printed_as_drawn(
            &trace,
            &theirs.replace("size 4", "size 8"),
            &ours
        ));
        assert!(!printed_as_drawn(&trace, &theirs, &line(0x010a_7948)));
        trace.reads = vec![read(sent)];
        assert!(
            !printed_as_drawn(&trace, &theirs, &ours),
            "what was sent is known"
        );
    }

    #[test]
    fn only_unwritten_bytes_may_differ() {
        assert!(may_differ(Some(OriginId { source: 0, byte: 7 })));
        assert!(!may_differ(Some(OriginId { source: 1, byte: 0 })));
        assert!(!may_differ(None));
    }
}
