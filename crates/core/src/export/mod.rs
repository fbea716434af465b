//! What a reader takes along: bytes as hex, C or Scapy, a step as Markdown, the picture as a vector
//! file. Text that came from elsewhere is escaped for where it goes.

mod bytes;
mod markdown;
mod scapy;
mod svg;

pub use bytes::{c_array, hex, hex_dump};
pub use markdown::step_markdown;
pub use scapy::scapy;
pub use svg::{SvgOptions, step_svg};
