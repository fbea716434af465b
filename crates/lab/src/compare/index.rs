//! `/compare`: what can be laid side by side.

use headroom_protocol::files::Entry;
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::prose::ticks;
use leptos::prelude::*;

/// What a recorded experiment is shown with first.
pub(super) const COLUMNS_OF_RECORDED: &str =
    "?d=mac_header,meta_end,recording:mac_header,recording:meta_end";

/// The page.
pub fn page() -> AnyView {
    document().set_title("Compare · Headroom");
    let load = async { Ok((files::recorded().await?, files::catalogue().await?)) };
    let lists = with_file(
        load,
        |(recorded, catalogue): (files::Catalogue, files::Catalogue)| {
            headroom_web::app::show();
            let recorded = by_kernel(recorded.entries);
            view! {
                {recorded.into_iter().map(kernel).collect_view()}
                <h2>"Design beside design"</h2>
                <ul>{catalogue.entries.into_iter().map(|entry| line(&entry, "", &entry.summary)).collect_view()}</ul>
            }
            .into_any()
        },
    );
    view! {
        <main id="main" class="wrap scenarios compare-index">
            <h1>"Compare"</h1>
            <p class="lead">"Two to four columns on one scale: designs, and what a kernel did. Steps are lined up by function, device and occurrence; what differs is marked. "
                "A recording of your own is opened by dropping it on any page, or "<a href="/open">"here"</a>"."</p>
            {lists}
        </main>
    }
    .into_any()
}

/// Recordings by what was recorded: the part of their summaries in front of the recording's name.
fn by_kernel(entries: Vec<Entry>) -> Vec<(String, Vec<Entry>)> {
    let mut out: Vec<(String, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let kernel = entry.summary.split(" as `").next().unwrap_or_default();
        match out.iter_mut().find(|(known, _)| known == kernel) {
            Some((_, all)) => all.push(entry),
            None => out.push((kernel.to_owned(), vec![entry])),
        }
    }
    out
}

fn kernel((kernel, entries): (String, Vec<Entry>)) -> AnyView {
    let one = |entry: Entry| {
        let name = entry.summary.split('`').nth(1);
        let name = name.map(|name| format!("`{name}`")).unwrap_or_default();
        line(&entry, COLUMNS_OF_RECORDED, &name)
    };
    view! {
        <h2>"Beside a recording of a real kernel"</h2>
        <p>{kernel}"; the simulator runs the same commands and packets."</p>
        <ul>{entries.into_iter().map(one).collect_view()}</ul>
    }
    .into_any()
}

fn line(entry: &Entry, columns: &str, below: &str) -> AnyView {
    let address = format!("/compare/{}{columns}", entry.id);
    view! { <li><h3><a href=address>{entry.title.clone()}</a></h3><p>{ticks(below)}</p></li> }
        .into_any()
}
