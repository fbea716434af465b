//! The designs by index, as the pages use them.

use headroom_protocol::DESIGNS as ALL;

pub use headroom_protocol::FIRST_SHOWN;

/// The names of the designs, in order.
pub const DESIGNS: [&str; ALL.len()] = names();

const fn names() -> [&'static str; ALL.len()] {
    let mut out = [""; ALL.len()];
    let mut index = 0;
    while index < out.len() {
        out[index] = ALL[index].name;
        index += 1;
    }
    out
}

/// What is said under a design's name.
#[must_use]
pub fn design_note(index: usize) -> &'static str {
    ALL.get(index).map_or("", |design| design.note)
}
