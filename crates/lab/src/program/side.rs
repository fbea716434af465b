//! What the instruction left: registers, stack, packet, maps, and the instructions around it.

use std::collections::HashMap;
use std::sync::Arc;

use headroom_protocol::program::{Area, MapView, Moment, Way};
use headroom_web::parts::{part, sig};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::pane::Pane;
use super::rows::{self, Form};

/// A part of the moment; what is equal to what was drawn before is not drawn again.
fn of<T: PartialEq + Clone + Default + Send + Sync + 'static>(
    pane: Pane,
    take: impl Fn(&Moment) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| {
        pane.moment
            .with(|m| m.as_ref().map(|m| take(m)).unwrap_or_default())
    })
}

/// r0 to r10: what each is, and which the instruction changed.
pub fn registers(pane: Pane) -> AnyView {
    let file = of(pane, |m| (m.registers.clone(), m.changed.clone()));
    let one = move |index: usize| {
        let number = u8::try_from(index).unwrap_or(u8::MAX);
        let changed = move || file.with(|(_, changed)| changed.contains(&number));
        let text = move || {
            file.with(|(all, _)| all.get(index).map(|v| v.text.clone()).unwrap_or_default())
        };
        let kind = move || {
            file.with(|(all, _)| all.get(index).map(|v| v.kind.clone()).unwrap_or_default())
        };
        let hex = move || {
            file.with(|(all, _)| {
                all.get(index)
                    .map(|v| format!("{:#018x}", v.number))
                    .unwrap_or_default()
            })
        };
        view! {
            <div class:changed=sig(changed)><dt><button title="what made its value" aria-pressed=sig(move || (pane.of.get() == Some(number)).to_string())
                on:click=move |_| pane.trace_back(number)>{format!("r{index}")}</button><span class="sr">{sig(move || if changed() { " changed" } else { "" })}</span></dt>
                <dd title=sig(hex) class=sig(move || format!("k-{}", kind()))>{sig(text)}</dd></div>
        }
    };
    view! { <h3><b>"Registers"</b>" after the instruction"</h3><dl class="regs p-regs">{(0..11).map(one).collect_view()}</dl>
        <p class="hint p-chain" role="status">{sig(move || chained(pane))}</p> }.into_any()
}

/// What made a register's value, in a sentence.
fn chained(pane: Pane) -> String {
    const MOST: usize = 12;
    let Some((of, made)) = pane.of.get().zip(pane.made()) else {
        return "A register's name leaves what made its value.".into();
    };
    let mut insns: Vec<usize> = made.iter().map(|(_, insn)| *insn as usize).collect();
    insns.sort_unstable();
    insns.dedup();
    let Some(judged) = pane.judged().filter(|_| !insns.is_empty()) else {
        return format!("Nothing in this run made what r{of} holds. The name again ends this.");
    };
    let number = |insn: &usize| rows::insn(&judged, *insn, Form::AsRun).0;
    let mut numbers: Vec<String> = insns.iter().take(MOST).map(number).collect();
    numbers.dedup();
    let more = match insns.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let plural = if insns.len() == 1 { "" } else { "s" };
    format!(
        "r{of} was made by instruction{plural} {}{more}; the others are grey. The name again ends this.",
        numbers.join(", ")
    )
}

/// The frame's written slots.
pub fn stack(pane: Pane) -> AnyView {
    let slots = of(pane, |m| (m.stack.clone(), m.callers.clone()));
    let draw = move || {
        let (slots, callers) = slots.get();
        let depth = callers.len();
        let whose = match depth {
            0 => "of the program".to_owned(),
            n => format!(
                "of the function {n} calls deep, called at {}",
                callers.last().copied().unwrap_or(0)
            ),
        };
        let row = |slot: headroom_protocol::program::Slot| {
            let bytes: Vec<String> = slot
                .bytes
                .iter()
                .map(|b| b.map_or("··".into(), |b| format!("{b:02x}")))
                .collect();
            view! { <tr class:now=slot.now><th scope="row">{format!("fp {:+}", slot.off)}</th><td><code>{bytes.join(" ")}</code></td><td class="what">{slot.what}</td></tr> }
        };
        let body = match slots.is_empty() {
            true => view! { <p class="hint">"Nothing is written there."</p> }.into_any(),
            false => view! { <table class="p-table" aria-label="Stack, offsets from r10"><tbody>{slots.into_iter().map(row).collect_view()}</tbody></table> }.into_any(),
        };
        view! { <h3><b>"Stack"</b>" "{whose}</h3>{body} }
    };
    part(draw)
}

