//! The Headroom site. One direction: address and input → traces → scene → what is drawn.
//! Components take data and draw; no component knows how a packet is handled.

pub mod address;
pub mod app;
pub mod crash;
pub mod data;
pub mod designs;
pub mod dom;
pub mod drop;
pub mod frame;
pub mod keys;
pub mod model;
#[allow(missing_docs, reason = "a macro makes the fields of components' props")]
pub mod pages;
#[allow(missing_docs, reason = "a macro makes the fields of components' props")]
pub mod parts;
pub mod platform;
pub mod prelude;
pub mod react;
pub mod theme;
pub mod view;
pub mod zooms;
