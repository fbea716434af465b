//! Bytes as hexadecimal digits in a picture: three text nodes, whatever their number. Each digit has a place
//! of its own in the lists `x` and `y` of its text.

use crate::dom::{El, svg, text};

/// Width of a digit of the monospaced face, in its size.
const ADVANCE: f64 = 0.6;

/// A byte and the middle of its place; `y` is the line the digits stand on.
pub(super) struct Digit {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) value: u8,
    /// It stands out: it was written or read at this step.
    pub(super) strong: bool,
}

/// Characters with a place each.
pub(super) struct Letters {
    text: El,
    words: El,
    said: String,
    xs: String,
    ys: String,
}

impl Letters {
    /// An empty one, at the end of a group.
    pub(super) fn new(class: &str, parent: &El) -> Self {
        let words = text("");
        let text = svg("text").class(class).child(words.clone());
        parent.append(&text);
        Self {
            text,
            words,
            said: String::new(),
            xs: String::new(),
            ys: String::new(),
        }
    }

    /// Shows characters; touches only what is another.
    pub(super) fn show(&mut self, said: String, xs: String, ys: String) {
        if xs != self.xs {
            self.text.put("x", &xs);
            self.xs = xs;
        }
        if ys != self.ys {
            self.text.put("y", &ys);
            self.ys = ys;
        }
        if said != self.said {
            self.words.say(&said);
            self.said = said;
        }
    }

    /// Its size.
    pub(super) fn size(&self, size: f64) {
        self.text
            .style("font-size", &format!("{}px", super::px(size)));
    }
}

/// A number with one digit behind the point, and a blank.
pub(super) fn push(out: &mut String, number: f64) {
    let tenths = (number * 10.0).round() as i64;
    let (whole, rest) = (tenths / 10, tenths.unsigned_abs() % 10);
    super::push_number(out, whole);
    if rest != 0 {
        out.push('.');
        super::push_number(out, rest as i64);
    }
    out.push(' ');
}

/// The digits: those of zeros, of other bytes, and of those that stand out.
pub(super) struct Digits {
    lines: [Letters; 3],
}

impl Digits {
    pub(super) fn new(parent: &El) -> Self {
        Self {
            lines: ["b", "b z", "b s"].map(|class| Letters::new(class, parent)),
        }
    }

    /// Their size.
    pub(super) fn size(&self, size: f64) {
        for line in &self.lines {
            line.size(size);
        }
    }

    /// Shows bytes in digits of a size.
    pub(super) fn show(&mut self, digits: impl Iterator<Item = Digit>, size: f64) {
        let mut out: [(String, String, String); 3] = Default::default();
        for digit in digits {
            let line = match (digit.strong, digit.value) {
                (true, _) => &mut out[2],
                (false, 0) => &mut out[1],
                (false, _) => &mut out[0],
            };
            let away = size * ADVANCE / 2.0;
            for (nibble, x) in [
                (digit.value >> 4, digit.x - away),
                (digit.value & 15, digit.x + away),
            ] {
                line.0.extend(char::from_digit(u32::from(nibble), 16));
                push(&mut line.1, x);
                push(&mut line.2, digit.y);
            }
        }
        for (line, (said, xs, ys)) in self.lines.iter_mut().zip(out) {
            line.show(said, xs, ys);
        }
    }
}
