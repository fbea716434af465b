//! Keys of the stepper. The sheet of keys is `static/find.js`; a test below holds it to this table.

use crate::model::{By, Model};
use crate::view::Show;

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
}

/// Keys, and what they do. What is said of them, and of those of other pages, stands in `static/find.js`.
pub const KEYS: [(&[&str], Action); 15] = [
    (&["ArrowRight", "PageDown"], Action::Next),
    (&["ArrowLeft", "PageUp"], Action::Previous),
    (&["Home"], Action::First),
    (&["End"], Action::Last),
    (&[" "], Action::Play),
    (&["ArrowUp"], Action::Farther),
    (&["ArrowDown"], Action::Closer),
    (&["x"], Action::Diff),
    (&["b"], Action::Break),
    (&["."], Action::NextWrong),
    (&["/"], Action::Find),
    (&["n"], Action::NextFound),
    (&["N"], Action::PreviousFound),
    (&["d"], Action::Designs),
    (&["y"], Action::CopyLink),
];

/// The action of a key.
#[must_use]
pub fn action(key: &str) -> Option<Action> {
    KEYS.iter()
        .find(|(keys, _)| keys.contains(&key))
        .map(|(_, action)| *action)
}

/// Carries out what needs only the model. `CopyLink` and `Find` are the page's.
pub fn carry_out(model: &Model, action: Action) {
    match action {
        Action::Next => model.step(1),
        Action::Previous => model.step(-1),
        Action::First => model.go(0, By::Step),
        Action::Last => model.last(),
        Action::Play => model.toggle_play(),
        Action::Closer => model.zoom_by(true),
        Action::Farther => model.zoom_by(false),
        Action::Diff => model.toggle(Show::Changes),
        Action::Break => model.toggle_break(),
        Action::NextWrong => model.next_wrong_read(),
        Action::NextFound => model.go_found(true),
        Action::PreviousFound => model.go_found(false),
        Action::Designs => model.next_designs(),
        Action::CopyLink | Action::Find => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the sheet: what is printed for the keys, and whose they are.
    fn printed() -> Vec<(String, bool)> {
        let script = include_str!("../../../static/find.js");
        let (_, rows) = script.split_once("const KEYS = [").expect("the table");
        let (rows, _) = rows.split_once("\n];").expect("its end");
        let row = |row: &str| {
            let print = row.split('\'').nth(1).expect("what is printed").to_owned();
            (print, row.contains("// stepper"))
        };
        rows.lines()
            .filter(|line| line.contains('['))
            .map(row)
            .collect()
    }

    #[test]
    fn the_sheet_of_keys_names_what_the_stepper_hears_and_nothing_else_of_it() {
        let word = |key: &str| {
            match key {
                "ArrowRight" => "→",
                "ArrowLeft" => "←",
                "ArrowUp" => "↑",
                "ArrowDown" => "↓",
                " " => "Space",
                other => other,
            }
            .to_owned()
        };
        let heard: Vec<String> = KEYS
            .iter()
            .map(|(keys, _)| {
                keys.iter()
                    .map(|key| word(key))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let sheet: Vec<String> = printed()
            .into_iter()
            .filter_map(|(print, stepper)| stepper.then_some(print))
            .collect();
        assert_eq!(sheet, heard);
    }
}
