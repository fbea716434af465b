//! The sheet of keys. It is made when it is first asked for, on any page.

use web_sys::HtmlDialogElement;

use crate::dom::{El, el};
use crate::keys::KEYS;
use crate::platform::document;

const ID: &str = "keys";

/// Shows the sheet over everything.
pub fn open() {
    let document = document();
    let known = document.get_element_by_id(ID);
    let sheet = known.map(El::of).unwrap_or_else(|| {
        let made = key_sheet();
        if let Some(body) = document.body() {
            El::of(body.into()).append(&made);
        }
        made
    });
    if let Some(dialog) = sheet.as_a::<HtmlDialogElement>() {
        let _ = dialog.show_modal();
    }
}

/// A dialog that lists all keys.
fn key_sheet() -> El {
    let row =
        |(_, print, _, words): &(&[&str], &'static str, crate::keys::Action, &'static str)| {
            let key = |cell: El, key: &str| cell.child(el("kbd").text(key)).text(" ");
            let keys = print.split(' ').fold(el("th").set("scope", "row"), key);
            el("tr").child(keys).child(el("td").text(words))
        };
    let close = el("button").class("quiet").text("Close");
    el("dialog")
        .set("id", ID)
        .class("sheet")
        .set("aria-labelledby", "keys-title")
        .child(el("h2").set("id", "keys-title").text("Keys"))
        .child(el("table").child(el("tbody").all(KEYS.iter().map(row))))
        .child(el("p").text("In the story → and ← go from stop to stop. In the byte grid the arrows go from byte to byte."))
        .child(el("form").set("method", "dialog").child(close))
}
