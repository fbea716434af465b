//! How many rows the labels of pointers take, so that stepping never moves the page.

use headroom_core::scene::{Scale, pointers};
use headroom_core::trace::{PacketFields, PacketView};

use super::CHAR;
use super::twins::MOST as MOST_TWINS;
use crate::frame::Frame;

/// The most rows that labels take at any step in a frame's buffer, and the most packets that share it with another.
pub(super) fn most_rows(frame: &Frame, scale: &Scale, width: f64) -> (usize, usize) {
    let (trace, Some(buffer)) = (&frame.trace, frame.buffer_no) else {
        return (0, 0);
    };
    let mut seen: Vec<Vec<(&'static str, u32)>> = Vec::new();
    let (mut last, mut twins) = (None, 0);
    for step in frame.reach().steps(trace, buffer) {
        // A set of fields that is the one before it has the same pointers, but for what a program sees.
        let same = (step.fields, std::mem::discriminant(&step.kind));
        if last.replace(same) == Some(same) {
            continue;
        }
        let Some(fields) = step.fields.and_then(|index| trace.fields.get(index)) else {
            continue;
        };
        if let PacketFields::Skb(skb) = fields {
            twins = twins.max(skb.dataref.saturating_sub(1) as usize);
        }
        let view = PacketView {
            step,
            fields: Some(fields),
            buffer: None,
        };
        let set = pointers(trace, &view);
        if !seen.contains(&set) {
            seen.push(set);
        }
    }
    let rows = |set: &Vec<_>| {
        let (_, labels) = headroom_core::scene::pointers::place(set, scale, width, CHAR);
        labels
            .iter()
            .map(headroom_core::scene::labels::Label::end_row)
            .max()
    };
    let rows = seen.iter().filter_map(rows).max();
    (rows.unwrap_or(0), twins.min(MOST_TWINS))
}
