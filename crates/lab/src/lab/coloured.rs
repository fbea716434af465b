//! A text field over the same text in colours: line numbers beside it, what is wrong underlined where it stands.

use leptos::prelude::*;

/// A line as it is drawn.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Line {
    /// 1-based.
    pub number: usize,
    /// Without its end.
    pub text: String,
    /// Byte from which on the line is wrong.
    pub bad: Option<usize>,
    /// First byte, one past the last, class.
    pub tokens: Vec<(usize, usize, &'static str)>,
}

/// The lines of a text. `wrong` is a 1-based line and column, in characters; `tokens` gives a line's.
pub fn lines(
    text: &str,
    wrong: Option<(usize, usize)>,
    mut tokens: impl FnMut(&str) -> Vec<(usize, usize, &'static str)>,
) -> Vec<Line> {
    let line = |(index, text): (usize, &str)| {
        let column = wrong
            .filter(|(line, _)| *line == index + 1)
            .map(|(_, column)| column);
        let bad = column.map(|column| {
            text.char_indices()
                .nth(column.saturating_sub(1))
                .map_or(text.len(), |(at, _)| at)
        });
        Line {
            number: index + 1,
            text: text.to_owned(),
            bad,
            tokens: tokens(text),
        }
    };
    text.split('\n').enumerate().map(line).collect()
}

/// The field with its colours and numbers.
pub fn field(lines: Memo<Vec<Line>>, area: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="editor coloured">
            <div class="numbers" aria-hidden="true">
                <For each=move || lines.get() key=|line| (line.number, line.bad.is_some())
                    children=|line| view! { <span class:bad=line.bad.is_some()>{line.number}</span> }/>
            </div>
            <div class="under-text">
                <pre aria-hidden="true"><For each=move || lines.get() key=Clone::clone children=coloured/></pre>
                {area.into_any()}
            </div>
        </div>
    }
    .into_any()
}

fn coloured(line: Line) -> AnyView {
    let mut out = Vec::new();
    let mut at = 0;
    let part = |from: usize, to: usize| line.text.get(from..to).unwrap_or_default().to_owned();
    // What lies between words that have a colour; a sign there may be what is wrong.
    let between = |out: &mut Vec<(String, &'static str, bool)>, from: usize, to: usize| {
        let wrong = line.bad.filter(|bad| (from..to).contains(bad));
        let Some(bad) = wrong else {
            return out.push((part(from, to), "", false));
        };
        let word = part(bad, to);
        let end = bad + word.find(char::is_whitespace).unwrap_or(word.len());
        out.extend([
            (part(from, bad), "", false),
            (part(bad, end), "", true),
            (part(end, to), "", false),
        ]);
    };
    for (start, end, class) in &line.tokens {
        between(&mut out, at, *start);
        let bad = line.bad.is_some_and(|bad| *end > bad && *start <= bad);
        out.push((part(*start, *end), *class, bad));
        at = *end;
    }
    between(&mut out, at, line.text.len());
    let piece = |(text, class, bad): (String, &'static str, bool)| view! { <span class=class class:wavy=bad>{text}</span> };
    let missing = line
        .bad
        .is_some_and(|bad| bad >= line.text.trim_end().len())
        .then(|| view! { <span class="wavy">"   "</span> });
    view! { <span class="cl" class:bad=line.bad.is_some()>{out.into_iter().filter(|(text, ..)| !text.is_empty()).map(piece).collect_view()}{missing}"\n"</span> }.into_any()
}
