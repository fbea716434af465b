//! The matrix for taking along: CSV, Markdown, SVG.

use std::fmt::Write as _;

use headroom_protocol::files::{MatrixCell, MatrixFile};

use crate::filter::is_wrong;

/// `524288 garbage`, `42 ok`, `lost`.
fn said(cell: &MatrixCell) -> String {
    match cell.value {
        Some(value) if cell.verdict != "refused" => format!("{value} {}", cell.verdict),
        _ => cell.verdict.clone(),
    }
}

/// Bytes moved / buffers / structure bytes / prologue instructions.
pub fn cost(cell: &MatrixCell) -> String {
    let cost = cell.cost;
    format!(
        "{}/{}/{}/{}",
        cost.metadata_bytes_moved,
        cost.buffer_allocations,
        cost.structure_bytes,
        cost.prologue_instructions
    )
}

/// One table, a row a scenario, a column a design.
pub fn markdown(matrix: &MatrixFile) -> String {
    let mut out = format!(
        "| scenario | {} |\n| --- |{}\n",
        matrix.designs.join(" | "),
        " --- |".repeat(matrix.designs.len())
    );
    for row in &matrix.rows {
        let _ = write!(out, "| {} |", row.scenario);
        for design in &matrix.designs {
            let cell = row.cells.iter().find(|cell| cell.design == *design);
            let text = cell.map(|cell| {
                let step = cell
                    .step
                    .as_ref()
                    .map(|step| format!(" `{}`", step.replace(['`', '|'], "")))
                    .unwrap_or_default();
                format!("{} {}{step}", said(cell), cost(cell))
            });
            let _ = write!(out, " {} |", text.unwrap_or_default());
        }
        out.push('\n');
    }
    out
}

/// One line a cell, fields quoted as RFC 4180 says.
pub fn csv(matrix: &MatrixFile) -> String {
    let mut out = String::from(
        "scenario,design,verdict,value,step,bytes_moved,buffer_allocations,structure_bytes,prologue_instructions,note\r\n",
    );
    for row in &matrix.rows {
        for cell in &row.cells {
            let fields = [
                row.scenario.clone(),
                cell.design.clone(),
                cell.verdict.clone(),
                cell.value
                    .map(|value| value.to_string())
                    .unwrap_or_default(),
                cell.step.clone().unwrap_or_default(),
                cell.cost.metadata_bytes_moved.to_string(),
                cell.cost.buffer_allocations.to_string(),
                cell.cost.structure_bytes.to_string(),
                cell.cost.prologue_instructions.to_string(),
                cell.note.clone(),
            ];
            let quoted = fields.map(|field| {
                if field.contains(['"', ',', '\r', '\n']) {
                    format!("\"{}\"", field.replace('"', "\"\""))
                } else {
                    field
                }
            });
            out.push_str(&quoted.join(","));
            out.push_str("\r\n");
        }
    }
    out
}

/// Width of the column with the scenarios' names, of a design's, and of the space around all, in the picture.
const FIRST: f64 = 200.0;
const COLUMN: f64 = 150.0;
const EDGE: f64 = 14.0;
/// Height of a line of the head, and of a row.
const LINE: f64 = 20.0;
const ROW: f64 = 33.0;
/// What the four numbers of a cell count.
pub const COST: &str = "Cost: metadata bytes moved / buffers allocated / bytes added to structures / prologue instructions.";

