//! The pages.

pub mod embed;
pub mod missing;
pub mod scenario;
pub mod spec;
pub mod start;
