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
    let (pointers, mut labels) = place(
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
    let mut zones: Vec<_> = zones(fields).into_iter().map(placed_zone).collect();
    let mut regions: Vec<_> = regions.into_iter().map(placed_region).collect();
    let named = letter(&mut zones, &mut regions, options);
    if !named.is_empty() {
        let row = labels.iter().map(Label::end_row).max().unwrap_or(0);
        labels.push(Label::legend(named, row, options.width));
    }
    Ribbon {
        zones,
        rows: labels.iter().map(Label::end_row).max().unwrap_or(0),
        moves: move_marks(trace, step, &x),
        regions,
        pointers,
        labels,
        cells,
        reads,
    }
}

/// How much narrower a letter of the sans face is than one of the other labels.
const NARROWER: f64 = 0.86;
/// In a picture narrower than this, what has no room for a name has a number, and a line below that says what it is.
pub const NARROW: f64 = 600.0;

/// What has a label.
struct Spot<'p> {
    middle: f64,
    width: f64,
    label: &'p mut String,
    short: &'p str,
}

impl Spot<'_> {
    /// From where to where so many letters of the sans face go; short names are capitals, which are wide.
    fn reach(&self, letters: usize, char_width: f64) -> (f64, f64) {
        let letter = char_width * if letters > 6 { NARROWER } else { 1.17 };
        let half = letters as f64 * letter / 2.0;
        (self.middle - half, self.middle + half)
    }
}

/// Gives names to what is narrower than they are. In a narrow picture gives numbers to the rest, and the line that says
/// what they are.
fn letter(
    zones: &mut [Placed<Zone>],
    regions: &mut [Placed<Region>],
    options: RibbonOptions<'_>,
) -> String {
    let claims = zones.len();
    let mut spots: Vec<Spot<'_>> = Vec::with_capacity(claims + regions.len());
    for zone in zones {
        spots.push(Spot {
            middle: zone.x + zone.width / 2.0,
            width: zone.width,
            label: &mut zone.label,
            short: zone_short(zone.item.kind),
        });
    }
    for region in regions {
        spots.push(Spot {
            middle: region.x + region.width / 2.0,
            width: region.width,
            label: &mut region.label,
            short: region_short(&region.item),
        });
    }
    let (above, below) = spots.split_at_mut(claims);
    make_room(above, options.char_width);
    overhang(above, options.char_width);
    overhang(below, options.char_width);
    if options.width < NARROW {
        number(&mut spots, options.char_width)
    } else {
        String::new()
    }
}

/// Metadata that headers were pushed over lie inside the packet: its label leaves its size out where they are, or all.
fn make_room(spots: &mut [Spot<'_>], char_width: f64) {
    for index in 0..spots.len() {
        for name in [spots[index].short, ""] {
            let one = &spots[index];
            let (from, to) = one.reach(one.label.len(), char_width);
            let mut others = spots.iter().enumerate();
            if others.any(|(other, of)| {
                other != index && from - char_width < of.middle && of.middle < to + char_width
            }) {
                *spots[index].label = name.to_owned();
            }
        }
    }
}

/// What is too narrow for any of its labels has its shortest one over both of its ends, where no other label is.
fn overhang(spots: &mut [Spot<'_>], char_width: f64) {
    const APART: f64 = 2.0;
    for index in 0..spots.len() {
        let one = &spots[index];
        let (left, right) = one.reach(one.short.len(), char_width);
        let free = spots.iter().enumerate().all(|(other, of)| {
            // It may get a number.
            let letters = of.label.len().max(usize::from(!of.short.is_empty()));
            let (from, to) = of.reach(letters, char_width);
            other == index || letters == 0 || to + APART <= left || right + APART <= from
        });
        if one.label.is_empty() && left >= 0.0 && free {
            *spots[index].label = one.short.to_owned();
        }
    }
}

/// Gives numbers to what has no label yet, and says what they are.
fn number(spots: &mut [Spot<'_>], char_width: f64) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut said = String::new();
    for spot in spots {
        // The packet has no name only where metadata lie in its middle.
        let bare = spot.short.is_empty() || spot.short == ZoneKind::Packet.word();
        if bare || !spot.label.is_empty() || spot.width < char_width {
            continue;
        }
        let known = names.iter().position(|known| *known == spot.short);
        let sign = char::from(b'1' + known.unwrap_or(names.len()).min(8) as u8);
        spot.label.push(sign);
        if known.is_none() {
            names.push(spot.short);
            said.push_str("· ");
            said.push(sign);
            said.push_str(" is ");
            said.push_str(spot.short);
            said.push(' ');
        }
    }
    said
}

/// What a region is called where there is little room; nothing where its pattern says it.
fn region_short(region: &Region) -> &str {
    match region.family {
        Family::Headroom | Family::Unwritten | Family::Tailroom => "",
        // `data` is a pointer too.
        Family::Payload => "payload",
        _ => &region.short,
    }
}

/// What a zone is called where there is little room; nothing at the ends of a buffer, where its pattern says it.
fn zone_short(kind: ZoneKind) -> &'static str {
    match kind {
        ZoneKind::Metadata => "meta",
        ZoneKind::Gap => "gap",
        ZoneKind::Pulled => "pulled",
        ZoneKind::Packet => "packet",
        ZoneKind::Headroom | ZoneKind::Tailroom => "",
    }
}

/// The zone's word, with its size where there is room. Zones are lettered in a narrower face.
fn zone_label(zone: &Zone, width: f64, char_width: f64) -> String {
    let word = zone.kind.word();
    let size = format!("{word} · {} bytes", zone.end - zone.start);
    let fits = |name: &&str| name.chars().count() as f64 * char_width * NARROWER <= width;
    [size.as_str(), word, zone_short(zone.kind)]
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
