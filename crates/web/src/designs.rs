//! Columns by index, as the pages use them: the designs, recordings of real kernels, and a file that
//! the reader has opened.

use headroom_protocol::files::Scenario;
use headroom_protocol::{CUSTOM as CUSTOM_NAME, DESIGNS as ALL};

pub use headroom_protocol::FIRST_SHOWN;

/// The names of the designs, in order.
pub const DESIGNS: [&str; ALL.len()] = names();

/// Designs of which recordings of kernels are there.
const RECORDED: [&str; 2] = ["recording:mac_header", "recording:meta_end"];

/// The column of the design whose policy points stand in the address.
pub const CUSTOM: usize = ALL.len();

/// The column of a file that was opened.
pub const FILE: usize = CUSTOM + 1 + RECORDED.len();

/// The names of all columns, as in addresses: the designs first.
pub const COLUMNS: [&str; FILE + 1] = columns(RECORDED);

/// The names of all columns, for people.
static TITLES: [&str; FILE + 1] = columns(["kernel · mac_header", "kernel · meta_end"]);

const fn names() -> [&'static str; ALL.len()] {
    let mut out = [""; ALL.len()];
    let mut index = 0;
    while index < out.len() {
        out[index] = ALL[index].name;
        index += 1;
    }
    out
}

const fn columns(recorded: [&'static str; RECORDED.len()]) -> [&'static str; FILE + 1] {
    let mut out = ["file"; FILE + 1];
    let mut index = 0;
    while index < FILE {
        out[index] = if index < CUSTOM {
            ALL[index].name
        } else if index == CUSTOM {
            CUSTOM_NAME
        } else {
            recorded[index - CUSTOM - 1]
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
        None if index == CUSTOM => "policy points set by hand",
        None => "what the kernel did",
    }
}

/// The column's name for people.
#[must_use]
pub fn column_title(index: usize) -> &'static str {
    TITLES.get(index).copied().unwrap_or_default()
}

/// The column is a recording of a real kernel: nothing can be simulated for it.
#[must_use]
pub fn is_recorded(index: usize) -> bool {
    index > CUSTOM
}

/// A recording that the build has written: its trace is a file. Those of the designs shown first come with the
/// scenario; all others are simulated when asked for.
#[must_use]
pub fn is_file(index: usize) -> bool {
    is_recorded(index) && index != FILE
}

/// A design, which can be simulated, or a recording that stands beside the scenario.
#[must_use]
pub fn can_be_had(texts: &Scenario, column: usize) -> bool {
    let named = |name: &String| COLUMNS.get(column).is_some_and(|known| name == known);
    !is_recorded(column) || texts.recordings.iter().any(named)
}

/// Index of the column that an answer of the simulator names.
#[must_use]
pub fn column_of(name: &str) -> Option<usize> {
    let is_custom = name
        .strip_prefix(CUSTOM_NAME)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    if is_custom {
        return Some(CUSTOM);
    }
    DESIGNS.iter().position(|design| *design == name)
}

/// What the simulator is asked for; nothing for a column that can't be simulated.
#[must_use]
pub fn asked(column: usize, policy: &str) -> Option<String> {
    match column {
        CUSTOM => Some(format!("{CUSTOM_NAME}:{policy}")),
        column => DESIGNS.get(column).map(|name| (*name).to_owned()),
    }
}
