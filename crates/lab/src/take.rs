//! Taking along: a button that puts a text on the clipboard or gives a file, and says that it did.

use std::time::Duration;

use headroom_core::export::{self, SvgOptions};
use headroom_core::scene::zones::packet_range;
use headroom_core::trace::PacketView;
use headroom_web::frame::Frame;
use headroom_web::model::Model;
use headroom_web::parts::{part, sig};
use headroom_web::platform;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// A button that copies what `text` gives.
pub fn copy_button(label: &'static str, text: impl Fn() -> String + Copy + 'static) -> AnyView {
    let said = RwSignal::new(None::<&'static str>);
    let press = move |_| {
        let text = text();
        spawn_local(async move {
            let word = if platform::copy(text).await {
                "Copied"
            } else {
                "Not allowed here"
            };
            if said.try_set(Some(word)).is_none() {
                set_timeout(
                    move || {
                        said.try_set(None);
                    },
                    Duration::from_secs(2),
                );
            }
        });
    };
    view! { <button class="tab" data-take=label on:click=press>{sig(move || said.get().unwrap_or(label).to_owned())}</button> }.into_any()
}

/// A button that gives a file.
pub fn save_button(
    label: &'static str,
    name: &'static str,
    kind: &'static str,
    bytes: impl Fn() -> Vec<u8> + 'static,
) -> AnyView {
    let press = move |_| crate::browser::save(name, kind, &bytes());
    view! { <button class="tab" data-take=label on:click=press>{label}</button> }.into_any()
}

/// A button that gives an SVG's picture as a PNG file.
pub fn png_button(name: &'static str, svg: impl Fn() -> String + 'static) -> AnyView {
    let said = RwSignal::new(None::<String>);
    let press = move |_| {
        let svg = svg();
        spawn_local(async move {
            said.try_set(crate::png::save(name, &svg).await.err());
        });
    };
    view! {
        <button class="tab" data-take="Save PNG" on:click=press>"Save PNG"</button>
        {part(move || said.get().map(|text| view! { <span role="alert" class="problem">{text}</span> }))}
    }
    .into_any()
}

/// What one takes along of a step: the packet's bytes in three forms, the step as Markdown and as a picture.
pub fn step(model: Model) -> AnyView {
    let packet =
        move || untrack(|| model.front_frame()).map_or_else(Vec::new, |frame| packet_of(&frame));
    let markdown = move || {
        untrack(|| {
            with_step(model, |frame, view, name| {
                let link = model.link();
                export::step_markdown(&frame.trace, frame.step, &view, name, &link)
            })
        })
    };
    let svg = move || {
        untrack(|| {
            with_step(model, |frame, view, name| {
                let scale = model.scale.get();
                let options = SvgOptions {
                    scale: &scale,
                    width: 1280.0,
                    title: name,
                };
                export::step_svg(&frame.trace, frame.step.max(frame.drawn), &view, options)
            })
        })
    };
    view! {
        <p class="takes" aria-label="Take this step along">
            {copy_button("Copy hex", move || export::hex(&packet()))}
            {copy_button("Copy C array", move || export::c_array("packet", &packet()))}
            {copy_button("Copy Scapy", move || export::scapy(&packet()))}
            {copy_button("Copy Markdown", markdown)}
            {copy_button("Copy SVG", svg)}
            {save_button("Save SVG", "step.svg", "image/svg+xml", move || svg().into_bytes())}
            {png_button("step.png", svg)}
        </p>
    }
    .into_any()
}

/// From `data` to `tail`.
fn packet_of(frame: &Frame) -> Vec<u8> {
    let Some(fields) = frame.fields() else {
        return Vec::new();
    };
    let (data, tail, _) = packet_range(fields);
    frame
        .buffer
        .bytes
        .get(data as usize..tail as usize)
        .unwrap_or_default()
        .to_vec()
}

fn with_step(model: Model, draw: impl Fn(&Frame, PacketView<'_>, &str) -> String) -> String {
    let Some(frame) = model.front_frame() else {
        return String::new();
    };
    let name = model
        .rows
        .with(|rows| rows.get(model.at.get()).map(|row| row.name.to_string()));
    frame
        .view()
        .map(|view| draw(&frame, view, &name.unwrap_or_default()))
        .unwrap_or_default()
}
