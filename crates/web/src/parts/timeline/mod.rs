//! The way of one packet at once: on which device, in which function, which program, what happened
//! to bytes. A lane is a few shapes, however much it shows, and its nodes stay when another packet
//! is shown.

mod lanes;

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};

use self::lanes::{Lane, Mark, lanes, marks};
use super::{fixed, push_number};
use crate::designs::column_title;
use crate::dom::{El, div, el, span, svg, text};
use crate::model::{By, Model};
use crate::prelude::*;

/// A bar with less room than this, in CSS pixels, has no name in it.
const READABLE: f64 = 38.0;
/// Width of a character of a bar's name.
const CHAR: f64 = 6.3;
/// Width of the names in front of the lanes.
const NAMES: f64 = 92.0;
/// How far from a mark a click still means it, in CSS pixels.
const NEAR: f64 = 5.0;

/// What a lane shows.
#[derive(Clone, PartialEq, Default)]
struct Shown {
    name: String,
    class: &'static str,
    /// Class and path, in rows from the first row of the packet.
    shapes: Vec<(&'static str, String)>,
    /// Place and width in percent, words.
    labels: Vec<(String, String, String)>,
    hits: Vec<Hit>,
}

/// What a click on some rows goes to.
#[derive(Clone, PartialEq)]
struct Hit {
    rows: Range<usize>,
    to: usize,
    words: String,
}

/// Where rows stand in a lane.
#[derive(Clone, PartialEq)]
struct Span(Range<usize>);

impl Span {
    fn percent(&self, row: usize) -> f64 {
        row.saturating_sub(self.0.start) as f64 * 100.0 / self.0.len().max(1) as f64
    }

