//! Every error code that Linux 7.2 can give for what a program calls, with a call that provokes it. A row names the function of the
//! kernel's source from which it was read. `docs/error-codes.md` lists the same, and which codes cannot be reached here and why; the
//! last test holds the two against each other.

#[path = "../helpers/bench.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod bench;
mod events;
mod maps;
mod memory;
mod packets;
mod proposed;
mod row;
mod text;
mod tunnels;
mod xdp;

use std::collections::{BTreeMap, BTreeSet};

use row::Row;

fn rows() -> Vec<Row> {
    [
        packets::rows(),
        tunnels::rows(),
        xdp::rows(),
        maps::rows(),
        events::rows(),
        memory::rows(),
        text::rows(),
        proposed::rows(),
    ]
    .concat()
}

/// All that differ are told at once.
#[test]
fn each_code_is_given() {
    let mut wrong = Vec::new();
    for row in rows() {
        let got = row.run();
        if got != Ok(row.code.number()) {
            wrong.push(format!(
                "{} {} ({}): {got:?}",
                row.name,
                row.code.name(),
                row.source
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `| name | codes | … |`, codes by their names.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../../../../docs/error-codes.md");
    let mut all = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let codes = |cell: &str| {
            let words = cell
                .split(',')
                .map(|word| word.trim().trim_matches('`').to_owned());
            words
                .filter(|word| !word.is_empty() && word != "–")
                .collect()
        };
        for name in cells[1].split(',') {
            let name = name.trim().trim_matches('`').to_owned();
            assert!(
                all.insert(name.clone(), codes(cells[2])).is_none(),
                "{name} twice"
            );
        }
    }
    all
}

#[test]
fn the_page_lists_what_is_tested() {
    let mut tested: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows() {
        let codes = tested.entry(row.name.to_owned()).or_default();
        codes.insert(row.code.name().to_owned());
    }
    let mut documented = documented();
    // those without a code are not rows
    documented.retain(|_, codes| !codes.is_empty());
    assert_eq!(tested, documented);
}
