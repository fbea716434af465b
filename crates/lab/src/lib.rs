//! Compare, matrix and lab: pages that few readers open first. They are a module of their own, so
//! that the first page does not carry them; the site's module loads it when one of them is opened.
//!
//! The two modules share the document and nothing else. The site's module draws `<div id="later">`
//! and says `headroom:page` on the window whenever the address has changed; this one draws into it,
//! and leaves it at `headroom:leave`.

pub mod app;
mod browser;
mod compare;
mod lab;
mod matrix;
mod open;
mod take;
