//! One buffer at one step, as geometry: what to draw and where, in abstract units.

use super::family::Family;
use super::labels::Label;
pub use super::marks::{MoveMark, ReadMark, written_ranges};
use super::marks::{move_marks, read_marks};
use super::pointers::{Pointer, place, pointers};
use super::regions::{Region, regions};
use super::scale::Scale;
use super::zones::{Zone, ZoneKind, zones};
use crate::trace::{PacketView, Trace, Verdict};

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct RibbonOptions<'s> {
    /// Offsets to places; shared by all steps and designs.
    pub scale: &'s Scale,
    /// Width of the picture.
    pub width: f64,
    /// Width of a character of the labels, same measure.
    pub char_width: f64,
}

/// Something with a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The thing.
    pub item: T,
    /// Left edge.
    pub x: f64,
    /// Width.
    pub width: f64,
    /// The longest of its labels that fits, perhaps none.
    pub label: String,
}

/// One byte that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Offset from `head`.
    pub offset: u32,
    /// Left edge.
    pub x: f64,
    /// Its value; `None` beyond the end of what is known.
    pub value: Option<u8>,
    /// Family of its origin.
    pub family: Family,
    /// See [`Region::stale`].
    pub stale: bool,
    /// A program run at this step has read it.
    pub read: Option<Verdict>,
    /// It was written since the step to compare with.
    pub written: bool,
}

/// The picture of one buffer at one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ribbon {
    /// What the bytes are.
    pub regions: Vec<Placed<Region>>,
    /// What the fields claim.
    pub zones: Vec<Placed<Zone>>,
    /// Every pointer that is set.
    pub pointers: Vec<Pointer>,
    /// Their labels, merged and laid out.
    pub labels: Vec<Label>,
    /// Rows the labels take.
    pub rows: usize,
    /// Bytes that are drawn one by one.
    pub cells: Vec<Cell>,
    /// What was read.
    pub reads: Vec<ReadMark>,
    /// What was moved.
    pub moves: Vec<MoveMark>,
}

/// Draws the packet of a step.
#[must_use]
pub fn ribbon(
    trace: &Trace,
    step: usize,
    view: &PacketView<'_>,
    options: RibbonOptions<'_>,
) -> Ribbon {
    let Some(fields) = view.fields else {
        return Ribbon::default();
    };
    let unit = options.width / options.scale.units;
    let x = |offset: u32| options.scale.x(offset) * unit;
    let regions = regions(trace, view);
    let (pointers, labels) = place(
        &pointers(trace, view),
        options.scale,
        options.width,
        options.char_width,
    );
    let reads = read_marks(trace, step, &x);
    let cells = cells(trace, step, view, &regions, &reads, options.scale, &x);
    let fit = |width: f64, names: &[&str]| {
        let fits = |name: &&&str| (name.chars().count() as f64 + 0.5) * options.char_width <= width;
        names
            .iter()
            .find(fits)
            .map_or(String::new(), |name| (*name).to_owned())
    };
    let placed_region = |region: Region| {
        let (left, width) = (x(region.start), x(region.end) - x(region.start));
        let label = fit(width, &[&region.label, &region.short]);
        Placed {
            item: region,
            x: left,
            width,
            label,
        }
    };
    let placed_zone = |zone: Zone| {
        let (left, width) = (x(zone.start), x(zone.end) - x(zone.start));
        Placed {
            item: zone,
            x: left,
            width,
            label: zone_label(&zone, width, options.char_width),
        }
    };
    Ribbon {
        zones: zones(fields).into_iter().map(placed_zone).collect(),
        rows: labels.iter().map(Label::end_row).max().unwrap_or(0),
        moves: move_marks(trace, step, &x),
        regions: regions.into_iter().map(placed_region).collect(),
        pointers,
        labels,
        cells,
        reads,
    }
}

/// The zone's word, with its size where there is room. Zones are lettered in a narrower face.
fn zone_label(zone: &Zone, width: f64, char_width: f64) -> String {
    const NARROWER: f64 = 0.86;
    let word = zone.kind.word();
    let size = format!("{word} · {} bytes", zone.end - zone.start);
    let short = if zone.kind == ZoneKind::Metadata {
        "meta"
    } else {
        ""
    };
    let fits = |name: &&str| name.chars().count() as f64 * char_width * NARROWER <= width;
    [size.as_str(), word, short]
        .into_iter()
        .find(fits)
        .unwrap_or_default()
        .to_owned()
}

