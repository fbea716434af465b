//! The two lists: C with its lines, and BPF. Only the rows in sight are in the document, so a program of a
//! million lines scrolls as one of ten.

use std::collections::BTreeSet;

use headroom_protocol::program::Judged;
use headroom_web::parts::{part, sig};
use leptos::html;
use leptos::prelude::*;

use super::meaning;
use super::pane::Pane;
use super::rows::{self, Form, Row};

/// Height of a row, in pixels: `.p-row` in lab.css.
const ROW: i32 = 22;

/// What differs between the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// C.
    C,
    /// BPF.
    Bpf,
}

/// A list.
pub fn list(pane: Pane, side: Side) -> AnyView {
    let judged = Memo::new(move |_| pane.judged());
    let rows = Memo::new(move |_| {
        let form = pane.form.get();
        judged.with(|judged| match (judged, side) {
            (Some(judged), Side::C) => rows::c(judged),
            (Some(judged), Side::Bpf) => rows::bpf(judged, form),
            (None, _) => Vec::new(),
        })
    });
    let now = Memo::new(move |_| current(pane, side, judged, rows));
    let next = Memo::new(move |_| following(pane, side, judged, rows));
    let chosen = RwSignal::new(None::<usize>);
    let made = Memo::new(move |_| made(pane));
    let lit = Memo::new(move |_| pane.pointed.with(|pointed| pointed.as_ref()?.1));
    let (top, height) = (RwSignal::new(0), RwSignal::new(440));
    let node = NodeRef::<html::Div>::new();
    let seen = Memo::new(move |_| {
        rows.with(|rows| rows::window(rows.len(), top.get(), height.get(), ROW))
    });
    let show = move |index: usize| {
        if let Some(list) = node.get_untracked() {
            let (top, height) = (list.scroll_top(), list.client_height());
            if let Some(to) = rows::scroll_to(index, top, height, ROW) {
                list.set_scroll_top(to);
            }
        }
    };
    Effect::new(move |_| {
        if let Some(index) = now.get() {
            show(index);
            chosen.set(None);
        }
    });
    let scrolled = move |_| {
        if let Some(list) = node.get_untracked() {
            top.set(list.scroll_top());
            height.set(list.client_height());
        }
    };
    let act = move |index: usize, stop: bool| {
        if let Some(row) = rows.with_untracked(|rows| rows.get(index).cloned()) {
            if stop {
                pane.toggle_stop(&row)
            } else {
                pane.run_to(&row)
            }
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| {
        let count = rows.with_untracked(Vec::len);
        let at = chosen.get_untracked().or(now.get_untracked()).unwrap_or(0);
        let to = match event.key().as_str() {
            "ArrowDown" => Some((at + 1).min(count.saturating_sub(1))),
            "ArrowUp" => Some(at.saturating_sub(1)),
            "Enter" => {
                act(at, false);
                None
            }
            " " => {
                act(at, true);
                None
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if let Some(to) = to {
            chosen.set(Some(to));
            show(to);
            pane.point(rows.with_untracked(|rows| rows.get(to).cloned()));
        }
    };
    let (word, id) = match side {
        Side::C => ("C source", "p-c"),
        Side::Bpf => ("BPF instructions", "p-bpf"),
    };
    let active = move || {
        chosen
            .get()
            .or(now.get())
            .map(|index| format!("{id}-{index}"))
    };
    // With their words: another program's instruction of the same number is another row.
    let each = move || {
        let (first, last) = seen.get();
        let form = pane.form.get();
        rows.with(|rows| {
            let rows = rows.get(first..last).unwrap_or_default();
            judged.with(|judged| {
                rows.iter()
                    .enumerate()
                    .map(|(at, row)| (first + at, row.clone(), words(judged.as_ref(), row, form)))
                    .collect::<Vec<_>>()
            })
        })
    };
    let one = move |(index, row, (number, text, note)): (usize, Row, Words)| {
        let key = row.clone();
        let stop = Memo::new(move |_| pane.has_stop(&key));
        let on = move || now.get() == Some(index);
        let picked = move || chosen.get() == Some(index);
        let leads = move || next.get() == Some(index);
        let line = judged.with_untracked(|judged| rows::line_of(judged.as_ref(), &row));
        let kin = move || line.is_some() && lit.get() == line;
        let pointed = row.clone();
        let written = judged.with_untracked(|judged| written(judged.as_ref(), &row));
        let own = row.clone();
        let part = Memo::new(move |_| made.with(|made| Some(made.as_ref()?.has(&own, written))));
        let kind = match &row {
            Row::C(.., true) => "c apart",
            Row::C(..) => "c",
            Row::Insn(_) => "insn",
            Row::Says(true, _) => "refused",
            Row::Says(false, _) => "warned",
        };
        let prologue = number.starts_with('p');
        let rewritten = note.contains("rewritten");
        let title = match &row {
            Row::Says(_, text) => Some(text.clone()),
            _ => None,
        };
        let can = matches!(row, Row::C(..) | Row::Insn(_));
        let label = if can { number.clone() } else { String::new() };
        let spoken = move || if stop.get() { "stop set, " } else { "" };
        view! {
            <div class=format!("p-row {kind}") role="option" id=format!("{id}-{index}") aria-selected=sig(move || on().to_string())
                class:on=sig(on) class:picked=sig(picked) class:leads=sig(leads) class:kin=sig(kin) class:made=sig(move || part.get() == Some(true)) class:dim=sig(move || part.get() == Some(false)) class:pro=prologue class:rew=rewritten class:stop=sig(move || stop.get())
                style:top=format!("{}px", index as i32 * ROW) title=title on:click=move |_| if can { act(index, false) }
                on:pointerenter=move |_| pane.point(can.then(|| pointed.clone()))>
                <span class="p-dot" aria-hidden="true" title=can.then_some("Stop here") on:click=move |event| { event.stop_propagation(); if can { act(index, true) } }></span>
                <span class="ln">{label}</span><span class="sr">{sig(spoken)}</span><code>{text}</code><span class="nt">{note}</span>
            </div>
        }
    };
    let tall = move || format!("{}px", rows.with(Vec::len) as i32 * ROW);
    let empty = move || {
        rows.with(Vec::is_empty).then_some(match side {
            Side::C => "The object has no line information: compile it with -g to see its source.",
            Side::Bpf => "There are no instructions.",
        })
    };
    view! {
        {part(move || empty().map(|text| view! { <p class="hint">{text}</p> }))}
        <div class="p-list" node_ref=node tabindex="0" role="listbox" aria-label=word aria-activedescendant=sig(active)
            aria-describedby="p-hint" class:none=sig(move || rows.with(Vec::is_empty)) on:scroll=scrolled on:keydown=keys
            on:pointerleave=move |_| pane.point(None) on:blur=move |_| pane.point(None)>
            <div class="p-tall" role="presentation" style:height=sig(tall)>
                <For each=each key=Clone::clone children=one/>
            </div>
        </div>
    }
    .into_any()
}

/// Number, text, note.
type Words = (String, String, String);

fn words(judged: Option<&Judged>, row: &Row, form: Form) -> Words {
    match row {
        Row::C(line, text, _) => (line.to_string(), text.clone(), String::new()),
        Row::Says(true, text) => (String::new(), format!("✗ {text}"), String::new()),
        Row::Says(false, text) => (
            String::new(),
            format!("⚠ Linux may refuse this: {text}"),
            String::new(),
        ),
        Row::Insn(index) => judged
            .map(|judged| rows::insn(judged, *index, form))
            .unwrap_or_default(),
    }
}

/// What made a register's value, as rows: instructions and lines of C.
#[derive(Clone, PartialEq, Default)]
struct Made {
    insns: BTreeSet<usize>,
    /// The same as written: a rewritten load has several lines of the listing.
    written: BTreeSet<usize>,
    lines: BTreeSet<u32>,
}

impl Made {
    fn has(&self, row: &Row, written: Option<usize>) -> bool {
        match row {
            Row::C(line, ..) => self.lines.contains(line),
            Row::Insn(index) => {
                self.insns.contains(index) || written.is_some_and(|n| self.written.contains(&n))
            }
            Row::Says(..) => true,
        }
    }
}

fn made(pane: Pane) -> Option<Made> {
    let chain = pane.made()?;
    let judged = pane.judged()?;
    let mut out = Made::default();
    for (_, insn) in chain {
        let index = insn as usize;
        let line = judged.listing.lines.get(index)?;
        out.insns.insert(index);
        out.written.extend(line.written);
        out.lines.extend(line.c_line);
    }
    Some(out)
}

/// The instruction as written that a row stands for.
fn written(judged: Option<&Judged>, row: &Row) -> Option<usize> {
    match row {
        Row::Insn(index) => judged?.listing.lines.get(*index)?.written,
        _ => None,
    }
}

/// What the row that one points at means; without one, the instruction that was carried out.
pub fn means(pane: Pane) -> String {
    let Some(judged) = pane.judged() else {
        return String::new();
    };
    let form = pane.form.get();
    let pointed = pane.pointed.get().map(|(row, _)| row);
    let row = pointed.or_else(|| {
        let insn = pane.moment.with(|m| m.as_ref().map(|m| m.insn as usize))?;
        Some(Row::Insn(insn))
    });
    match row {
        Some(Row::Insn(index)) => {
            let (number, text, _) = rows::insn(&judged, index, form);
            let means = meaning::of(&text);
            let says = |means: String| format!("{number}: {means}");
            Some(means)
                .filter(|means| !means.is_empty())
                .map_or_else(String::new, says)
        }
        Some(Row::C(line, ..)) => rows::instructions(&judged, line),
        _ => String::new(),
    }
}

/// The row of the instruction that was carried out.
fn current(
    pane: Pane,
    side: Side,
    judged: Memo<Option<Judged>>,
    rows: Memo<Vec<Row>>,
) -> Option<usize> {
    let (insn, line) = pane
        .moment
        .with(|m| m.as_ref().map(|m| (m.insn as usize, m.c_line)))?;
    place(side, judged, rows, insn, line)
}

/// The row of the one that comes next.
fn following(
    pane: Pane,
    side: Side,
    judged: Memo<Option<Judged>>,
    rows: Memo<Vec<Row>>,
) -> Option<usize> {
    let insn = pane.moment.with(|m| {
        let m = m.as_ref()?;
        let next = m.around.iter().find(|(at, ..)| *at == m.at + 1)?;
        Some(next.1 as usize)
    })?;
    if side == Side::C {
        return None;
    }
    place(side, judged, rows, insn, None)
}

fn place(
    side: Side,
    judged: Memo<Option<Judged>>,
    rows: Memo<Vec<Row>>,
    insn: usize,
    line: Option<u32>,
) -> Option<usize> {
    rows.with(|rows| match side {
        Side::C => rows
            .iter()
            .position(|row| matches!(row, Row::C(at, ..) if Some(*at) == line)),
        Side::Bpf => judged.with(|judged| rows::row_of(judged.as_ref()?, rows, insn)),
    })
}
