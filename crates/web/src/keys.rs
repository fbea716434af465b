//! Keys of the stepper. What the table says is what the keys do.

use crate::model::{By, Model};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One step on.
    Next,
    /// One step back.
    Previous,
    /// To the first step.
    First,
    /// To the last step.
    Last,
    /// Start or stop playing.
    Play,
    /// Look closer: instructions, each write.
    Closer,
    /// Look from farther away.
    Farther,
    /// What is another than at the step before.
    Diff,
    /// Stop where something happens again.
    Break,
    /// To the next wrong read.
    NextWrong,
    /// To the next of what is looked for.
    NextFound,
    /// To the one before.
    PreviousFound,
    /// Say what to look for.
    Find,
    /// Other designs.
    Designs,
    /// Copy the link.
    CopyLink,
    /// Show the keys.
    Help,
    /// Not the stepper's: another page, or every page, does it.
    Elsewhere,
}

/// Keys, what is printed for them, and what they do.
pub const KEYS: [(&[&str], &str, Action, &str); 21] = [
    (
        &["ArrowRight", "PageDown"],
        "→ PageDown",
        Action::Next,
        "next step",
    ),
    (
        &["ArrowLeft", "PageUp"],
        "← PageUp",
        Action::Previous,
        "previous step",
    ),
    (&["Home"], "Home", Action::First, "first step"),
    (&["End"], "End", Action::Last, "last step"),
    (&[" "], "Space", Action::Play, "play, pause"),
    (&["ArrowUp"], "↑", Action::Farther, "look from farther away"),
    (
        &["ArrowDown"],
        "↓",
        Action::Closer,
        "look closer: instructions, then each write",
    ),
    (
        &["x"],
        "x",
        Action::Diff,
        "what is another than at the step before",
    ),
    (
        &["b"],
        "b",
        Action::Break,
        "stop at writes to the chosen byte, else at this function",
    ),
    (&["."], ".", Action::NextWrong, "next wrong read"),
    (
        &["/"],
        "/",
        Action::Find,
        "find a write, a change, a read; playing stops there",
    ),
    (&["n"], "n", Action::NextFound, "next of what is found"),
    (
        &["N"],
        "N",
        Action::PreviousFound,
        "previous of what is found",
    ),
    (&["d"], "d", Action::Designs, "both designs, one, the other"),
    (&["y"], "y", Action::CopyLink, "copy the link to this step"),
    (&["?"], "?", Action::Help, "these keys"),
    (
        &[],
        "⌘K Ctrl+K",
        Action::Elsewhere,
        "go to a page, a scenario, the lab",
    ),
    (&[], "D", Action::Elsewhere, "dense, comfortable"),
    (
        &[],
        "f [ ]",
        Action::Elsewhere,
        "in Compare: first, previous, next difference",
    ),
    (
        &[],
        "Ctrl+Space",
        Action::Elsewhere,
        "in the lab: take the first completion",
    ),
    (
        &[],
        "Ctrl+Z Ctrl+Shift+Z",
        Action::Elsewhere,
        "in the lab: undo, redo",
    ),
];

/// The action of a key.
#[must_use]
pub fn action(key: &str) -> Option<Action> {
    KEYS.iter()
        .find(|(keys, ..)| keys.contains(&key))
        .map(|(_, _, action, _)| *action)
}

/// Carries out what needs only the model. `CopyLink` and `Help` are the page's.
pub fn carry_out(model: &Model, action: Action) {
    match action {
        Action::Next => model.step(1),
        Action::Previous => model.step(-1),
        Action::First => model.go(0, By::Step),
        Action::Last => model.last(),
        Action::Play => model.toggle_play(),
        Action::Closer => model.zoom_by(true),
        Action::Farther => model.zoom_by(false),
        Action::Diff => model.diff.update(|on| *on = !*on),
        Action::Break => model.toggle_break(),
        Action::NextWrong => model.next_wrong_read(),
        Action::NextFound => model.go_found(true),
        Action::PreviousFound => model.go_found(false),
        Action::Designs => model.next_designs(),
        Action::CopyLink | Action::Help | Action::Find | Action::Elsewhere => {}
    }
}
