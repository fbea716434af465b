//! What is seen of the work, as the address says it: designs, step, zoom level, the policy of `custom`. The work
//! itself is behind the `#`, or in this browser.

use std::mem::take;
use std::time::Duration;

use headroom_core::share::{self, Work};
use headroom_web::address::{self, Address, Place, encode};
use headroom_web::app::Location;
use headroom_web::platform;
use leptos::prelude::*;

use super::state::{Lab, Tab, later, never};

/// Keys of the query that say it.
const OWN: [&str; 11] = [
    "d", "policy", "find", "front", "byte", "view", "speed", "page", "at", "z", "tab",
];
/// How long steps must rest before the address is written.
const REST: Duration = Duration::from_millis(250);

/// What stands behind `/lab` now: the pairs of the query, and what is behind the `#`.
pub fn now() -> (Vec<(String, String)>, String) {
    let rest = match Address::parse(&platform::current_address()).0 {
        Address::Lab(rest) => rest,
        _ => String::new(),
    };
    let (query, fragment) = rest.split_once('#').unwrap_or((&rest, ""));
    (address::pairs(query), fragment.to_owned())
}

/// The value of a key.
pub fn value(pairs: &[(String, String)], wanted: &str) -> Option<String> {
    let found = pairs.iter().find(|(key, _)| key == wanted);
    found.map(|(_, value)| value.clone())
}

fn joined(pairs: &[(String, String)]) -> String {
    let one = |(key, value): &(String, String)| format!("{key}={}", encode(value));
    pairs.iter().map(one).collect::<Vec<_>>().join("&")
}

/// The place of the address, and what of it could not be read. The first links said it inside, beside the work: that
/// holds where the address says nothing, and is taken out of the work, for the address says it from now on.
pub fn read(scenario: &str, work: &mut Work) -> (Place, Vec<String>) {
    let (mut pairs, _) = now();
    pairs.retain(|(key, _)| OWN.contains(&key.as_str()));
    let (view, policy) = (take(&mut work.view), take(&mut work.policy));
    if pairs.iter().all(|(key, _)| key == "tab") {
        pairs.extend(address::pairs(&view));
        if !policy.is_empty() && value(&pairs, "policy").is_none() {
            pairs.push(("policy".into(), policy));
        }
    }
    // The same words as in the address of a scenario, and the same reader.
    let (address, mut notices) = Address::parse(&format!("/s/x?{}", joined(&pairs)));
    let no_tab = |word: &String| {
        Tab::ALL
            .iter()
            .all(|(_, known)| !known.eq_ignore_ascii_case(word))
    };
    if let Some(word) = value(&pairs, "tab").filter(no_tab) {
        notices.push(format!(
            "The lab has no tab “{word}”; these are the commands."
        ));
    }
    let mut place = match address {
        Address::Scenario(place) => Place {
            scenario: scenario.to_owned(),
            ..place
        },
        _ => Place::of(scenario),
    };
    headroom_web::model::keep_habits(&mut place, true);
    (place, notices)
}

/// The address of the lab at a place; `link` is the work to put behind the `#`. What else stands there stays.
fn address_of(place: &Place, tab: Tab, link: Option<&str>) -> String {
    let (mut pairs, own) = now();
    // In a link the work itself is there: whatever template it began as is not named.
    pairs.retain(|(key, _)| !OWN.contains(&key.as_str()) && (key != "s" || link.is_none()));
    let printed = Address::Scenario(place.clone()).print();
    let query = printed.split_once('?').map_or("", |(_, query)| query);
    pairs.extend(address::pairs(query));
    if let Some(tab) = tab.word() {
        pairs.push(("tab".into(), tab));
    }
    let fragment = link.unwrap_or(&own);
    let (ask, hash) = (
        if pairs.is_empty() { "" } else { "?" },
        if fragment.is_empty() { "" } else { "#" },
    );
    format!("/lab{ask}{}{hash}{fragment}", joined(&pairs))
}

impl Lab {
    /// The link that holds all of the work, seen from a place.
    ///
    /// # Errors
    /// A sentence, when the work is too large for a link.
    pub fn link(&self, place: &Place) -> Result<String, String> {
        let fragment = self.work.with_untracked(share::to_link);
        let fragment = fragment.map_err(|error| format!("No link: {error}."))?;
        Ok(address_of(place, self.tab.get_untracked(), Some(&fragment)))
    }

    /// The address follows what is seen, and what is seen follows the address (Back, Forward, another link).
    pub fn follow_address(self) {
        let model = self.model;
        model
            .own_link
            .set_value(Some(headroom_web::react::Callback::new(move || {
                let Address::Scenario(place) = untrack(|| model.address()) else {
                    return None;
                };
                let link = self.link(&place).ok()?;
                Some(platform::full_address(&link))
            })));
        let timer = StoredValue::new(None);
        on_cleanup(move || never(timer));
        Effect::new(move |before: Option<(Place, Tab)>| {
            let now = (model.place.get(), self.tab.get());
            if let Some((before, tab)) = before {
                let steps = Place {
                    at: now.0.at.clone(),
                    find: now.0.find.clone(),
                    front: now.0.front,
                    byte: now.0.byte,
                    view: now.0.view,
                    ..before
                };
                let (place, shown) = now.clone();
                if steps != place {
                    platform::write_address(&address_of(&place, shown, None), true);
                } else if tab != shown {
                    platform::write_address(&address_of(&place, shown, None), false);
                } else {
                    later(timer, REST, move || {
                        platform::write_address(&address_of(&place, shown, None), false);
                    });
                }
            }
            now
        });
        let Some(location) = use_context::<Location>() else {
            return;
        };
        Effect::new(move |before: Option<(Option<String>, String)>| {
            location.0.track();
            let (pairs, fragment) = now();
            let wanted = (value(&pairs, "s"), fragment);
            if let Some(before) = before {
                self.came(&before, &wanted);
            }
            wanted
        });
    }

    /// The address has become another one; `before` and `wanted` are the template and the link in it.
    fn came(self, before: &(Option<String>, String), wanted: &(Option<String>, String)) {
        let id = self.work.with_untracked(|work| work.scenario.clone());
        let (place, notices) = read(&id, &mut Work::default());
        self.tab
            .set(Tab::of(&value(&now().0, "tab").unwrap_or_default()));
        if self.model.place.get_untracked() != place {
            self.model.follow(place);
        }
        if !notices.is_empty() {
            self.notices.set(notices);
        }
        if !wanted.1.is_empty() && wanted.1 != before.1 {
            match share::from_link(&wanted.1) {
                Ok(mut opened) => {
                    let id = opened.work.scenario.clone();
                    let (place, notices) = read(&id, &mut opened.work);
                    self.model.follow(place);
                    self.notices
                        .set(opened.broken.into_iter().chain(notices).collect());
                    self.replace(opened.work);
                }
                Err(error) => self.notices.set(vec![format!(
                    "The link can't be opened: {error}. This is the work that was here before."
                )]),
            }
        } else if let Some(id) = wanted.0.clone().filter(|_| wanted.0 != before.0) {
            self.begin_with(id);
        }
    }
}