/// The packet around what was touched.
pub fn packet(pane: Pane) -> AnyView {
    let rows = of(pane, |m| (m.packet.clone(), m.marks.clone()));
    let draw = move || {
        let (rows, marks) = rows.get();
        if rows.is_empty() {
            return view! { <h3><b>"Packet"</b></h3><p class="hint">"There is none any more."</p> }
                .into_any();
        }
        let mut places: Vec<(u32, Vec<String>)> = Vec::new();
        for (at, what) in marks {
            match places.iter_mut().find(|(known, _)| *known == at) {
                Some((_, all)) => all.push(what),
                None => places.push((at, vec![what])),
            }
        }
        places.sort_by_key(|(at, _)| *at);
        let pointed: Vec<u32> = places.iter().map(|(at, _)| *at).collect();
        let row = |row: headroom_protocol::program::Row| {
            let start = row.start;
            let cell = |(at, cell): (u32, &headroom_protocol::program::Cell)| {
                let area = match cell.place {
                    Area::Outside => "out",
                    Area::Metadata => "meta",
                    Area::Packet => "pkt",
                };
                let touched = ["", "rd", "w"]
                    .get(usize::from(cell.touched))
                    .copied()
                    .unwrap_or("");
                let point = if pointed.contains(&at) { "pt" } else { "" };
                view! { <td class=format!("{area} {touched} {point}")>{format!("{:02x}", cell.byte)}</td> }
            };
            let cells = (start..).zip(&row.cells).map(cell).collect_view();
            view! { <tr><th scope="row">{start}</th>{cells}</tr> }
        };
        let place = |(at, all): (u32, Vec<String>)| view! { <li><b>{at}</b>" "<code>{all.join(", ")}</code></li> };
        view! {
            <h3><b>"Packet"</b>" offsets from head"</h3>
            <div class="scroll" tabindex="0" role="region" aria-label="Packet bytes"><table class="p-bytes" aria-label="Packet, offsets from head"><tbody>{rows.into_iter().map(row).collect_view()}</tbody></table></div>
            <ul class="p-marks">{places.into_iter().map(place).collect_view()}</ul>
            <p class="p-key"><span class="meta">"metadata"</span><span class="pkt">"packet"</span><span class="rd">"read"</span><span class="w">"written"</span></p>
        }
        .into_any()
    };
    part(draw)
}

/// How far each map's entries are scrolled, by the map's name.
type Places = StoredValue<HashMap<String, i32>>;

/// The maps of the program's object.
pub fn maps(pane: Pane) -> AnyView {
    let places = Places::new(HashMap::new());
    let maps = of(pane, |m| m.maps.clone());
    let draw = move || {
        let all = maps.get();
        if all.is_empty() {
            return ().into_any();
        }
        let one = |map: MapView| {
            let changed = map.entries.iter().any(|(.., now)| *now);
            let row = |(key, value, now): (String, String, bool)| {
                view! { <tr class:now=now><th scope="row"><code>{key}</code></th><td><code>{value}</code></td></tr> }
            };
            let more = (map.more > 0)
                .then(|| view! { <p class="hint">{format!("and {} more", map.more)}</p> });
            let body = match map.entries.is_empty() {
                true => view! { <span class="hint">" is empty"</span> }.into_any(),
                false => {
                    let table = view! { <table class="p-table" aria-label=format!("Entries of {}", map.name)>{map.entries.into_iter().map(row).collect_view()}</table> };
                    view! { {held(places, &map.name, table.into_any())}{more} }.into_any()
                }
            };
            view! { <div class="p-map" class:now=changed><p><code>{map.name}</code>" "<span class="hint">{map.kind}</span></p>{body}</div> }
        };
        view! { <h3><b>"Maps"</b>" key, value; arrays without their zeros"</h3>{all.into_iter().map(one).collect_view()} }.into_any()
    };
    part(draw)
}

/// A map's entries, of which there may be many: they scroll in a box of their own, which shows what the instruction
/// changed and else stays where the reader left it.
fn held(places: Places, name: &str, table: AnyView) -> AnyView {
    let node = NodeRef::<html::Div>::new();
    let known = name.to_owned();
    Effect::new(move |_| {
        let Some(list) = node.get() else { return };
        let left = places.with_value(|left| left.get(&known).copied());
        request_animation_frame(move || {
            let changed = list.query_selector("tr.now").ok().flatten();
            let row = changed.and_then(|row| row.dyn_into::<HtmlElement>().ok());
            let shown = row.and_then(|row| {
                let from = left.unwrap_or_default();
                rows::in_sight(
                    row.offset_top(),
                    row.offset_height(),
                    from,
                    list.client_height(),
                )
            });
            list.set_scroll_top(shown.or(left).unwrap_or_default());
        });
    });
    let key = name.to_owned();
    let scrolled = move |_| {
        if let Some(list) = node.get_untracked() {
            let top = list.scroll_top();
            places.update_value(|left| {
                left.insert(key.clone(), top);
            });
        }
    };
    view! {
        <div class="p-entries" tabindex="0" role="region" aria-label=format!("Entries of {name}") node_ref=node on:scroll=scrolled>{table}</div>
    }
    .into_any()
}

/// The instructions carried out around this one.
pub fn around(pane: Pane) -> AnyView {
    let shown = of(pane, |m| (m.at, m.around.clone()));
    let draw = move || {
        let (now, around) = shown.get();
        let made = pane.made();
        let study = pane.judged().map(Arc::new);
        let row = |(at, insn, did): (u32, u32, String)| {
            let text = study
                .as_ref()
                .and_then(|j| j.listing.lines.get(insn as usize))
                .map(|l| l.text.clone());
            let current = (at == now).then_some("step");
            view! {
                <li class:on=at == now class:dim=made.as_ref().is_some_and(|made| made.iter().all(|(known, _)| *known != at)) aria-current=current><button on:click=move |_| pane.go(Way::To(at))>
                    <span class="ln">{at}</span><code>{text}</code><span class="nt">{did}</span></button></li>
            }
        };
        view! { <h3><b>"Carried out"</b>" around this one"</h3><ol class="p-around" start="0">{around.into_iter().map(row).collect_view()}</ol> }
    };
    part(draw)
}
