//! Fuzz targets of Headroom, for libFuzzer: `cargo xtask fuzz`.

mod targets;

pub use targets::{TARGETS, asm, capture, commands, elf, program, recording};
