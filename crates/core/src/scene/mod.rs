//! A trace position as geometry and words. Pure functions: the site, the command line and the
//! SVG export draw the same scene and say the same sentences.
//!
//! Two layers lie over each other in a buffer, and the whole story is in their difference:
//! *zones* are what the kernel's fields claim (here are the metadata, here is the packet), and
//! *regions* are what the bytes are, by their origins.

pub mod align;
pub mod changes;
pub mod diff;
pub mod explain;
pub mod family;
mod formula;
pub mod instruction;
pub mod labels;
pub mod life;
mod loss;
pub mod map;
pub mod marks;
pub mod name;
pub mod opening;
pub mod order;
pub mod path;
pub mod pointers;
pub mod reach;
pub mod regions;
pub mod ribbon;
pub mod scale;
pub mod search;
pub mod sentence;
pub mod svg;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod twins;
pub mod zones;

pub use align::{Row, Zoom, align};
pub use changes::{FieldChange, FieldValue, changes, values};
pub use explain::{explain_read, outside, reads_at};
pub use family::Family;
pub use name::{BadStepName, Point, StepName, names};
pub use pointers::{Pointer, pointers};
pub use regions::{Region, regions};
pub use ribbon::{Cell, Ribbon, RibbonOptions, ribbon};
pub use scale::{Piece, PieceKind, Scale};
pub use sentence::sentence;
pub use table::{TextRow, text_table};
pub use zones::{Zone, ZoneKind, zones};
