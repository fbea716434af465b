//! Commands a person would type → topology and packets.
pub mod command;
pub mod topology;
