//! Which rows of the matrix are shown, in which order, and the address that says so.

use std::fmt::Write as _;

use headroom_protocol::files::{MatrixCell, MatrixRow};

/// Order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// As in the catalogue.
    #[default]
    Catalogue,
    /// By the scenario's name.
    Name,
    /// Rows in which most designs lose or mistake the metadata first.
    Wrong,
    /// Rows in which designs cost most first.
    Cost,
}

impl Sort {
    /// All, with the words on their buttons.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Catalogue, "catalogue", "as listed"),
        (Self::Name, "name", "by name"),
        (Self::Wrong, "wrong", "most losses first"),
        (Self::Cost, "cost", "dearest first"),
    ];
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Words that a row must hold, in its name, title or a cell.
    pub find: String,
    /// Only rows in which designs differ.
    pub differing: bool,
    /// Only rows with a cell of this verdict; empty for all.
    pub verdict: String,
    /// Order.
    pub sort: Sort,
    /// Rows of one device family together.
    pub grouped: bool,
    /// Designs that are shown; empty for all.
    pub designs: Vec<String>,
    /// Policy points of the design workshop, as text: those that are not as in Linux 7.2.
    pub policy: String,
    /// The design that the workshop's was made from; empty while the workshop is closed.
    pub base: String,
    /// Only rows in which the workshop's design has another verdict than the one it was made from.
    pub turned: bool,
}

/// What a policy is made from when nothing else is said.
pub const LINUX: &str = "mac_header";
/// The name of the workshop's design in tables.
pub const CUSTOM: &str = "custom";

impl View {
    /// From the query of an address. What can't be read is left out.
    #[must_use]
    pub fn read(pairs: &[(String, String)]) -> Self {
        let mut view = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "q" => view.find.clone_from(value),
                "v" => view.verdict.clone_from(value),
                "differ" => view.differing = value == "1",
                "group" => view.grouped = value == "1",
                "policy" => view.policy.clone_from(value),
                "base" => view.base.clone_from(value),
                "turned" => view.turned = value == "1",
                "d" => {
                    view.designs = value
                        .split(',')
                        .filter(|d| !d.is_empty())
                        .map(str::to_owned)
                        .collect()
                }
                "sort" => {
                    let known = Sort::ALL.iter().find(|(_, word, _)| word == value);
                    view.sort = known.map_or(Sort::Catalogue, |(sort, ..)| *sort);
                }
                _ => {}
            }
        }
        if !view.policy.is_empty() && view.base.is_empty() {
            view.base = LINUX.into();
        }
        view
    }

    /// The query, with its `?`; empty for the usual view.
    #[must_use]
    pub fn query(&self, encode: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        let mut pair = |key: &str, value: &str| {
            if !value.is_empty() {
                let joint = if out.is_empty() { '?' } else { '&' };
                let _ = write!(out, "{joint}{key}={}", encode(value));
            }
        };
        pair("q", &self.find);
        pair("v", &self.verdict);
        pair("differ", if self.differing { "1" } else { "" });
        pair("group", if self.grouped { "1" } else { "" });
        let sort = Sort::ALL
            .iter()
            .find(|(sort, ..)| *sort == self.sort && self.sort != Sort::Catalogue);
        pair("sort", sort.map_or("", |(_, word, _)| word));
        pair("d", &self.designs.join(","));
        pair("policy", &self.policy);
        pair("base", &self.base);
        pair("turned", if self.turned { "1" } else { "" });
        out
    }

    /// Which rows are shown depends on the workshop's cells.
    #[must_use]
    pub fn asks_cells(&self) -> bool {
        let sorts = matches!(self.sort, Sort::Wrong | Sort::Cost);
        let open = !self.base.is_empty();
        open && (self.differing
            || self.turned
            || sorts
            || !self.verdict.is_empty()
            || !self.find.is_empty())
    }

    /// The rows that are shown, as indexes, in order.
    #[must_use]
    pub fn rows(&self, rows: &[MatrixRow]) -> Vec<usize> {
        let words: Vec<String> = self
            .find
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let mut out: Vec<usize> = (0..rows.len())
            .filter(|at| self.shows(&rows[*at], &words))
            .collect();
        match self.sort {
            Sort::Catalogue => {}
            Sort::Name => out.sort_by(|a, b| rows[*a].scenario.cmp(&rows[*b].scenario)),
            Sort::Wrong => out.sort_by_key(|at| {
                std::cmp::Reverse(self.cells(&rows[*at]).filter(|cell| is_wrong(cell)).count())
            }),
            Sort::Cost => {
                out.sort_by_key(|at| std::cmp::Reverse(self.cells(&rows[*at]).map(price).max()))
            }
        }
        if self.grouped {
            out.sort_by(|a, b| family(&rows[*a].scenario).cmp(family(&rows[*b].scenario)));
        }
        out
    }

    /// The cells of a row whose designs are shown.
    pub fn cells<'r>(&self, row: &'r MatrixRow) -> impl Iterator<Item = &'r MatrixCell> {
        let designs = self.designs.clone();
        row.cells.iter().filter(move |cell| {
            designs.is_empty() || designs.contains(&cell.design) || cell.design == CUSTOM
        })
    }

    fn shows(&self, row: &MatrixRow, words: &[String]) -> bool {
        let text = || {
            let cells = self
                .cells(row)
                .map(|cell| format!("{} {} {}", cell.design, cell.verdict, cell.note));
            let all: Vec<String> = [row.scenario.clone(), row.title.clone()]
                .into_iter()
                .chain(cells)
                .collect();
            all.join(" ").to_lowercase()
        };
        let verdicts: Vec<&str> = self.cells(row).map(|cell| cell.verdict.as_str()).collect();
        let differs = verdicts.windows(2).any(|pair| pair[0] != pair[1]);
        (!self.differing || differs)
            && (!self.turned || turned(row, &self.base).is_some())
            && (self.verdict.is_empty() || verdicts.contains(&self.verdict.as_str()))
            && (words.is_empty() || {
                let text = text();
                words.iter().all(|word| found(&text, word))
            })
    }
}

