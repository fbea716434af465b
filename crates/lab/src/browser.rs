//! What the browser gives beyond `headroom_web::platform`: files in, files out.

use std::time::Duration;

use js_sys::{Array, Promise, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, FileList, HtmlAnchorElement, Url};

use crate::arriving::Page;

/// Most bytes of a file that is opened.
pub const MOST_BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// A file's name and bytes.
///
/// # Errors
/// A sentence: it is too large, or can't be read.
pub async fn read(file: &File) -> Result<(String, Vec<u8>), String> {
    let name = file.name();
    if file.size() > MOST_BYTES {
        return Err(format!(
            "{name} has {} bytes; a file may have {MOST_BYTES}.",
            file.size()
        ));
    }
    let buffer = JsFuture::from(file.array_buffer()).await;
    let buffer = buffer.map_err(|_| format!("{name} can't be read."))?;
    Ok((name, Uint8Array::new(&buffer).to_vec()))
}

/// Bytes of a file's beginning that say what it is.
const BEGINNING: f64 = 512.0;

/// The first bytes of a file; none of one that can't be read.
pub async fn beginning(file: &File) -> Vec<u8> {
    let Ok(begin) = file.slice_with_f64_and_f64(0.0, BEGINNING) else {
        return Vec::new();
    };
    let buffer = JsFuture::from(begin.array_buffer()).await;
    buffer.map_or_else(|_| Vec::new(), |buffer| Uint8Array::new(&buffer).to_vec())
}

/// Files that arrived at a page.
pub struct Arrived {
    /// Those that it takes, or says why not.
    pub here: Vec<File>,
    /// What is said of those that only the other page takes.
    pub left_out: Vec<String>,
}

/// What of the files is for this page; nothing where all of them went to the other one.
pub async fn arrived(files: Vec<File>, page: Page) -> Option<Arrived> {
    let mut pages = Vec::new();
    for file in &files {
        pages.push(Page::of(&file.name(), &beginning(file).await));
    }
    if page.hands_over(&pages) {
        hand_over(&files, page.other().address());
        return None;
    }
    let other = |of: &Option<Page>| *of == Some(page.other());
    let (others, here): (Vec<_>, Vec<_>) =
        files.into_iter().zip(pages).partition(|(_, of)| other(of));
    let said = |(file, _): (File, _)| page.leaves_out(&file.name());
    Some(Arrived {
        here: here.into_iter().map(|(file, _)| file).collect(),
        left_out: others.into_iter().map(said).collect(),
    })
}

/// Lets the browser draw and answer before the work goes on.
pub async fn turn() {
    let soon = Promise::new(&mut |done, _| {
        set_timeout(
            move || {
                let _ = done.call0(&JsValue::NULL);
            },
            Duration::ZERO,
        );
    });
    let _ = JsFuture::from(soon).await;
}

/// Gives files to another page of the site, and goes there.
fn hand_over(files: &[File], page: &str) {
    headroom_web::drop::wait(&files.iter().collect());
    let _ = follow_link(page);
}

/// As if a link was pressed: the site's other module knows how to go to a page without loading all anew.
fn follow_link(page: &str) -> Result<(), JsValue> {
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(page);
    let body = document().body().ok_or(JsValue::NULL)?;
    body.append_child(&link)?;
    link.click();
    link.remove();
    Ok(())
}

/// Width of the window in pixels, as it is now.
#[must_use]
pub fn window_width() -> f64 {
    let width = window().inner_width().ok();
    width.and_then(|width| width.as_f64()).unwrap_or(1280.0)
}

/// The files of a list.
#[must_use]
pub fn files(list: Option<FileList>) -> Vec<File> {
    let Some(list) = list else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.get(at)).collect()
}

/// The keys that take back (with Shift: do again), where no text field takes them for itself.
#[must_use]
pub fn is_undo(event: &web_sys::KeyboardEvent) -> bool {
    let keys = (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("z");
    let in_text =
        |element: web_sys::Element| matches!(element.tag_name().as_str(), "TEXTAREA" | "INPUT");
    keys && !document().active_element().is_some_and(in_text)
}

/// Writes to the browser's storage; `false` when that is full or closed.
#[must_use]
pub fn try_store(key: &str, value: &str) -> bool {
    let storage = window().local_storage().ok().flatten();
    storage.is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Gives the reader a file to keep.
pub fn save(name: &str, kind: &str, bytes: &[u8]) {
    let _ = try_save(name, kind, bytes);
}

fn try_save(name: &str, kind: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&address)
}
