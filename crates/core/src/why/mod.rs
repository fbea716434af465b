//! Why: which function and which rule changed a field or a byte, and the chain of events behind a read.
//!
//! Everything here is computed from a finished trace. Nothing is told by the stack for this purpose, so an
//! explanation can't disagree with what happened.

mod chain;
mod rule;
mod way;

pub use chain::{Event, Link, chain, decided_at, lines};
pub use rule::{Actor, Ruled, actors, all_changes, changes_at, writes_at};
