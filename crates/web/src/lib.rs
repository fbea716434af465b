//! The Headroom site. One direction: address and input → traces → scene → what is drawn.
//! Components take data and draw; no component knows how a packet is handled.

pub mod address;
pub mod app;
pub mod engine;
#[cfg(feature = "fixture")]
#[allow(missing_docs, clippy::all)]
pub mod fixture;
pub mod frame;
pub mod keys;
pub mod model;
pub mod pages;
pub mod parts;
pub mod platform;
pub mod theme;
