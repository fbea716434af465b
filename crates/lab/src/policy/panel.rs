//! The form beside a stepper: what the column `custom` is made of. It is there while that column is shown.

use headroom_core::design::DesignName;
use headroom_core::design::policy::Policy;
use headroom_protocol::sentence;
use headroom_web::address::{Place, encode};
use headroom_web::designs::CUSTOM;
use headroom_web::model::Model;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::{nearest, of_design, view};

/// The panel. `changed` is told when the policy of the place has become another one.
pub fn panel(model: Model, changed: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let shown = Memo::new(move |_| model.place.with(|place| place.designs.contains(&CUSTOM)));
    part(move || shown.get().then(|| form(model, changed)))
}

fn form(model: Model, changed: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let ran = Memo::new(move |_| model.place.with(|place| place.policy.clone()));
    // As it is in the form: it may contradict itself, and then the column stays as it was.
    let draft = RwSignal::new(ran.get_untracked());
    let base = RwSignal::new(nearest(&ran.get_untracked()));
    Effect::new(move |_| draft.set(ran.get()));
    let wrong = Memo::new(move |_| {
        let error = draft.with(|draft| Policy::parse(draft)).err();
        error.map(|error| sentence(&error.to_string()))
    });
    let set = move |policy: String| {
        let fine = Policy::parse(&policy).is_ok();
        draft.set(policy.clone());
        if fine && policy != ran.get_untracked() {
            let place = model.place.get_untracked();
            model.follow(Place { policy, ..place });
            changed();
        }
    };
    let option = move |design: DesignName| {
        let (name, title) = (design.as_str(), design.title());
        view! { <option value=name selected=move || base.get() == design>{name}" · "{title}</option> }
    };
    let picked = move |event: web_sys::Event| {
        if let Some(design) = DesignName::parse(&event_target_value(&event)) {
            base.set(design);
            set(design.policy().to_string());
        }
    };
    let usual = sig(move || of_design(base.get().as_str()));
    let matrix = move || {
        let (policy, base) = (ran.get(), base.get());
        format!("/matrix?policy={}&base={}", encode(&policy), base.as_str())
    };
    let about = move || match draft.with(|draft| draft.replace(',', ", ")) {
        text if text.is_empty() => "as Linux 7.2 in every point".to_owned(),
        text => text,
    };
    view! {
        <details class="workshop own-design" open>
            <summary><b>"Policy of "<code>"custom"</code></b>" "<span class="hint">{sig(about)}</span></summary>
            <div class="workshop-head">
                <label>"Made from "<select on:change=picked>{DesignName::EVERY.map(option).collect_view()}</select></label>
                <a href=sig(matrix)>"In the matrix"</a>
            </div>
            {view::points(draft.into(), usual, set)}
            {part(move || wrong.get().map(|text| view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{text}" What is shown is of the last policy that held together."</p> }))}
        </details>
    }
    .into_any()
}
