//! How the pane is laid out, its bar of buttons and its keys.

use headroom_core::scene::sentence::verdict_name;
use headroom_protocol::program::{RunInfo, Study, Way};
use headroom_web::designs::DESIGNS;
use headroom_web::model::Model;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::code::{Side, list, means};
use super::pane::Pane;
use super::place::name;
use super::rows::Form;
use super::side;

/// The pane, or the way to open it.
pub fn panel(model: Model) -> AnyView {
    let pane = Pane::new(model);
    part(move || {
        if pane.open.get() {
            opened(pane)
        } else {
            closed(pane)
        }
    })
}

/// A line of buttons: the programs that ran.
fn closed(pane: Pane) -> AnyView {
    let runs = Memo::new(move |_| {
        pane.model.outcome.track();
        let design = pane.model.front.get();
        let trace = pane.model.trace(design).or_else(|| pane.model.trace(0));
        let mut out: Vec<(String, String)> = Vec::new();
        for run in trace.iter().flat_map(|trace| &trace.runs) {
            let dev = match &run.dev.netns {
                Some(netns) => format!("{netns}/{}", run.dev.name),
                None => run.dev.name.clone(),
            };
            let front = format!("{}@{dev}#", run.program);
            if !out.iter().any(|(known, _)| known.starts_with(&front)) {
                out.push((format!("{front}1"), format!("{} on {dev}", run.program)));
            }
        }
        out
    });
    let button = move |(name, words): (String, String)| {
        view! { <button class="tab" on:click=move |_| pane.show(name.clone())>{words}</button> }
    };
    let draw = move || {
        let runs = runs.get();
        let first = match runs.is_empty() {
            true => view! { <button class="tab" on:click=move |_| pane.show("program".into())>"Look at the programs"</button> }.into_any(),
            false => runs.into_iter().map(button).collect_view().into_any(),
        };
        view! { <p class="p-open" role="group" aria-label="Step through a program"><span>"Step through a program: "</span>{first}</p> }
    };
    part(draw)
}

fn opened(pane: Pane) -> AnyView {
    let keys = move |event: web_sys::KeyboardEvent| keydown(pane, &event);
    view! {
        <section class="program-pane" aria-label="Program" on:keydown=keys>
            {head(pane)}
            {part(move || trouble(pane))}
            {part(move || body(pane))}
        </section>
    }
    .into_any()
}

fn head(pane: Pane) -> AnyView {
    let choose = move |event: web_sys::Event| pane.show(event_target_value(&event));
    let options = move || {
        let study = pane.study.get();
        let now = shown(pane);
        let option = |(value, words): (String, String)| {
            let on = value == now;
            view! { <option value=value selected=on>{words}</option> }
        };
        study.map(|study| entries(&study).into_iter().map(option).collect_view())
    };
    let design = move |index: usize| {
        let on = move || pane.design.get() == index;
        view! { <button class="tab" aria-pressed=sig(move || on().to_string()) on:click=move |_| pane.under(index)>{DESIGNS.get(index).copied()}</button> }
    };
    let designs = move || {
        let mut all = pane.model.designs.get();
        all.retain(|index| *index < DESIGNS.len());
        let own = pane.design.get_untracked();
        if !all.contains(&own) {
            all.insert(0, own);
        }
        all.into_iter().map(design).collect_view()
    };
    let busy = move || if pane.busy.get() { "running…" } else { "" };
    view! {
        <div class="p-head">
            <h2><b>"Program"</b></h2>
            <select aria-label="Run of a program" on:change=choose>{part(options)}</select>
            <div class="tabs" role="group" aria-label="Design">{part(designs)}</div>
            <p class="busy" role="status">{sig(busy)}</p>
            <button class="tab p-close" on:click=move |_| pane.close()>"Close"</button>
        </div>
    }
    .into_any()
}

