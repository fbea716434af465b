//! `cargo xtask serve | test`.
fn main() {}
