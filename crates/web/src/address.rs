//! The state of the page *is* its address. Parse and print are inverse; whatever a hand-typed or
//! mangled address holds, there is a sensible state and a notice that says what was wrong.

use std::fmt::Write as _;

use crate::zooms::ZOOMS;
use headroom_core::compare::MAX_COLUMNS;
use headroom_core::scene::order::cut;
use headroom_core::scene::{StepName, Zoom};

use crate::designs::{COLUMNS, CUSTOM, FIRST_SHOWN};
use crate::view::View;

/// Where in a scenario one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Scenario id, such as `seed`.
    pub scenario: String,
    /// Which designs are shown, as indexes into [`COLUMNS`]; at least one, in order.
    pub designs: Vec<usize>,
    /// The step; `None` is the scenario's opening picture.
    pub at: Option<StepName>,
    /// How close one looks.
    pub zoom: Zoom,
    /// Policy points of the design `custom`, as `point=value,…`.
    pub policy: String,
    /// What the reader looks for in the run.
    pub find: String,
    /// The design whose bytes, fields and program stand under the pictures; `None` is the first one shown.
    pub front: Option<usize>,
    /// The byte of that design's buffer that the reader has chosen: offset from `head`.
    pub byte: Option<u32>,
    /// What is shown of it.
    pub view: View,
}

impl Place {
    /// The opening picture of a scenario.
    #[must_use]
    pub fn of(scenario: &str) -> Self {
        Self {
            scenario: scenario.into(),
            designs: (0..FIRST_SHOWN).collect(),
            at: None,
            zoom: Zoom::Functions,
            policy: String::new(),
            find: String::new(),
            front: None,
            byte: None,
            view: View::default(),
        }
    }

    /// The design in front.
    #[must_use]
    pub fn front(&self) -> usize {
        let shown = self.front.filter(|front| self.designs.contains(front));
        shown.or(self.designs.first().copied()).unwrap_or(0)
    }

    /// Puts a shown design in front, and chooses a byte of it.
    pub fn face(&mut self, front: usize, byte: Option<u32>) {
        let first = self.designs.first() == Some(&front);
        self.front = Some(front).filter(|_| !first && self.designs.contains(&front));
        self.byte = byte.filter(|_| self.front() == front);
    }
}

/// Every address the site has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `/`, with a stop of the story after `?stop=`.
    Start(Option<String>),
    /// `/s`, with what stands behind it.
    Scenarios(String),
    /// `/s/<scenario>?…`
    Scenario(Place),
    /// `/spec`, with the rule after the `#`.
    Spec(Option<String>),
    /// `/embed?s=<scenario>&…`
    Embed(Place),
    /// `/compare/<scenario>?…`; without a scenario, the list of what can be compared.
    Compare(Place),
    /// `/matrix`, with what stands behind it.
    Matrix(String),
    /// `/lab`, with what stands behind it: `?s=<scenario>` or a fragment that holds the work.
    Lab(String),
    /// `/open`: a file of the reader's.
    Open,
    /// `/designs`, with the design after the `#`.
    Designs(Option<String>),
    /// Anything else, as it was asked for.
    Unknown(String),
}

impl Address {
    /// Reads `path?query#fragment`. Never fails; notices say what could not be read.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut notices = Vec::new();
        let (path, rest) = match text.find(['?', '#']) {
            Some(at) => cut(text, at),
            None => (text, ""),
        };
        let segments: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let address = match parts.as_slice() {
            [] | ["index.html"] => Self::Start(
                pairs(rest)
                    .into_iter()
                    .find(|(key, _)| key == "stop")
                    .map(|(_, stop)| stop),
            ),
            ["compare"] => Self::Compare(Place::of("")),
            ["compare", scenario] => Self::Compare(place(scenario, rest, &mut notices)),
            ["matrix"] => Self::Matrix(rest.to_owned()),
            ["lab"] => Self::Lab(rest.to_owned()),
            ["open"] => Self::Open,
            ["designs"] => Self::Designs(fragment(rest)),
            ["s"] => Self::Scenarios(rest.to_owned()),
            ["s", scenario] => Self::Scenario(place(scenario, rest, &mut notices)),
            ["embed"] => {
                let scenario = pairs(rest)
                    .into_iter()
                    .find(|(key, _)| key == "s")
                    .map(|(_, value)| value);
                Self::Embed(place(
                    scenario.as_deref().unwrap_or("seed"),
                    rest,
                    &mut notices,
                ))
            }
            ["spec"] => Self::Spec(fragment(rest)),
            _ => Self::Unknown(path.to_owned()),
        };
        (address, notices)
    }

    /// The address as `path?query#fragment`.
    #[must_use]
    pub fn print(&self) -> String {
        match self {
            Self::Start(None) => "/".into(),
            Self::Start(Some(stop)) => format!("/?stop={}", encode(stop)),
            Self::Compare(place) if place.scenario.is_empty() => "/compare".into(),
            Self::Compare(place) => {
                let mut out = format!("/compare/{}", encode(&place.scenario));
                query(&mut out, '?', place);
                out
            }
            Self::Matrix(rest) => format!("/matrix{rest}"),
            Self::Lab(rest) => format!("/lab{rest}"),
            Self::Open => "/open".into(),
            Self::Designs(None) => "/designs".into(),
            Self::Designs(Some(design)) => format!("/designs#{}", encode(design)),
            Self::Scenarios(rest) => format!("/s{rest}"),
            Self::Scenario(place) => {
                let mut out = format!("/s/{}", encode(&place.scenario));
                query(&mut out, '?', place);
                out
            }
            Self::Embed(place) => {
                let mut out = format!("/embed?s={}", encode(&place.scenario));
                query(&mut out, '&', place);
                out
            }
            Self::Spec(None) => "/spec".into(),
            Self::Spec(Some(rule)) => format!("/spec#{}", encode(rule)),
            Self::Unknown(path) => path.clone(),
        }
    }

    /// The place, where there is one.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Scenario(place) | Self::Embed(place) | Self::Compare(place) => Some(place),
            _ => None,
        }
    }
}

