//! Renders `content/spec/*.md` into the site when it is built: no Markdown parser goes into the
//! module, and a mistake in a rule stops the build.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

use pulldown_cmark::{Event, Parser, html};

#[path = "spec_format.rs"]
mod spec_format;

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
    println!("cargo::rerun-if-changed=spec_format.rs");
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
        let chapter = spec_format::parse(&format!("content/spec/{name}.md"), &text)?;
        for rule in &chapter.rules {
            if seen.contains(&rule.id) {
                return Err(format!(
                    "content/spec/{name}.md: rule {} is in another chapter too",
                    rule.id
                ));
            }
            seen.push(rule.id.clone());
        }
        let first_step =
            |rule: &spec_format::Rule| rule.checks.first().map(step_address).unwrap_or_default();
        let one = |rule: &spec_format::Rule| {
            let text = inline(rule.key("text").unwrap_or_default());
            (rule.id.clone(), text, first_step(rule))
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

/// The address of the step a check speaks of.
fn step_address(check: &spec_format::Check) -> String {
    let step = check.step.replace('%', "%25").replace('#', "%23");
    format!(
        "/s/{}?d={}&at={step}&z=functions",
        check.scenario, check.design
    )
}

fn chapter_html(chapter: &spec_format::Chapter) -> String {
    let mut out = format!(
        "<h2>{}</h2>{}",
        escape(&chapter.title),
        markdown(&chapter.intro)
    );
    for rule in &chapter.rules {
        let key = |key: &str| inline(rule.key(key).unwrap_or_default());
        let id = escape(&rule.id);
        let _ = write!(
            out,
            "<section class=\"rule\" id=\"{id}\"><h3><a href=\"/spec#{id}\">{id}</a><span class=\"holds\">{}</span></h3>\
             <p class=\"text\">{}</p>{}<dl><div><dt>source</dt><dd>{}</dd></div>",
            key("holds"),
            key("text"),
            markdown(&rule.body),
            key("source"),
        );
        for check in &rule.checks {
            let _ = write!(
                out,
                "<div><dt>check</dt><dd><a href=\"{}\"><code>{}</code> under <code>{}</code></a>: <code>{}</code></dd></div>",
                escape(&step_address(check)),
                escape(&check.step),
                escape(&check.design),
                escape(&check.holds)
            );
        }
        if rule.key("recordings").is_some() {
            let _ = write!(
                out,
                "<div><dt>recordings</dt><dd>{}</dd></div>",
                key("recordings")
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
