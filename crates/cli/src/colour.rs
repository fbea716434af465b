//! Colours, on a terminal only.

use std::fmt::Display;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use headroom_core::trace::Verdict;

/// When to print colours.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Also into a pipe or a file.
    Always,
    /// Nowhere.
    Never,
}

/// Text with or without colours.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// None.
    pub const OFF: Paint = Paint(false);

    /// For standard output. `NO_COLOR` counts when it is not empty (no-color.org).
    pub fn stdout(when: When) -> Paint {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Paint(match when {
            When::Always => true,
            When::Never => false,
            When::Auto => std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
        })
    }

    fn with(self, style: Style, what: impl Display) -> String {
        match self.0 {
            true => format!("{style}{what}{style:#}"),
            false => what.to_string(),
        }
    }

    /// A heading.
    pub fn head(self, what: impl Display) -> String {
        self.with(Style::new().bold(), what)
    }

    /// What stands beside: numbers of lines, C, remarks.
    pub fn aside(self, what: impl Display) -> String {
        self.with(Style::new().dimmed(), what)
    }

    /// What an instruction did.
    pub fn effect(self, what: impl Display) -> String {
        self.with(AnsiColor::Cyan.on_default(), what)
    }

    /// Where one should look.
    pub fn warning(self, what: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default(), what)
    }

    /// As it should be.
    pub fn good(self, what: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), what)
    }

    /// What was read, by its verdict.
    pub fn verdict(self, verdict: Verdict, what: impl Display) -> String {
        match verdict {
            Verdict::Ok => self.good(what),
            Verdict::None => what.to_string(),
            Verdict::Garbage | Verdict::Lost | Verdict::Overwritten => {
                self.with(AnsiColor::Red.on_default(), what)
            }
        }
    }
}
