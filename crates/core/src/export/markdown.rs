//! A step for a mail or an issue.

use std::fmt::Write as _;

use crate::scene::{sentence, text_table};
use crate::trace::{PacketView, Trace};

/// The step as Markdown: what happened, where everything is, and the link to it.
#[must_use]
pub fn step_markdown(
    trace: &Trace,
    step: usize,
    view: &PacketView<'_>,
    name: &str,
    link: &str,
) -> String {
    let mut out = format!(
        "**{}**, under `{}`\n\n{}\n\n| offset | what | |\n| --- | --- | --- |\n",
        escape(name),
        trace.design.replace('`', ""),
        escape(&sentence(trace, step))
    );
    for row in text_table(trace, view) {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            escape(&row.place),
            escape(&row.what),
            row.kind
        );
    }
    let _ = write!(out, "\n<{}>\n", link.replace(['<', '>', '\n'], ""));
    out
}

/// Text that means nothing to Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, step_at, view_at};

    #[test]
    fn the_read_as_markdown() {
        let trace = decap("mac_header");
        let at = step_at(&trace, "get_tag.exit@decap#1");
        let text = view_at(&trace, "get_tag.exit@decap#1", |view| {
            step_markdown(
                &trace,
                at,
                &view,
                "get_tag.exit@decap#1",
                "https://x.test/s/seed?at=a>b",
            )
        });
        assert!(
            text.starts_with("**get\\_tag.exit@decap\\#1**, under `mac_header`\n"),
            "{text}"
        );
        assert!(
            text.contains("| 290–293 | GRE, in front of the packet | bytes |"),
            "{text}"
        );
        assert!(text.ends_with("<https://x.test/s/seed?at=ab>\n"), "{text}");
    }
}