    fn middle(&self, row: usize) -> f64 {
        f64::midpoint(self.percent(row), self.percent(row + 1))
    }
}

/// The lanes, and the line where one is.
#[must_use]
pub fn timeline(model: Model, width: RwSignal<f64>) -> El {
    let span_of = Memo::new(move |_| Span(model.rows_here()));
    let all = Memo::new(move |_| {
        let (span, width) = (span_of.get(), width.get());
        let mut out: Vec<Shown> = lanes(model)
            .iter()
            .map(|lane| bars(lane, &span, width))
            .collect();
        for (column, design) in model.designs.get().into_iter().enumerate() {
            let name = column_title(design);
            out.push(marked(name, &marks(model, column, design), &span));
        }
        out.extend(found(model, &span));
        out
    });
    let line = el("i");
    let moved = line.clone();
    follow(move || {
        let at = span_of.with(|span| span.middle(model.at.get()));
        moved.style("left", &format!("{}%", fixed(at)));
    });
    let cursor = div("lane cursor")
        .set("aria-hidden", "true")
        .child(span("ll", ""))
        .child(div("track").child(line));
    let list = div("lanes");
    let (target, mut tracks) = (list.clone(), Vec::<Track>::new());
    follow(move || {
        let rows = span_of.with(|span| span.0.clone());
        all.with(|all| {
            while tracks.len() > all.len() {
                if let Some(track) = tracks.pop() {
                    track.lane.remove();
                }
            }
            for (index, shown) in all.iter().enumerate() {
                if tracks.len() == index {
                    let track = Track::new(model);
                    target.append(&track.lane);
                    tracks.push(track);
                }
                if let Some(track) = tracks.get_mut(index) {
                    track.show(shown, &rows);
                }
            }
        });
    });
    el("section")
        .class("timeline")
        .set("aria-label", "The whole way of this packet")
        .child(list)
        .child(cursor)
}

/// `M3.100 1h4.800v18h-4.800z`: a bar, with a little room at both ends.
fn push_bar(path: &mut String, from: usize, to: usize, top: &str, height: &str) {
    let long = fixed((to - from) as f64 - 0.2);
    path.push('M');
    push_number(path, from as i64);
    for part in [".1 ", top, "h", &long, "v", height, "h-", &long, "z"] {
        path.push_str(part);
    }
}

fn bars(lane: &Lane, span: &Span, width: f64) -> Shown {
    let mut shapes = [
        ("bar", String::new()),
        ("bar partial", String::new()),
        ("back", String::new()),
    ];
    if lane.programs {
        shapes[0].0 = "bar p";
        shapes[1].0 = "bar p partial";
    }
    let (mut labels, mut hits) = (Vec::new(), Vec::new());
    for (index, bar) in lane.bars.iter().enumerate() {
        let (from, to) = (bar.start - span.0.start, bar.end - span.0.start);
        match (bar.name.is_empty(), bar.partial) {
            (true, _) => push_bar(&mut shapes[2].1, from, to, "10", "0"),
            (_, false) => push_bar(&mut shapes[0].1, from, to, "1", "18"),
            (_, true) => push_bar(&mut shapes[1].1, from, to, "1", "18"),
        }
        let (left, right) = (span.percent(bar.start), span.percent(bar.end));
        // A program's name stands whole in its bar, else behind it where there is room up to the next one.
        let needs = match lane.programs {
            true => bar.name.len() as f64 * CHAR + 10.0,
            false => READABLE,
        };
        let next = lane.bars.get(index + 1);
        let next = next.map_or(100.0, |next| span.percent(next.start));
        let behind = lane.programs.then_some((right, next));
        let place = [Some((left, right)), behind]
            .into_iter()
            .flatten()
            .find(|(from, to)| (to - from) / 100.0 * (width - NAMES) >= needs);
        if let Some((from, to)) = place.filter(|_| !bar.name.is_empty()) {
            let percent = |x: f64| format!("{}%", fixed(x));
            labels.push((percent(from), percent(to - from), bar.name.clone()));
        }
        let words = if bar.name.is_empty() {
            "on the way back"
        } else {
            &bar.name
        };
        hits.push(Hit {
            rows: bar.start..bar.end,
            to: bar.start,
            words: words.to_owned(),
        });
    }
    Shown {
        name: lane.name.clone(),
        class: if lane.programs {
            "lane programs"
        } else {
            "lane"
        },
        shapes: shapes.into(),
        labels,
        hits,
    }
}

/// Marks are strokes, so that they are as wide at every scale: of each class, where it begins and how long it is.
const KINDS: [(&str, &str, &str); 6] = [
    ("w", " 11", "v6"),
    ("m", " 8", "v5"),
    ("ok", " 4", "v12"),
    ("bad", " 4", "v12"),
    ("x", " 10", "v.01"),
    ("found", " 10", "v.01"),
];

fn marked(name: &str, marks: &[Mark], span: &Span) -> Shown {
    let mut shapes = Vec::new();
    for (class, top, along) in KINDS {
        let mut path = String::new();
        for mark in marks.iter().filter(|mark| mark.class == class) {
            path.push('M');
            push_number(&mut path, (mark.row - span.0.start) as i64);
            path.push_str(".5");
            path.push_str(top);
            path.push_str(along);
        }
        // What was read wrongly has a frame round it, a drop is a ring: the same strokes again, thinner.
        if matches!(class, "bad" | "x") {
            shapes.push((class, path.clone()));
            shapes.push(("inner", path.clone()));
        }
        shapes.push((if class == "x" { "none" } else { class }, path));
    }
    let hit = |mark: &Mark| Hit {
        rows: mark.row..mark.row + 1,
        to: mark.row,
        words: mark.words.clone(),
    };
    Shown {
        name: name.to_owned(),
        class: "lane marks",
        shapes,
        labels: Vec::new(),
        hits: marks.iter().map(hit).collect(),
    }
}

/// Where playing stops.
fn found(model: Model, span: &Span) -> Option<Shown> {
    let rows = model.found.get().and_then(Result::ok)?;
    let here = rows.iter().copied().filter(|row| span.0.contains(row));
    let mark = |row| Mark {
        row,
        class: "found",
        words: "found".into(),
    };
    let marks: Vec<Mark> = here.map(mark).collect();
    (!marks.is_empty()).then(|| marked("found", &marks, span))
}

/// What clicks of a lane mean now: its rows and what stands there.
type Hits = Rc<RefCell<(Range<usize>, Vec<Hit>)>>;

/// The nodes of a lane.
struct Track {
    lane: El,
    name: El,
    track: El,
    picture: El,
    paths: Vec<El>,
    labels: Vec<(El, El)>,
    hits: Hits,
    rows: Range<usize>,
    shown: Shown,
}

impl Track {
    fn new(model: Model) -> Self {
        let hits = Hits::default();
        let picture = svg("svg")
            .set("preserveAspectRatio", "none")
            .set("aria-hidden", "true");
        let (click, over) = (hits.clone(), hits.clone());
        let titled = picture.clone();
        let mut said: Option<String> = None;
        let track = div("track")
            .child(picture.clone())
            .on("click", move |event| {
                if let Some((to, _)) = hit(&click, &event, &titled) {
                    model.go(to, By::Jump);
                }
            });
        let (named, place) = (track.clone(), picture.clone());
        let track = track.on("pointermove", move |event| {
            let words = hit(&over, &event, &place).map(|(_, words)| words);
            if words != said {
                named.maybe("title", words.as_deref());
                said = words;
            }
        });
        let name = text("");
        let lane = el("div")
            .child(span("ll", "").child(name.clone()))
            .child(track.clone());
        Self {
            lane,
            name,
            track,
            picture,
            paths: Vec::new(),
            labels: Vec::new(),
            hits,
            rows: 0..0,
            shown: Shown::default(),
        }
    }

