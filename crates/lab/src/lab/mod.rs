//! `/lab`: commands, programs and packets of the reader's own, and at once what becomes of them.
//! The work is kept in this browser and shared as one link; nothing is sent anywhere.

mod attach;
mod check;
mod coloured;
mod device;
mod editor;
mod graph;
mod keep;
mod layers;
mod map_form;
mod maps;
mod opening;
mod packets;
mod programs;
mod progress;
mod reading;
mod seen;
mod state;
mod take_in;
mod verdict;

use std::time::Duration;

use headroom_web::app;
use headroom_web::model::{Kind, Model};
use headroom_web::parts::prose::ticks;
use headroom_web::parts::stepper::Stepper;
use headroom_web::parts::verdicts::Verdicts;
use headroom_web::parts::{part, sig};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

use self::state::{Lab, Tab};
use crate::browser;
use crate::program::rows::in_sight;

/// Most notices that are shown at once; the others are behind a word.
const MOST_NOTICES: usize = 3;

/// The page.
pub fn page() -> AnyView {
    document().set_title("Lab · Headroom");
    let ready = RwSignal::new(None::<Lab>);
    // What is read decides what the model starts from; the owner is this page's.
    let owner = Owner::current();
    spawn_local(async move {
        let (work, loaded, notices) = opening::begin().await;
        let make = || Lab::new(work, loaded, notices);
        let lab = match &owner {
            Some(owner) => owner.with(make),
            None => make(),
        };
        if ready.try_set(Some(lab)).is_none() {
            app::show();
        }
    });
    part(move || match ready.get() {
        None => view! { <p class="wrap loading" role="status">"Loading…"</p> }.into_any(),
        Some(lab) => draw(lab),
    })
}

fn draw(lab: Lab) -> AnyView {
    let model = lab.model;
    let dropped = window_event_listener(ev::drop, move |event: web_sys::DragEvent| {
        event.prevent_default();
        take_in::files(
            lab,
            browser::files(event.data_transfer().and_then(|data| data.files())),
        );
    });
    let keys = window_event_listener(ev::keydown, move |event| undo_keys(lab, &event));
    on_cleanup(move || {
        dropped.remove();
        keys.remove();
        reading::end();
    });
    let waiting = headroom_web::drop::waiting();
    if !waiting.is_empty() {
        take_in::files(lab, waiting);
    }
    // Written more often than it changes: the panel is made anew only for another one.
    let tab = Memo::new(move |_| lab.tab.get());
    let panel = move || {
        let shown = tab.get();
        let word = Tab::ALL.iter().find(|(tab, _)| *tab == shown);
        format!("tab-{}", word.map_or("", |(_, word)| word))
    };
    view! {
        <main id="main" class="wrap lab">
            {head(lab)}
            {notices(lab)}
            {crate::program::panel(model)}
            <div class="bench">
                <div class="left">
                    {tabs(lab)}
                    <div role="tabpanel" id="lab-panel" aria-labelledby=sig(panel)>{part(move || match tab.get() {
                        Tab::Commands => editor::commands(lab),
                        Tab::Programs => programs::panel(lab),
                        Tab::Packets => packets::panel(lab),
                        Tab::Maps => maps::panel(lab),
                    })}</div>
                    {graph::picture(lab)}
                </div>
                <div class="right">
                    {part(move || problem(model))}
                    {part(move || result(model))}
                </div>
            </div>
        </main>
    }
    .into_any()
}

fn result(model: Model) -> AnyView {
    if model.designs.with(Vec::is_empty) {
        return ().into_any();
    }
    listing_follows(model);
    view! { <Verdicts model/><Stepper model/>{crate::take::step(model)} }.into_any()
}

fn head(lab: Lab) -> AnyView {
    let model = lab.model;
    view! {
        <div class="title">
            <div><h1>"Lab"</h1>{headroom_web::parts::chips::designs(model)}{progress::bar(lab)}{reading::bar(lab)}</div>
            <div class="tools" role="toolbar" aria-label="The work">
                <button class="tab" disabled=sig(move || !lab.can_undo()) on:click=move |_| lab.undo()>"Undo"</button>
                <button class="tab" disabled=sig(move || !lab.can_redo()) on:click=move |_| lab.redo()>"Redo"</button>
                {take_in::templates(lab)}
                <button class="tab" on:click=move |_| lab.share()>"Copy link"</button>
                <button class="tab" on:click=move |_| lab.save()>"Save file"</button>
                <label class="tab file">"Open file"<input type="file" class="sr" multiple on:change=move |event| take_in::chosen(lab, &event)/></label>
            </div>
        </div>
        {crate::policy::panel::panel(model, || {})}
    }
    .into_any()
}

