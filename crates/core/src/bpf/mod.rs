//! The BPF engine: load → verify → fix up → lower → run in `rbpf`.
//!
//! `rbpf` executes arithmetic and jumps; every memory access, call and exit is carried out by the
//! core on its own memory, so no pointer made by a program is ever dereferenced by the host, every
//! instruction can be stepped, and any program ends within a budget.

pub mod host;
pub mod listing;

pub use host::{Budget, CtxField, Fault, Host, Meta};
pub use listing::{Listing, ListingLine};
