//! What changes the state of a page: steps, jumps, zoom, designs, runs.

use std::ops::Range;
use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::Zoom;
use headroom_core::scene::align::find;
use headroom_core::scene::name::StepName;
use headroom_core::scene::opening::wrong_rows;
use headroom_core::scene::order::by_key;

use super::derive::{settle, traces};
use super::{By, Kind, Model, Selected, keep_habits};
use crate::address::{Address, Place};
use crate::data::Outcome;
use crate::designs::{CUSTOM, FIRST_SHOWN, column_title};
use crate::platform;
use crate::view::{Show, View};
use crate::zooms::ZOOMS;

impl Model {
    /// What to say when the step of the address is not in this run.
    #[must_use]
    pub fn check_step(&self) -> Option<String> {
        let name = self.place.with_untracked(|place| place.at.clone())?;
        let rows = self.rows.get_untracked();
        let found = find(&rows, &name);
        let instead = rows
            .get(found.map_or(0, |(row, _)| row))
            .map(|row| row.name.to_string())
            .unwrap_or_default();
        match found {
            Some((_, true)) => None,
            _ => Some(format!(
                "There is no step {name} in this run; this is {instead}."
            )),
        }
    }

    /// The rows of the packet that the current row belongs to.
    #[must_use]
    pub fn rows_here(&self) -> Range<usize> {
        let send = self.send.get();
        self.sends
            .with(|sends| sends.get(send).cloned())
            .unwrap_or(0..self.rows.with(|rows| rows.len()))
    }

    /// Goes to a row.
    pub fn go(&self, row: usize, by: By) {
        let rows = self.rows.get_untracked();
        let Some(row) = rows.get(row.min(rows.len().saturating_sub(1))) else {
            return;
        };
        self.go_to(row.name.clone(), by);
    }

    /// Goes to a named step.
    pub fn go_to(&self, name: StepName, by: By) {
        // A signal wakes who reads it, whatever it is set to.
        if by != By::Play && self.playing.get_untracked() {
            self.playing.set(false);
        }
        if !self.notices.with_untracked(Vec::is_empty) {
            self.notices.update(Vec::clear);
        }
        if self
            .place
            .with_untracked(|place| place.at.as_ref() == Some(&name))
        {
            return;
        }
        self.place.update(|place| place.at = Some(name));
        self.write(by == By::Jump);
        if by != By::Play {
            self.speak();
        }
    }

    /// Goes some rows on or back.
    pub fn step(&self, by: isize) {
        let at = self.at.get_untracked();
        self.go(at.saturating_add_signed(by), By::Step);
    }

    /// Goes to the last row.
    pub fn last(&self) {
        self.go(usize::MAX, By::Step);
    }

    /// Starts or stops playing; at the end it starts over.
    pub fn toggle_play(&self) {
        let playing = !self.playing.get_untracked();
        if playing && self.at.get_untracked() + 1 >= self.rows.with_untracked(|rows| rows.len()) {
            self.go(0, By::Play);
        }
        self.playing.set(playing);
        if playing {
            self.spoken.set("Playing.".into());
        } else {
            self.speak();
        }
    }

    /// One step of playing; stops at the end.
    pub fn play_on(&self) {
        let at = self.at.get_untracked();
        if at + 1 < self.rows.with_untracked(|rows| rows.len()) {
            self.go(at + 1, By::Play);
            if self.stops_at(at + 1) {
                self.playing.set(false);
                self.speak();
            }
        } else {
            self.playing.set(false);
            self.speak();
        }
    }

    /// One zoom level closer, or farther away.
    pub fn zoom_by(&self, closer: bool) {
        let now = self.place.with_untracked(|place| place.zoom);
        let at = ZOOMS.iter().position(|(zoom, _)| *zoom == now).unwrap_or(0);
        let to = if closer { at + 1 } else { at.saturating_sub(1) };
        if let Some((zoom, _)) = ZOOMS.get(to) {
            self.zoom(*zoom);
        }
    }

    /// Playing stops where something happens again that is looked at: a write to the chosen byte, else a
    /// call of the function one is in. A second time, nowhere.
    pub fn toggle_break(&self) {
        let byte = self.selected.get_untracked();
        let here = self.rows.with_untracked(|rows| {
            let row = rows.get(self.at.get_untracked());
            row.map(|row| row.name.what.clone())
        });
        let wanted = match byte {
            Some(byte) => format!("write to byte {}", byte.offset),
            None => here.unwrap_or_default(),
        };
        self.toggle_query(&wanted);
    }

    /// Looks for something, or for nothing if that is looked for already.
    pub fn toggle_query(&self, wanted: &str) {
        let same = self.query.with_untracked(|query| query == wanted);
        let text = if same {
            String::new()
        } else {
            wanted.to_owned()
        };
        self.spoken.set(if same {
            "Playing stops nowhere.".into()
        } else {
            format!("Playing stops at: {wanted}.")
        });
        self.look_for(text);
    }

    /// Sets the zoom level and stays at the same moment.
    pub fn zoom(&self, zoom: Zoom) {
        if self.place.with_untracked(|place| place.zoom == zoom) {
            return;
        }
        let name = self.rows.with_untracked(|rows| {
            rows.get(self.at.get_untracked())
                .map(|row| row.name.clone())
        });
        self.place.update(|place| {
            place.zoom = zoom;
            place.at = name.map(|name| settle(name, zoom));
        });
        self.write(true);
        self.speak();
    }

    /// Shows or hides a design; one always stays.
    pub fn toggle_design(&self, design: usize) {
        let shown = self.place.with_untracked(|place| place.designs.clone());
        let mut next: Vec<usize> = shown.iter().copied().filter(|d| *d != design).collect();
        if next.len() == shown.len() {
            next.push(design);
            by_key(&mut next, |design| *design);
        }
        self.show_designs(next);
    }

