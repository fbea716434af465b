//! The written spec, executed. A rule is text with a source and a check; the check names a step of a
//! scenario and what must hold there, and is run against the simulator.
//!
//! ```text
//! ## HR-DECAP-1
//! text: One sentence, with MUST or MAY in the sense of RFC 2119.
//! holds: Linux 6.19 to 7.2
//! source: net/ipv4/ip_gre.c, __ipgre_rcv()
//! check: seed mac_header ip_tunnel_rcv.entry@rx#2: mac_header=294 meta.bytes=00000800
//! recordings: E2-gre-veth-full
//!
//! More words, as markdown.
//! ```
//! `check` may stand several times; each line links to its step. All else stands once.

mod check;
mod rule;

pub use check::{Check, CheckError, Failed, TraceOf};
pub use rule::{Chapter, Rule, SpecError, parse};
