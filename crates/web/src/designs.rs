//! Columns by index, as the pages use them: the designs, recordings of real kernels, and a file that
//! the reader has opened.

use headroom_protocol::DESIGNS as ALL;

pub use headroom_protocol::FIRST_SHOWN;

/// The names of the designs, in order.
pub const DESIGNS: [&str; ALL.len()] = names();

/// Designs of which recordings of kernels are there.
const RECORDED: [&str; 2] = ["recording:mac_header", "recording:meta_end"];

/// The column of a file that was opened.
pub const FILE: usize = ALL.len() + RECORDED.len();

/// The names of all columns, as in addresses: the designs first.
pub const COLUMNS: [&str; FILE + 1] = columns();

const fn names() -> [&'static str; ALL.len()] {
    let mut out = [""; ALL.len()];
    let mut index = 0;
    while index < out.len() {
        out[index] = ALL[index].name;
        index += 1;
    }
    out
}

const fn columns() -> [&'static str; FILE + 1] {
    let mut out = ["file"; FILE + 1];
    let mut index = 0;
    while index < FILE {
        out[index] = if index < ALL.len() {
            ALL[index].name
        } else {
            RECORDED[index - ALL.len()]
        };
        index += 1;
    }
    out
}

/// What is said under a column's name.
#[must_use]
pub fn design_note(index: usize) -> &'static str {
    match ALL.get(index) {
        Some(design) => design.note,
        None if index == FILE => "the opened file",
        None => "what the kernel did",
    }
}

/// The column's name for people.
#[must_use]
pub fn column_title(index: usize) -> &'static str {
    match COLUMNS.get(index) {
        Some(&"recording:mac_header") => "kernel · mac_header",
        Some(&"recording:meta_end") => "kernel · meta_end",
        Some(name) => name,
        None => "",
    }
}

/// The column is a recording of a real kernel: nothing can be simulated for it.
#[must_use]
pub fn is_recorded(index: usize) -> bool {
    index >= ALL.len()
}
