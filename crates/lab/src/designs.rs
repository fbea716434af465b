//! `/designs`: what each design does, how sure that is, and the roadmap of the seed mail.

use headroom_protocol::files::{DesignPage, Designs, RoadmapRow};
use headroom_web::address::{Address, encode};
use headroom_web::app::{self, Location};
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::part;
use headroom_web::parts::prose::ticks;
use leptos::prelude::*;

/// The page.
pub fn page() -> AnyView {
    document().set_title("Designs · Headroom");
    let location = expect_context::<Location>();
    let body = with_file(files::designs(), move |all: Designs| draw(all, location));
    view! {
        <main id="main" class="wrap spec designs">
            <h1>"Designs"</h1>
            <p class="lead">"Where packet metadata are kept, and what follows. Two designs were recorded on a real kernel; the others are derived from code and mails, and each page says so."</p>
            {body}
        </main>
    }
    .into_any()
}

/// Contents and pages. Their HTML was made from the repository's own Markdown by the site's build, in which
/// HTML is text; nothing a reader brings comes here.
fn draw(all: Designs, location: Location) -> AnyView {
    app::show();
    let lacking = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let wanted = location.0.with(|(address, _)| match address {
            Address::Designs(design) => design.clone(),
            _ => None,
        });
        // When the page is in the document.
        request_animation_frame(move || {
            let target = |id: &String| document().get_element_by_id(id);
            match wanted.as_ref().and_then(target) {
                Some(target) => {
                    lacking.try_set(None);
                    target.scroll_into_view();
                }
                None => {
                    lacking.try_set(wanted);
                }
            }
        });
    });
    let entry = |page: &DesignPage| {
        let versions: Vec<String> = page.versions.iter().map(|v| v.name.clone()).collect();
        view! { <li><a href=format!("/designs#{}", page.id)>{page.title.clone()}</a><span>{versions.join(", ")}</span></li> }
    };
    let notice = part(move || {
        lacking.get().map(|name| view! { <p class="notice" role="status">"There is no design "<code>{name}</code>" here."</p> })
    });
    view! {
        {notice}
        <div class="designs-body"><nav class="contents" aria-label="Contents">
            <h2>"Designs"</h2><ol>{all.pages.iter().map(entry).collect_view()}</ol>
            <h2>"Roadmap"</h2><ol><li><a href="/designs#roadmap">"The seed mail's eight rows"</a></li></ol>
        </nav>
        <article>
            {all.pages.iter().map(section).collect_view()}
            {roadmap(&all.roadmap)}
        </article></div>
    }
    .into_any()
}

fn section(page: &DesignPage) -> AnyView {
    let own = page.id == "custom";
    let try_it = if own {
        vec![(
            "/matrix?base=mac_header".to_owned(),
            "Set its points in the workshop".to_owned(),
        )]
    } else {
        page.versions
            .iter()
            .map(|version| {
                let name = encode(&version.name);
                (
                    format!("/matrix?d={name}"),
                    format!("{} in the matrix", version.name),
                )
            })
            .chain(page.versions.iter().map(|version| {
                let base = encode(&version.name);
                let policy = headroom_core::design::DesignName::parse(&version.name)
                    .map(|design| encode(&design.policy().to_string()))
                    .unwrap_or_default();
                (
                    format!("/matrix?policy={policy}&base={base}"),
                    format!("{} in the workshop", version.name),
                )
            }))
            .collect()
    };
    let link = |(address, words): (String, String)| view! { <li><a href=address>{words}</a></li> };
    view! {
        <section id=page.id.clone() class="design-page">
            <h2>{page.title.clone()}</h2>
            <div inner_html=page.html.clone()></div>
            <ul class="ways">{try_it.into_iter().map(link).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn roadmap(rows: &[RoadmapRow]) -> AnyView {
    let row = |row: &RoadmapRow| {
        let consequence = |(design, text): (String, String)| view! { <dt><code>{design}</code></dt><dd>{ticks(&text)}</dd> };
        let all = row
            .consequences
            .iter()
            .map(|one| consequence((one.design.clone(), one.text.clone())))
            .collect_view();
        view! {
            <section class="roadmap-row">
                <h3><a href=format!("/s/{}", row.scenario)>{row.title.clone()}</a><span class="mark">{row.status.clone()}</span></h3>
                <dl>{all}</dl>
                <p><a href=format!("/matrix?q={}", encode(&row.scenario))>"Under every design"</a></p>
            </section>
        }
    };
    view! {
        <section id="roadmap" class="design-page">
            <h2>"The roadmap of the seed mail"</h2>
            <p>"Eight rows, each as a scenario that can be run under every design, with where it stands today. What follows under a design is derived, not recorded, unless the text names a recording."</p>
            {rows.iter().map(row).collect_view()}
        </section>
    }
    .into_any()
}