/// The table as a picture of its own, with a head that says what it is.
pub fn svg(matrix: &MatrixFile) -> String {
    let mut head = vec![COST.to_owned()];
    let own = |design: &String| design.strip_prefix("custom:").map(str::to_owned);
    head.extend(matrix.designs.iter().filter_map(own).map(|policy| {
        let policy = policy.replace(',', ", ");
        format!("custom: {policy}. Derived from policy points, not recorded.")
    }));
    let title = format!(
        "Headroom: {} scenarios under {} designs",
        matrix.rows.len(),
        matrix.designs.len()
    );
    // 6.2 is the width of a character of these 12 px.
    let longest = head.iter().map(|line| line.chars().count()).max();
    let words = longest.unwrap_or_default() as f64 * 6.2;
    let columns = FIRST + COLUMN * matrix.designs.len() as f64;
    let width = columns.max(words) + 2.0 * EDGE;
    let top = LINE * (head.len() as f64 + 3.0);
    let height = top + ROW * matrix.rows.len() as f64 + EDGE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fbfaf7\"/>\n"
    );
    text(&mut out, (EDGE, LINE), (INK, 15, 600), &title);
    for (at, line) in head.iter().enumerate() {
        let y = LINE * (at as f64 + 2.0);
        text(&mut out, (EDGE, y), (MUTED, 12, 400), line);
    }
    let across = |at: usize| EDGE + FIRST + COLUMN * at as f64;
    for (at, design) in matrix.designs.iter().enumerate() {
        let name = design.split(':').next().unwrap_or_default();
        text(&mut out, (across(at), top - 6.0), (INK, 12, 600), name);
    }
    for (number, row) in matrix.rows.iter().enumerate() {
        let y = top + ROW * number as f64;
        let _ = writeln!(
            out,
            "<path d=\"M{EDGE} {y:.0}H{:.0}\" stroke=\"#dedbd3\"/>",
            width - EDGE
        );
        text(&mut out, (EDGE, y + 14.0), (INK, 12, 400), &row.scenario);
        for (at, design) in matrix.designs.iter().enumerate() {
            let Some(cell) = row.cells.iter().find(|cell| cell.design == *design) else {
                continue;
            };
            let (sign, colour) = match sign(cell) {
                "✓" => ("✓", "#006b50"),
                "✗" => ("✗", "#a51d16"),
                other => (other, MUTED),
            };
            let said = format!("{sign} {}", said(cell));
            text(&mut out, (across(at), y + 14.0), (colour, 12, 400), &said);
            let place = (across(at), y + 27.0);
            text(&mut out, place, (MUTED, 10, 400), &cost(cell));
        }
    }
    out.push_str("</svg>\n");
    out
}

const INK: &str = "#1d1c1a";
const MUTED: &str = "#625e56";

/// A line of text: where, and its colour, size and weight.
fn text(out: &mut String, (x, y): (f64, f64), look: (&str, u32, u32), text: &str) {
    let (colour, size, weight) = look;
    let _ = writeln!(
        out,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" fill=\"{colour}\" font-size=\"{size}\" font-weight=\"{weight}\">{}</text>",
        escape(text)
    );
}

/// The sign in front of a verdict.
#[must_use]
pub fn sign(cell: &MatrixCell) -> &'static str {
    match cell.verdict.as_str() {
        "ok" => "✓",
        _ if is_wrong(cell) => "✗",
        "refused" => "⊘",
        _ => "–",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_core::trace::Cost;
    use headroom_protocol::files::MatrixRow;

    fn matrix() -> MatrixFile {
        let cell = MatrixCell {
            design: "mac_header".into(),
            verdict: "garbage".into(),
            value: Some(524_288),
            step: Some("ip_tunnel_rcv.exit@decap#1".into()),
            note: "a \"note\", with <marks>".into(),
            cost: Cost {
                structure_bytes: 2,
                ..Cost::default()
            },
        };
        let row = MatrixRow {
            scenario: "a<b".into(),
            title: "T".into(),
            cells: vec![cell],
        };
        MatrixFile {
            designs: vec!["mac_header".into(), "custom".into()],
            rows: vec![row],
        }
    }

    #[test]
    fn three_forms() {
        assert_eq!(
            markdown(&matrix()),
            "| scenario | mac_header | custom |\n| --- | --- | --- |\n| a<b | 524288 garbage 0/0/2/0 `ip_tunnel_rcv.exit@decap#1` |  |\n"
        );
        let csv = csv(&matrix());
        assert!(csv.ends_with("a<b,mac_header,garbage,524288,ip_tunnel_rcv.exit@decap#1,0,0,2,0,\"a \"\"note\"\", with <marks>\"\r\n"), "{csv}");
        let svg = svg(&matrix());
        for part in [
            ">a&lt;b</text>",
            ">✗ 524288 garbage</text>",
            ">0/0/2/0</text>",
            ">Headroom: 1 scenarios under 2 designs</text>",
            ">Cost: metadata bytes moved / ",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }

    #[test]
    fn the_picture_of_a_design_of_ones_own_has_its_points_in_the_head_and_a_short_name_over_its_column()
     {
        let mut matrix = matrix();
        let policy = "custom:end=field,on_decap=clear";
        matrix.designs[1] = policy.into();
        let refused = MatrixCell {
            design: policy.into(),
            verdict: "refused".into(),
            ..MatrixCell::default()
        };
        matrix.rows[0].cells.push(refused);
        let svg = svg(&matrix);
        assert!(svg.contains(">custom</text>"), "{svg}");
        assert!(
            svg.contains(">custom: end=field, on_decap=clear. Derived from"),
            "{svg}"
        );
        assert!(svg.contains(">⊘ refused</text>"), "{svg}");
    }
}
