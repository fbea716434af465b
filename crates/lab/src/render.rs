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

/// The table as a picture of its own.
pub fn svg(matrix: &MatrixFile) -> String {
    const FIRST: f64 = 220.0;
    const COLUMN: f64 = 150.0;
    const ROW: f64 = 22.0;
    let width = FIRST + COLUMN * matrix.designs.len() as f64 + 24.0;
    let height = ROW * (matrix.rows.len() as f64 + 2.0) + 12.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Headroom: scenarios under designs</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fbfaf7\"/>\n"
    );
    let mut text = |x: f64, y: f64, colour: &str, weight: &str, text: &str| {
        let _ = writeln!(
            out,
            "<text x=\"{x:.0}\" y=\"{y:.0}\" fill=\"{colour}\" font-weight=\"{weight}\">{}</text>",
            escape(text)
        );
    };
    for (at, design) in matrix.designs.iter().enumerate() {
        text(
            12.0 + FIRST + COLUMN * at as f64,
            ROW,
            "#1d1c1a",
            "600",
            design,
        );
    }
    for (number, row) in matrix.rows.iter().enumerate() {
        let y = ROW * (number as f64 + 2.0);
        text(12.0, y, "#1d1c1a", "400", &row.scenario);
        for (at, design) in matrix.designs.iter().enumerate() {
            let Some(cell) = row.cells.iter().find(|cell| cell.design == *design) else {
                continue;
            };
            let (colour, sign) = match cell.verdict.as_str() {
                "ok" => ("#006b50", "✓"),
                _ if is_wrong(cell) => ("#a51d16", "✗"),
                _ => ("#625e56", "–"),
            };
            text(
                12.0 + FIRST + COLUMN * at as f64,
                y,
                colour,
                "400",
                &format!("{sign} {}", said(cell)),
            );
        }
    }
    out.push_str("</svg>\n");
    out
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
        assert!(
            svg.contains(">a&lt;b</text>") && svg.contains("✗ 524288 garbage"),
            "{svg}"
        );
    }
}
