//! Components: data in, picture out.

pub mod bytes;
pub mod chips;
pub mod commands;
pub mod controls;
pub mod fields;
pub mod header;
pub mod life;
pub mod palette;
pub mod path_strip;
pub mod program;
pub mod prose;
pub mod ribbon;
pub mod ribbon_marks;
pub mod say;
pub mod sheet;
pub mod stage;
pub mod stepper;
pub mod text_view;
pub mod timeline;
pub mod verdicts;

use std::sync::Arc;

use leptos::prelude::{AnyView, IntoAny, IntoView, Signal};

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

/// A length for an SVG attribute.
pub fn px(length: f64) -> String {
    format!("{length:.2}")
}
