//! The points as a form.

use headroom_core::design::policy::{POINTS, Point, Value};
use headroom_web::parts::part;
use headroom_web::parts::prose::ticks;
use leptos::prelude::*;

use super::{value_of, with_value};

/// All points, close together; below them what one of them means: the one that a hand is on, else the first that is not
/// as in `usual` and so is marked. `set` gets the whole policy with one point changed.
pub fn points(
    policy: Signal<String>,
    usual: Signal<String>,
    set: impl Fn(String) + Copy + Send + Sync + 'static,
) -> AnyView {
    let hand = RwSignal::new(None::<&'static Point>);
    let field = |point: &'static Point| field(point, policy, usual, set, hand);
    let is_changed = move |point: &&Point| {
        let of = |text: Signal<String>| text.with(|text| value_of(text, point));
        of(policy) != of(usual)
    };
    let told = move || {
        let point = hand.get().or_else(|| POINTS.iter().find(is_changed));
        let point = point.or_else(|| POINTS.first())?;
        let value = policy.with(|policy| value_of(policy, point));
        Some(view! { <code>{point.name}={value}</code>" "{meaning(point, value)} })
    };
    view! {
        <div class="points">{POINTS.iter().map(field).collect_view()}</div>
        <p class="told-point" aria-hidden="true">{part(told)}</p>
    }
    .into_any()
}

/// What a point decides, and what one of its values does.
fn meaning(point: &'static Point, value: &str) -> AnyView {
    let known = point.values.iter().find(|known| known.word == value);
    let about = known.map_or("", |known| known.about.trim());
    view! { {ticks(point.about.trim())}" "<span>{ticks(about)}</span> }.into_any()
}

/// One point: its values as a list. What the chosen one means is there for a reader who hears the page, and on paper.
fn field(
    point: &'static Point,
    policy: Signal<String>,
    usual: Signal<String>,
    set: impl Fn(String) + Copy + Send + Sync + 'static,
    hand: RwSignal<Option<&'static Point>>,
) -> AnyView {
    let value = Memo::new(move |_| policy.with(|policy| value_of(policy, point)));
    let usual = Memo::new(move |_| usual.with(|usual| value_of(usual, point)));
    let here = move || hand.set(Some(point));
    let id = format!("point-{}", point.name);
    let picked = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        set(policy.with_untracked(|policy| with_value(policy, point.name, &word)));
    };
    let option = |known: &'static Value| {
        view! { <option value=known.word selected=move || value.get() == known.word>{known.word}</option> }
    };
    view! {
        <div class="point" class:changed=move || value.get() != usual.get() on:pointerenter=move |_| here() on:focusin=move |_| here()>
            <label><code>{point.name}</code>" "<select on:change=picked aria-describedby=id.clone()>{point.values.iter().map(option).collect_view()}</select></label>
            <p id=id>{part(move || meaning(point, value.get()))}</p>
        </div>
    }
    .into_any()
}
