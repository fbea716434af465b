//! Parts of a simulated buffer, with origins.

use crate::trace::OriginId;
use crate::trace::replay::BufferState;

/// Bytes and origins of `[start, end)`. What lies outside the buffer is zero and unwritten, as in a
/// fresh buffer (`init_on_alloc`).
pub(super) fn part(buffer: Option<&BufferState>, start: u32, end: u32) -> (Vec<u8>, Vec<OriginId>) {
    let at = |offset: u32| {
        let offset = offset as usize;
        let buffer = buffer?;
        Some((
            *buffer.bytes.get(offset)?,
            buffer.origins.get(offset).copied().unwrap_or_default(),
        ))
    };
    (start..end)
        .map(|offset| at(offset).unwrap_or_default())
        .unzip()
}
