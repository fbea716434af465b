//! The programs: the scenario's own, object files that were dropped, assembler with a live check;
//! and where they are attached.

use headroom_core::bpf::{LoadError, Object, load_object};
use headroom_core::share::{Program, ProgramText};
use headroom_core::simulate::assembler;
use headroom_protocol::sentence;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::coloured;
use super::state::{ASM, Lab};
use crate::asm;

/// What a new assembler program begins as: read the tag and say how long it was.
const FIRST: &str = "; r1 is the context. data_meta is at +140, data at +76.\nr2 = *(u32 *)(r1 +140)\nr3 = *(u32 *)(r1 +76)\nr0 = 0\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr5 = *(u32 *)(r2 +0)\nout:\nexit\n";

/// The panel.
pub fn panel(lab: Lab) -> AnyView {
    let count = Memo::new(move |_| {
        lab.work.with(|work| {
            work.programs
                .iter()
                .map(|p| p.name.clone())
                .collect::<Vec<_>>()
        })
    });
    let own = move || {
        lab.work.track();
        let names: Vec<String> = lab
            .model
            .scenario
            .with_value(|s| s.programs.iter().map(|p| p.name.clone()).collect());
        (!names.is_empty()).then(
            || view! { <p class="own">"The scenario's own: "<code>{names.join(", ")}</code></p> },
        )
    };
    let add = move |kind: &'static str| {
        lab.change(None, |work| {
            let taken = |name: &str| work.programs.iter().any(|program| program.name == name);
            let name = (1..)
                .map(|n| format!("mine{n}.{kind}{ASM}"))
                .find(|name| !taken(name));
            work.programs.push(Program {
                name: name.unwrap_or_default(),
                text: ProgramText::Assembler(FIRST.into()),
            });
        });
    };
    view! {
        <section class="programs" aria-label="Programs"><h2 class="sr">"Programs"</h2>
            {part(own)}
            <For each=move || count.get() key=Clone::clone children=move |name| one(lab, name)/>
            <p class="add">"Drop an object file of clang anywhere, or write "
                <button class="tab" on:click=move |_| add("tcx")>"assembler for TC"</button>" "
                <button class="tab" on:click=move |_| add("xdp")>"assembler for XDP"</button></p>
        </section>
    }
    .into_any()
}

fn text_of(lab: Lab, name: &str) -> Option<ProgramText> {
    lab.work.with(|work| {
        work.programs
            .iter()
            .find(|p| p.name == name)
            .map(|p| p.text.clone())
    })
}

fn one(lab: Lab, name: String) -> AnyView {
    let key = StoredValue::new(name.clone());
    let text = Memo::new(move |_| key.with_value(|name| text_of(lab, name)));
    let object = Memo::new(move |_| {
        let name = key.get_value();
        match text.get()? {
            ProgramText::Object(bytes) => Some(load_object(&name, &bytes)),
            ProgramText::Assembler(text) => Some(assembler(&name, &text)),
        }
    });
    let remove = move |_| {
        lab.change(None, |work| {
            key.with_value(|name| work.programs.retain(|p| p.name != *name))
        })
    };
    let editor = move || {
        matches!(text.get_untracked(), Some(ProgramText::Assembler(_)))
            .then(|| assembler_field(lab, key, text, object))
    };
    let what = move || match object.get() {
        Some(Ok(object)) => programs_of(lab, &object),
        Some(Err(error))
            if !matches!(
                text_of(lab, &key.get_value()),
                Some(ProgramText::Assembler(_))
            ) =>
        {
            view! { <p class="problem">{error.to_string()}</p> }.into_any()
        }
        _ => ().into_any(),
    };
    view! {
        <article class="program-file">
            <h3><b><code>{name}</code></b>" "<button class="tab" on:click=remove>"Remove"</button></h3>
            {editor()}
            {part(what)}
        </article>
    }
    .into_any()
}

type Loaded = Memo<Option<Result<Object, LoadError>>>;

