//! The programs' maps: what they held when the run was over, and what is put into them before the first packet.
//! A change is a command among the others, so it is undone, shared and repeated as they are.

use headroom_core::bpf::{Leaf, MapDef, MapKind, MapState, MapTypes, map_types};
use headroom_core::scenario::bpf_map::MapChange;
use headroom_core::share::{Program, ProgramText};
use headroom_web::data::files;
use headroom_web::parts::part;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::map_form::{Fields, is_typed};
use super::state::Lab;
use crate::edit;
use crate::maps::{changes, number, spaced, with_change};

/// More entries than that are counted, not shown.
const MOST: usize = 256;

/// The panel.
pub fn panel(lab: Lab) -> AnyView {
    let maps = Memo::new(move |_| {
        let design = lab.model.designs.with(|designs| designs.first().copied());
        let trace = design.and_then(|design| lab.model.trace(design));
        // Each object of a recording's programs brings the same map; equal ones are shown once.
        let mut all: Vec<MapState> = Vec::new();
        for map in trace.map(|trace| trace.maps.clone()).unwrap_or_default() {
            if !all.contains(&map) {
                all.push(map);
            }
        }
        all
    });
    let types = types_of(lab);
    let body = move || {
        let all = maps.get();
        if all.is_empty() {
            return view! { <p class="hint">"The programs of this work have no maps, or have not run yet."</p> }.into_any();
        }
        let known = types.get();
        let one = |map: MapState| {
            let types = known.iter().find(|types| types.map == map.def.name);
            one(lab, map, types.cloned())
        };
        all.into_iter().map(one).collect_view().into_any()
    };
    view! {
        <section class="maps" aria-label="Maps"><h2 class="sr">"Maps"</h2>
            {part(move || before(lab))}
            {part(body)}
        </section>
    }
    .into_any()
}

/// The types of all maps that the objects of the work and of its scenario have.
fn types_of(lab: Lab) -> RwSignal<Vec<MapTypes>> {
    let types = RwSignal::new(Vec::new());
    let own = Memo::new(move |_| {
        let object = |program: &Program| match &program.text {
            ProgramText::Object(bytes) => Some(bytes.clone()),
            ProgramText::Assembler(_) => None,
        };
        lab.work
            .with(|work| work.programs.iter().filter_map(object).collect::<Vec<_>>())
    });
    Effect::new(move |_| {
        let mut objects = own.get();
        let scenario = lab.model.scenario.get_value();
        spawn_local(async move {
            let others = files::objects(&scenario).await.unwrap_or_default();
            objects.extend(others.into_iter().map(|object| object.bytes));
            types.try_set(objects.iter().flat_map(|bytes| map_types(bytes)).collect());
        });
    });
    types
}

