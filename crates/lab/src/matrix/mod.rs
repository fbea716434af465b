//! `/matrix`: scenarios × designs, each cell a link to the step that decided it; and the workshop, in
//! which a design's policy points are set by hand and the matrix is made anew.

mod controls;
mod table;
mod workshop;

use std::collections::HashMap;
use std::sync::Arc;

use headroom_protocol::files::{MatrixCell, MatrixFile, MatrixRow};
use headroom_web::address::{Address, encode, pairs};
use headroom_web::app::{self, Location};
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::part;
use headroom_web::platform;
use leptos::prelude::*;

use self::workshop::Workshop;
use crate::filter::{CUSTOM, View};
use crate::{asked, render, take};

/// The page's state.
#[derive(Clone, Copy)]
pub(crate) struct Matrix {
    /// As the build made it.
    file: StoredValue<Arc<MatrixFile>>,
    /// What is shown.
    view: RwSignal<View>,
    /// The workshop's cells by scenario, as far as they are there.
    custom: RwSignal<HashMap<String, MatrixCell>>,
    /// Indexes of the rows that are shown, in order.
    order: Memo<Vec<usize>>,
    /// Names of the designs that are shown, in order.
    designs: Memo<Vec<String>>,
    workshop: Workshop,
}

/// The page.
pub fn page() -> AnyView {
    document().set_title("Matrix · Headroom");
    let location = expect_context::<Location>();
    let page = with_file(files::matrix(), move |file: MatrixFile| {
        draw(file, location)
    });
    view! { <main id="main" class="wrap matrix">{page}</main> }.into_any()
}

fn draw(file: MatrixFile, location: Location) -> AnyView {
    app::show();
    let whole = StoredValue::new(Arc::new(file));
    let read = move || {
        location.0.with(|(address, _)| match address {
            Address::Matrix(rest) => {
                let pairs = pairs(rest);
                let mut view = View::read(&pairs);
                let said = whole.with_value(|file| asked::mend(&mut view, &pairs, file));
                (view, said)
            }
            _ => (View::default(), Vec::new()),
        })
    };
    let (view, said) = untrack(read);
    let matrix = Matrix::new(whole, view);
    let broken = RwSignal::new(said);
    Effect::new(move |seen: Option<()>| {
        let (view, said) = read();
        if seen.is_some() {
            broken.set(said);
            matrix.view.set(view);
        }
    });
    // Back takes a change back; the letters of a search are one change.
    Effect::new(move |before: Option<View>| {
        let view = matrix.view.get();
        if let Some(before) = before {
            let typing = View {
                find: view.find.clone(),
                ..before.clone()
            } == view;
            platform::write_address(&format!("/matrix{}", view.query(encode)), !typing);
        }
        view
    });
    let (scenarios, designs) = matrix
        .file
        .with_value(|file| (file.rows.len(), file.designs.len()));
    view! {
        <div class="title"><div><h1>"Matrix"</h1>
            <p class="sub">{format!("{scenarios} scenarios under {designs} designs: what became of the metadata, and what it cost. Costs are counts, never times.")}</p></div></div>
        {part(move || notice(broken))}
        {workshop::panel(matrix)}
        {controls::controls(matrix)}
        {part(move || table::table(matrix))}
        {takes(matrix)}
    }
    .into_any()
}

/// What of a link could not be read.
fn notice(broken: RwSignal<Vec<String>>) -> Option<AnyView> {
    let all = broken.get();
    let read = move |_| broken.set(Vec::new());
    (!all.is_empty()).then(|| {
        view! { <p class="notice" role="status">{all.join(" ")}" "<button class="tab" on:click=read>"Dismiss"</button></p> }.into_any()
    })
}

fn takes(matrix: Matrix) -> AnyView {
    let shown = move || untrack(|| matrix.shown());
    view! {
        <p class="takes">
            {take::copy_button("Copy Markdown", move || render::markdown(&shown()))}
            {take::save_button("Save Markdown", "matrix.md", "text/markdown", move || render::markdown(&shown()).into_bytes())}
            {take::copy_button("Copy CSV", move || render::csv(&shown()))}
            {take::save_button("Save CSV", "matrix.csv", "text/csv", move || render::csv(&shown()).into_bytes())}
            {take::save_button("Save SVG", "matrix.svg", "image/svg+xml", move || render::svg(&shown()).into_bytes())}
            {take::png_button("matrix.png", move || render::svg(&shown()))}
            {take::copy_button("Copy link", move || platform::full_address(&platform::current_address()))}
        </p>
    }
    .into_any()
}

impl Matrix {
    fn new(file: StoredValue<Arc<MatrixFile>>, view: View) -> Self {
        let view = RwSignal::new(view);
        let custom = RwSignal::new(HashMap::new());
        // The workshop's cells come one by one; the table is made anew only when other rows are shown.
        let order = Memo::new(move |_| {
            if view.with(View::asks_cells) {
                let rows = with_custom(file, custom);
                return view.with(|view| view.rows(&rows));
            }
            file.with_value(|file| view.with(|view| view.rows(&file.rows)))
        });
        let designs = Memo::new(move |_| {
            let all = file.with_value(|file| file.designs.clone());
            view.with(|view| columns(&all, view))
        });
        let workshop = Workshop::new(file, view, custom, order);
        Self {
            file,
            view,
            custom,
            order,
            designs,
            workshop,
        }
    }

    /// The rows of the file, with the workshop's cells behind the others.
    fn rows(&self) -> Vec<MatrixRow> {
        with_custom(self.file, self.custom)
    }

    /// The matrix as it is shown, for taking along; the workshop's design with its policy as its name.
    fn shown(&self) -> MatrixFile {
        let rows = self.rows();
        let shown = self.designs.get();
        let policy = self.view.with(|view| view.policy.clone());
        let named = |design: &str| {
            if design == CUSTOM {
                format!("{CUSTOM}:{policy}")
            } else {
                design.to_owned()
            }
        };
        let keep = |at: usize| {
            let mut row = rows.get(at).cloned().unwrap_or_default();
            row.cells.retain(|cell| shown.contains(&cell.design));
            row.cells
                .sort_by_key(|cell| shown.iter().position(|design| *design == cell.design));
            for cell in &mut row.cells {
                cell.design = named(&cell.design);
            }
            row
        };
        MatrixFile {
            rows: self.order.get().into_iter().map(keep).collect(),
            designs: shown.iter().map(|design| named(design)).collect(),
        }
    }
}

fn with_custom(
    file: StoredValue<Arc<MatrixFile>>,
    custom: RwSignal<HashMap<String, MatrixCell>>,
) -> Vec<MatrixRow> {
    let mut rows = file.with_value(|file| file.rows.clone());
    custom.with(|custom| {
        for row in &mut rows {
            row.cells.extend(custom.get(&row.scenario).cloned());
        }
    });
    rows
}

/// The columns: with the workshop open, its design and the one it was made from come first.
fn columns(all: &[String], view: &View) -> Vec<String> {
    let wanted = |name: &&String| view.designs.is_empty() || view.designs.contains(name);
    let mut out: Vec<String> = all.iter().filter(wanted).cloned().collect();
    if !view.base.is_empty() {
        out.sort_by_key(|name| *name != view.base);
        out.insert(0, CUSTOM.into());
    }
    out
}