fn notices(lab: Lab) -> AnyView {
    part(move || {
        let all = lab.notices.get();
        (!all.is_empty()).then(|| {
            let one = |text: &String| view! { <p>{ticks(text)}</p> };
            let read = move |_| lab.notices.update(Vec::clear);
            let (first, more) = all.split_at(all.len().min(MOST_NOTICES));
            let more = (!more.is_empty()).then(|| {
                view! { <details><summary>{more.len()}" more"</summary>{more.iter().map(one).collect_view()}</details> }
            });
            view! { <div class="notice" role="status"><div>{first.iter().map(one).collect_view()}{more}</div><button class="tab" on:click=read>"Dismiss"</button></div> }
        })
    })
}

fn tabs(lab: Lab) -> AnyView {
    let tab = move |tab: Tab, word: &'static str| {
        // the user's own; those of the project are there without a number
        let count = move || {
            let count = lab.work.with(|work| match tab {
                Tab::Commands => 0,
                Tab::Programs => work.programs.len(),
                Tab::Packets => work.packets.len(),
                Tab::Maps => crate::maps::changes(&work.commands).len(),
            });
            match count {
                0 => String::new(),
                count => format!(" {count}"),
            }
        };
        view! {
            <button role="tab" class="tab" aria-selected=sig(move || (lab.tab.get() == tab).to_string()) id=format!("tab-{word}")
                tabindex=sig(move || if lab.tab.get() == tab { "0" } else { "-1" }.to_owned()) aria-controls="lab-panel"
                on:click=move |_| lab.tab.set(tab)>{word}{sig(count)}</button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="What the work is made of" on:keydown=move |event| next_tab(lab, &event)>
            {Tab::ALL.map(|(one, word)| tab(one, word)).collect_view()}
        </div>
    }
    .into_any()
}

/// Arrows go from tab to tab, as everywhere; the row of tabs is one stop of the Tab key.
fn next_tab(lab: Lab, event: &web_sys::KeyboardEvent) {
    let all = Tab::ALL.map(|(tab, _)| tab);
    let at = all.iter().position(|tab| *tab == lab.tab.get_untracked());
    let last = all.len() - 1;
    let to = match (event.key().as_str(), at.unwrap_or(0)) {
        ("ArrowRight", at) => (at + 1) % all.len(),
        ("ArrowLeft", at) => at.checked_sub(1).unwrap_or(last),
        ("Home", _) => 0,
        ("End", _) => last,
        _ => return,
    };
    event.prevent_default();
    lab.tab.set(all[to]);
    let id = format!("tab-{}", Tab::ALL[to].1);
    if let Some(button) = document().get_element_by_id(&id) {
        let _ = button.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

fn problem(model: Model) -> AnyView {
    let Some(problem) = model.problem.get() else {
        return ().into_any();
    };
    let kept = (!model.designs.with(Vec::is_empty)).then(
        || view! { <span class="kept">"What is below is of the last input that worked."</span> },
    );
    view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b><strong>{problem.place()}</strong>{ticks(&problem.message)}" "{kept}</p> }.into_any()
}

/// Ctrl or Cmd with Z and Shift+Z, where no text field takes them.
fn undo_keys(lab: Lab, event: &web_sys::KeyboardEvent) {
    if !browser::is_undo(event) {
        return;
    }
    event.prevent_default();
    if event.shift_key() {
        lab.redo();
    } else {
        lab.undo();
    }
}

/// How the model of this page is kept.
pub(crate) const KIND: Kind = Kind::Picture;

/// A program of the reader's may have thousands of instructions: its listing beside the bytes scrolls in a box, which shows
/// the instruction where one is.
fn listing_follows(model: Model) {
    const SOON: Duration = Duration::from_millis(120);
    let shown = || {
        // Listings that were shown before stay in the document, out of sight.
        let line = document().query_selector(".right .code:not([style*=none]) .on");
        let line = line.ok()??.dyn_into::<HtmlElement>().ok()?;
        let list = line.closest(".code").ok()??;
        let (top, height) = (list.scroll_top(), list.client_height());
        list.set_scroll_top(in_sight(
            line.offset_top(),
            line.offset_height(),
            top,
            height,
        )?);
        Some(())
    };
    Effect::new(move |_| {
        model.at.track();
        model.frames.track();
        set_timeout(
            move || {
                shown();
            },
            SOON,
        );
    });
}
