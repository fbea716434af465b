//! `headroom` on the command line.
fn main() {}
