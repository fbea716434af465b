//! The bar at the top of every page.

use leptos::prelude::*;

use super::palette::Palette;
use super::sig;
use crate::address::Address;
use crate::app::Location;
use crate::theme::Theme;

/// Name, pages, theme.
#[component]
pub fn Header() -> impl IntoView {
    let location = expect_context::<Location>();
    let at_scenario = move || {
        location
            .0
            .with(|(address, _)| matches!(address, Address::Scenario(_) | Address::Scenarios(_)))
    };
    let at_spec = move || {
        location
            .0
            .with(|(address, _)| matches!(address, Address::Spec(_)))
    };
    let at = move |is: fn(&Address) -> bool| location.0.with(|(address, _)| is(address));
    let at_compare = move || at(|address| matches!(address, Address::Compare(_)));
    let at_matrix =
        move || at(|address| matches!(address, Address::Matrix(_) | Address::Designs(_)));
    let at_lab = move || at(|address| matches!(address, Address::Lab(_) | Address::Open));
    let current = |on: bool| on.then_some("page");
    let palette = NodeRef::<leptos::html::Dialog>::new();
    let asked = RwSignal::new(0u32);
    let find = move |_| asked.update(|asked| *asked += 1);
    let theme = RwSignal::new(Theme::stored());
    let turn = move |_| {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().apply();
    };
    view! {
        <header class="top">
            <div class="wrap">
                <a class="skip" href="#main">"To the content"</a>
                <a class="logo" href="/">
                    <svg width="28" height="14" viewBox="0 0 28 14" aria-hidden="true">
                        <rect class="f-headroom" width="7" height="14"/>
                        <rect class="f-metadata" x="7" width="7" height="14"/>
                        <rect class="f-ethernet" x="14" width="7" height="14"/>
                        <rect class="f-ipv4" x="21" width="7" height="14"/>
                    </svg>
                    "Headroom"
                </a>
                <nav aria-label="Pages">
                    <a href="/s" aria-current=sig(move || current(at_scenario()))>"Scenarios"</a>
                    <a href="/compare" aria-current=sig(move || current(at_compare()))>"Compare"</a>
                    <a href="/matrix" aria-current=sig(move || current(at_matrix()))>"Matrix"</a>
                    <a href="/lab" aria-current=sig(move || current(at_lab()))>"Lab"</a>
                    <a href="/spec" aria-current=sig(move || current(at_spec()))>"Spec"</a>
                </nav>
                <button class="quiet find" on:click=find title="Go to a page or scenario"><span class="wide">"Find "</span><kbd>"⌘K"</kbd></button>
                <button class="quiet" on:click=turn title="Colours: as the system says, light, dark">
                    <span class="wide">"Theme: "</span>{move || theme.get().word()}
                </button>
            </div>
            <Palette dialog=palette asked/>
        </header>
    }
}
