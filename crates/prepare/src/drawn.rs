//! Pages as HTML, before any module has loaded: the answer in words, the first picture, the commands.
//! The page's module takes their place when it is there. Without scripts they are what there is.

use std::fmt::Write as _;

use headroom_core::scene::opening::opening;
use headroom_core::scene::svg::{escape, svg};
use headroom_core::scene::{RibbonOptions, Scale, Zoom, align, ribbon, sentence, text_table};
use headroom_core::trace::{Cursor, Trace};
use headroom_protocol::{DESIGNS, files};

use crate::catalogue::Scenario;

/// Width of a character of the labels, as in the live picture.
const CHAR: f64 = 6.62;
/// The picture's widths: on a screen, on a phone.
const WIDTHS: [(f64, &str); 2] = [(1140.0, "wide"), (362.0, "narrow")];

/// A page as the build draws it.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The address that shows it.
    pub address: String,
    /// Its title.
    pub title: String,
    /// What is loaded beside the module, at once: addresses with spaces between them.
    pub preload: String,
    /// What stands in the body.
    pub body: String,
}

/// One design's trace at the step at which the page opens.
struct Opened<'t> {
    name: &'static str,
    note: &'static str,
    trace: &'t Trace,
    step: usize,
}

/// The page of a scenario.
#[must_use]
pub fn scenario(scenario: &Scenario, traces: &[(&'static str, Trace)]) -> Drawn {
    let texts = &scenario.texts;
    let mut body = format!(
        "{}<main id=\"main\" class=\"wrap scenario\"><div class=\"title\"><div><h1>{}</h1></div></div>{}",
        header(),
        escape(&texts.title),
        picture(traces)
    );
    let _ = write!(
        body,
        "<div class=\"below\"><section class=\"commands\"><h2><b>Commands</b></h2><pre>{}</pre></section>\
         <section class=\"about\"><h2><b>What this is</b></h2>{}</section></div></main>",
        escape(&texts.commands),
        paragraphs(&texts.explanation)
    );
    Drawn {
        address: format!("/s/{}", texts.id),
        title: format!("{} · Headroom", texts.title),
        preload: files::scenario(&texts.id),
        body,
    }
}

/// The start page: the problem and the answer in a paragraph, and the seed's picture. The paragraph takes the room that the
/// story takes in the live page, and is the largest text of both: it is painted with the first picture and not again.
#[must_use]
pub fn start(seed: &Scenario, traces: &[(&'static str, Trace)]) -> Drawn {
    let body = format!(
        "{}<main id=\"main\" class=\"wrap start\"><h1>Where do packet metadata go when a tunnel is taken off?</h1>\
         <div class=\"story\"><div class=\"told\"><h2>{}</h2><p>{} {}</p></div>{}</div></main>",
        header(),
        escape(crate::story::first()),
        ticks(
            seed.texts
                .explanation
                .split("\n\n")
                .next()
                .unwrap_or_default()
        ),
        escape(files::LEAD),
        picture(traces)
    );
    Drawn {
        address: "/".into(),
        title: "Headroom: where packet metadata go".into(),
        preload: format!("{} {}", files::scenario(&seed.texts.id), files::STORY),
        body,
    }
}

fn header() -> &'static str {
    "<header class=\"top\"><div class=\"wrap\"><a class=\"logo\" href=\"/\"><svg width=\"28\" height=\"14\" viewBox=\"0 0 28 14\" aria-hidden=\"true\">\
     <rect class=\"f-headroom\" width=\"7\" height=\"14\"/><rect class=\"f-metadata\" x=\"7\" width=\"7\" height=\"14\"/>\
     <rect class=\"f-ethernet\" x=\"14\" width=\"7\" height=\"14\"/><rect class=\"f-ipv4\" x=\"21\" width=\"7\" height=\"14\"/></svg>Headroom</a>\
     <nav aria-label=\"Pages\"><a href=\"/s\">Scenarios</a><a href=\"/spec\">Spec</a></nav></div></header>"
}

/// The sentences and pictures of the step at which the page opens.
fn picture(traces: &[(&'static str, Trace)]) -> String {
    let shown: Vec<&Trace> = traces.iter().map(|(_, trace)| trace).collect();
    let rows = align(&shown, Zoom::Functions);
    let row = opening(&rows, &shown);
    let mut opened = Vec::new();
    for (column, (name, trace)) in traces.iter().enumerate() {
        let of = |row: &headroom_core::scene::Row| row.steps.get(column).copied().flatten();
        let step = rows
            .get(..=row)
            .and_then(|rows| rows.iter().rev().find_map(of));
        let design = DESIGNS.iter().find(|design| design.name == *name);
        if let (Some(step), Some(design)) = (step, design) {
            opened.push(Opened {
                name: design.name,
                note: design.note,
                trace,
                step,
            });
        }
    }
    let mut out = String::from("<div class=\"says two\">");
    for one in &opened {
        let _ = write!(
            out,
            "<p class=\"say\"><span class=\"who\">{}</span><span>{}</span></p>",
            one.name,
            escape(&sentence(one.trace, one.step))
        );
    }
    out.push_str("</div><div class=\"stage\">");
    for one in &opened {
        out.push_str(&figure(one, &opened));
    }
    out.push_str("</div>");
    out
}

/// What a rule speaks of: the step of its check, as a sentence and a picture. Nothing where the step has no buffer.
#[must_use]
pub fn step(trace: &Trace, design: &str, step: usize) -> String {
    let Some(known) = DESIGNS.iter().find(|known| known.name == design) else {
        return String::new();
    };
    let buffer = trace.steps.get(step).and_then(|step| step.buffer);
    if buffer.is_none() {
        return String::new();
    }
    let one = Opened {
        name: known.name,
        note: known.note,
        trace,
        step,
    };
    let said = escape(&sentence(trace, step));
    let figure = figure(&one, std::slice::from_ref(&one));
    format!("<div class=\"stage\"><p class=\"seen\" tabindex=\"0\">{said}</p>{figure}</div>")
}

/// One buffer, in both widths.
fn figure(one: &Opened<'_>, all: &[Opened<'_>]) -> String {
    let buffers: Vec<_> = all
        .iter()
        .filter_map(|one| Some((one.trace, one.trace.steps.get(one.step)?.buffer?)))
        .collect();
    let scale = Scale::compressed(&buffers);
    let Some(mut cursor) = Cursor::new(one.trace) else {
        return String::new();
    };
    cursor.go(one.step);
    let view = cursor.packet();
    let words: Vec<String> = text_table(one.trace, &view)
        .iter()
        .filter(|row| row.kind == "zone")
        .map(|row| format!("{} {}", row.what, row.place))
        .collect();
    let mut out = format!(
        "<figure class=\"design\"><figcaption><span class=\"dname\">{}</span><span class=\"dsub\">{}</span></figcaption><div class=\"ribbon\">",
        one.name,
        escape(one.note)
    );
    for (width, class) in WIDTHS {
        let options = RibbonOptions {
            scale: &scale,
            width,
            char_width: CHAR,
        };
        let picture = ribbon(one.trace, one.step, &view, options);
        out.push_str(&svg(&picture, &scale, width, &words.join(", "), class));
    }
    out.push_str("</div></figure>");
    out
}

/// Paragraphs in which `code` stands in back-quotes.
fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|text| format!("<p>{}</p>", ticks(text)))
        .collect()
}

fn ticks(text: &str) -> String {
    let one = |(index, part): (usize, &str)| match index % 2 {
        1 => format!("<code>{}</code>", escape(part)),
        _ => escape(part),
    };
    text.split('`').enumerate().map(one).collect()
}