/// Whether a word of a text begins so: `gre` is found in `decap-gre` and `GRETAP`, and not in `ingress`. Both in lower case.
#[must_use]
pub fn found(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(char::is_alphanumeric)
    })
}

/// The verdict under the design `base` and the other one under the workshop's, if they differ.
#[must_use]
pub fn turned<'r>(row: &'r MatrixRow, base: &str) -> Option<(&'r str, &'r str)> {
    let of = |design: &str| row.cells.iter().find(|cell| cell.design == design);
    let (was, is) = (&of(base)?.verdict, &of(CUSTOM)?.verdict);
    (was != is).then_some((was.as_str(), is.as_str()))
}

/// Which verdicts turned into which, and how often, most often first.
#[must_use]
pub fn turns(rows: &[MatrixRow], base: &str) -> Vec<(String, String, usize)> {
    let mut out: Vec<(String, String, usize)> = Vec::new();
    for (was, is) in rows.iter().filter_map(|row| turned(row, base)) {
        match out.iter_mut().find(|(a, b, _)| a == was && b == is) {
            Some((.., count)) => *count += 1,
            None => out.push((was.into(), is.into(), 1)),
        }
    }
    out.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
    out
}

/// The metadata were lost, mistaken or overwritten.
#[must_use]
pub fn is_wrong(cell: &MatrixCell) -> bool {
    matches!(cell.verdict.as_str(), "garbage" | "lost" | "overwritten")
}

/// Only for an order: bytes that were moved and allocations weigh as counts.
fn price(cell: &MatrixCell) -> u64 {
    cell.cost.metadata_bytes_moved + cell.cost.buffer_allocations + cell.cost.prologue_instructions
}

