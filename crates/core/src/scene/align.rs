//! Lines up the steps of several designs by name, so that one position means the same moment in all.

use super::diff::own_writes;
use super::map::Map;
use super::name::{Point, StepName, names};
use crate::trace::{StepKind, Trace};

/// How close one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Zoom {
    /// Entries and exits of functions and programs.
    #[default]
    Functions,
    /// Also every BPF instruction.
    Instructions,
    /// Also every write of a step that writes more than once.
    Writes,
}

/// One moment in all designs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: StepName,
    /// Index of the step in each trace; `None` where a design has no such step.
    pub steps: Vec<Option<usize>>,
}

impl Row {
    /// Whether some design lacks this step.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.steps.iter().any(Option::is_none)
    }
}

/// The common sequence of steps. A step that one design lacks keeps its place beside its neighbours.
#[must_use]
pub fn align(traces: &[&Trace], zoom: Zoom) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (column, trace) in traces.iter().enumerate() {
        let kept: Vec<(usize, StepName)> = names(trace)
            .into_iter()
            .enumerate()
            .filter(|(index, _)| zoom != Zoom::Functions || !is_insn(trace, *index))
            .flat_map(|(index, name)| {
                let count = match zoom {
                    Zoom::Writes => own_writes(trace, index).count() as u32,
                    _ => 0,
                };
                // Of one write the step itself tells.
                let parts = if count > 1 { 1..count + 1 } else { 0..0 };
                let part = |write| StepName {
                    write,
                    ..name.clone()
                };
                let parts: Vec<StepName> = parts.map(part).collect();
                parts
                    .into_iter()
                    .chain([name])
                    .map(move |name| (index, name))
            })
            .collect();
        rows = merge(rows, kept, column, traces.len());
    }
    rows
}

fn is_insn(trace: &Trace, index: usize) -> bool {
    trace
        .steps
        .get(index)
        .is_some_and(|step| matches!(step.kind, StepKind::Insn { .. }))
}

/// Puts the steps of one more trace (`column`) into rows that hold the columns before it.
fn merge(rows: Vec<Row>, steps: Vec<(usize, StepName)>, column: usize, columns: usize) -> Vec<Row> {
    let place: Map<StepName, usize> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| (row.name.clone(), i))
        .collect();
    let mut out = Vec::with_capacity(rows.len().max(steps.len()));
    let mut rows = rows.into_iter().enumerate().peekable();
    for (index, name) in steps {
        let mut cells = vec![None; columns];
        // A row further down has this name: everything above it is missing here.
        if let Some(target) = place
            .get(&name)
            .copied()
            .filter(|target| rows.peek().is_some_and(|(next, _)| next <= target))
        {
            while let Some((_, row)) = rows.next_if(|(next, _)| *next < target) {
                out.push(row);
            }
            if let Some((_, mut row)) = rows.next() {
                row.steps[column] = Some(index);
                out.push(row);
                continue;
            }
        }
        cells[column] = Some(index);
        out.push(Row { name, steps: cells });
    }
    out.extend(rows.map(|(_, row)| row));
    out
}

/// The row that shows a named step, or the best one there is: an instruction that is not shown
/// falls back to the exit of its program, a missing occurrence to the last one before it.
/// The flag says whether the name was found as it stands.
#[must_use]
pub fn find(rows: &[Row], name: &StepName) -> Option<(usize, bool)> {
    if let Some(row) = rows.iter().position(|row| row.name == *name) {
        return Some((row, true));
    }
    let same = |row: &Row| {
        row.name.what == name.what && row.name.dev == name.dev && row.name.netns == name.netns
    };
    let of_point = |point: Point| {
        rows.iter().rposition(|row| {
            same(row) && row.name.point == point && row.name.occurrence <= name.occurrence
        })
    };
    let fallback = match name.point {
        Point::Insn(_) | Point::Prologue(_) => of_point(Point::Exit),
        point => of_point(point),
    };
    fallback
        .or_else(|| rows.iter().position(same))
        .map(|row| (row, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    #[test]
    fn a_step_one_design_lacks_is_a_row_with_a_hole() {
        let (mac, end) = (decap("mac_header"), decap("meta_end"));
        let rows = align(&[&mac, &end], Zoom::Functions);
        let holes: Vec<String> = rows
            .iter()
            .filter(|row| row.differs())
            .map(|row| row.name.to_string())
            .collect();
        assert_eq!(
            holes,
            [
                "bpf_skb_meta_realign.entry@decap#1",
                "bpf_skb_meta_realign.exit@decap#1"
            ]
        );
        for (column, trace) in [&mac, &end].into_iter().enumerate() {
            let order: Vec<usize> = rows.iter().filter_map(|row| row.steps[column]).collect();
            assert!(order.is_sorted(), "column {column} keeps its order");
            let functions = trace
                .steps
                .iter()
                .filter(|s| !matches!(s.kind, StepKind::Insn { .. }))
                .count();
            assert_eq!(order.len(), functions);
        }
        let at = rows.iter().position(|row| row.differs()).expect("a hole");
        assert_eq!(rows[at - 1].name.to_string(), "get_tag.entry@decap#1");
        assert_eq!(rows[at + 2].name.to_string(), "get_tag.exit@decap#1");
    }

    #[test]
    fn instructions_are_rows_when_one_looks_close() {
        let (mac, end) = (decap("mac_header"), decap("meta_end"));
        let rows = align(&[&mac, &end], Zoom::Instructions);
        let both: Vec<String> = rows
            .iter()
            .filter(|row| !row.differs() && row.name.what == "get_tag")
            .map(|r| r.name.to_string())
            .collect();
        assert_eq!(
            both,
            [
                "get_tag.entry@decap#1",
                "get_tag.0@decap#1",
                "get_tag.1@decap#1",
                "get_tag.exit@decap#1"
            ]
        );
    }

    #[test]
    fn an_instruction_that_is_not_shown_falls_back_to_its_programs_exit() {
        let mac = decap("mac_header");
        let rows = align(&[&mac], Zoom::Functions);
        let name = "get_tag.1@decap#1".parse().expect("a name");
        let (row, exact) = find(&rows, &name).expect("a row");
        assert_eq!(
            (rows[row].name.to_string().as_str(), exact),
            ("get_tag.exit@decap#1", false)
        );
        assert_eq!(
            find(&rows, &"no_such.entry@rx#1".parse().expect("a name")),
            None
        );
    }
}
