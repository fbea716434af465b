//! Headroom's core: a simulator of the path XDP → `sk_buff` → stack → TC, byte for byte.
//!
//! No web code, no input or output, no clock: the same input gives the same [`trace::Trace`] on
//! every machine, on the host and in WebAssembly. See `docs/ARCHITECTURE.md` for the map.

pub mod bpf;
pub mod compare;
pub mod coverage;
pub mod design;
pub mod export;
pub mod limits;
pub mod matrix;
mod names;
pub mod net;
pub mod packet;
pub mod recording;
pub mod scenario;
pub mod scene;
pub mod share;
pub mod simulate;
pub mod skb;
pub mod spec;
pub mod stack;
pub mod stepping;
pub mod trace;
pub mod why;
pub mod xdp;
