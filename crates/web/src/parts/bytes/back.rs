//! What stands behind the cells of the grid: colours, digits, letters. A shape for each colour, and a text for some
//! rows of digits; a cell of its own for each byte would have to be touched for each byte that changes.

use headroom_core::scene::regions;

use crate::dom::{El, div, svg, text};
use crate::frame::Frame;
use crate::parts::digits::{self, Line};
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
    /// Letters stand beside the digits.
    pub(super) letters: bool,
}

impl Layout {
    /// Size of the digits.
    fn size(&self) -> f64 {
        self.unit * 0.54
    }

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

/// A number with one digit behind the point, and a blank.
fn push(out: &mut String, number: f64) {
    let tenths = (number * 10.0).round() as i64;
    if tenths < 0 {
        out.push('-');
    }
    push_number(out, (tenths / 10).abs());
    if tenths % 10 != 0 {
        out.push('.');
        push_number(out, (tenths % 10).abs());
    }
    out.push(' ');
}

/// Rows that one text holds: a byte that changes touches no other row than these, and a buffer that changes few texts.
const BLOCK: u32 = 8;

/// The texts of some rows.
struct Block {
    /// Offset of its first byte.
    from: u32,
    digits: Line,
    /// Element and text of the letters, where there are any.
    letters: Option<(El, El)>,
    said: String,
}

impl Block {
    fn new(parent: &El, from: u32, layout: Layout) -> Self {
        let (size, unit) = (layout.size(), layout.unit);
        let top = layout.place(from).1;
        let place = |element: &El, left: f64| {
            element.style("left", &format!("{}px", px(left)));
            element.style("top", &format!("{}px", px(top)));
        };
        let digits = Line::new(parent, &|| div(""));
        for layer in digits.elements() {
            place(layer, digits::inset(size, unit));
        }
        let letters = layout.letters.then(|| {
            let words = text("");
            let column = div("ascii").child(words.clone());
            place(&column, unit * (f64::from(WIDE) + 0.6));
            parent.append(&column);
            (column, words)
        });
        Self {
            from,
            digits,
            letters,
            said: String::new(),
        }
    }

    fn show(&mut self, bytes: &[u8], strong: &[(u32, u32)], layout: Layout) {
        let (mut layers, mut letters) = (digits::Layers::default(), String::new());
        for offset in self.from..(self.from + BLOCK * WIDE).min(layout.to) {
            let value = bytes.get(offset as usize).copied();
            let is_strong = strong
                .iter()
                .any(|(start, end)| (*start..*end).contains(&offset));
            digits::push(&mut layers, value, is_strong);
            letters.push(match value {
                Some(value @ 0x21..=0x7e) => value as char,
                Some(_) => '·',
                None => ' ',
            });
            if offset % WIDE == WIDE - 1 {
                layers.iter_mut().for_each(|layer| layer.push('\n'));
                letters.push('\n');
            }
        }
        self.digits.show(&layers);
        if let Some((_, words)) = self.letters.as_ref().filter(|_| letters != self.said) {
            words.say(&letters);
            self.said = letters;
        }
    }

    fn remove(&self) {
        self.digits.elements().for_each(El::remove);
        if let Some((column, _)) = &self.letters {
            column.remove();
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
    /// The texts over it.
    pub(super) texts: El,
    shapes_group: El,
    shapes: Vec<Shape>,
    frames_group: El,
    frames: Vec<Shape>,
    blocks: Vec<Block>,
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
        let [shapes_group, frames_group] = [(); 2].map(|()| {
            let group = svg("g");
            svg_element.append(&group);
            group
        });
        Self {
            svg: svg_element,
            texts: div("texts").set("aria-hidden", "true"),
            shapes_group,
            shapes: Vec::new(),
            frames_group,
            frames: Vec::new(),
            blocks: Vec::new(),
            layout: Layout::default(),
        }
    }

    /// Another place or size.
    pub(super) fn lay_out(&mut self, layout: Layout) {
        let before = std::mem::replace(&mut self.layout, layout);
        let rows = f64::from((layout.to - layout.from) / WIDE);
        self.svg.put("width", &px(layout.unit * f64::from(WIDE)));
        self.svg.put("height", &px(rows * layout.row()));
        let starts = (layout.from..layout.to).step_by((BLOCK * WIDE) as usize);
        if (before.unit, before.letters) != (layout.unit, layout.letters) {
            digits::size(&self.texts, layout.size(), layout.unit);
            self.texts.say("");
            self.blocks.clear();
        }
        let texts = &self.texts;
        let mut old = std::mem::take(&mut self.blocks).into_iter();
        for from in starts {
            let block = old.next().map(|old| Block { from, ..old });
            self.blocks
                .push(block.unwrap_or_else(|| Block::new(texts, from, layout)));
        }
        old.for_each(|block| block.remove());
    }

    pub(super) fn show(&mut self, frame: Option<&Frame>) {
        let Some((frame, view)) = frame.and_then(|frame| Some((frame, frame.view()?))) else {
            put(&self.shapes_group, &mut self.shapes, Vec::new());
            put(&self.frames_group, &mut self.frames, Vec::new());
            self.show_bytes(&[], &[]);
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
        for block in &mut self.blocks {
            block.show(bytes, strong, self.layout);
        }
    }
}
