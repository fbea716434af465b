//! `/compare`: what can be laid side by side.

use headroom_protocol::files::Entry;
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::prose::ticks;
use leptos::prelude::*;

/// The page.
pub fn page() -> AnyView {
    document().set_title("Compare · Headroom");
    let load = async { Ok((files::recorded().await?, files::catalogue().await?)) };
    let lists = with_file(
        load,
        |(recorded, catalogue): (files::Catalogue, files::Catalogue)| {
            headroom_web::app::show();
            view! {
            <h2>"Beside a recording of a real kernel"</h2>
            <ul>{recorded.entries.into_iter().map(|entry| line(entry, true)).collect_view()}</ul>
            <h2>"Design beside design"</h2>
            <ul>{catalogue.entries.into_iter().map(|entry| line(entry, false)).collect_view()}</ul>
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

fn line(entry: Entry, recorded: bool) -> AnyView {
    let columns = if recorded {
        "?d=mac_header,meta_end,recording:mac_header,recording:meta_end"
    } else {
        ""
    };
    let address = format!("/compare/{}{columns}", entry.id);
    view! { <li><h3><a href=address>{entry.title}</a></h3><p>{ticks(&entry.summary)}</p></li> }
        .into_any()
}
