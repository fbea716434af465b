//! `content/designs/*.md` as HTML, and the roadmap of the seed mail with what the scenarios say of its rows.

use std::fs;
use std::path::Path;

use headroom_core::design::DesignName;
use headroom_core::scenario::{RoadmapStatus, ScenarioFile};
use headroom_protocol::files::{Consequence, DesignPage, DesignVersion, Designs, RoadmapRow};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

/// Reads the pages, in the order in which designs are named, and the roadmap.
///
/// # Errors
/// A design without a page, a page without a heading, a scenario that can't be read.
pub fn read(content: &Path) -> Result<Designs, String> {
    let mut pages: Vec<DesignPage> = Vec::new();
    for design in DesignName::EVERY {
        if pages.iter().all(|page| page.id != design.page()) {
            pages.push(page(content, design.page())?);
        }
    }
    pages.push(page(content, "custom")?);
    Ok(Designs {
        pages,
        roadmap: roadmap(content)?,
    })
}

fn page(content: &Path, id: &str) -> Result<DesignPage, String> {
    let name = format!("content/designs/{id}.md");
    let path = content.join("designs").join(format!("{id}.md"));
    let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let (first, body) = text.split_once('\n').unwrap_or((&text, ""));
    let title = first
        .strip_prefix("# ")
        .ok_or_else(|| format!("{name}:1: expected a heading, `# …`"))?;
    let version = |design: DesignName| DesignVersion {
        name: design.as_str().into(),
        title: design.title().into(),
        mark: design.mark().words().into(),
    };
    Ok(DesignPage {
        id: id.into(),
        title: title.into(),
        versions: DesignName::EVERY
            .into_iter()
            .filter(|design| design.page() == id)
            .map(version)
            .collect(),
        html: rendered(body),
    })
}

/// Markdown with tables; HTML in it is text, and a link to another of these pages leads to it.
fn rendered(text: &str) -> String {
    let event = |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: address(&dest_url),
            title,
            id,
        }),
        other => other,
    };
    let mut out = String::new();
    html::push_html(
        &mut out,
        Parser::new_ext(text, Options::ENABLE_TABLES).map(event),
    );
    out
}

fn address(link: &str) -> CowStr<'static> {
    match link.strip_suffix(".md").filter(|stem| !stem.contains('/')) {
        Some(stem) => format!("/designs#{stem}").into(),
        None => link.to_owned().into(),
    }
}

/// The rows, by their number.
fn roadmap(content: &Path) -> Result<Vec<RoadmapRow>, String> {
    let folder = content.join("scenarios");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut rows = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let file = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|e| format!("{file}: {e}"))?;
        let scenario = ScenarioFile::read(&file, &text).map_err(|e| e.to_string())?;
        let Some(row) = scenario.roadmap else {
            continue;
        };
        rows.push(RoadmapRow {
            row: row.row,
            scenario: scenario.id,
            title: scenario.title,
            status: words(row.status).into(),
            consequences: row
                .consequences
                .into_iter()
                .map(|(design, text)| Consequence { design, text })
                .collect(),
        });
    }
    rows.sort_by(|a, b| (a.row, &a.scenario).cmp(&(b.row, &b.scenario)));
    Ok(rows)
}

fn words(status: RoadmapStatus) -> &'static str {
    match status {
        RoadmapStatus::InLinux => "in Linux 7.2",
        RoadmapStatus::InV3 => "in series v3, not merged",
        RoadmapStatus::Proposed => "proposed elsewhere",
        RoadmapStatus::Open => "open",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content")
    }

    #[test]
    fn every_design_has_its_page_and_the_roadmap_its_eight_rows() {
        let designs = read(&content()).expect("the pages");
        let versions = designs.pages.iter().map(|page| page.versions.len());
        assert_eq!(versions.sum::<usize>(), DesignName::EVERY.len());
        assert_eq!(
            designs.pages.last().map(|page| page.id.as_str()),
            Some("custom")
        );
        let rows: Vec<u8> = designs.roadmap.iter().map(|row| row.row).collect();
        assert_eq!(rows, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(designs.roadmap[0].status, "in Linux 7.2");
    }

    #[test]
    fn tables_are_tables_html_is_text_and_links_lead_to_pages_of_the_site() {
        let out = rendered("| a |\n| - |\n| [x](traits.md) |\n\n<script>1</script>\n");
        assert!(out.contains("<table>") && out.contains("href=\"/designs#traits\""));
        assert!(!out.contains("<script"), "{out}");
        assert_eq!(&*address("../spec/x.md"), "../spec/x.md");
    }
}
