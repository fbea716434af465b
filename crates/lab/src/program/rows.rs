//! The rows of the lists: C with its lines, BPF as written and as the kernel runs it, what the verifier says
//! in place; and which of them are drawn.

use headroom_protocol::program::Judged;

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Row {
    /// A line of C; `true` when lines in front of it are left out, because no instruction came from them.
    C(u32, String, bool),
    /// A line of the listing.
    Insn(usize),
    /// What the verifier says of the row above: `true` when it refuses the program.
    Says(bool, String),
}

/// Which BPF is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With the prologue and rewritten loads.
    AsRun,
    /// As the object has it.
    AsWritten,
}

/// The rows of the C source.
#[must_use]
pub fn c(judged: &Judged) -> Vec<Row> {
    let mut out = Vec::new();
    let mut before = None;
    for (line, text) in &judged.listing.source {
        let apart = before.is_some_and(|before: u32| before + 1 < *line);
        before = Some(*line);
        out.push(Row::C(*line, text.replace('\t', "    "), apart));
        let here = |insn: u32| {
            let found = judged.listing.lines.get(insn as usize);
            found.and_then(|l| l.c_line) == Some(*line)
        };
        out.extend(says(judged, here));
    }
    out
}

/// The rows of the listing.
#[must_use]
pub fn bpf(judged: &Judged, form: Form) -> Vec<Row> {
    let lines = &judged.listing.lines;
    let mut out = Vec::with_capacity(lines.len());
    let mut before = None;
    for (index, line) in lines.iter().enumerate() {
        if form == Form::AsWritten {
            if line.written.is_none() || line.written == before {
                continue;
            }
            before = line.written;
        }
        out.push(Row::Insn(index));
        out.extend(says(judged, |insn| insn as usize == index));
    }
    out
}

fn says(judged: &Judged, here: impl Fn(u32) -> bool) -> Vec<Row> {
    let mut out = Vec::new();
    if let Some((Some(insn), why)) = &judged.refused
        && here(*insn)
    {
        out.push(Row::Says(true, why.clone()));
    }
    for (insn, why) in &judged.warnings {
        let row = Row::Says(false, why.clone());
        if here(*insn) && !out.contains(&row) {
            out.push(row);
        }
    }
    out
}

/// What is written in a row of the listing: number, text, note.
#[must_use]
pub fn insn(judged: &Judged, index: usize, form: Form) -> (String, String, String) {
    let Some(line) = judged.listing.lines.get(index) else {
        return Default::default();
    };
    let number = match line.written {
        Some(n) => n.to_string(),
        None => format!("p{index}"),
    };
    let written = line
        .written_text
        .clone()
        .filter(|_| form == Form::AsWritten);
    let text = written.unwrap_or_else(|| line.text.clone());
    let note = match form {
        Form::AsRun => line.note.clone().unwrap_or_default(),
        Form::AsWritten => String::new(),
    };
    (number, text, note)
}

/// The line of C that a row belongs to.
#[must_use]
pub fn line_of(judged: Option<&Judged>, row: &Row) -> Option<u32> {
    match row {
        Row::C(line, ..) => Some(*line),
        Row::Insn(index) => judged?.listing.lines.get(*index)?.c_line,
        Row::Says(..) => None,
    }
}

/// Which instructions came from a line of C, in a sentence; ranges are drawn together.
#[must_use]
pub fn instructions(judged: &Judged, line: u32) -> String {
    let lines = judged.listing.lines.iter();
    let mut numbers: Vec<usize> = lines
        .filter(|one| one.c_line == Some(line))
        .filter_map(|one| one.written)
        .collect();
    numbers.dedup();
    let mut out: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match out.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => out.push((number, number)),
        }
    }
    let range = |(start, end): &(usize, usize)| match start == end {
        true => start.to_string(),
        false => format!("{start}–{end}"),
    };
    let ranges: Vec<String> = out.iter().map(range).collect();
    match ranges.is_empty() {
        true => String::new(),
        false => {
            let many = out.len() > 1 || out.iter().any(|(start, end)| start != end);
            let plural = if many { "s" } else { "" };
            format!(
                "Line {line} became instruction{plural} {}.",
                ranges.join(", ")
            )
        }
    }
}

/// The row that stands for an instruction of the listing in a form that may not show it.
#[must_use]
pub fn row_of(judged: &Judged, rows: &[Row], insn: usize) -> Option<usize> {
    let exact = rows.iter().position(|row| *row == Row::Insn(insn));
    exact.or_else(|| {
        let written = judged.listing.lines.get(insn)?.written?;
        let first = judged
            .listing
            .lines
            .iter()
            .position(|l| l.written == Some(written))?;
        rows.iter().position(|row| *row == Row::Insn(first))
    })
}

/// The rows to draw of a list: those in sight, and some around.
#[must_use]
pub fn window(count: usize, top: i32, height: i32, row: i32) -> (usize, usize) {
    const MORE: usize = 6;
    let row = row.max(1);
    let first = usize::try_from(top.max(0) / row).unwrap_or(0);
    let seen = usize::try_from(height.max(0) / row).unwrap_or(0) + 2;
    let start = first.saturating_sub(MORE).min(count);
    (start, (first + seen + MORE).min(count))
}

