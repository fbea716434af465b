//! The life of one byte: who wrote it, how it came here, who read it.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::life::{LifeEvent, LifeKind, life as events_of};
use headroom_core::trace::{Layer, OriginId};

use super::prose::prose;
use crate::dom::{El, code, div, el, span};
use crate::frame::Frame;
use crate::model::{By, Model};

/// The byte to speak of: the one looked at, else the first one that was read, else the first of
/// the metadata.
fn offset(model: Model, frame: &Frame) -> Option<u32> {
    let chosen = model
        .selected
        .get()
        .filter(|selected| selected.design == frame.design)
        .map(|s| s.offset);
    chosen
        .or_else(|| {
            let reads = headroom_core::scene::reads_at(&frame.trace, frame.step);
            let read = reads.first()?;
            let interesting = read.bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
            Some(read.offset? + interesting as u32)
        })
        .or_else(|| {
            let is_meta =
                |origin: &OriginId| frame.trace.sources.source(*origin).layer == Layer::Metadata;
            frame
                .buffer
                .origins
                .iter()
                .position(is_meta)
                .map(|at| at as u32)
        })
}

fn class(kind: LifeKind) -> &'static str {
    match kind {
        LifeKind::Written => "written",
        LifeKind::Moved => "moved",
        LifeKind::Passed => "passed",
        LifeKind::Read => "read",
    }
}

/// What is told of a byte: its offset, its value, what happened to it.
type Told = (u32, Option<u8>, Vec<LifeEvent>);

fn told(model: Model, frame: &Frame) -> Option<Told> {
    let at = offset(model, frame)?;
    let buffer = &frame.buffer;
    let origin = buffer.origins.get(at as usize).copied().unwrap_or_default();
    let value = buffer.bytes.get(at as usize).copied();
    let events = events_of(&frame.trace, frame.buffer_no?, at, origin, frame.step);
    Some((at, value, events))
}

/// The list under the grid.
#[must_use]
pub fn life(model: Model, frame: Memo<Option<Arc<Frame>>>) -> El {
    let (heading, list) = (el("h3"), el("ol").class("life"));
    let area = div("told-byte").child(heading.clone()).child(list.clone());
    let mut shown: Option<Option<Told>> = None;
    follow(move || {
        let now = frame.with(|frame| told(model, frame.as_ref()?));
        if shown.as_ref() == Some(&now) {
            return;
        }
        heading.say("");
        list.say("");
        if let Some((at, value, events)) = &now {
            let value = value.map_or_else(|| "not known".into(), |v| format!("0x{v:02x}"));
            let bold = |words: &str| el("b").child(code(words));
            let line = [
                crate::dom::text("Life of byte "),
                bold(&at.to_string()),
                crate::dom::text(", value "),
                bold(&value),
            ];
            for part in line {
                heading.append(&part);
            }
            if events.is_empty() {
                list.append(&el("li").class("none").text("Never written by this packet."));
            }
            let design = frame.with_untracked(|frame| frame.as_ref().map(|frame| frame.design));
            for one in events {
                list.append(&event(model, design, one));
            }
        }
        shown = Some(now);
    });
    area
}

fn event(model: Model, design: Option<usize>, event: &LifeEvent) -> El {
    let who = match (event.step, design) {
        (Some(step), Some(design)) => el("button")
            .class("link")
            .on("click", move |_| {
                if let Some(name) = model.names(design).get(step) {
                    model.go_to(name.clone(), By::Jump);
                }
            })
            .text(&event.who),
        _ => span("", &event.who),
    };
    let line = prose(el("li").class(class(event.kind)), &event.text);
    line.text(" · ").child(who)
}
