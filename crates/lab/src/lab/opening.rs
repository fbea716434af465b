//! What the lab starts from: a link, a template, or the work that was kept.

use headroom_core::share::{self, Work};
use headroom_web::data::{Scenario, files};
use headroom_web::model::Loaded;
use headroom_web::platform;

use super::seen;
use super::state::KEY;

/// What the page starts from: the link, a template, the work of last time, or the seed scenario.
/// What can't be had is said, and the rest is there.
pub async fn begin() -> (Work, Loaded, Vec<String>) {
    let mut notices = Vec::new();
    let (pairs, fragment) = seen::now();
    let wanted = seen::value(&pairs, "s");
    let mut work = None;
    if !fragment.is_empty() {
        match share::from_link(&fragment) {
            Ok(opened) => {
                notices = opened.broken;
                work = Some(opened.work);
            }
            Err(error) => notices.push(format!(
                "The link can't be opened: {error}. This is the work that was here before."
            )),
        }
    }
    if work.is_none() && wanted.is_none() {
        work = platform::stored(KEY)
            .and_then(|text| share::from_link(&text).ok())
            .map(|opened| opened.work);
    }
    let id = match &work {
        Some(work) => work.scenario.clone(),
        None => wanted.unwrap_or_else(|| "seed".into()),
    };
    // A link whose scenario is broken, or of another build, opens all the same: without that scenario's programs.
    let loaded = match scenario(&id).await {
        Ok(loaded) => loaded,
        Err(text) => {
            notices.push(format!("There is no scenario “{id}” here: {text}"));
            nothing_of(&id)
        }
    };
    let mut work = work.unwrap_or_else(|| template(&loaded.0));
    // What was typed last, if the page then ended by a mistake of its own.
    if let Some(commands) = headroom_web::crash::kept() {
        work.commands = commands;
    }
    (work, loaded, notices)
}

/// The texts of a scenario and the traces that the build made of it; without a name, an empty one.
///
/// # Errors
/// A sentence.
pub async fn scenario(id: &str) -> Result<Loaded, String> {
    if id.is_empty() {
        return Ok(Loaded::default());
    }
    files::scenario(id, &[]).await
}

/// What is there of a scenario that can't be had: its name.
pub(super) fn nothing_of(id: &str) -> Loaded {
    let texts = Scenario {
        id: id.to_owned(),
        ..Scenario::default()
    };
    (texts, Default::default(), None)
}

/// The work that a scenario is.
#[must_use]
pub(super) fn template(scenario: &Scenario) -> Work {
    Work {
        commands: scenario.commands.clone(),
        scenario: scenario.id.clone(),
        ..Work::default()
    }
}
