//! Files of the site below `data/`, written by `headroom-prepare` when the site is built.

use crate::platform::window;
use headroom_protocol::{DecodeError, Object, Problem, decode, decode_trace, files};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{Outcome, Scenario, Seen};
use crate::designs::{COLUMNS, column_of, is_file};

pub use headroom_protocol::files::Catalogue;

/// The ids of all scenarios.
pub const IDS: &[&str] = include!(concat!(env!("OUT_DIR"), "/ids.rs"));

/// A file that is on its way. Several are begun before the first is waited for.
pub struct Loading {
    path: String,
    answer: JsFuture,
}

/// Asks for a file.
#[must_use]
pub fn begin(path: String) -> Loading {
    let answer = JsFuture::from(window().fetch_with_str(&path));
    Loading { path, answer }
}

impl Loading {
    /// The bytes of the file.
    ///
    /// # Errors
    /// A sentence that says which file, and what happened.
    pub async fn bytes(self) -> Result<Vec<u8>, String> {
        let path = self.path;
        whole(self.answer)
            .await
            .map_err(|_| format!("{path} can't be loaded; is the site still reachable?"))
            .and_then(|answer| answer.ok_or_else(|| format!("{path} is missing on this host.")))
    }

    async fn read<T: DeserializeOwned>(self) -> Result<T, String> {
        let path = self.path.clone();
        decode(&self.bytes().await?).map_err(|error| unreadable(&path, &error))
    }
}

async fn whole(answer: JsFuture) -> Result<Option<Vec<u8>>, JsValue> {
    let answer: web_sys::Response = answer.await?.dyn_into()?;
    if !answer.ok() {
        return Ok(None);
    }
    let buffer = JsFuture::from(answer.array_buffer()?).await?;
    Ok(Some(js_sys::Uint8Array::new(&buffer).to_vec()))
}

/// The list of scenarios.
///
/// # Errors
/// A sentence.
pub async fn catalogue() -> Result<Catalogue, String> {
    begin(files::CATALOGUE.into()).read().await
}

/// The matrix of the catalogue.
///
/// # Errors
/// A sentence.
pub async fn matrix() -> Result<files::MatrixFile, String> {
    begin(files::MATRIX.into()).read().await
}

/// What each design is, and the roadmap.
///
/// # Errors
/// A sentence.
pub async fn designs() -> Result<files::Designs, String> {
    begin(files::DESIGN_PAGES.into()).read().await
}

/// What it takes to judge the catalogue anew.
///
/// # Errors
/// A sentence.
pub async fn jobs() -> Result<files::Jobs, String> {
    begin(files::JOBS.into()).read().await
}

/// The recorded experiments.
///
/// # Errors
/// A sentence.
pub async fn recorded() -> Result<Catalogue, String> {
    begin(files::RECORDED.into()).read().await
}

/// The rules: HTML that the build made.
///
/// # Errors
/// A sentence.
pub async fn spec() -> Result<String, String> {
    let bytes = begin(files::SPEC.into()).bytes().await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The story of the start page.
///
/// # Errors
/// A sentence.
pub async fn story() -> Result<files::Story, String> {
    begin(files::STORY.into()).read().await
}

/// A scenario's texts, its traces under the designs that are shown first, and those of some recordings.
///
/// # Errors
/// A sentence, when there is no such scenario. What is wrong with a trace that is asked for stands beside the
/// outcome.
pub async fn scenario(
    id: &str,
    designs: &[usize],
) -> Result<(Scenario, Outcome, Option<Problem>), String> {
    let opening = begin(files::scenario(id));
    // Only a recorded experiment has recordings.
    let recorded = id.starts_with(files::RECORDED_PREFIX);
    let others: Vec<(usize, Loading)> = designs
        .iter()
        .filter(|design| recorded && is_file(**design))
        .map(|design| (*design, begin_trace(id, *design)))
        .collect();
    let opening: files::Opening = opening.read().await?;
    let (mut outcome, mut problem) = (Outcome::default(), None);
    let mut put = |design: usize, seen: Result<Seen, Problem>| match seen {
        Ok(seen) => outcome.put(design, seen),
        Err(wrong) if designs.contains(&design) => problem = Some(wrong),
        Err(_) => {}
    };
    for (name, trace) in opening.traces {
        if let Some(design) = column_of(&name) {
            put(design, trace.and_then(|bytes| seen(&bytes, &name)));
        }
    }
    for (design, trace) in others {
        put(design, read_trace(trace).await);
    }
    Ok((opening.texts, outcome, problem))
}

fn begin_trace(id: &str, design: usize) -> Loading {
    begin(files::trace(
        id,
        COLUMNS.get(design).copied().unwrap_or_default(),
    ))
}

async fn read_trace(trace: Loading) -> Result<Seen, Problem> {
    let path = trace.path.clone();
    let bytes = trace.bytes().await.map_err(lost)?;
    seen(&bytes, &path)
}

fn lost(message: String) -> Problem {
    Problem {
        message,
        line: None,
        column: None,
    }
}

fn seen(bytes: &[u8], path: &str) -> Result<Seen, Problem> {
    let trace = decode_trace(bytes).map_err(|error| lost(unreadable(path, &error)))?;
    Ok(Seen::new(trace))
}

fn unreadable(path: &str, error: &DecodeError) -> String {
    match error {
        // A host that answers every address with the start page.
        DecodeError::Format(b'<') => format!("{path} is missing on this host."),
        error => format!("{path} can't be read: {error}. Reloading the page may help."),
    }
}

/// A recording beside a scenario, as the build made it.
///
/// # Errors
/// Why there is none.
pub async fn trace(id: &str, design: usize) -> Result<Seen, Problem> {
    read_trace(begin_trace(id, design)).await
}

/// The scenario's object files.
///
/// # Errors
/// A sentence.
pub async fn objects(scenario: &Scenario) -> Result<Vec<Object>, String> {
    let mut out = Vec::new();
    for program in &scenario.programs {
        let bytes = begin(format!("/data/{}", program.path)).bytes().await?;
        out.push(Object {
            name: program.name.clone(),
            bytes,
        });
    }
    Ok(out)
}
