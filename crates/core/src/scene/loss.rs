//! What a step takes away from metadata: bytes of others over them, or what the packet keeps beside its buffer.

use super::explain::{count_bytes, span};
use super::marks::writes_since;
use super::zones::metadata_range;
use crate::trace::{ByteWrite, Layer, MetadataRead, Trace, Verdict};

/// ` Of the metadata two bytes at 254–255 are overwritten.`, or that the packet has lost metadata that the design keeps elsewhere,
/// or that a driver has not handed over, or that a new buffer is made without, and who will miss them first; empty where nothing is lost.
#[must_use]
pub(super) fn loss_words(trace: &Trace, step: usize) -> String {
    let fields = trace.steps.get(step).and_then(|step| step.fields);
    let range = fields.and_then(|fields| metadata_range(trace.fields.get(fields)?));
    let over = range.and_then(|range| overwritten(trace, range, writes_since(trace, step)));
    if let Some((start, end, lost)) = over {
        let (count, are) = (count_bytes(lost), if lost == 1 { "is" } else { "are" });
        return format!(
            " Of the metadata {count} at {} {are} overwritten.",
            span(start, end)
        );
    }
    let missed = trace.reads.iter().find(|read| {
        let lost_at = read.expected.as_ref().and_then(|expected| expected.lost_at);
        read.verdict == Verdict::Lost && lost_at == Some(step)
    });
    let left = || {
        trace
            .reads
            .iter()
            .find(|read| is_left_behind(trace, step, read))
    };
    let (what, read) = match (missed, left()) {
        (Some(read), _) => ("the packet loses its metadata", read),
        (None, Some(read)) => ("a buffer is made without the metadata", read),
        (None, None) => return String::new(),
    };
    let finds = if read.verdict == Verdict::Lost {
        "find none"
    } else {
        "read other bytes"
    };
    format!(
        " Here {what}: {} on {} will {finds}.",
        read.program, read.dev.name
    )
}

/// A step makes the buffer that a wrong read looks into, and nobody ever puts the metadata there. (`why::Event::LeftBehind` is found
/// on the way back from the read; that walk is not in a page's module.)
fn is_left_behind(trace: &Trace, step: usize, read: &MetadataRead) -> bool {
    let expected = read.expected.as_ref();
    let Some(key) = expected.and_then(|expected| expected.origins.first()) else {
        return false;
    };
    let writes = |first: usize, last: usize| {
        let own = |step: usize| trace.steps.get(step).map(|step| step.writes.clone());
        let range = own(first)
            .zip(own(last))
            .map(|(first, last)| first.start..last.end);
        let all = range
            .and_then(|range| trace.writes.get(range))
            .unwrap_or_default();
        all.iter().filter(|write| write.buffer == read.buffer)
    };
    read.step > step
        && read.verdict.is_wrong()
        && writes(step, step).any(|write| write.old.is_empty())
        && !writes(step, read.step).any(|write| write.new.iter().any(|(_, origin)| origin == key))
}

/// From the first to behind the last byte of metadata in a range that is another's after some writes, and how many are.
fn overwritten<'t>(
    trace: &Trace,
    (start, end): (u32, u32),
    writes: impl Iterator<Item = &'t ByteWrite>,
) -> Option<(u32, u32, usize)> {
    let is_metadata = |origin| trace.sources.source(origin).layer == Layer::Metadata;
    let mut lost: Option<(u32, u32, usize)> = None;
    for write in writes {
        for ((at, (_, old)), (_, new)) in (write.offset..).zip(&write.old).zip(&write.new) {
            if (start..end).contains(&at) && is_metadata(*old) && !is_metadata(*new) {
                let (from, to, count) = lost.unwrap_or((at, at, 0));
                lost = Some((from.min(at), to.max(at + 1), count + 1));
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::sentence;
    use crate::scene::testing::{decap, step_at};
    use crate::trace::{BufferNo, OriginId};

    fn write(offset: u32, old: &[OriginId], new: &[OriginId]) -> ByteWrite {
        let cells = |origins: &[OriginId]| origins.iter().map(|origin| (0, *origin)).collect();
        ByteWrite {
            buffer: BufferNo(0),
            offset,
            old: cells(old),
            new: cells(new),
            moved_from: None,
            copied_from: None,
        }
    }

    /// The tag is at 252–255. Twelve bytes that end with the Ethernet header's are written from 250 on: 252–255 are the tag's.
    #[test]
    fn bytes_of_others_over_the_metadata_are_said() {
        let trace = decap("mac_header");
        let tag = trace.reads[0].expected.clone().expect("a tag").origins;
        let none = vec![OriginId::default(); 4];
        let over = |offset, old: &[OriginId], new: &[OriginId]| {
            overwritten(&trace, (252, 256), [write(offset, old, new)].iter())
        };
        assert_eq!(over(252, &tag, &none), Some((252, 256, 4)));
        assert_eq!(over(254, &tag[2..], &none[2..]), Some((254, 256, 2)));
        // The second and third byte stay: two of four are lost.
        let middle = [none[0], tag[1], tag[2], none[3]];
        assert_eq!(over(252, &tag, &middle), Some((252, 256, 2)));
        // The metadata themselves, others' bytes before, and another place are no loss.
        assert_eq!(over(252, &tag, &tag), None);
        assert_eq!(over(252, &none, &none), None);
        assert_eq!(over(290, &tag, &none), None);
    }

    #[test]
    fn a_packet_that_loses_what_is_kept_beside_it_is_said_where_it_happens() {
        let mut trace = decap("mac_header");
        let step = step_at(&trace, "ip_tunnel_rcv.exit@decap#1");
        let before = sentence(&trace, step);
        let read = &mut trace.reads[0];
        read.verdict = Verdict::Lost;
        read.expected.as_mut().expect("a tag").lost_at = Some(step);
        assert_eq!(
            sentence(&trace, step),
            format!(
                "{before} Here the packet loses its metadata: get_tag on decap will find none."
            )
        );
        assert!(!sentence(&trace, step - 1).contains("loses"));
    }
}
