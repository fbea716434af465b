//! The pages.

pub mod embed;
pub mod later;
pub mod load;
pub mod missing;
pub mod scenario;
pub mod spec;
pub mod start;
