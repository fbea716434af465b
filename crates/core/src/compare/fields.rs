//! Fields that differ.

use crate::scene::{FieldValue, values};
use crate::trace::{Step, Trace};

/// A field with different values in some columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    /// The kernel's name.
    pub name: &'static str,
    /// The value in each column; `None` where there is no such step or field.
    pub values: Vec<Option<String>>,
}

impl FieldDifference {
    /// Whether a column has another value than `column`; not where one of the two has none.
    #[must_use]
    pub fn differs_from(&self, column: usize, other: usize) -> bool {
        let value = |at: usize| self.values.get(at).and_then(Option::as_ref);
        value(column)
            .zip(value(other))
            .is_some_and(|(left, right)| left != right)
    }
}

/// Compares the fields of steps; a field that only one column has (`meta_end`) is no difference.
pub(super) fn differences(traces: &[&Trace], steps: &[Option<&Step>]) -> Vec<FieldDifference> {
    let columns: Vec<Option<Vec<FieldValue>>> = traces
        .iter()
        .zip(steps)
        .map(|(trace, step)| Some(values(trace.fields.get((*step)?.fields?)?)))
        .collect();
    let mut names: Vec<&'static str> = Vec::new();
    for field in columns.iter().flatten().flatten() {
        if !names.contains(&field.name) {
            names.push(field.name);
        }
    }
    let difference = |name: &'static str| {
        let of = |fields: &Option<Vec<FieldValue>>| {
            let field = fields.as_ref()?.iter().find(|field| field.name == name)?;
            Some(field.value.clone())
        };
        let values = super::differing(columns.iter().map(of))?;
        Some(FieldDifference { name, values })
    };
    names.into_iter().filter_map(difference).collect()
}
