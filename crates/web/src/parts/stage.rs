//! The buffers, one below the other on one scale.

use crate::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use super::ribbon::ribbon;
use crate::designs::{column_title, design_note};
use crate::dom::{El, div, el, span};
use crate::model::Model;

/// Width of an element, kept up to date.
#[must_use]
pub fn watch_width(node: &El) -> RwSignal<f64> {
    let width = RwSignal::new(0.0);
    let measured = node.clone();
    let on_resize = Closure::<dyn FnMut()>::new(move || {
        let now = f64::from(measured.element().client_width());
        if width
            .try_get_untracked()
            .is_some_and(|before: f64| (before - now).abs() > 0.5)
        {
            width.set(now);
        }
    });
    if let Ok(observer) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) {
        // It tells the width as soon as the element is in the document.
        observer.observe(node.element());
        let kept = StoredValue::new((observer, on_resize));
        on_cleanup(move || {
            kept.with_value(|(observer, _)| observer.disconnect());
        });
    }
    width
}

/// All shown designs.
#[must_use]
pub fn stage(model: Model) -> El {
    let measure = div("measure");
    let width = watch_width(&measure);
    let shown = model.designs;
    let designs = move || {
        let one = |design| buffer(model, design, width);
        shown.get().into_iter().map(one).collect()
    };
    div("stage").child(measure).part(designs)
}

/// One design: name, state, buffer.
fn buffer(model: Model, design: usize, width: RwSignal<f64>) -> El {
    let frame = Memo::new(move |_| model.frame(design));
    let name = column_title(design);
    let state = el("span").class("dstate");
    let figure = el("figure")
        .class("design")
        .set("aria-label", &format!("Buffer under {name}"))
        .child(
            el("figcaption")
                .child(
                    span("dname", name)
                        .set("role", "heading")
                        .set("aria-level", "2"),
                )
                .child(span("dsub", design_note(design)))
                .child(state.clone()),
        )
        .child(ribbon(model, design, frame, width));
    let (target, mut last) = (figure.clone(), (false, false));
    follow(move || {
        let of = |frame: &Option<std::sync::Arc<crate::frame::Frame>>| {
            let frame = frame.as_ref()?;
            Some((!frame.present, frame.gone()))
        };
        let now = frame.with(of).unwrap_or_default();
        if now == last {
            return;
        }
        last = now;
        let (absent, gone) = now;
        target.mark("absent", absent);
        target.mark("gone", gone);
        state.say(match now {
            (true, _) => "no such step here",
            (_, true) => "packet released; its last state",
            _ => "",
        });
    });
    figure
}
