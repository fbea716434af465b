//! The programs' maps: what they held when the run was over, and what is put into them before the first packet.
//! A change is a command among the others, so it is undone, shared and repeated as they are.

use headroom_core::bpf::{MapDef, MapKind, MapState};
use headroom_core::scenario::bpf_map::MapChange;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::state::Lab;
use crate::edit;
use crate::maps::{changes, number, read, spaced, with_change};

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
    let body = move || {
        let all = maps.get();
        if all.is_empty() {
            return view! { <p class="hint">"The programs of this work have no maps, or have not run yet."</p> }.into_any();
        }
        let one = |map: MapState| one(lab, map);
        all.into_iter().map(one).collect_view().into_any()
    };
    view! {
        <section class="maps" aria-label="Maps">
            {part(move || before(lab))}
            {part(body)}
        </section>
    }
    .into_any()
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
        <div class="scroll"><table class="map-table">
            <thead><tr><th scope="col">"map"</th><th scope="col">"key"</th><th scope="col">"value"</th><th></th></tr></thead>
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

fn one(lab: Lab, map: MapState) -> AnyView {
    let def = map.def;
    let about = format!(
        "{}, key {} bytes, value {} bytes, {} entries at most",
        def.kind.name(),
        def.key_size,
        def.value_size,
        def.max_entries
    );
    let programs = def.kind == MapKind::ProgArray;
    let count = map.entries.len();
    let row = |(key, value): (Vec<u8>, Vec<u8>)| {
        let value = if programs {
            String::from_utf8_lossy(&value).into_owned()
        } else {
            bytes(&value)
        };
        view! { <tr><td><code>{bytes(&key)}</code></td><td><code>{value}</code></td></tr> }
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
            <div class="scroll"><table class="map-table">
                <thead><tr><th scope="col">"key"</th><th scope="col">"value"</th></tr></thead><tbody>{rows}</tbody>
            </table></div>
        }
    });
    view! {
        <article class="program-file">
            <h3><b><code>{def.name.clone()}</code></b>" "<span class="hint">{about}</span></h3>
            <p class="hint">{said}</p>
            {table}{records}
            {takes_bytes(def.kind).then(|| form(lab, def))}
        </article>
    }
    .into_any()
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
fn form(lab: Lab, def: MapDef) -> AnyView {
    let queue = matches!(def.kind, MapKind::Queue | MapKind::Stack);
    let key = NodeRef::<leptos::html::Input>::new();
    let value = NodeRef::<leptos::html::Input>::new();
    let wrong = RwSignal::new(None::<String>);
    let text = |node: NodeRef<leptos::html::Input>| {
        node.get_untracked()
            .map(|node| node.value())
            .unwrap_or_default()
    };
    let name = def.name.clone();
    let put = move || -> Result<(), String> {
        let key = if queue {
            Vec::new()
        } else {
            read(&text(key), def.key_size).map_err(|what| format!("Key: {what}"))?
        };
        let value = read(&text(value), def.value_size).map_err(|what| format!("Value: {what}"))?;
        let change = MapChange {
            map: def.name.clone(),
            key,
            value: Some(value),
        };
        lab.change(None, |work| {
            work.commands = with_change(&work.commands, &change);
        });
        Ok(())
    };
    let press = move |_| wrong.set(put().err());
    let key_field = (!queue).then(|| {
        view! { <input type="text" node_ref=key class="name" placeholder="key: 0 or 00 00 00 00" aria-label=format!("Key for {name}")/> }
    });
    view! {
        <p class="attach map-form">{key_field}
            <input type="text" node_ref=value class="name" placeholder="value: 42 or 2a 00 00 00" aria-label=format!("Value for {name}")
                aria-invalid=sig(move || wrong.with(Option::is_some).to_string())/>
            <button class="tab" on:click=press>"Put in before the run"</button></p>
        {part(move || wrong.get().map(|what| view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{what}</p> }))}
    }
    .into_any()
}