    /// Both, the first alone, the second alone, both.
    pub fn next_designs(&self) {
        let shown = self.place.with_untracked(|place| place.designs.clone());
        let next = match shown.as_slice() {
            [one] if one + 1 < FIRST_SHOWN => vec![one + 1],
            [_] => (0..FIRST_SHOWN).collect(),
            _ => vec![0],
        };
        self.show_designs(next);
    }

    fn show_designs(&self, designs: Vec<usize>) {
        if designs.is_empty() {
            return;
        }
        let here = self.rows.with_untracked(|rows| {
            rows.get(self.at.get_untracked())
                .map(|row| row.name.clone())
        });
        // What was wrong under a design that is hidden now says nothing of the others.
        if self.input.get_untracked() == self.own_input() {
            self.problem.set(None);
        }
        self.place.update(|place| {
            let front = place.front();
            place.designs = designs;
            place.face(front, place.byte);
            place.at = here.or(place.at.take());
        });
        self.write(true);
    }

    /// Follows the address: another step, other designs, another policy of `custom`.
    pub fn follow(&self, mut place: Place) {
        keep_habits(&mut place, self.kind.remembers());
        let other = self.place.with_untracked(|now| now.policy != place.policy);
        if other {
            let without = |outcome: &Outcome| {
                let mut outcome = outcome.clone();
                outcome.take(CUSTOM);
                Arc::new(outcome)
            };
            self.own.update_value(|own| *own = without(own));
            self.outcome.update(|outcome| *outcome = without(outcome));
        }
        if self.query.with_untracked(|query| *query != place.find) {
            self.query.set(place.find.clone());
        }
        if self.place.with_untracked(|now| now.byte != place.byte) {
            self.selected.set(Selected::of(&place));
        }
        self.place.set(place);
        // What is being made, and what was wrong, is of the policy before.
        if other && (self.busy.get_untracked() || self.problem.with_untracked(Option::is_some)) {
            self.run(self.input.get_untracked());
        }
    }

    /// On a page whose address is not its own: the reader's habits hold all the same.
    pub fn keep_habits(&self) {
        self.place.update(|place| keep_habits(place, true));
    }

    /// Shows it in another way; the address says so.
    pub fn look(&self, view: View) {
        if self.view.get_untracked() != view {
            self.place.update(|place| place.view = view);
            self.write(false);
        }
    }

    /// Shows something that was not shown, or the other way round.
    pub fn toggle(&self, what: Show) {
        self.look(self.view.get_untracked().toggled(what));
    }

    /// Points at a byte.
    pub fn point_at(&self, byte: Selected) {
        if self.selected.get_untracked() != Some(byte) {
            self.selected.set(Some(byte));
        }
    }

    /// Chooses a byte; the address says so.
    pub fn choose(&self, byte: Selected) {
        self.point_at(byte);
        self.face(byte.design, Some(byte.offset));
    }

    /// Puts a design in front, and says in the address which, and which byte of it is chosen.
    pub fn face(&self, design: usize, byte: Option<u32>) {
        let now = |place: &Place| (place.front(), place.byte);
        if self.place.with_untracked(now) != (design, byte) {
            self.place.update(|place| place.face(design, byte));
            self.write(false);
        }
    }

    /// Looks for something in the run; the address says so.
    pub fn look_for(&self, text: String) {
        self.query.set(text.clone());
        self.place.update(|place| place.find = text);
        self.write(false);
    }

    /// The next row after this one at which a shown design reads something that is not the metadata.
    pub fn next_wrong_read(&self) {
        let (rows, at) = (self.rows.get_untracked(), self.at.get_untracked());
        let traces = traces(self.outcome, &self.designs.get_untracked());
        let wrong = wrong_rows(&rows, &traces);
        match wrong.iter().find(|row| **row > at).or(wrong.first()) {
            Some(row) => self.go(*row, By::Jump),
            None => self
                .spoken
                .set("No program reads anything wrong in this run.".into()),
        }
    }

    /// The address of what is shown, the step named.
    #[must_use]
    pub fn address(&self) -> Address {
        let mut place = self.place.get();
        let name = self
            .rows
            .with(|rows| rows.get(self.at.get()).map(|row| row.name.clone()));
        place.at = name.or(place.at);
        self.wrap(place)
    }

    /// The link to what is shown, with scheme and host.
    #[must_use]
    pub fn link(&self) -> String {
        let own = self.own_link.get_value().and_then(|link| link.run());
        own.unwrap_or_else(|| platform::full_address(&self.address().print()))
    }

    fn wrap(&self, place: Place) -> Address {
        match self.kind {
            Kind::Embed => Address::Embed(place),
            Kind::Compare => Address::Compare(place),
            Kind::Page | Kind::Picture => Address::Scenario(place),
        }
    }

    fn write(&self, push: bool) {
        if self.kind != Kind::Picture {
            let address = self.wrap(self.place.get_untracked());
            match push {
                true => platform::write_address(&address.print(), true),
                false => platform::write_address_soon(&address.print()),
            }
        }
    }

    /// Says the current step in the live region.
    pub fn speak(&self) {
        self.spoken.set(untrack(|| self.words()));
    }

    /// The current step in words, for each shown design.
    #[must_use]
    pub fn words(&self) -> String {
        let said = self.said.get();
        let many = said.len() > 1;
        let one = |(designs, text): &(Vec<usize>, String)| {
            let names: Vec<&str> = designs.iter().map(|d| column_title(*d)).collect();
            if many {
                format!("{}: {text}", names.join(" and "))
            } else {
                text.clone()
            }
        };
        said.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}
