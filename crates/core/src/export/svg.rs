//! The picture of a step as a file of its own: no style sheet, no font but the reader's, no script.
//! Families are told apart by label and pattern too, so that it reads in grey.

use std::fmt::Write as _;

use crate::scene::ribbon::Placed;
use crate::scene::{Family, Region, Ribbon, RibbonOptions, Scale, ribbon, sentence};
use crate::trace::{PacketView, Trace};

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub struct SvgOptions<'s> {
    /// Offsets to places.
    pub scale: &'s Scale,
    /// Width of the picture, pixels.
    pub width: f64,
    /// The step's name, above the picture.
    pub title: &'s str,
}

/// Width of a character of the 11 px monospaced labels.
const CHAR: f64 = 6.62;
const MARGIN: f64 = 16.0;
const CELL_H: f64 = 32.0;
const ROW_H: f64 = 15.0;
/// From the top of the file to the top of the cells.
const TOP: f64 = 118.0;

/// Fill and line of a family, as on the site in daylight.
fn colours(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Headroom | Family::Unwritten => ("#f1eee7", "#b9b2a3"),
        Family::Metadata => ("#fde3d0", "#d55e00"),
        Family::Ethernet => ("#d9ebf6", "#0072b2"),
        Family::Ipv4 => ("#d8efe8", "#00795a"),
        Family::Tunnel => ("#f3e1ed", "#9a4f86"),
        Family::Transport => ("#fbeecb", "#b08000"),
        Family::Payload => ("#efece5", "#b9b2a3"),
        Family::Program => ("#e4e3f6", "#5a56c0"),
        Family::Tailroom => ("none", "#b9b2a3"),
        #[allow(unreachable_patterns, reason = "families are added elsewhere")]
        _ => ("#efece5", "#625e56"),
    }
}

/// The file.
#[must_use]
pub fn step_svg(
    trace: &Trace,
    step: usize,
    view: &PacketView<'_>,
    options: SvgOptions<'_>,
) -> String {
    let inner = (options.width - 2.0 * MARGIN).max(240.0);
    let picture = ribbon(
        trace,
        step,
        view,
        RibbonOptions {
            scale: options.scale,
            width: inner,
            char_width: CHAR,
        },
    );
    let said = sentence(trace, step);
    let height =
        TOP + CELL_H + 14.0 + picture.rows as f64 * ROW_H + verdict_height(&picture) + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {w:.0} {height:.0}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"11\">\n<title>{title}</title>\n<desc>{said}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fbfaf7\"/>\n",
        w = inner + 2.0 * MARGIN,
        title = escape(options.title),
        said = escape(&said),
    );
    let _ = write!(
        out,
        "<text x=\"{MARGIN}\" y=\"24\" font-size=\"14\" font-weight=\"600\" fill=\"#1d1c1a\">{}</text>\n\
         <text x=\"{MARGIN}\" y=\"42\" fill=\"#625e56\">under {}</text>\n",
        escape(options.title),
        escape(&trace.design),
    );
    let _ = writeln!(out, "<g transform=\"translate({MARGIN} {TOP})\">");
    zones(&picture, &mut out);
    for region in &picture.regions {
        draw_region(region, &mut out);
    }
    bytes(&picture, inner / options.scale.units, &mut out);
    pointers(&picture, &mut out);
    marks(&picture, &mut out);
    out.push_str("</g>\n</svg>\n");
    out
}

fn verdict_height(picture: &Ribbon) -> f64 {
    picture.reads.len() as f64 * 18.0
}

fn zones(picture: &Ribbon, out: &mut String) {
    for zone in &picture.zones {
        let (x, width) = (zone.x, (zone.width - 2.0).max(1.0));
        let _ = writeln!(
            out,
            "<path d=\"M{:.1} -22 v-4 h{width:.1} v4\" fill=\"none\" stroke=\"#625e56\"/>\
             <text x=\"{:.1}\" y=\"-30\" text-anchor=\"middle\" fill=\"#625e56\">{}</text>",
            x + 1.0,
            x + width / 2.0,
            escape(&zone.label),
        );
    }
}

fn draw_region(region: &Placed<Region>, out: &mut String) {
    let (fill, line) = colours(region.item.family);
    let dash = match region.item.family {
        Family::Headroom | Family::Unwritten | Family::Tailroom => " stroke-dasharray=\"2 3\"",
        _ if region.item.stale => " stroke-dasharray=\"3 2\" fill-opacity=\".42\"",
        _ => "",
    };
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"0\" width=\"{:.1}\" height=\"{CELL_H}\" fill=\"{fill}\" stroke=\"{line}\"{dash}/>\
         <text x=\"{:.1}\" y=\"-6\" text-anchor=\"middle\" fill=\"#1d1c1a\">{}</text>",
        region.x,
        region.width,
        region.x + region.width / 2.0,
        escape(&region.label),
    );
}

