//! The programs: the scenario's own, object files that were dropped, assembler with a live check;
//! and where they are attached.

use headroom_core::bpf::{LoadError, MapDef, Object, load_object};
use headroom_core::share::{Program, ProgramText};
use headroom_core::simulate::assembler;
use headroom_protocol::sentence;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::attach;
use super::check::Verdict;
use super::coloured::{self, Wrong};
use super::state::Lab;
use super::verdict;
use crate::arriving::ASM;
use crate::asm;

/// What a new assembler program begins as: look whether there is a tag, and read it. Offsets of `struct __sk_buff`.
const FIRST_TC: &str = "; r1 is the context. data_meta is at +140, data at +76.\nr2 = *(u32 *)(r1 +140)\nr3 = *(u32 *)(r1 +76)\nr0 = 0\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr5 = *(u32 *)(r2 +0)\nout:\nexit\n";
/// The same for XDP: offsets of `struct xdp_md`, and 2 is `XDP_PASS`.
const FIRST_XDP: &str = "; r1 is the context. data_meta is at +8, data at +0.\nr2 = *(u32 *)(r1 +8)\nr3 = *(u32 *)(r1 +0)\nr0 = 2\nr4 = r2\nr4 += 4\nif r4 > r3 goto out\nr5 = *(u32 *)(r2 +0)\nout:\nexit\n";

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
    let scenario = Memo::new(move |_| lab.work.with(|work| work.scenario.clone()));
    let add = move |kind: &'static str, first: &'static str| {
        lab.change(None, |work| {
            let taken = |name: &str| work.programs.iter().any(|program| program.name == name);
            let name = (1..)
                .map(|n| format!("mine{n}.{kind}{ASM}"))
                .find(|name| !taken(name));
            work.programs.push(Program {
                name: name.unwrap_or_default(),
                text: ProgramText::Assembler(first.into()),
            });
        });
    };
    view! {
        <section class="programs" aria-label="Programs"><h2 class="sr">"Programs"</h2>
            {part(move || own(lab, &scenario.get()))}
            <For each=move || count.get() key=Clone::clone children=move |name| one(lab, name)/>
            <p class="add">"Drop an object file of clang anywhere, or write "
                <button class="tab" on:click=move |_| add("tcx", FIRST_TC)>"assembler for TC"</button>" "
                <button class="tab" on:click=move |_| add("xdp", FIRST_XDP)>"assembler for XDP"</button></p>
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
    let said = Memo::new(move |_| {
        let bytes = match text.get() {
            Some(ProgramText::Object(bytes)) => bytes,
            Some(ProgramText::Assembler(text)) => text.into_bytes(),
            None => Vec::new(),
        };
        key.with_value(|name| lab.checks.of(name, &bytes))
    });
    let verdict = move || said.get();
    let remove = move |_| {
        lab.change(None, |work| {
            key.with_value(|name| work.programs.retain(|p| p.name != *name))
        })
    };
    // What is wrong with a text is said at the text.
    let is_text =
        Memo::new(move |_| text.with(|text| matches!(text, Some(ProgramText::Assembler(_)))));
    let editor = move || {
        is_text
            .get_untracked()
            .then(|| assembler_field(lab, key, text, object, verdict))
    };
    let what = move || match object.get() {
        Some(Ok(object)) => programs_of(lab, &object, verdict, !is_text.get()),
        Some(Err(error)) if !is_text.get() => {
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
    verdict: impl Fn() -> Verdict + Copy + Send + Sync + 'static,
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
        Some(Err(LoadError::Assembler { error, .. })) => {
            Some(Wrong::word(error.line, error.column))
        }
        _ => verdict::wrong(&verdict()),
    };
    let lines = Memo::new(move |_| coloured::lines(&now(), wrong(), asm::tokens));
    let said = move || {
        match object.get() {
        Some(Ok(object)) => {
            let count = object
                .programs
                .first()
                .map_or(0, |program| program.insns.len());
            verdict::assembler(&verdict(), count)
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

/// The programs of an object, each with a way to attach it, and its maps; `words`: also what the verifier says.
fn programs_of(
    lab: Lab,
    object: &Object,
    verdict: impl Fn() -> Verdict + Copy + Send + Sync + 'static,
    words: bool,
) -> AnyView {
    let map = |map: &MapDef| {
        let (name, key, value, most) = (&map.name, map.key_size, map.value_size, map.max_entries);
        format!("{name} ({key} → {value} bytes, {most} entries)")
    };
    let maps: Vec<String> = object.maps.iter().map(map).collect();
    let program =
        |program: &headroom_core::bpf::Program| attach::program(lab, program, verdict, words);
    let all = object.programs.iter().map(program).collect_view();
    let maps = (!maps.is_empty()).then(|| view! { <p class="hint">"Maps: "{maps.join(", ")}</p> });
    view! { <ul class="programs-list">{all}</ul>{maps} }.into_any()
}

/// The scenario's own objects, as the reader's are shown; they can't be taken away.
fn own(lab: Lab, scenario: &str) -> AnyView {
    lab.checks.want_own(scenario);
    let own = lab.checks.own.get().filter(|(id, _)| id == scenario);
    let Some((_, objects)) = own else {
        return ().into_any();
    };
    let objects = match objects {
        Ok(objects) => objects,
        Err(text) => return view! { <p class="problem">{text}</p> }.into_any(),
    };
    let one = |file: &headroom_protocol::Object| {
        let key = StoredValue::new(file.clone());
        let verdict = move || key.with_value(|file| lab.checks.of(&file.name, &file.bytes));
        let shown = match load_object(&file.name, &file.bytes) {
            Ok(object) => programs_of(lab, &object, verdict, true),
            Err(error) => view! { <p class="problem">{error.to_string()}</p> }.into_any(),
        };
        view! { <article class="program-file"><h3><b><code>{file.name.clone()}</code></b>" "<span class="hint">"the scenario's own"</span></h3>{shown}</article> }
    };
    objects.iter().map(one).collect_view().into_any()
}
