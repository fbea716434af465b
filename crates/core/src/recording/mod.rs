//! What a real kernel did, a trace in the same shape, and the comparison of both.
//!
//! [`Recording::read`] takes a `headroom-recording/1` file, [`events()`] turns a [`Trace`](crate::trace::Trace)
//! into the same kind of events, [`compare()`] lays one over the other.

mod align;
mod bytes;
pub mod compare;
mod compare_reports;
mod drawn_ids;
mod draws;
pub mod event;
mod event_fields;
pub mod events;
pub mod expand;
mod hex;
mod judge;
pub mod model;
pub mod normalise;
pub mod open;
mod owners;
mod places;
mod replayed;
pub mod report;
pub mod run_json;
pub mod scope;
pub mod visible;

pub use compare::{compare, compare_within};
pub use draws::DrawnMac;
pub use event::{Event, Packet, Ret, Stage};
pub use events::{TracedEvent, events, traced_events};
pub use expand::ExpandError;
pub use model::{ReadError, Recording};
pub use open::{OpenedFile, open, open_all};
pub use report::{Difference, Report};
pub use run_json::{RunJson, maps_json, reads_json};
pub use scope::Scope;
