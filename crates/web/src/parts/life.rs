//! The life of one byte: who wrote it, how it came here, who read it.

use std::sync::Arc;

use headroom_core::scene::life::{LifeEvent, LifeKind, life};
use headroom_core::trace::{Layer, OriginId};
use leptos::prelude::*;

use super::part;
use super::prose::prose;
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

/// The list under the grid.
#[component]
pub fn Life(model: Model, frame: Memo<Option<Arc<Frame>>>) -> impl IntoView {
    let told = Memo::new(move |_| {
        frame.with(|frame| {
            let frame = frame.as_ref()?;
            let at = offset(model, frame)?;
            let origin = frame
                .buffer
                .origins
                .get(at as usize)
                .copied()
                .unwrap_or_default();
            let value = frame.buffer.bytes.get(at as usize).copied();
            let events = life(&frame.trace, frame.buffer_no?, at, origin, frame.step);
            Some((at, value, events))
        })
    });
    let heading = move || {
        told.with(|told| {
            let (at, value, _) = told.as_ref()?;
            let value = value.map_or_else(|| "not known".into(), |v| format!("0x{v:02x}"));
            Some(view! { "Life of byte " <b><code>{at.to_string()}</code></b> ", value " <b><code>{value}</code></b> })
        })
    };
    let event = move |event: LifeEvent| {
        let target = event.step.and_then(|step| {
            let design = frame.with(|frame| frame.as_ref().map(|frame| frame.design))?;
            model.names(design).get(step).cloned()
        });
        let who = match target {
            Some(name) => view! { <button class="link" on:click=move |_| model.go_to(name.clone(), By::Jump)>{event.who}</button> }.into_any(),
            None => view! { <span>{event.who}</span> }.into_any(),
        };
        view! { <li class=class(event.kind)>{prose(&event.text, false)} " · " {who}</li> }
    };
    let events = move || match told.get() {
        Some((_, _, events)) if events.is_empty() => {
            view! { <li class="none">"Never written by this packet."</li> }.into_any()
        }
        Some((_, _, events)) => events.into_iter().map(event).collect_view().into_any(),
        None => ().into_any(),
    };
    view! { <h3>{part(heading)}</h3> <ol class="life">{part(events)}</ol> }
}