    fn show(&mut self, now: &Shown, rows: &Range<usize>) {
        if self.rows.len() != rows.len() {
            let mut view = String::from("0 0 ");
            push_number(&mut view, rows.len().max(1) as i64);
            view.push_str(" 20");
            self.picture.put("viewBox", &view);
        }
        self.rows.clone_from(rows);
        *self.hits.borrow_mut() = (rows.clone(), now.hits.clone());
        if now.class != self.shown.class {
            self.lane.put("class", now.class);
        }
        if now.name != self.shown.name {
            self.name.say(&now.name);
        }
        self.show_shapes(&now.shapes);
        self.show_labels(&now.labels);
        self.shown.clone_from(now);
    }

    fn show_shapes(&mut self, now: &[(&'static str, String)]) {
        for (index, (class, path)) in now.iter().enumerate() {
            if self.paths.len() == index {
                let node = svg("path");
                self.picture.append(&node);
                self.paths.push(node);
            }
            let Some(node) = self.paths.get(index) else {
                continue;
            };
            let old = self.shown.shapes.get(index);
            if old.is_none_or(|(old, _)| old != class) {
                node.put("class", class);
            }
            if old.is_none_or(|(_, old)| old != path) {
                node.put("d", path);
            }
        }
        // A lane of bars that becomes one of marks, and the other way round.
        for node in self.paths.drain(now.len().min(self.paths.len())..) {
            node.remove();
        }
    }

    fn show_labels(&mut self, now: &[(String, String, String)]) {
        for (index, (left, width, words)) in now.iter().enumerate() {
            if self.labels.len() == index {
                let words = text("");
                let node = span("tl", "").child(words.clone());
                self.track.append(&node);
                self.labels.push((node, words));
            }
            let Some((node, text)) = self.labels.get(index) else {
                continue;
            };
            let old = self.shown.labels.get(index);
            if old.is_none_or(|old| old.0 != *left) {
                node.style("left", left);
            }
            if old.is_none_or(|old| old.1 != *width) {
                node.style("width", width);
            }
            if old.is_none_or(|old| old.2 != *words) {
                text.say(words);
            }
        }
        for (node, _) in self.labels.drain(now.len().min(self.labels.len())..) {
            node.remove();
        }
    }
}

/// What stands under the pointer: a bar, or the nearest mark close to it.
fn hit(hits: &Hits, event: &Event, picture: &El) -> Option<(usize, String)> {
    let x = f64::from(event.dyn_ref::<MouseEvent>()?.client_x());
    let place = picture.element().get_bounding_client_rect();
    let hits = hits.borrow();
    let (rows, all) = &*hits;
    let unit = place.width() / rows.len().max(1) as f64;
    let at = rows.start as f64 + (x - place.left()) / unit;
    let away = |hit: &Hit| {
        let (from, to) = (hit.rows.start as f64, hit.rows.end as f64);
        (from - at).max(at - to).max(0.0) * unit
    };
    let nearest = all.iter().min_by(|a, b| away(a).total_cmp(&away(b)))?;
    (away(nearest) <= NEAR).then(|| (nearest.to, nearest.words.clone()))
}