/// The changes that the commands make before the run.
fn before(lab: Lab) -> AnyView {
    let all = lab.work.with(|work| changes(&work.commands));
    if all.is_empty() {
        return ().into_any();
    }
    let row = |(line, change): (usize, MapChange)| {
        let remove = move |_| {
            lab.change(None, |work| {
                work.commands = edit::without(&work.commands, line);
            });
        };
        let value = change
            .value
            .as_deref()
            .map_or_else(|| "deleted".into(), bytes);
        view! {
            <tr><th scope="row"><code>{change.map}</code></th><td><code>{bytes(&change.key)}</code></td><td><code>{value}</code></td>
                <td><button class="tab" on:click=remove aria-label=format!("Remove the change of line {line}")>"Remove"</button></td></tr>
        }
    };
    view! {
        <h3><b>"Put in by commands"</b></h3>
        <div class="scroll"><table class="map-table" aria-label="Put in by commands">
            <thead><tr><th scope="col">"map"</th><th scope="col">"key"</th><th scope="col">"value"</th><td></td></tr></thead>
            <tbody>{all.into_iter().map(row).collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}

/// `2a 00 00 00 = 42`
fn bytes(bytes: &[u8]) -> String {
    match number(bytes) {
        Some(number) => format!("{} = {number}", spaced(bytes)),
        None => spaced(bytes),
    }
}

/// What the types say of bytes, number by number.
fn typed(bytes: &[u8], leaves: &[Leaf]) -> AnyView {
    let leaf = |leaf: &Leaf| {
        let text = leaf.text(bytes).unwrap_or_else(|| "–".into());
        view! { <span class="leaf" title=leaf.kind.clone()><b>{leaf.name.clone()}</b>" "<code>{text}</code></span> }
    };
    view! { <span class="leaves" title=spaced(bytes)>{leaves.iter().map(leaf).collect_view()}</span> }
        .into_any()
}

fn cell(of: &[u8], leaves: &[Leaf]) -> AnyView {
    if is_typed(leaves) {
        return typed(of, leaves);
    }
    view! { <code>{bytes(of)}</code> }.into_any()
}

fn one(lab: Lab, map: MapState, types: Option<MapTypes>) -> AnyView {
    let def = map.def;
    let (keys, values) = types.map_or_else(Default::default, |types| (types.key, types.value));
    let key = Fields::new(&keys, def.key_size);
    let value = Fields::new(&values, def.value_size);
    let takes = takes_bytes(def.kind);
    let about = about(&def);
    let programs = def.kind == MapKind::ProgArray;
    let count = map.entries.len();
    let row = |(of, held): (Vec<u8>, Vec<u8>)| {
        let shown = if programs {
            view! { <code>{String::from_utf8_lossy(&held).into_owned()}</code> }.into_any()
        } else {
            cell(&held, &values)
        };
        let keyed = cell(&of, &keys);
        let (key, value) = (key.clone(), value.clone());
        let label = format!("Change the entry of {}", spaced(&of));
        let change = takes.then(|| {
            let fill = move |_| {
                key.fill(of.clone());
                value.fill(held.clone());
            };
            view! { <button class="tab" aria-label=label on:click=fill>"Change"</button> }
        });
        view! { <tr><td>{keyed}</td><td>{shown}</td><td>{change}</td></tr> }
    };
    let rows = map.entries.into_iter().take(MOST).map(row).collect_view();
    let array = matches!(
        def.kind,
        MapKind::Array | MapKind::PercpuArray | MapKind::Data { .. }
    );
    let said = match count {
        0 if array => "All values were zero when the run was over.".to_owned(),
        0 => "It was empty when the run was over.".to_owned(),
        _ if count > MOST => format!("The first {MOST} of {count} entries:"),
        _ if array => "When the run was over, values that are not zero:".to_owned(),
        _ => "When the run was over:".to_owned(),
    };
    let records = map.records.len();
    let records = (records > 0).then(|| {
        let shown = map.records.iter().take(MOST).map(|record| view! { <li><code>{spaced(record)}</code></li> });
        view! { <details><summary>{format!("{records} records sent")}</summary><ol class="records">{shown.collect_view()}</ol></details> }
    });
    let table = (count > 0).then(|| {
        view! {
            <div class="scroll"><table class="map-table" aria-label=format!("Entries of {}", def.name)>
                <thead><tr><th scope="col">"key"</th><th scope="col">"value"</th><td></td></tr></thead><tbody>{rows}</tbody>
            </table></div>
        }
    });
    view! {
        <article class="program-file">
            <h3><b><code>{def.name.clone()}</code></b>" "<span class="hint">{about}</span></h3>
            <p class="hint">{said}</p>
            {table}{records}
            {takes.then(|| form(lab, def, key, value))}
        </article>
    }
    .into_any()
}

/// `array, key 4 bytes, value 8 bytes, 16 entries at most`
fn about(def: &MapDef) -> String {
    let (kind, most) = (def.kind.name(), def.max_entries);
    if def.kind == MapKind::Ringbuf {
        return format!("{kind}, {most} bytes");
    }
    let entries = if most == 1 {
        "one entry".to_owned()
    } else {
        format!("{most} entries at most")
    };
    let (key, value) = (def.key_size, def.value_size);
    format!("{kind}, key {key} bytes, value {value} bytes, {entries}")
}

/// `bpftool map update` can put bytes into it.
fn takes_bytes(kind: MapKind) -> bool {
    matches!(
        kind,
        MapKind::Hash
            | MapKind::Array
            | MapKind::LruHash
            | MapKind::LpmTrie
            | MapKind::Queue
            | MapKind::Stack
            | MapKind::Devmap
            | MapKind::DevmapHash
            | MapKind::Data { read_only: false }
    )
}

/// Key and value of a change, checked when it is made.
fn form(lab: Lab, def: MapDef, key: Fields, value: Fields) -> AnyView {
    let queue = matches!(def.kind, MapKind::Queue | MapKind::Stack);
    let wrong = RwSignal::new(None::<String>);
    let key_view = (!queue).then(|| key.view("Key", &def.name, wrong));
    let value_view = value.view("Value", &def.name, wrong);
    let name = def.name;
    let put = move || -> Result<(), String> {
        let key = if queue {
            Vec::new()
        } else {
            key.read().map_err(|what| format!("Key: {what}"))?
        };
        let value = value.read().map_err(|what| format!("Value: {what}"))?;
        let change = MapChange {
            map: name.clone(),
            key,
            value: Some(value),
        };
        lab.change(None, |work| {
            work.commands = with_change(&work.commands, &change);
        });
        Ok(())
    };
    let press = move |_| wrong.set(put().err());
    view! {
        <div class="attach map-form">{key_view}{value_view}
            <button class="tab" on:click=press>"Put in before the run"</button></div>
        {part(move || wrong.get().map(|what| view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{what}</p> }))}
    }
    .into_any()
}
