//! The Headroom site. One direction: address and input → traces → scene → what is drawn.
//! Components take data and draw; no component knows how a packet is handled.

pub mod address;
pub mod app;
mod crash;
pub mod data;
pub mod designs;
mod frame;
mod keys;
pub mod model;
mod pages;
mod parts;
mod platform;
mod slots;
mod theme;
