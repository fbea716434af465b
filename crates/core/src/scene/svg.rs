//! A buffer as SVG text: what the site's build puts into a page before any module is loaded. The
//! classes are those of the live picture, and the same style sheet colours both.

use std::fmt::Write as _;

use super::ribbon::Ribbon;
use super::scale::Scale;
use crate::trace::Verdict;

/// Height of the bytes.
const CELL: f64 = 32.0;
/// Room above the bytes, for zones and the names of regions.
const HEAD: f64 = 44.0;
/// Height of a row of labels.
const ROW: f64 = 15.0;
/// A byte narrower than this shows no digits.
const READABLE: f64 = 12.4;

/// Text as it stands in HTML or SVG.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The picture. `words` is its text equivalent, `class` a class of its own; its width in the page is
/// the page's affair.
#[must_use]
pub fn svg(picture: &Ribbon, scale: &Scale, width: f64, words: &str, class: &str) -> String {
    let unit = width / scale.units;
    let height = HEAD + CELL + 14.0 + picture.rows as f64 * ROW;
    let mut out = format!(
        "<svg class=\"{class}{}\" viewBox=\"0 0 {width:.0} {height:.0}\" data-scale=\"{}\" role=\"img\" aria-label=\"{}\">",
        if unit < READABLE { " tight" } else { "" },
        scale.places(),
        escape(words)
    );
    zones(&mut out, picture);
    let _ = write!(out, "<g transform=\"translate(0 {HEAD:.0})\">");
    folds(&mut out, scale, unit);
    regions(&mut out, picture);
    cells(&mut out, picture, unit);
    reads(&mut out, picture);
    pointers(&mut out, picture);
    labels(&mut out, picture);
    out.push_str("</g></svg>");
    out
}

fn zones(out: &mut String, picture: &Ribbon) {
    for zone in &picture.zones {
        let _ = write!(
            out,
            "<g class=\"zone {}\" transform=\"translate({:.1} 4)\"><path d=\"M1 18 v-4 h{:.1} v4\"/><text x=\"{:.1}\" y=\"10\">{}</text></g>",
            zone.item.kind.word().replace(' ', "-"),
            zone.x,
            (zone.width - 2.0).max(1.0),
            zone.width / 2.0,
            escape(&zone.label)
        );
    }
}

fn folds(out: &mut String, scale: &Scale, unit: f64) {
    for piece in scale.folds() {
        let (middle, q) = ((piece.x + piece.width / 2.0) * unit, (CELL + 6.0) / 4.0);
        let _ = write!(
            out,
            "<g class=\"fold\"><path d=\"M{middle:.1} -3 l-4 {q:.1} l8 {q:.1} l-8 {q:.1} l4 {q:.1}\"/></g>"
        );
    }
}

fn regions(out: &mut String, picture: &Ribbon) {
    for region in &picture.regions {
        let stale = if region.item.stale { " stale" } else { "" };
        let _ = write!(
            out,
            "<g class=\"region f-{}{stale}\"><rect x=\"{:.1}\" y=\"0\" width=\"{:.1}\" height=\"{CELL:.0}\"/><text class=\"rl\" x=\"{:.1}\" y=\"-6\">{}</text></g>",
            region.item.family.key(),
            region.x,
            region.width,
            region.x + region.width / 2.0,
            escape(&region.label)
        );
    }
}

fn cells(out: &mut String, picture: &Ribbon, unit: f64) {
    if unit < READABLE {
        return;
    }
    for cell in &picture.cells {
        let Some(value) = cell.value else { continue };
        let zero = if value == 0 { " z" } else { "" };
        let stale = if cell.stale { " stale" } else { "" };
        let read = if cell.read.is_some() { " rd" } else { "" };
        let _ = write!(
            out,
            "<g class=\"b{zero}{stale}{read}\"><text x=\"{:.1}\" y=\"20.5\">{value:02x}</text></g>",
            cell.x + unit / 2.0
        );
    }
}

fn reads(out: &mut String, picture: &Ribbon) {
    for read in picture.reads.iter().filter(|read| read.start < read.end) {
        let class = match read.verdict {
            Verdict::Ok | Verdict::None => "ok",
            Verdict::Garbage | Verdict::Lost | Verdict::Overwritten => "bad",
        };
        let _ = write!(
            out,
            "<rect class=\"read {class}\" x=\"{:.1}\" y=\"-2.5\" width=\"{:.1}\" height=\"{:.0}\" rx=\"2.5\"/>",
            read.x - 1.5,
            read.width + 3.0,
            CELL + 5.0
        );
    }
}

fn pointers(out: &mut String, picture: &Ribbon) {
    for pointer in &picture.pointers {
        let Some(label) = picture
            .labels
            .iter()
            .find(|label| label.offset == pointer.offset)
        else {
            continue;
        };
        let beside = label.left || label.x > label.tick;
        let low = CELL + label.row as f64 * ROW + if beside { 15.0 } else { 5.0 };
        let _ = write!(
            out,
            "<g class=\"tick\" transform=\"translate({:.1} 0)\"><path class=\"stem\" d=\"M0 {:.1} V{low:.1}\"/><path class=\"head\" d=\"M-3 {b:.1} L0 {t:.1} L3 {b:.1} z\"/></g>",
            pointer.x,
            CELL + 1.0,
            b = CELL + 6.5,
            t = CELL + 0.5
        );
    }
}

fn labels(out: &mut String, picture: &Ribbon) {
    for label in &picture.labels {
        let _ = write!(
            out,
            "<g class=\"pl\" transform=\"translate({:.1} {:.1})\">",
            label.x,
            CELL + 15.0 + label.row as f64 * ROW
        );
        for (index, line) in label.lines.iter().enumerate() {
            let _ = write!(
                out,
                "<text y=\"{:.1}\">{}</text>",
                index as f64 * ROW + 3.5,
                escape(line)
            );
        }
        out.push_str("</g>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;
    use crate::scene::{RibbonOptions, ribbon};
    use crate::trace::Cursor;

    fn drawn(design: &str, width: f64) -> String {
        let trace = decap(design);
        let mut cursor = Cursor::new(&trace).expect("steps");
        let step = trace.reads[0].step;
        cursor.go(step);
        let view = cursor.packet();
        let buffer = view.step.buffer.expect("a buffer");
        let scale = Scale::compressed(&[(&trace, buffer)]);
        let options = RibbonOptions {
            scale: &scale,
            width,
            char_width: 6.62,
        };
        svg(
            &ribbon(&trace, step, &view, options),
            &scale,
            width,
            "a <b>",
            "wide",
        )
    }

    #[test]
    fn every_tag_that_is_opened_is_closed_and_words_are_text() {
        for width in [358.0, 1140.0] {
            let text = drawn("mac_header", width);
            for tag in ["svg", "g", "text"] {
                let count = |what: String| text.matches(&what).count();
                let opened = count(format!("<{tag} ")) + count(format!("<{tag}>"));
                assert_eq!(opened, count(format!("</{tag}>")), "{tag} at {width}");
            }
            assert!(text.contains("aria-label=\"a &lt;b&gt;\""));
            assert!(!text.contains("NaN") && !text.contains("style="), "{text}");
        }
    }

    #[test]
    fn a_byte_that_was_read_is_framed_and_shown() {
        let text = drawn("mac_header", 1140.0);
        // The scene's own test scenario reads the GRE header: 00 00 08 00.
        assert_eq!(text.matches("class=\"read bad\"").count(), 1);
        assert!(text.contains(" rd\"><text x="), "{text}");
        assert!(drawn("mac_header", 358.0).contains(" tight\""));
    }
}
