//! A whole piece of work in one link. The link's fragment is `<version><base64url of deflate>`;
//! inside are sections, each with its own checksum, so that of a link that a mail cut off or a
//! hand mangled everything whole is opened, and what is broken is named.
//!
//! Nothing here is sent anywhere: a fragment stays in the browser.

mod link;
mod section;
mod work;

pub use link::{
    MAX_LINK, MAX_UNPACKED, Opened, ShareError, from_bytes, from_link, to_bytes, to_link, to_text,
    to_text_quickly,
};
pub use work::{Frame, Program, ProgramText, Work};
