//! Calls of helpers that changed a map, so that the maps can be shown as they were at any step
//! ([`crate::stepping::MapsAt`]). Stores through pointers into values are in [`super::stores`].

use serde::{Deserialize, Serialize};

/// Sets a value of `cfg` of every object from outside, as the command `orc knob` does; the number of no helper.
pub const KNOB: u32 = 0;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapCall {
    /// Step of the instruction that called (the next one, for a command).
    pub step: u32,
    /// Object the map belongs to: its number in the order of loading.
    pub object: u32,
    /// Number of the map in the object.
    pub map: u32,
    /// Number of the helper: 1 look up (in a map that forgets what was not looked up), 2 update, 3 delete,
    /// 87 push, 88 pop, or [`KNOB`].
    pub helper: u32,
    /// The key, or nothing.
    pub key: Vec<u8>,
    /// The value, or nothing.
    pub value: Vec<u8>,
    /// Flags as given.
    pub flags: u64,
}
