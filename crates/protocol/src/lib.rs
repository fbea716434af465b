//! What the pages of the site, the simulator's worker and the site's build say to each other.
//!
//! A page never simulates. It reads files that the build wrote ([`files`]), and for what a reader
//! types it asks the worker ([`Request`], [`Answer`]). Both speak in the same types, as compact bytes
//! ([`encode`], [`decode`]): no JSON reader is needed in the page.

pub mod capture;
mod codec;
mod designs;
pub mod files;
pub mod program;
mod talk;

pub use codec::{DecodeError, decode, decode_trace, encode, encode_trace};
pub use designs::{CUSTOM, DESIGNS, Design, FIRST_SHOWN, design_index};
pub use talk::{Answer, Job, Message, Object, Problem, Request, sentence};
