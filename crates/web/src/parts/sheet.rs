//! The sheet of keys.

use crate::dom::{El, el};
use crate::keys::KEYS;

/// A dialog that lists all keys.
#[must_use]
pub fn key_sheet() -> El {
    let row =
        |(_, print, _, words): &(&[&str], &'static str, crate::keys::Action, &'static str)| {
            let key = |cell: El, key: &str| cell.child(el("kbd").text(key)).text(" ");
            let keys = print.split(' ').fold(el("th").set("scope", "row"), key);
            el("tr").child(keys).child(el("td").text(words))
        };
    let close = el("button").class("quiet").text("Close");
    el("dialog")
        .class("sheet")
        .set("aria-labelledby", "keys-title")
        .child(el("h2").set("id", "keys-title").text("Keys"))
        .child(el("table").child(el("tbody").all(KEYS.iter().map(row))))
        .child(el("p").text("In the byte grid the arrows go from byte to byte."))
        .child(el("form").set("method", "dialog").child(close))
}
