//! What stands behind the cells of the grid: colours, digits, letters. A shape for each colour and a text for
//! all digits; a cell of its own for each byte would have to be touched for each byte that changes.

use headroom_core::scene::regions;

use crate::dom::{El, svg};
use crate::frame::Frame;
use crate::parts::digits::{Digit, Digits, Letters, push};
use crate::parts::{push_number, px};

/// Bytes a row.
pub(super) const WIDE: u32 = 16;
/// From a cell to the next, as a part of what a row takes; the rest is between them.
const GAP: f64 = 1.0;

/// Where the grid begins and ends, and how large a byte is.
#[derive(Clone, Copy, PartialEq, Default)]
pub(super) struct Layout {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) unit: f64,
}

impl Layout {
    /// Height of a row.
    pub(super) fn row(&self) -> f64 {
        self.unit - 1.0
    }

    fn place(&self, offset: u32) -> (f64, f64) {
        let at = offset.saturating_sub(self.from);
        (
            f64::from(at % WIDE) * self.unit,
            f64::from(at / WIDE) * self.row(),
        )
    }

    /// The pieces of a range that stand in one row each, as far as they are in the grid.
    fn rows(&self, start: u32, end: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
        let (mut at, end) = (start.max(self.from), end.min(self.to));
        std::iter::from_fn(move || {
            let start = at;
            at = end.min((at / WIDE + 1) * WIDE);
            (start < end).then_some((start, at))
        })
    }

    fn area(&self, out: &mut String, start: u32, end: u32) {
        for (start, end) in self.rows(start, end) {
            let (x, y) = self.place(start);
            let along = f64::from(end - start) * self.unit - GAP;
            out.push('M');
            push(out, x);
            push(out, y);
            out.push('h');
            push(out, along);
            out.push('v');
            push(out, self.row() - GAP);
            out.push('h');
            push(out, -along);
            out.push('z');
        }
    }

    fn line(&self, out: &mut String, start: u32, end: u32) {
        for (start, end) in self.rows(start, end) {
            let (x, y) = self.place(start);
            out.push('M');
            push(out, x);
            push(out, y + self.row() - GAP - 1.0);
            out.push('h');
            push(out, f64::from(end - start) * self.unit - GAP);
        }
    }
}

/// A shape and what it looks like now.
struct Shape {
    class: String,
    path: El,
    d: String,
}

/// The picture.
pub(super) struct Back {
    pub(super) svg: El,
    shapes_group: El,
    shapes: Vec<Shape>,
    frames_group: El,
    frames: Vec<Shape>,
    digits: Digits,
    letters: Letters,
    layout: Layout,
}

/// Adds to what a class covers.
fn part<'l>(all: &'l mut Vec<(String, String)>, class: &str) -> &'l mut String {
    let at = all.iter().position(|(known, _)| known == class);
    let at = at.unwrap_or_else(|| {
        all.push((class.to_owned(), String::new()));
        all.len() - 1
    });
    &mut all[at].1
}

fn put(group: &El, shapes: &mut Vec<Shape>, wanted: Vec<(String, String)>) {
    for shape in shapes.iter_mut() {
        if !shape.d.is_empty() && wanted.iter().all(|(class, _)| *class != shape.class) {
            shape.path.put("d", "");
            shape.d.clear();
        }
    }
    for (class, d) in wanted {
        let at = shapes.iter().position(|shape| shape.class == class);
        let at = at.unwrap_or_else(|| {
            let path = svg("path").class(&class);
            group.append(&path);
            shapes.push(Shape {
                class,
                path,
                d: String::new(),
            });
            shapes.len() - 1
        });
        if shapes[at].d != d {
            shapes[at].path.put("d", &d);
            shapes[at].d = d;
        }
    }
}

impl Back {
    pub(super) fn new() -> Self {
        let svg_element = svg("svg").class("back").set("aria-hidden", "true");
        let [shapes_group, texts, frames_group] = [(); 3].map(|()| {
            let group = svg("g");
            svg_element.append(&group);
            group
        });
        let letters = Letters::new("ascii", &texts);
        Self {
            svg: svg_element,
            shapes_group,
            shapes: Vec::new(),
            frames_group,
            frames: Vec::new(),
            digits: Digits::new(&texts),
            letters,
            layout: Layout::default(),
        }
    }

