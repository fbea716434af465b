//! The points as a form.

use headroom_core::design::policy::{POINTS, Point, Value};
use headroom_web::parts::part;
use headroom_web::parts::prose::ticks;
use leptos::prelude::*;

use super::{value_of, with_value};

/// All points; one that is not as in `usual` is marked. `set` gets the whole policy with one point changed.
pub fn points(
    policy: Signal<String>,
    usual: Signal<String>,
    set: impl Fn(String) + Copy + Send + Sync + 'static,
) -> AnyView {
    let field = |point: &'static Point| field(point, policy, usual, set);
    view! { <div class="points">{POINTS.iter().map(field).collect_view()}</div> }.into_any()
}

/// One point: its values as a list, what the chosen one means below.
fn field(
    point: &'static Point,
    policy: Signal<String>,
    usual: Signal<String>,
    set: impl Fn(String) + Copy + Send + Sync + 'static,
) -> AnyView {
    let value = Memo::new(move |_| policy.with(|policy| value_of(policy, point)));
    let usual = Memo::new(move |_| usual.with(|usual| value_of(usual, point)));
    let about = move || {
        let word = value.get();
        let known = point.values.iter().find(|value| value.word == word);
        known.map_or("", |value| value.about.trim()).to_owned()
    };
    let picked = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        set(policy.with_untracked(|policy| with_value(policy, point.name, &word)));
    };
    let option = |known: &'static Value| {
        view! { <option value=known.word selected=move || value.get() == known.word>{known.word}</option> }
    };
    view! {
        <div class="point" class:changed=move || value.get() != usual.get()>
            <label><code>{point.name}</code>" "<select on:change=picked>{point.values.iter().map(option).collect_view()}</select></label>
            <p>{ticks(point.about.trim())}" "<span>{part(move || ticks(&about()))}</span></p>
        </div>
    }
    .into_any()
}