/// The address' name for what is shown.
fn shown(pane: Pane) -> String {
    let (study, run) = (pane.study.get(), pane.run.get());
    match (study, run) {
        (Some(study), Some(run)) => name(&study, &run),
        (Some(study), None) => {
            let program = pane
                .program
                .get()
                .and_then(|index| study.programs.get(index).cloned());
            program.map(|p| p.listing.program).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Runs, and programs that have none: name in the address, words.
fn entries(study: &Study) -> Vec<(String, String)> {
    let run = |run: &RunInfo| {
        let again = if run.occurrence > 1 {
            format!(", run {}", run.occurrence)
        } else {
            String::new()
        };
        let program = study.programs.get(run.program as usize);
        let program = program.map_or("program", |p| p.listing.program.as_str());
        let ends = run.verdict.map_or("no verdict".into(), |verdict| {
            verdict_name(&run.hook, verdict)
        });
        (
            name(study, run),
            format!(
                "{program} on {} ({}{again}): {} instructions, {ends}",
                run.dev,
                run.hook,
                grouped(run.len)
            ),
        )
    };
    let mut out: Vec<(String, String)> = study.runs.iter().map(run).collect();
    for (index, judged) in study.programs.iter().enumerate() {
        if !study.runs.iter().any(|run| run.program as usize == index) {
            let why = if judged.refused.is_some() {
                "refused"
            } else {
                "did not run"
            };
            out.push((
                judged.listing.program.clone(),
                format!("{} in {}: {why}", judged.listing.program, judged.file),
            ));
        }
    }
    out
}

/// `1,000,000`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn trouble(pane: Pane) -> AnyView {
    let broken = pane.broken.get().map(|text| {
        let text = format!("The simulator ended by a mistake of its own ({text}). The work is kept.");
        view! { <p class="problem" role="alert">{text}" "<button class="link" on:click=move |_| pane.design.notify()>"Start it again"</button></p> }
    });
    let judged = pane.judged();
    let refused = judged.as_ref().and_then(|judged| judged.refused.clone()).map(|(line, why)| {
        let place = line.map(|line| format!(" at instruction {line}"));
        view! { <p class="problem" role="status"><b aria-hidden="true">"✗ "</b>"Linux refuses this program"{place}": "<code>{why}</code></p> }
    });
    let held = judged
        .as_ref()
        .map(|judged| judged.held.clone())
        .filter(|held| !held.is_empty())
        .map(held);
    let warned = judged.filter(|judged| !judged.warnings.is_empty()).map(|judged| {
        let one = |(line, why): (u32, String)| view! { <li>"instruction "{line}": "{why}</li> };
        view! { <div class="notice p-may" role="status"><p><b aria-hidden="true">"⚠ "</b>"Linux may refuse this."</p><ul>{judged.warnings.into_iter().map(one).collect_view()}</ul></div> }
    });
    let ended = pane
        .study
        .with(|study| study.as_ref().and_then(|study| study.problem.clone()));
    let ended = ended.filter(|_| refused.is_none()).map(|problem| {
        view! { <p class="notice" role="status">"The run of the work ended early: "{problem.message}</p> }
    });
    view! { {broken}{refused}{held}{warned}{ended} }.into_any()
}

/// What the verifier knows of the registers where it refused the program.
fn held(registers: Vec<(u8, String)>) -> AnyView {
    let row = |(register, what): (u8, String)| {
        view! { <tr><th scope="row"><code>"r"{register}</code></th><td>{what}</td></tr> }
    };
    view! {
        <table class="held"><caption>"What is known of the registers there, but for those that nobody reads any more"</caption>
            <tbody>{registers.into_iter().map(row).collect_view()}</tbody></table>
    }
    .into_any()
}

fn body(pane: Pane) -> AnyView {
    if pane.study.with(Option::is_none) {
        return ().into_any();
    }
    let form = move |word: &'static str, form: Form| {
        let on = move || pane.form.get() == form;
        view! { <button class="tab" aria-pressed=sig(move || on().to_string()) on:click=move |_| pane.form.set(form)>{word}</button> }
    };
    let file = move || {
        pane.judged()
            .and_then(|judged| judged.listing.source_file)
            .unwrap_or_default()
    };
    let facts = move || {
        let judged = pane.judged()?;
        let mut words = vec![judged.kind];
        words.extend(judged.loads_data_meta.then(|| "loads data_meta".to_owned()));
        words.extend(
            judged
                .writes_packet
                .then(|| "writes the packet directly".to_owned()),
        );
        Some(words.join(" · "))
    };
    let stepping = Memo::new(move |_| pane.run.with(Option::is_some));
    let bar = move || stepping.get().then(|| controls(pane));
    let after = move || {
        stepping.get().then(|| {
            view! {
                <div class="p-now">{side::registers(pane)}{side::stack(pane)}</div>
                <div class="p-state">
                    <div>{side::packet(pane)}</div>
                    <div>{side::maps(pane)}</div>
                    <div>{side::around(pane)}</div>
                </div>
            }
        })
    };
    view! {
        {part(bar)}
        <div class="p-desk" class:beside=sig(move || stepping.get())>
        <div class="p-code">
            <div class="p-side"><h3><b>"C"</b>" "{sig(file)}</h3>{list(pane, Side::C)}</div>
            <div class="p-side"><h3><b>"BPF"</b>" "<span class="tabs" role="group" aria-label="Which BPF">{form("as the kernel runs it", Form::AsRun)}{form("as written", Form::AsWritten)}</span><span class="hint">{sig(move || facts().unwrap_or_default())}</span></h3>{list(pane, Side::Bpf)}</div>
        </div>
        <div class="p-foot"><p class="p-means" aria-live="polite">{sig(move || means(pane))}</p>
            <p class="hint" id="p-hint">"A click on a line runs to it, one in front of it sets a stop. In a list: ↑ ↓ choose, Enter runs to, Space sets a stop."</p></div>
        {part(after)}
        </div>
    }
    .into_any()
}

/// Buttons and their keys.
const WAYS: [(&str, &str, &str); 8] = [
    ("Start", "Home", "to the first instruction"),
    ("Run back", "R", "back to the stop before, or the start"),
    ("Back", "← or b", "one instruction back"),
    ("Into", "→ or i", "the next instruction, into a function"),
    ("Over", "o", "the next instruction of this function"),
    ("Out", "u", "out of this function"),
    ("Run", "r", "to the next stop, or the end"),
    ("End", "End", "to the last instruction"),
];

fn act(pane: Pane, word: &str) {
    match word {
        "Start" => pane.go(Way::To(0)),
        "Run back" => pane.run_back(),
        "Back" => pane.go(Way::Back),
        "Back over" => pane.go(Way::BackOver),
        "Into" => pane.go(Way::Into),
        "Over" => pane.go(Way::Over),
        "Out" => pane.go(Way::Out),
        "Run" => pane.run_on(),
        "End" => pane.go(Way::To(u32::MAX)),
        _ => {}
    }
}

fn keydown(pane: Pane, event: &web_sys::KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let target = event.target().and_then(|target| {
        use wasm_bindgen::JsCast;
        target.dyn_into::<web_sys::HtmlElement>().ok()
    });
    let takes =
        target.is_some_and(|element| matches!(element.tag_name().as_str(), "SELECT" | "INPUT"));
    let word = match event.key().as_str() {
        "ArrowRight" | "i" if !(takes && event.key() == "ArrowRight") => "Into",
        "ArrowLeft" if !takes && event.shift_key() => "Back over",
        "ArrowLeft" if !takes => "Back",
        "b" => "Back",
        "B" => "Back over",
        "o" => "Over",
        "u" => "Out",
        "r" => "Run",
        "R" => "Run back",
        "Home" if !takes => "Start",
        "End" if !takes => "End",
        _ => return,
    };
    // The stepper of the whole way has keys of its own.
    event.prevent_default();
    event.stop_propagation();
    act(pane, word);
}

fn controls(pane: Pane) -> AnyView {
    let at = Memo::new(move |_| {
        pane.moment
            .with(|m| m.as_ref().map_or((0, 1), |m| (m.at, m.len.max(1))))
    });
    let did = Memo::new(move |_| {
        pane.moment
            .with(|m| m.as_ref().map(|m| m.did.clone()).unwrap_or_default())
    });
    let off = move |word: &str| {
        let (at, len) = at.get();
        match word {
            "Start" | "Run back" | "Back" => at == 0,
            "Out" => {
                at + 1 >= len
                    || pane
                        .moment
                        .with(|m| m.as_ref().is_none_or(|m| m.callers.is_empty()))
            }
            _ => at + 1 >= len,
        }
    };
    let button = move |(word, key, what): (&'static str, &'static str, &'static str)| {
        view! {
            <button class="ctl" title=format!("{what} ({key})") aria-keyshortcuts=key.split(' ').next().map(|key| match key { "←" => "ArrowLeft", "→" => "ArrowRight", key => key })
                aria-disabled=sig(move || off(word).to_string()) on:click=move |_| act(pane, word)>{word}</button>
        }
    };
    let scrub = move |event: web_sys::Event| {
        if let Ok(to) = event_target_value(&event).parse() {
            pane.go(Way::To(to));
        }
    };
    let where_ = move || {
        let (at, len) = at.get();
        format!("{} of {}", grouped(at + 1), grouped(len))
    };
    let weight = move || {
        let bytes = pane
            .study
            .with(|study| study.as_ref().map_or(0, |study| study.bytes));
        match bytes {
            0..=20_000_000 => String::new(),
            bytes => format!(" · trace {} MB", bytes / 1_000_000),
        }
    };
    view! {
        <div class="p-bar" role="toolbar" aria-label="Steps through the program">
            <div class="buttons">{WAYS.map(button).collect_view()}</div>
            <input class="scrub" type="range" min="0" max=sig(move || (at.get().1 - 1).to_string()) prop:value=sig(move || at.get().0.to_string())
                aria-label="Instruction carried out" aria-valuetext=sig(where_) on:input=scrub/>
            <p class="where"><span class="n">{sig(where_)}</span>{sig(weight)}</p>
        </div>
        <p class="p-did" role="status" aria-live="polite">{sig(move || did.get())}</p>
    }
    .into_any()
}
