//! An address that leads nowhere.

use leptos::prelude::*;

/// Says so, and where to go.
#[component]
pub fn Missing(what: String) -> impl IntoView {
    document().set_title("Not here · Headroom");
    crate::app::show();
    view! {
        <main id="main" class="wrap narrow">
            <h1>"Not here"</h1>
            <p>"There is no "<code>{what}</code>" on this site."</p>
            <p><a href="/s/seed">"The scenario of the seed mail"</a>" · "<a href="/spec">"The rules"</a></p>
        </main>
    }
}
