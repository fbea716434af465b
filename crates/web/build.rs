//! Renders `content/spec/*.md` into the site when it is built: no Markdown parser goes into the
//! module, and a mistake in a rule stops the build.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use headroom_core::spec::{Chapter, Rule, parse};
use pulldown_cmark::{Event, Parser, html};

fn main() {
    if let Err(message) = render() {
        eprintln!("{message}");
        process::exit(1);
    }
}

fn render() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let folder = Path::new(&root).join("../../content/spec");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "md"));
    files.sort();
    let mut out =
        String::from("/// The chapters of `content/spec/`.\npub const CHAPTERS: &[Chapter] = &[\n");
    let mut seen: Vec<String> = Vec::new();
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let chapter =
            parse(&format!("content/spec/{name}.md"), &text).map_err(|error| error.to_string())?;
        for rule in &chapter.rules {
            if seen.contains(&rule.id) {
                return Err(format!(
                    "content/spec/{name}.md: rule {} is in another chapter too",
                    rule.id
                ));
            }
            seen.push(rule.id.clone());
        }
        let one = |rule: &Rule| {
            let step = rule.checks.first().map(|check| check.address());
            (
                rule.id.clone(),
                inline(&rule.text),
                step.unwrap_or_default(),
            )
        };
        let rules: Vec<_> = chapter.rules.iter().map(one).collect();
        let _ = writeln!(
            out,
            "Chapter {{ id: {name:?}, title: {:?}, rules: &{rules:?}, html: {:?} }},",
            chapter.title,
            chapter_html(&chapter)
        );
    }
    out.push_str("];\n");
    let target = Path::new(&env::var("OUT_DIR").map_err(|e| e.to_string())?).join("spec.rs");
    fs::write(target, out).map_err(|e| e.to_string())
}

fn chapter_html(chapter: &Chapter) -> String {
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
             <p class=\"text\">{}</p>{}<dl><div><dt>source</dt><dd>{}</dd></div>",
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
        out.push_str("</dl></section>");
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
