//! For views of Leptos, which the lab's module draws with: what changes in them, with code that all of one
//! type share; and our parts as views.

use std::sync::Arc;

use leptos::prelude::*;

use super::{stepper, verdicts};
use crate::dom::bridge;
use crate::model::Model;

/// An attribute or text that changes. All of one type share the code that keeps them up to date;
/// a closure each would have its own, a kilobyte a piece.
pub fn sig<T: Send + Sync + 'static>(value: impl Fn() -> T + Send + Sync + 'static) -> Signal<T> {
    Signal::derive(value)
}

/// A part of the page that is made anew when what it reads changes. As with [`sig`], all share
/// their code.
pub fn part<V: IntoView + 'static>(make: impl Fn() -> V + Send + Sync + 'static) -> AnyView {
    redraw(Arc::new(move || make().into_any()))
}

fn redraw(make: Arc<dyn Fn() -> AnyView + Send + Sync>) -> AnyView {
    (move || make()).into_any()
}

/// The whole stepper, as a view of Leptos.
#[component]
pub fn Stepper(model: Model) -> impl IntoView {
    bridge::view(&stepper::stepper(model))
}

/// All reads of the run, as a view of Leptos.
#[component]
pub fn Verdicts(model: Model) -> impl IntoView {
    bridge::view(&verdicts::verdicts(model))
}

/// A text in which `code` stands in back-quotes.
#[must_use]
pub fn ticks(text: &str) -> impl IntoView + use<> {
    let one = |(index, part): (usize, &str)| match index % 2 {
        1 => view! { <code>{part.to_owned()}</code> }.into_any(),
        _ => part.to_owned().into_any(),
    };
    text.split('`').enumerate().map(one).collect_view()
}
