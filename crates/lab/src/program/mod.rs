//! The program pane: a run of a BPF program, stepped through instruction by instruction. The worker holds
//! the trace and answers with one moment at a time, so a run of a million instructions weighs no more here
//! than one of ten.

#[cfg(target_arch = "wasm32")]
mod code;
pub mod functions;
#[cfg(target_arch = "wasm32")]
pub(crate) mod link;
pub mod meaning;
#[cfg(target_arch = "wasm32")]
mod pane;
pub mod place;
pub mod rows;
#[cfg(target_arch = "wasm32")]
mod side;
#[cfg(target_arch = "wasm32")]
mod view;

#[cfg(target_arch = "wasm32")]
pub use view::panel;