/// The first word of a scenario's name: what kind of device it is about.
#[must_use]
pub fn family(scenario: &str) -> &str {
    scenario.split('-').next().unwrap_or(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_core::trace::Cost;

    fn cell(design: &str, verdict: &str, moved: u64) -> MatrixCell {
        MatrixCell {
            design: design.into(),
            verdict: verdict.into(),
            cost: Cost {
                metadata_bytes_moved: moved,
                ..Cost::default()
            },
            ..MatrixCell::default()
        }
    }

    fn rows() -> Vec<MatrixRow> {
        let row = |scenario: &str, cells: [MatrixCell; 2]| MatrixRow {
            scenario: scenario.into(),
            title: format!("About {scenario}"),
            cells: cells.into(),
        };
        vec![
            row("vlan-push", [cell("a", "ok", 0), cell("b", "ok", 9)]),
            row("gre-decap", [cell("a", "garbage", 0), cell("b", "ok", 4)]),
            row("vlan-pop", [cell("a", "lost", 0), cell("b", "garbage", 2)]),
        ]
    }

    #[test]
    fn filter_sort_and_group() {
        let rows = rows();
        let shown = |view: View| view.rows(&rows);
        assert_eq!(shown(View::default()), [0, 1, 2]);
        assert_eq!(
            shown(View {
                differing: true,
                ..View::default()
            }),
            [1, 2]
        );
        assert_eq!(
            shown(View {
                verdict: "garbage".into(),
                ..View::default()
            }),
            [1, 2]
        );
        assert_eq!(
            shown(View {
                find: "ABOUT decap".into(),
                ..View::default()
            }),
            [1]
        );
        // In the middle of `About` and `decap`, and nowhere in front of a word.
        for find in ["bout", "cap"] {
            let find = find.to_owned();
            assert!(
                shown(View {
                    find,
                    ..View::default()
                })
                .is_empty()
            );
        }
        assert_eq!(
            shown(View {
                sort: Sort::Name,
                ..View::default()
            }),
            [1, 2, 0]
        );
        assert_eq!(
            shown(View {
                sort: Sort::Wrong,
                ..View::default()
            }),
            [2, 1, 0]
        );
        assert_eq!(
            shown(View {
                sort: Sort::Cost,
                ..View::default()
            }),
            [0, 1, 2]
        );
        assert_eq!(
            shown(View {
                grouped: true,
                sort: Sort::Name,
                ..View::default()
            }),
            [1, 2, 0]
        );
        let only_b = View {
            designs: vec!["b".into()],
            verdict: "garbage".into(),
            ..View::default()
        };
        assert_eq!(shown(only_b), [2]);
    }

    #[test]
    fn the_workshop_says_what_turned() {
        let mut rows = rows();
        for (row, verdict) in rows.iter_mut().zip(["ok", "ok", "garbage"]) {
            row.cells.push(cell(CUSTOM, verdict, 0));
        }
        assert_eq!(turned(&rows[0], "a"), None);
        assert_eq!(turned(&rows[1], "a"), Some(("garbage", "ok")));
        assert_eq!(turned(&rows[2], "b"), None);
        let word = |a: &str, b: &str, n| (a.to_owned(), b.to_owned(), n);
        assert_eq!(
            turns(&rows, "a"),
            [word("garbage", "ok", 1), word("lost", "garbage", 1)]
        );
        let only = View {
            turned: true,
            base: "a".into(),
            designs: vec!["b".into()],
            ..View::default()
        };
        assert_eq!(only.rows(&rows), [1, 2]);
        // A cell that is not there yet has not turned.
        rows[1].cells.pop();
        assert_eq!(only.rows(&rows), [2]);
    }

    #[test]
    fn a_policy_alone_is_made_from_linux() {
        let view = View::read(&[("policy".into(), "end=field".into())]);
        assert_eq!(view.base, "mac_header");
    }

    #[test]
    fn the_address_holds_all_of_it() {
        let view = View {
            find: "gre".into(),
            differing: true,
            verdict: "lost".into(),
            sort: Sort::Cost,
            grouped: true,
            designs: vec!["a".into(), "b".into()],
            policy: "x=1".into(),
            base: "a".into(),
            turned: true,
        };
        let query = view.query(|text| text.replace('=', "%3D"));
        assert_eq!(
            query,
            "?q=gre&v=lost&differ=1&group=1&sort=cost&d=a,b&policy=x%3D1&base=a&turned=1"
        );
        let pairs: Vec<(String, String)> = query[1..]
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.into(), value.replace("%3D", "=")))
            .collect();
        assert_eq!(View::read(&pairs), view);
        assert_eq!(View::default().query(str::to_owned), "");
    }
}
