//! How close one looks.

use headroom_core::scene::Zoom;

/// The levels, from far to close, with their words in addresses and on buttons.
pub const ZOOMS: [(Zoom, &str); 3] = [
    (Zoom::Functions, "functions"),
    (Zoom::Instructions, "instructions"),
    (Zoom::Writes, "writes"),
];
