//! `content/spec/*.md` as HTML. A mistake in a rule stops the build.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use headroom_core::spec::{Chapter, Check, Rule, parse};
use pulldown_cmark::{Event, Parser, html};

/// Reads the chapters, in the order of their files' names.
///
/// # Errors
/// The first mistake, with file and line.
pub fn read(content: &Path) -> Result<Vec<(String, Chapter)>, String> {
    let folder = content.join("spec");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.sort();
    let mut out: Vec<(String, Chapter)> = Vec::new();
    for file in files {
        let id = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let name = format!("content/spec/{id}.md");
        let text = fs::read_to_string(&file).map_err(|e| format!("{name}: {e}"))?;
        let chapter = parse(&name, &text).map_err(|error| error.to_string())?;
        let known = |rule: &Rule| {
            out.iter()
                .any(|(_, other)| other.rules.iter().any(|one| one.id == rule.id))
        };
        if let Some(rule) = chapter.rules.iter().find(|rule| known(rule)) {
            return Err(format!(
                "{name}: rule {} is in another chapter too",
                rule.id
            ));
        }
        out.push((id, chapter));
    }
    Ok(out)
}

/// Contents and chapters as the page shows them; `draw` gives the picture of a check's step.
#[must_use]
pub fn rendered(chapters: &[(String, Chapter)], draw: &dyn Fn(&Check) -> String) -> String {
    let mut out = String::from("<nav class=\"contents\" aria-label=\"Contents\">");
    for (_, chapter) in chapters {
        let _ = write!(out, "<h2>{}</h2><ol>", escape(&chapter.title));
        for rule in &chapter.rules {
            let id = escape(&rule.id);
            let text = inline(&rule.text);
            let _ = write!(
                out,
                "<li><a href=\"/spec#{id}\">{id}</a><span>{text}</span></li>"
            );
        }
        out.push_str("</ol>");
    }
    out.push_str("</nav><article>");
    for (id, chapter) in chapters {
        let html = chapter_html(chapter, draw);
        let _ = write!(out, "<section id=\"{}\">{html}</section>", escape(id));
    }
    out.push_str("</article>");
    out
}

/// Heading, introduction and rules as HTML.
fn chapter_html(chapter: &Chapter, draw: &dyn Fn(&Check) -> String) -> String {
    let mut out = format!(
        "<h2>{}</h2>{}",
        escape(&chapter.title),
        markdown(&chapter.intro)
    );
    for rule in &chapter.rules {
        let id = escape(&rule.id);
        let _ = write!(
            out,
            "<section class=\"rule\" id=\"{id}\"><h3><a href=\"/spec#{id}\">{id}</a><span class=\"holds\">{}</span></h3>\
             <p class=\"text\" tabindex=\"0\">{}</p>{}<dl><div><dt>source</dt><dd>{}</dd></div>",
            inline(&rule.holds),
            inline(&rule.text),
            markdown(&rule.body),
            inline(&rule.source),
        );
        for check in &rule.checks {
            let _ = write!(
                out,
                "<div><dt>check</dt><dd><a href=\"{}\"><code>{}</code> under <code>{}</code></a>: <code>{}</code></dd></div>",
                escape(&check.address()),
                escape(&check.step.to_string()),
                check.design.as_str(),
                escape(&check.wants_text())
            );
        }
        if !rule.recordings.is_empty() {
            let _ = write!(
                out,
                "<div><dt>recordings</dt><dd>{}</dd></div>",
                escape(&rule.recordings.join(", "))
            );
        }
        out.push_str("</dl>");
        out.push_str(&rule.checks.last().map(draw).unwrap_or_default());
        out.push_str("</section>");
    }
    out
}

/// Markdown to HTML. HTML inside our Markdown is text.
fn markdown(text: &str) -> String {
    let plain = |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    };
    let mut out = String::new();
    html::push_html(&mut out, Parser::new(text).map(plain));
    out
}

/// One line of Markdown without its paragraph.
fn inline(text: &str) -> String {
    let out = markdown(text);
    out.trim()
        .trim_start_matches("<p>")
        .trim_end_matches("</p>")
        .to_owned()
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
