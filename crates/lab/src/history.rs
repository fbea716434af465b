//! Undo and redo. Instead of asking "are you sure?", everything can be taken back.

/// Most states that are kept; older ones go.
const MOST: usize = 200;

/// The states of a piece of work, and where in them one is.
#[derive(Debug, Clone)]
pub struct History<T> {
    states: Vec<T>,
    at: usize,
    /// What the latest change was about; a further change of the same replaces it.
    latest: Option<&'static str>,
}

impl<T: Clone + PartialEq> History<T> {
    /// Begins with a state.
    pub fn new(first: T) -> Self {
        Self {
            states: vec![first],
            at: 0,
            latest: None,
        }
    }

    /// The state now.
    pub fn now(&self) -> &T {
        // `at` is always an index into `states`, which is never empty.
        &self.states[self.at]
    }

    /// A change. `about` names what was changed: while the same thing is changed again and again
    /// (typing), one step back goes to where that began. `None` is always a step of its own.
    pub fn change(&mut self, state: T, about: Option<&'static str>) {
        if *self.now() == state {
            return;
        }
        let same = about.is_some() && about == self.latest && self.at + 1 == self.states.len();
        self.states.truncate(self.at + 1);
        if same && self.at > 0 {
            self.states.pop();
        }
        self.states.push(state);
        if self.states.len() > MOST {
            self.states.remove(0);
        }
        self.at = self.states.len() - 1;
        self.latest = about;
    }

    /// Forgets the oldest states until no more than `most` are there; the one now stays.
    pub fn keep_at_most(&mut self, most: usize) {
        let gone = self.states.len().saturating_sub(most.max(1)).min(self.at);
        self.states.drain(..gone);
        self.at -= gone;
    }

    /// Ends a run of changes of one thing: the next one is a step of its own.
    pub fn pause(&mut self) {
        self.latest = None;
    }

    /// One state back.
    pub fn undo(&mut self) -> bool {
        self.latest = None;
        let can = self.at > 0;
        self.at -= usize::from(can);
        can
    }

    /// One state on.
    pub fn redo(&mut self) -> bool {
        self.latest = None;
        let can = self.can_redo();
        self.at += usize::from(can);
        can
    }

    /// Whether there is a state before this one.
    pub fn can_undo(&self) -> bool {
        self.at > 0
    }

    /// Whether there is a state behind this one.
    pub fn can_redo(&self) -> bool {
        self.at + 1 < self.states.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_one_step_and_other_changes_are_their_own() {
        let mut history = History::new("");
        history.change("i", Some("commands"));
        history.change("ip", Some("commands"));
        history.change("ip + packet", None);
        history.change("ip l + packet", Some("commands"));
        assert!(history.undo() && *history.now() == "ip + packet");
        assert!(history.undo() && *history.now() == "ip");
        assert!(history.undo() && history.now().is_empty() && !history.undo());
        assert!(history.redo() && history.redo() && *history.now() == "ip + packet");
        history.change("other", None);
        assert!(!history.can_redo(), "a change forks the future");
        assert!(history.undo() && *history.now() == "ip + packet");
    }

    #[test]
    fn a_pause_parts_typing() {
        let mut history = History::new(0);
        history.change(1, Some("n"));
        history.pause();
        history.change(2, Some("n"));
        assert!(history.undo() && *history.now() == 1);
    }

    #[test]
    fn old_states_go() {
        let mut history = History::new(0);
        for n in 1..=MOST * 2 {
            history.change(n, None);
        }
        let mut steps = 0;
        while history.undo() {
            steps += 1;
        }
        assert_eq!((steps, *history.now()), (MOST - 1, MOST + 1));
        history.change(*history.now(), None);
        assert!(history.can_redo(), "no change changes nothing");
        // Never the one that is shown, nor what can be done again.
        history.keep_at_most(2);
        assert_eq!(*history.now(), MOST + 1);
        assert!(!history.can_undo() && history.can_redo());
        while history.redo() {}
        history.keep_at_most(3);
        assert!(history.undo() && history.undo() && !history.undo());
        assert_eq!(*history.now(), MOST * 2 - 2);
    }
}