/// A field for assembler; what is wrong is underlined where it stands, and said below.
fn assembler_field(
    lab: Lab,
    key: StoredValue<String>,
    text: Memo<Option<ProgramText>>,
    object: Loaded,
) -> AnyView {
    let now = move || match text.get() {
        Some(ProgramText::Assembler(text)) => text,
        _ => String::new(),
    };
    let edited = move |event: web_sys::Event| {
        let now = event_target_value(&event);
        lab.change(Some("assembler"), |work| {
            let program = key.with_value(|name| work.programs.iter_mut().find(|p| p.name == *name));
            if let Some(program) = program {
                program.text = ProgramText::Assembler(now);
            }
        });
    };
    let rows = move || now().split('\n').count().clamp(6, 40).to_string();
    let wrong = move || match object.get() {
        Some(Err(LoadError::Assembler { error, .. })) => Some((error.line, error.column)),
        _ => None,
    };
    let lines = Memo::new(move |_| coloured::lines(&now(), wrong(), asm::tokens));
    let said = move || {
        match object.get() {
        Some(Ok(object)) => {
            let count = object
                .programs
                .first()
                .map_or(0, |program| program.insns.len());
            view! { <p class="ok" role="status">"✓ "{count}" instructions"</p> }.into_any()
        }
        Some(Err(LoadError::Assembler { error, .. })) => {
            view! { <p class="problem" role="status"><b aria-hidden="true">"✗ "</b>{sentence(&error.to_string())}</p> }
                .into_any()
        }
        Some(Err(error)) => {
            view! { <p class="problem" role="status"><b aria-hidden="true">"✗ "</b>{error.to_string()}</p> }
                .into_any()
        }
        None => ().into_any(),
    }
    };
    let label = key.with_value(|name| format!("Assembler of {name}"));
    view! {
        {coloured::field(lines, view! {
            <textarea class="asm" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" rows=sig(rows)
                aria-label=label aria-invalid=sig(move || wrong().is_some().to_string()) prop:value=sig(now) on:input=edited></textarea>
        })}
        {part(said)}
    }
    .into_any()
}

/// The programs of an object, each with a way to attach it.
fn programs_of(lab: Lab, object: &Object) -> AnyView {
    let file = object.name.clone();
    let maps: Vec<String> = object
        .maps
        .iter()
        .map(|map| {
            format!(
                "{} ({} → {} bytes, {} entries)",
                map.name, map.key_size, map.value_size, map.max_entries
            )
        })
        .collect();
    let program = |program: &headroom_core::bpf::Program| {
        let xdp = program.section.starts_with("xdp");
        let (name, section, count) = (
            program.name.clone(),
            program.section.clone(),
            program.insns.len(),
        );
        attach(lab, &file, name, section, count, xdp)
    };
    let all = object.programs.iter().map(program).collect_view();
    let maps = (!maps.is_empty()).then(|| view! { <p class="hint">"Maps: "{maps.join(", ")}</p> });
    view! { <ul class="programs-list">{all}</ul>{maps} }.into_any()
}

fn attach(
    lab: Lab,
    _file: &str,
    name: String,
    section: String,
    count: usize,
    xdp: bool,
) -> AnyView {
    let device = NodeRef::<leptos::html::Select>::new();
    let hook = NodeRef::<leptos::html::Select>::new();
    let target = name.clone();
    let press = move |_| {
        let (Some(device), Some(hook)) = (device.get_untracked(), hook.get_untracked()) else {
            return;
        };
        let (place, hook) = (device.value(), hook.value());
        let (netns, dev) = place.split_once('/').unwrap_or(("", &place));
        if dev.is_empty() {
            return;
        }
        let front = if xdp {
            format!("orc xdp {target} {dev} {hook}")
        } else {
            format!("orc tcx {target} {dev} {hook}")
        };
        let line = format!("{front} {netns}");
        lab.add_for_device(line.trim_end(), netns, dev);
    };
    let devices = move || {
        let graph = lab.graph();
        let option = |device: &headroom_core::scenario::graph::Device| {
            let netns = graph.namespaces.get(device.namespace).cloned().flatten();
            let value = netns.map_or_else(
                || device.name.clone(),
                |netns| format!("{netns}/{}", device.name),
            );
            view! { <option value=value.clone()>{value.clone()}</option> }
        };
        graph.devices.iter().map(option).collect_view()
    };
    let hooks = if xdp {
        ["native", "generic"]
    } else {
        ["ingress", "egress"]
    };
    let hook_option = |word: &'static str| view! { <option value=word>{word}</option> };
    view! {
        <li>
            <code>{name.clone()}</code>" "<span class="hint">{section}", "{count}" instructions"</span>
            <span class="attach">
                <select node_ref=device aria-label=format!("Device for {name}")>{part(devices)}</select>
                <select node_ref=hook aria-label=format!("Hook for {name}")>{hooks.map(hook_option).collect_view()}</select>
                <button class="tab" on:click=press>"Attach"</button>
            </span>
        </li>
    }
    .into_any()
}