/// What stands behind the `#`.
fn fragment(rest: &str) -> Option<String> {
    rest.split_once('#')
        .map(|(_, text)| decode(text))
        .filter(|text| !text.is_empty())
}

fn query(out: &mut String, mut joint: char, place: &Place) {
    let mut pair = |key: &str, value: &str| {
        let _ = write!(out, "{joint}{key}={value}");
        joint = '&';
    };
    let as_first_shown = place.designs.iter().copied().eq(0..FIRST_SHOWN);
    if !as_first_shown || place.at.is_some() {
        let names: Vec<&str> = place
            .designs
            .iter()
            .filter_map(|index| COLUMNS.get(*index).copied())
            .collect();
        pair("d", &names.join(","));
    }
    if place.designs.contains(&CUSTOM) && !place.policy.is_empty() {
        pair("policy", &encode(&place.policy));
    }
    if !place.find.is_empty() {
        pair("find", &encode(&place.find));
    }
    let front = place.front();
    if place.designs.first() != Some(&front) {
        pair("front", COLUMNS.get(front).copied().unwrap_or_default());
    }
    if let Some(byte) = place.byte {
        pair("byte", &byte.to_string());
    }
    for (key, value) in place.view.words() {
        if !value.is_empty() {
            pair(key, &value);
        }
    }
    let of = |(known, _): &&(Zoom, &'static str)| *known == place.zoom;
    let zoom = ZOOMS.iter().find(of).map_or("", |(_, word)| word);
    if let Some(at) = &place.at {
        pair("at", &encode(&at.to_string()));
        pair("z", zoom);
    } else if place.zoom != Zoom::Functions {
        pair("z", zoom);
    }
}

/// The pairs of a query, decoded.
///
/// A step name holds a `#`. Typed as it stands it begins the fragment, so query and fragment are
/// read as one text.
#[must_use]
pub fn pairs(rest: &str) -> Vec<(String, String)> {
    let rest = rest.trim_start_matches(['?', '#']);
    rest.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn place(scenario: &str, rest: &str, notices: &mut Vec<String>) -> Place {
    let (mut place, mut front, mut byte) = (Place::of(scenario), None, None);
    for (key, value) in pairs(rest) {
        match key.as_str() {
            "d" => designs(&value, &mut place, notices),
            "at" => match value.parse() {
                Ok(name) => place.at = Some(name),
                Err(error) => notices.push(format!("{error}. This is the opening picture.")),
            },
            "z" => match ZOOMS.iter().find(|(_, word)| *word == value) {
                Some((zoom, _)) => place.zoom = *zoom,
                None => notices.push(format!(
                    "There is no zoom level “{value}”. These are functions."
                )),
            },
            "policy" => place.policy = value,
            "find" => place.find = value,
            "front" => front = column(&value, notices),
            "byte" => match value.parse() {
                Ok(offset) => byte = Some(offset),
                Err(_) => notices.push(format!("“{value}” is no offset of a byte.")),
            },
            key => {
                if place.view.read(key, &value) == Some(false) {
                    notices.push(format!("There is no {key} “{value}”."));
                }
            }
        }
    }
    if !place.designs.contains(&CUSTOM) {
        place.policy.clear();
    }
    place.face(front.unwrap_or(place.front()), byte);
    place
}

/// The column of a name.
fn column(name: &str, notices: &mut Vec<String>) -> Option<usize> {
    let found = COLUMNS.iter().position(|design| *design == name);
    if found.is_none() {
        notices.push(format!(
            "There is no design “{name}”; there are {}.",
            crate::designs::DESIGNS.join(", ")
        ));
    }
    found
}

fn designs(value: &str, place: &mut Place, notices: &mut Vec<String>) {
    let names = value.split(',').filter(|name| !name.is_empty());
    let mut found: Vec<usize> = names.filter_map(|name| column(name, notices)).collect();
    headroom_core::scene::order::by_key(&mut found, |design| *design);
    found.dedup();
    if found.len() > MAX_COLUMNS {
        found.truncate(MAX_COLUMNS);
        notices.push(format!(
            "Of more designs than {MAX_COLUMNS} the first {MAX_COLUMNS} are shown."
        ));
    }
    if !found.is_empty() {
        place.designs = found;
    }
}

/// Percent-decoding; `+` is a space. Broken escapes stand for themselves.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of everything that has a meaning in an address, or none in a mail.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'@'
            | b','
            | b'/'
            | b':' => {
                out.push(byte as char);
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
