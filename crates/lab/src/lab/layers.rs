//! A packet as a form: a box for each layer, a field for each value. What is left empty is computed,
//! and shown as such.

use headroom_core::packet::{self, Kind, Layer, Spec, print_value, read_value};
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

/// The form; `changed` gets the layers when a field was changed.
pub fn form(
    text: RwSignal<String>,
    changed: impl Fn(Vec<Layer>) + Copy + Send + Sync + 'static,
) -> AnyView {
    // While the line above can't be read, the fields show what it was before, and wait.
    let layers = Memo::new(move |before: Option<&Option<Vec<Layer>>>| {
        let now = packet::parse(&text.get()).ok();
        now.or_else(|| before.cloned().flatten())
    });
    let waits = Memo::new(move |_| text.with(|text| packet::parse(text).is_err()));
    let shape = Memo::new(move |_| {
        layers
            .get()
            .map(|layers| layers.iter().map(|layer| layer.kind).collect::<Vec<_>>())
    });
    let edit = move |act: &dyn Fn(&mut Vec<Layer>)| {
        if waits.get_untracked() {
            return;
        }
        if let Some(mut now) = layers.get_untracked() {
            act(&mut now);
            changed(now);
        }
    };
    let boxes = move || {
        let kinds = shape.get().unwrap_or_default();
        let one = |(at, kind): (usize, Kind)| layer_box(layers, waits, at, kind, edit);
        kinds.into_iter().enumerate().map(one).collect_view()
    };
    let add = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) else {
            return;
        };
        edit(&|layers| {
            let end = layers
                .iter()
                .rposition(|layer| layer.kind == Kind::Payload)
                .unwrap_or(layers.len());
            layers.insert(end, Layer::new(kind));
        });
    };
    let option = |kind: Kind| view! { <option value=kind.word()>{kind.word()}</option> };
    view! {
        <details class="layers" open>
            <summary>"Fields"</summary>
            {part(move || waits.get().then(|| view! { <p class="hint">"As they were before the line above could no longer be read."</p> }))}
            <div class="layer-boxes">{part(boxes)}</div>
            <select class="tab" aria-label="Add a layer" prop:value="" disabled=sig(move || waits.get()) on:change=add>
                <option value="">"Add a layer…"</option>{Kind::ALL.map(option).collect_view()}
            </select>
        </details>
    }
    .into_any()
}

fn layer_box(
    layers: Memo<Option<Vec<Layer>>>,
    waits: Memo<bool>,
    at: usize,
    kind: Kind,
    edit: impl Fn(&dyn Fn(&mut Vec<Layer>)) + Copy + Send + Sync + 'static,
) -> AnyView {
    let remove = move |_| {
        edit(&|layers| {
            if at < layers.len() {
                layers.remove(at);
            }
        })
    };
    let up = move |_| {
        edit(&|layers| {
            if at > 0 && at < layers.len() {
                layers.swap(at, at - 1);
            }
        })
    };
    let fields = kind
        .fields()
        .iter()
        .map(|spec| field(layers, at, spec, edit))
        .collect_view();
    let length = move || {
        layers.with(|layers| {
            layers
                .as_ref()
                .and_then(|l| l.get(at).map(|l| l.bytes.len()))
                .unwrap_or(0)
        })
    };
    let note = (kind == Kind::Payload).then(|| view! { <p class="hint">{sig(move || format!("{} bytes, in the line above", length()))}</p> });
    view! {
        <fieldset disabled=sig(move || waits.get())>
            <legend><code>{kind.word()}</code>
                <button class="tab" aria-label=format!("Move {} up", kind.word()) disabled=at == 0 on:click=up>"↑"</button>
                <button class="tab" aria-label=format!("Remove {}", kind.word()) on:click=remove>"×"</button></legend>
            {fields}{note}
        </fieldset>
    }
    .into_any()
}

fn field(
    layers: Memo<Option<Vec<Layer>>>,
    at: usize,
    spec: &'static Spec,
    edit: impl Fn(&dyn Fn(&mut Vec<Layer>)) + Copy + Send + Sync + 'static,
) -> AnyView {
    let given =
        Memo::new(move |_| layers.with(|layers| layers.as_ref()?.get(at)?.given(spec.name)));
    // What it comes out as: read back from the built frame.
    let computed = Memo::new(move |_| {
        layers.with(|layers| {
            let layers = layers.as_ref()?;
            let frame = packet::build(layers).ok()?;
            let built = packet::explicit(&frame);
            let layer = built
                .get(at)
                .map(|(layer, _)| layer)
                .filter(|layer| Some(layer.kind) == layers.get(at).map(|l| l.kind))?;
            Some(print_value(spec, layer.given(spec.name)?))
        })
    });
    let wrong = RwSignal::new(None::<String>);
    let typed = move |event: web_sys::Event| {
        let text = event_target_value(&event);
        let value = if text.trim().is_empty() {
            Ok(None)
        } else {
            read_value(spec, text.trim()).map(Some)
        };
        match value {
            Ok(value) => {
                wrong.set(None);
                edit(&|layers| {
                    if let Some(layer) = layers.get_mut(at) {
                        layer.give(spec.name, value);
                    }
                });
            }
            Err(what) => wrong.set(Some(what)),
        }
    };
    let value = move || {
        given
            .get()
            .map(|value| print_value(spec, value))
            .unwrap_or_default()
    };
    view! {
        <label><span>{spec.name}</span>
            <input type="text" autocomplete="off" spellcheck="false" prop:value=sig(value)
                placeholder=sig(move || computed.get().unwrap_or_else(|| "–".into()))
                aria-invalid=sig(move || wrong.with(Option::is_some).to_string()) on:change=typed/>
            {part(move || wrong.get().map(|what| view! { <span class="wrong" role="alert">{what}</span> }))}</label>
    }
    .into_any()
}