fn bytes(picture: &Ribbon, unit: f64, out: &mut String) {
    // A byte narrower than two digits shows none.
    if unit < 12.4 {
        return;
    }
    out.push_str("<g font-family=\"monospace\" font-size=\"10.3\" text-anchor=\"middle\" fill=\"#1d1c1a\">\n");
    for cell in &picture.cells {
        if let Some(value) = cell.value {
            let x = cell.x + unit / 2.0;
            let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"20.5\">{value:02x}</text>");
        }
    }
    out.push_str("</g>\n");
}

fn pointers(picture: &Ribbon, out: &mut String) {
    out.push_str("<g font-family=\"monospace\" fill=\"#1d1c1a\">\n");
    for pointer in &picture.pointers {
        let x = pointer.x;
        let _ = writeln!(
            out,
            "<path d=\"M{x:.1} {} V{}\" stroke=\"#1d1c1a\"/><path d=\"M{:.1} {} h6 l-3 -5 z\"/>",
            CELL_H + 6.0,
            CELL_H + 14.0,
            x - 3.0,
            CELL_H + 7.0,
        );
    }
    for label in &picture.labels {
        for (index, line) in label.lines.iter().enumerate() {
            let y = CELL_H + 25.0 + (label.row + index) as f64 * ROW_H;
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                label.x,
                escape(line)
            );
        }
    }
    out.push_str("</g>\n");
}

fn marks(picture: &Ribbon, out: &mut String) {
    for mark in &picture.moves {
        let (from, to) = (mark.from_x, mark.to_x);
        let _ = writeln!(
            out,
            "<path d=\"M{from:.1} -40 C{:.1} -62 {:.1} -62 {to:.1} -40\" fill=\"none\" stroke=\"#d55e00\" stroke-width=\"1.6\"/>\
             <text x=\"{:.1}\" y=\"-62\" text-anchor=\"middle\" fill=\"#b34a00\">{} moved {} bytes</text>",
            from + (to - from) / 3.0,
            to - (to - from) / 3.0,
            f64::midpoint(from, to),
            escape(&mark.by),
            mark.len,
        );
    }
    for (index, read) in picture.reads.iter().enumerate() {
        let (colour, sign) = match read.verdict.is_wrong() {
            true => ("#a51d16", "✗"),
            false => ("#006b50", "✓"),
        };
        let value = read
            .value
            .map(|value| format!(" = {value}"))
            .unwrap_or_default();
        let y = CELL_H + 26.0 + picture.rows as f64 * ROW_H + index as f64 * 18.0;
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"-2.5\" width=\"{:.1}\" height=\"{}\" rx=\"2.5\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.4\"/>\
             <text x=\"0\" y=\"{y:.1}\" fill=\"{colour}\" font-size=\"13\">{sign} reads {}{value} · {}</text>",
            read.x - 1.5,
            read.width + 3.0,
            CELL_H + 5.0,
            escape(&read.hex),
            escape(&read.note),
        );
    }
}

/// Text that means nothing to XML. What XML can't hold at all is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, step_at, view_at};
    use crate::trace::BufferNo;

    #[test]
    fn the_read_is_a_picture_with_its_verdict() {
        let trace = decap("mac_header");
        let scale = Scale::compressed(&[(&trace, BufferNo(1))]);
        let at = step_at(&trace, "get_tag.exit@decap#1");
        let options = SvgOptions {
            scale: &scale,
            width: 1272.0,
            title: "<b>&\u{1}",
        };
        let svg = view_at(&trace, "get_tag.exit@decap#1", |view| {
            step_svg(&trace, at, &view, options)
        });
        assert!(svg.contains("<title>&lt;b&gt;&amp;</title>"), "{svg}");
        assert!(
            svg.contains("✗ reads 00 00 08 00 = 524288 · garbage: the GRE header"),
            "{svg}"
        );
        // 84 units (see `scene/ribbon`) on 1240 pixels: byte 290 begins 42 units in.
        let x = 42.0 * 1240.0 / 84.0 - 1.5;
        assert!(
            svg.contains(&format!("<rect x=\"{x:.1}\" y=\"-2.5\"")),
            "{svg}"
        );
        for tag in ["svg", "g", "text", "title", "desc"] {
            let count = |text: &str| svg.matches(text).count();
            let open = count(&format!("<{tag} ")) + count(&format!("<{tag}>"));
            assert_eq!(open, count(&format!("</{tag}>")), "{tag}");
        }
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
