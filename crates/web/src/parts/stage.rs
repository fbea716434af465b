//! The buffers, one below the other on one scale.

use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use super::ribbon::Ribbon;
use super::sig;
use crate::designs::{column_title, design_note};
use crate::model::Model;

/// Width of an element, kept up to date.
pub fn watch_width(node: NodeRef<Div>) -> Signal<f64> {
    let width = RwSignal::new(0.0);
    Effect::new(move |_| {
        let Some(element) = node.get() else { return };
        width.set(f64::from(element.client_width()));
        let measured = element.clone();
        let on_resize = Closure::<dyn FnMut()>::new(move || {
            let now = f64::from(measured.client_width());
            if (width.get_untracked() - now).abs() > 0.5 {
                width.set(now);
            }
        });
        if let Ok(observer) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) {
            observer.observe(&element);
            let kept = StoredValue::new_local((observer, on_resize));
            on_cleanup(move || {
                kept.with_value(|(observer, _)| observer.disconnect());
            });
        }
    });
    width.into()
}

/// All shown designs.
#[component]
pub fn Stage(model: Model) -> impl IntoView {
    let node = NodeRef::<Div>::new();
    let width = watch_width(node);
    let shown = model.designs;
    let one = move |design: usize| view! { <Design model design width/> };
    view! {
        <div class="stage">
            <div class="measure" node_ref=node></div>
            <For each=move || shown.get() key=|design| *design children=one/>
        </div>
    }
}

/// One design: name, state, buffer.
#[component]
fn Design(model: Model, design: usize, width: Signal<f64>) -> impl IntoView {
    let frame = Memo::new(move |_| model.frame(design));
    let absent = move || frame.with(|frame| frame.as_ref().is_some_and(|frame| !frame.present));
    let gone = move || frame.with(|frame| frame.as_ref().is_some_and(|frame| frame.gone()));
    let state = move || match (absent(), gone()) {
        (true, _) => "no such step here",
        (_, true) => "packet released; its last state",
        _ => "",
    };
    let name = column_title(design);
    view! {
        <figure class="design" class:absent=sig(absent) class:gone=sig(gone) aria-label=format!("Buffer under {name}")>
            <figcaption>
                <span class="dname">{name}</span>
                <span class="dsub">{design_note(design)}</span>
                <span class="dstate">{sig(move || state().to_owned())}</span>
            </figcaption>
            <Ribbon model design frame width/>
        </figure>
    }
}
