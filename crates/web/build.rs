//! Renders the spec at build time.
fn main() {}
