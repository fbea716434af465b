//! Bytes as hexadecimal digits in a picture: lines of text, in a face in which every digit is equally wide. The
//! blank between two bytes is as wide as the picture wants a byte to be (`word-spacing`), so that each
//! pair of digits stands in the middle of its place.
//!
//! A line has three layers over one another, one for each colour. Where a layer has nothing to show stand two
//! figure spaces (U+2007): as wide as digits, and no separator of words, which `word-spacing` would widen.

use super::px;
use crate::dom::{El, text};

/// From a digit to the next, in the size of the monospaced face: 0.6 less the `letter-spacing` of `.hx`, so that the
/// blank between two bytes is wider than the one within a byte.
const ADVANCE: f64 = 0.54;
/// Half of a pair: two digits of 0.6, closer by 0.06.
const HALF: f64 = 0.57;
const BLANK: &str = "\u{2007}\u{2007}";
/// Classes of the layers: zeros are paler, what was written or read at this step stands out.
const LAYERS: [&str; 3] = ["hx", "hx z", "hx s"];

/// The texts of the layers.
pub(super) type Layers = [String; 3];

/// A byte at the end of a line: its value, if it is known, and whether it was written or read at this step.
pub(super) fn push(layers: &mut Layers, value: Option<u8>, strong: bool) {
    let own = match (value, strong) {
        (None, _) => usize::MAX,
        (Some(_), true) => 2,
        (Some(0), false) => 1,
        (Some(_), false) => 0,
    };
    for (index, layer) in layers.iter_mut().enumerate() {
        match value.filter(|_| index == own) {
            Some(value) => {
                let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                layer.extend([digit(value >> 4), digit(value & 15), ' ']);
            }
            None => {
                layer.push_str(BLANK);
                layer.push(' ');
            }
        }
    }
}

/// What a layer shows at most: without the blanks at its end, which are all of one that shows nothing.
fn seen(layer: &str) -> &str {
    layer.trim_end()
}

/// Sets how large digits are and how far it is from byte to byte, for all lines in an element.
pub(super) fn size(parent: &El, size: f64, unit: f64) {
    parent.style("font-size", &format!("{}px", px(size)));
    let space = unit - 3.0 * ADVANCE * size;
    parent.style("word-spacing", &format!("{}px", px(space)));
}

/// From the left of a byte's place to its first digit.
pub(super) fn inset(size: f64, unit: f64) -> f64 {
    unit / 2.0 - HALF * size
}

/// The nodes of a line.
pub(super) struct Line {
    layers: [(El, El, String); 3],
}

impl Line {
    /// A line at the end of an element; `make` makes the element of a layer.
    pub(super) fn new(parent: &El, make: &dyn Fn() -> El) -> Self {
        let layer = |class: &str| {
            let words = text("");
            // Heard, the layers would be zeros after all other bytes; the grid has the bytes in order.
            let element = make()
                .class(class)
                .set("aria-hidden", "true")
                .child(words.clone());
            parent.append(&element);
            (element, words, String::new())
        };
        Self {
            layers: LAYERS.map(layer),
        }
    }

    /// The elements of its layers.
    pub(super) fn elements(&self) -> impl Iterator<Item = &El> {
        self.layers.iter().map(|(element, ..)| element)
    }

    /// Shows texts; touches only layers that are others than before.
    pub(super) fn show(&mut self, now: &Layers) {
        for ((_, words, said), now) in self.layers.iter_mut().zip(now) {
            let now = seen(now);
            if *said != now {
                words.say(now);
                said.clear();
                said.push_str(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_stands_in_the_layer_of_its_colour_and_keeps_its_place_in_the_others() {
        let mut layers = Layers::default();
        for (value, strong) in [
            (Some(0x2a), true),
            (Some(0), false),
            (None, false),
            (Some(0x45), false),
        ] {
            push(&mut layers, value, strong);
        }
        let b = BLANK;
        assert_eq!(
            layers,
            [
                format!("{b} {b} {b} 45 "),
                format!("{b} 00 {b} {b} "),
                format!("2a {b} {b} {b} ")
            ]
        );
    }

    /// 15 wide, digits of 10: two of 6, the second 0.6 closer, take 11.4, so 1.8 are left on each side.
    #[test]
    fn a_pair_stands_in_the_middle_of_its_place() {
        assert!((inset(10.0, 15.0) - 1.8).abs() < 1e-9);
    }

    #[test]
    fn a_layer_that_shows_nothing_is_empty() {
        assert_eq!(seen(&format!("{BLANK} {BLANK} ")), "");
        assert_eq!(seen(&format!("{BLANK} 00 {BLANK} ")), format!("{BLANK} 00"));
    }
}
