//! A text field over the same text in colours: line numbers beside it, what is wrong underlined where it stands.

use std::ops::Range;

use leptos::prelude::*;

/// A line as it is drawn.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Line {
    /// 1-based.
    pub number: usize,
    /// Without its end.
    pub text: String,
    /// Bytes that are wrong; behind the text, where something is missing.
    pub bad: Option<Range<usize>>,
    /// What is said about it, behind the text.
    pub said: String,
    /// First byte, one past the last, class.
    pub tokens: Vec<(usize, usize, &'static str)>,
}

/// What is wrong with a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrong {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters; the whole line, if it is none.
    pub column: Option<usize>,
    /// What is said behind the line.
    pub said: String,
}

impl Wrong {
    /// The word at a line and column.
    pub fn word(line: usize, column: usize) -> Self {
        Self {
            line,
            column: Some(column),
            said: String::new(),
        }
    }
}

/// The lines of a text; `tokens` gives a line's.
pub fn lines(
    text: &str,
    wrong: Option<Wrong>,
    mut tokens: impl FnMut(&str) -> Vec<(usize, usize, &'static str)>,
) -> Vec<Line> {
    let line = |(index, text): (usize, &str)| {
        let wrong = wrong.as_ref().filter(|wrong| wrong.line == index + 1);
        let tokens = tokens(text);
        Line {
            number: index + 1,
            text: text.to_owned(),
            bad: wrong.map(|wrong| match wrong.column {
                Some(column) => word_at(text, &tokens, column),
                None => code(text, &tokens),
            }),
            said: wrong.map(|wrong| wrong.said.clone()).unwrap_or_default(),
            tokens,
        }
    };
    text.split('\n').enumerate().map(line).collect()
}

/// The word at a column, 1-based, in characters.
fn word_at(text: &str, tokens: &[(usize, usize, &'static str)], column: usize) -> Range<usize> {
    let at = text.char_indices().nth(column.saturating_sub(1));
    let at = at.map_or(text.len(), |(at, _)| at);
    let token = tokens
        .iter()
        .find(|(from, to, _)| (*from..*to).contains(&at));
    let rest = text.get(at..).unwrap_or_default();
    let end = at + rest.find(char::is_whitespace).unwrap_or(rest.len());
    token.map_or(at..end, |(from, to, _)| *from..*to)
}

/// A line without the spaces in front and the comment behind.
fn code(text: &str, tokens: &[(usize, usize, &'static str)]) -> Range<usize> {
    let comment = tokens.iter().find(|(_, _, class)| *class == "t-comment");
    let upto = comment.map_or(text.len(), |(from, ..)| *from);
    let code = text.get(..upto).unwrap_or(text);
    let from = code.len() - code.trim_start().len();
    from..code.trim_end().len().max(from)
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
    // Where the look changes: at words, and where what is wrong begins and ends.
    let bad = line.bad.clone().unwrap_or_default();
    let mut piece = |from: usize, to: usize, class: &'static str| {
        let (start, end) = (bad.start.clamp(from, to), bad.end.clamp(from, to));
        for (from, to, wrong) in [(from, start, false), (start, end, true), (end, to, false)] {
            let text = line.text.get(from..to).unwrap_or_default().to_owned();
            if !text.is_empty() {
                out.push(view! { <span class=class class:wavy=wrong>{text}</span> });
            }
        }
    };
    let mut at = 0;
    for (start, end, class) in &line.tokens {
        piece(at, *start, "");
        piece(*start, *end, class);
        at = *end;
    }
    piece(at, line.text.len(), "");
    let is_bad = line.bad.is_some();
    let missing = (is_bad && bad.is_empty()).then(|| view! { <span class="wavy">"   "</span> });
    let said = (!line.said.is_empty()).then(|| view! { <span class="said">{line.said}</span> });
    view! { <span class="cl" class:bad=is_bad><span class="cl-text">{out}{missing}"\n"</span>{said}</span> }.into_any()
}