    /// Another place or size.
    pub(super) fn lay_out(&mut self, layout: Layout) {
        self.layout = layout;
        let rows = f64::from((layout.to - layout.from) / WIDE);
        self.svg.put("width", &px(layout.unit * f64::from(WIDE)));
        self.svg.put("height", &px(rows * layout.row()));
        self.digits.size(layout.unit * 0.54);
        self.letters.size(layout.unit * 0.54);
    }

    pub(super) fn show(&mut self, frame: Option<&Frame>) {
        let Some((frame, view)) = frame.and_then(|frame| Some((frame, frame.view()?))) else {
            put(&self.shapes_group, &mut self.shapes, Vec::new());
            put(&self.frames_group, &mut self.frames, Vec::new());
            self.digits.show(std::iter::empty(), 1.0);
            self.letters
                .show(String::new(), String::new(), String::new());
            return;
        };
        let layout = self.layout;
        let mut colours = Vec::new();
        for region in regions(&frame.trace, &view) {
            let stale = if region.stale { " stale" } else { "" };
            let key = region.family.key();
            layout.area(
                part(&mut colours, &format!("f-{key}{stale}")),
                region.start,
                region.end,
            );
            layout.line(
                part(&mut colours, &format!("under f-{key}{stale}")),
                region.start,
                region.end,
            );
        }
        put(&self.shapes_group, &mut self.shapes, colours);
        let one = frame.written();
        let reads = match one {
            Some(_) => Vec::new(),
            None => headroom_core::scene::reads_at(&frame.trace, frame.step),
        };
        let written = match one {
            Some((range, _)) => vec![range],
            None => headroom_core::scene::ribbon::written_ranges(&frame.trace, frame.step),
        };
        let mut strong: Vec<(u32, u32)> = Vec::new();
        let mut frames = Vec::new();
        for range in &written {
            layout.area(part(&mut frames, "w"), range.start, range.end);
            strong.push((range.start, range.end));
        }
        let here = |read: &&&_| !headroom_core::scene::outside(&frame.trace, read);
        for read in reads.iter().filter(here) {
            let Some(start) = read.offset else { continue };
            let end = start + read.bytes.len() as u32;
            let class = format!("rd {}", crate::parts::ribbon::verdict_word(read.verdict).1);
            layout.area(part(&mut frames, &class), start, end);
            strong.push((start, end));
        }
        put(&self.frames_group, &mut self.frames, frames);
        self.show_bytes(&frame.buffer.bytes, &strong);
    }

    fn show_bytes(&mut self, bytes: &[u8], strong: &[(u32, u32)]) {
        let layout = self.layout;
        let shown = || {
            let known = bytes.get(layout.from as usize..).unwrap_or_default();
            (layout.from..layout.to).zip(known.iter().copied())
        };
        let digit = |(offset, value): (u32, u8)| {
            let (x, y) = layout.place(offset);
            Digit {
                x: x + layout.unit / 2.0,
                y: y + layout.row() * 0.66,
                value,
                strong: strong
                    .iter()
                    .any(|(start, end)| (*start..*end).contains(&offset)),
            }
        };
        self.digits.show(shown().map(digit), layout.unit * 0.54);
        let (mut said, mut xs, mut ys) = (String::new(), String::new(), String::new());
        for (offset, value) in shown() {
            let (x, y) = layout.place(offset);
            said.push(match value {
                0x21..=0x7e => value as char,
                _ => '·',
            });
            let column = x / layout.unit;
            push(
                &mut xs,
                layout.unit * (f64::from(WIDE) + 0.6) + column * layout.unit * 0.36,
            );
            push_number(&mut ys, (y + layout.row() * 0.66) as i64);
            ys.push(' ');
        }
        self.letters.show(said, xs, ys);
    }
}
