//! `/s`: every scenario, with what became of the metadata under the two recorded designs.

pub mod choose;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
pub use page::page;
