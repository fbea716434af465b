//! What nearly every part of the page uses.

pub use crate::platform::{document, window};
pub use crate::react::{
    Callback, Memo, RwSignal, StoredValue, effect, follow, on_cleanup, untrack,
};