fn cells(
    trace: &Trace,
    step: usize,
    view: &PacketView<'_>,
    regions: &[Region],
    reads: &[ReadMark],
    scale: &Scale,
    x: &impl Fn(u32) -> f64,
) -> Vec<Cell> {
    let written = written_ranges(trace, step);
    let mut at = 0;
    let one = |offset: u32| {
        while regions.get(at).is_some_and(|region| region.end <= offset) {
            at += 1;
        }
        let region = regions.get(at).filter(|region| region.start <= offset);
        Cell {
            offset,
            x: x(offset),
            value: view
                .buffer
                .and_then(|buffer| buffer.bytes.get(offset as usize).copied()),
            family: region.map_or(Family::Unwritten, |region| region.family),
            stale: region.is_some_and(|region| region.stale),
            read: reads
                .iter()
                .find(|read| (read.start..read.end).contains(&offset))
                .map(|read| read.verdict),
            written: written.iter().any(|range| range.contains(&offset)),
        }
    };
    scale.cells().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, step_at, view_at};
    use crate::trace::BufferNo;

    fn draw(design: &str, step: &str, width: f64) -> Ribbon {
        let trace = decap(design);
        let scale = Scale::compressed(&[(&trace, BufferNo(1))]);
        let at = step_at(&trace, step);
        let options = RibbonOptions {
            scale: &scale,
            width,
            char_width: 6.6,
        };
        view_at(&trace, step, |view| ribbon(&trace, at, &view, options))
    }

    /// 84 units (see `scale`) on 840: a byte is 10 wide; offset 290 is 2 + 40 units in.
    #[test]
    fn the_garbage_read_is_a_frame_round_the_gre_header() {
        let picture = draw("mac_header", "get_tag.exit@decap#1", 840.0);
        let [read] = picture.reads.as_slice() else {
            panic!("one read")
        };
        assert_eq!(
            (read.start, read.end, read.x, read.width),
            (290, 294, 420.0, 40.0)
        );
        assert_eq!(
            (read.hex.as_str(), read.value),
            ("00 00 08 00", Some(524_288))
        );
        assert_eq!(read.note, "garbage: the GRE header");
        let marked: Vec<u32> = picture
            .cells
            .iter()
            .filter(|c| c.read.is_some())
            .map(|c| c.offset)
            .collect();
        assert_eq!(marked, [290, 291, 292, 293]);
        assert!(picture.moves.is_empty());
    }

    #[test]
    fn realign_is_an_arc_of_38_bytes() {
        let picture = draw("meta_end", "get_tag.exit@decap#1", 840.0);
        let [arc] = picture.moves.as_slice() else {
            panic!("one move")
        };
        assert_eq!(
            (arc.from, arc.to, arc.len, arc.by.as_str()),
            (252, 290, 4, "bpf_skb_meta_realign")
        );
        assert_eq!((arc.from_x, arc.to_x), (60.0, 440.0));
        assert_eq!(picture.reads[0].note, "the bytes set_tag wrote");
    }

    #[test]
    fn pointers_at_one_offset_are_one_label_and_fit_a_phone() {
        for width in [342.0, 840.0, 1800.0] {
            let picture = draw("mac_header", "get_tag.entry@decap#1", width);
            let text: Vec<String> = picture.labels.iter().map(super::Label::text).collect();
            assert!(
                text.contains(&"294 data · mac_header · network_header".to_owned()),
                "{text:?}"
            );
            assert!(text.contains(&"290 data_meta".to_owned()), "{text:?}");
            for label in &picture.labels {
                assert!(
                    label.x >= 0.0 && label.x + label.width <= width,
                    "{label:?}"
                );
            }
        }
    }

    #[test]
    fn cells_follow_the_bytes() {
        let picture = draw("mac_header", "set_tag.exit@rx#1", 840.0);
        let tag: Vec<_> = picture
            .cells
            .iter()
            .filter(|c| c.written)
            .map(|c| (c.offset, c.value))
            .collect();
        assert_eq!(
            tag,
            [
                (252, Some(42)),
                (253, Some(0)),
                (254, Some(0)),
                (255, Some(0))
            ]
        );
    }
}