/// Where to scroll so that a row is in sight; `None` when it is.
#[must_use]
pub fn scroll_to(index: usize, top: i32, height: i32, row: i32) -> Option<i32> {
    let at = i32::try_from(index).unwrap_or(i32::MAX).saturating_mul(row);
    let inside = at >= top + row && at + 3 * row <= top + height;
    (!inside).then(|| (at - height / 3).max(0))
}

/// Where to scroll so that what is `size` high at `at` is in sight; `None` when it is.
#[must_use]
pub fn in_sight(at: i32, size: i32, top: i32, height: i32) -> Option<i32> {
    let inside = at >= top && at + size <= top + height;
    (!inside).then(|| (at - height / 3).max(0))
}

#[cfg(test)]
mod tests {
    use headroom_core::bpf::{Listing, ListingLine};

    use super::*;

    fn line(text: &str, written: Option<usize>, c_line: u32) -> ListingLine {
        ListingLine {
            text: text.into(),
            written,
            written_text: None,
            note: None,
            c_line: Some(c_line),
            branch: None,
            access: None,
        }
    }

    fn judged() -> Judged {
        let mut rewritten = line("r2 = *(u64 *)(r1 +208)", Some(1), 12);
        rewritten.written_text = Some("r2 = *(u32 *)(r1 +140)".into());
        rewritten.note = Some("ctx->data_meta, rewritten".into());
        let mut prologue = line("call bpf_skb_meta_realign", None, 0);
        prologue.c_line = None;
        Judged {
            file: "a.o".into(),
            listing: Listing {
                program: "p".into(),
                lines: vec![
                    prologue,
                    line("r6 = r1", Some(0), 11),
                    rewritten,
                    line("r2 += 0", Some(1), 12),
                    line("exit", Some(2), 15),
                ],
                source: vec![
                    (11, "\tint a;".into()),
                    (12, "b = c;".into()),
                    (15, "return 0;".into()),
                ],
                ..Listing::default()
            },
            kind: "sched_cls".into(),
            refused: Some((Some(2), "R2 !read_ok".into())),
            held: Vec::new(),
            warnings: vec![(4, "leak".into()), (4, "leak".into())],
            loads_data_meta: true,
            writes_packet: false,
        }
    }

    #[test]
    fn c_has_gaps_and_what_the_verifier_says() {
        assert_eq!(
            c(&judged()),
            [
                Row::C(11, "    int a;".into(), false),
                Row::C(12, "b = c;".into(), false),
                Row::Says(true, "R2 !read_ok".into()),
                Row::C(15, "return 0;".into(), true),
                Row::Says(false, "leak".into()),
            ]
        );
    }

    #[test]
    fn as_written_has_no_prologue_and_one_row_an_instruction() {
        let judged = judged();
        let insns = |form| {
            let rows = bpf(&judged, form).into_iter();
            rows.filter_map(|row| match row {
                Row::Insn(index) => Some(index),
                _ => None,
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(insns(Form::AsRun), [0, 1, 2, 3, 4]);
        assert_eq!(insns(Form::AsWritten), [1, 2, 4]);
        assert_eq!(insn(&judged, 0, Form::AsRun).0, "p0");
        assert_eq!(
            insn(&judged, 2, Form::AsWritten).1,
            "r2 = *(u32 *)(r1 +140)"
        );
        assert_eq!(insn(&judged, 2, Form::AsRun).2, "ctx->data_meta, rewritten");
        let rows = bpf(&judged, Form::AsWritten);
        assert_eq!(row_of(&judged, &rows, 3), row_of(&judged, &rows, 2));
        assert_eq!(row_of(&judged, &rows, 0), None);
    }

    #[test]
    fn a_line_of_c_and_its_instructions_belong_together() {
        let judged = judged();
        assert_eq!(line_of(Some(&judged), &Row::Insn(3)), Some(12));
        assert_eq!(line_of(Some(&judged), &Row::Insn(0)), None);
        assert_eq!(line_of(None, &Row::C(7, String::new(), false)), Some(7));
        // Listing 2 and 3 are both the written instruction 1.
        assert_eq!(instructions(&judged, 12), "Line 12 became instruction 1.");
        assert_eq!(instructions(&judged, 99), "");
    }

    #[test]
    fn what_is_drawn_covers_what_is_seen() {
        for (count, top) in [(0, 0), (5, 0), (1_000_000, 500_000), (100, 5000), (100, -3)] {
            let (first, last) = window(count, top, 400, 20);
            assert!(first <= last && last <= count && last - first <= 40);
            let (see, until) = (top.max(0) as usize / 20, (top.max(0) as usize + 400) / 20);
            for row in see..until.min(count) {
                assert!((first..last).contains(&row), "{count} {top} {row}");
            }
        }
        assert_eq!(scroll_to(5, 0, 400, 20), None);
        assert_eq!(scroll_to(500, 0, 400, 20), Some(10_000 - 133));
    }

    #[test]
    fn what_is_in_sight_stays_and_what_is_not_comes_a_third_from_the_top() {
        assert_eq!(in_sight(0, 20, 0, 300), None);
        assert_eq!(in_sight(280, 20, 0, 300), None);
        assert_eq!(in_sight(281, 20, 0, 300), Some(181));
        assert_eq!(in_sight(40, 20, 50, 300), Some(0));
    }
}
