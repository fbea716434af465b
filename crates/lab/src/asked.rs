//! What an address asks of the matrix and can't be had: it is said, and the rest is shown.

use headroom_core::design::DesignName;
use headroom_protocol::files::MatrixFile;

use crate::filter::{LINUX, Sort, View};

/// Takes out of a view what the matrix does not have, and says what that was. `pairs` are those that the view was
/// read from.
pub fn mend(view: &mut View, pairs: &[(String, String)], file: &MatrixFile) -> Vec<String> {
    let mut said = Vec::new();
    let unknown: Vec<String> = {
        let missing = |design: &&String| !file.designs.contains(design);
        view.designs.iter().filter(missing).cloned().collect()
    };
    if !unknown.is_empty() {
        view.designs.retain(|design| !unknown.contains(design));
        let shown = match view.designs.is_empty() {
            true => "All are shown.",
            false => "The others are shown.",
        };
        said.push(format!("There is no design {}. {shown}", quoted(&unknown)));
    }
    let mut verdicts = file.rows.iter().flat_map(|row| &row.cells);
    if !view.verdict.is_empty() && !verdicts.any(|cell| cell.verdict == view.verdict) {
        let verdict = quoted(&[std::mem::take(&mut view.verdict)]);
        said.push(format!("No cell has the verdict {verdict}. All are shown."));
    }
    let sort = pairs.iter().rfind(|(key, _)| key == "sort");
    if let Some((_, word)) = sort
        && !Sort::ALL.iter().any(|(_, known, _)| known == word)
    {
        let word = quoted(std::slice::from_ref(word));
        said.push(format!(
            "There is no order {word}. The scenarios are as listed."
        ));
    }
    if !view.base.is_empty() && DesignName::parse(&view.base).is_none() {
        let base = quoted(&[std::mem::replace(&mut view.base, LINUX.into())]);
        said.push(format!(
            "There is no design {base} to begin from. The workshop compares with {LINUX}."
        ));
    }
    said
}

fn quoted(names: &[String]) -> String {
    let each: Vec<String> = names.iter().map(|name| format!("“{name}”")).collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_protocol::files::{MatrixCell, MatrixRow};

    fn file() -> MatrixFile {
        let cell = MatrixCell {
            verdict: "lost".into(),
            ..MatrixCell::default()
        };
        let row = MatrixRow {
            cells: vec![cell],
            ..MatrixRow::default()
        };
        MatrixFile {
            designs: vec!["mac_header".into(), "meta_end".into()],
            rows: vec![row],
        }
    }

    fn read(query: &[(&str, &str)]) -> (View, Vec<String>) {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let pairs: Vec<(String, String)> = query.iter().map(owned).collect();
        let mut view = View::read(&pairs);
        let said = mend(&mut view, &pairs, &file());
        (view, said)
    }

    #[test]
    fn what_is_not_there_is_named_and_the_rest_is_shown() {
        let (view, said) = read(&[
            ("d", "nope,meta_end"),
            ("v", "bar"),
            ("sort", "foo"),
            ("base", "mine"),
            ("policy", "on_decap=clear"),
            ("q", "gre"),
        ]);
        let mended = View {
            designs: vec!["meta_end".into()],
            base: "mac_header".into(),
            policy: "on_decap=clear".into(),
            find: "gre".into(),
            ..View::default()
        };
        assert_eq!(view, mended);
        assert_eq!(
            said,
            [
                "There is no design “nope”. The others are shown.",
                "No cell has the verdict “bar”. All are shown.",
                "There is no order “foo”. The scenarios are as listed.",
                "There is no design “mine” to begin from. The workshop compares with mac_header.",
            ]
        );
        assert_eq!(
            read(&[("d", "a,b")]).1,
            ["There is no design “a”, “b”. All are shown."]
        );
    }

    #[test]
    fn a_whole_address_is_left_alone() {
        let (view, said) = read(&[("d", "meta_end"), ("v", "lost"), ("sort", "cost")]);
        assert!(said.is_empty(), "{said:?}");
        assert_eq!((view.verdict.as_str(), view.sort), ("lost", Sort::Cost));
    }
}
