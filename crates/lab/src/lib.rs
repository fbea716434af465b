//! Catalogue, compare, matrix and lab: pages that few readers open first. They are a module of their own, so
//! that the first page does not carry them; the site's module loads it when one of them is opened.
//!
//! The two modules share the document and nothing else. The site's module draws `<div id="later">`
//! and says `headroom:page` on the window whenever the address has changed; this one draws into it,
//! and leaves it at `headroom:leave`.

//!
//! What can be reckoned without a browser is in [`arriving`], [`asm`], [`asked`], [`catalogue::choose`], [`edit`], [`filter`], [`foreign`], [`history`], [`layout`], [`listing`], [`maps`], [`policy`], [`render`] and [`way`], and is
//! tested on the host; the rest is for wasm32 alone.

#[cfg(target_arch = "wasm32")]
pub mod app;
pub mod arriving;
pub mod asked;
pub mod asm;
#[cfg(target_arch = "wasm32")]
mod browser;
pub mod catalogue;
#[cfg(target_arch = "wasm32")]
mod compare;
#[cfg(target_arch = "wasm32")]
mod designs;
pub mod edit;
pub mod filter;
pub mod foreign;
pub mod history;
#[cfg(target_arch = "wasm32")]
mod lab;
pub mod layout;
pub mod listing;
pub mod maps;
#[cfg(target_arch = "wasm32")]
mod matrix;
#[cfg(target_arch = "wasm32")]
mod open;
#[cfg(target_arch = "wasm32")]
mod opened_files;
#[cfg(target_arch = "wasm32")]
mod png;
pub mod policy;
pub mod program;
pub mod render;
#[cfg(target_arch = "wasm32")]
mod take;
#[cfg(target_arch = "wasm32")]
mod take_sheet;
pub mod way;
