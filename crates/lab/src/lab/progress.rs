//! How far a run or a reading is. Most take less time than it takes to see that; a bar comes after a tenth of a second.

use std::time::Duration;

use headroom_web::parts::part;
use leptos::prelude::*;

use super::state::{Lab, later, never};

/// Runs that end before are not spoken of.
const AFTER: Duration = Duration::from_millis(100);

/// Whether something goes on for a tenth of a second already.
pub fn lasts(busy: impl Fn() -> bool + 'static) -> RwSignal<bool> {
    let long = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        let busy = busy();
        never(timer);
        long.set(false);
        if busy {
            later(timer, AFTER, move || {
                long.try_set(true);
            });
        }
    });
    long
}

/// The bar, its words and the button that ends the run; empty when nothing takes long.
pub fn bar(lab: Lab) -> AnyView {
    let model = lab.model;
    let long = lasts(move || model.busy.get());
    let stop = move |_| {
        lab.cancel();
        model
            .spoken
            .set("Stopped. What is shown is of the last input that was run.".into());
        lab.stopped.set(true);
    };
    part(move || {
        if !long.get() {
            let words = if lab.stopped.get() {
                "Stopped: what is shown is of the last input that was run to its end."
            } else {
                ""
            };
            return view! { <p class="busy" role="status">{words}</p> }.into_any();
        }
        let (done, all) = model.progress.get();
        // One design of one is no way to measure: the bar moves by itself then.
        let value = (all > 1).then(|| done.to_string());
        let words = if all > 1 {
            format!("Simulating: {done} of {all} designs ")
        } else {
            "Simulating ".to_owned()
        };
        view! {
            <p class="busy" role="status"><progress max=all.max(1).to_string() value=value aria-label="Designs that are simulated"></progress>
                " "{words}<button class="tab" on:click=stop>"Stop"</button></p>
        }
        .into_any()
    })
}
