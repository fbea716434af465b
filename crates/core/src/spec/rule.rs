//! Rules as they stand in `content/spec/*.md`.

use thiserror::Error;

use super::check::{Check, CheckError};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable name, such as `HR-DECAP-1`.
    pub id: String,
    /// The rule, one sentence.
    pub text: String,
    /// The kernels or designs it holds for.
    pub holds: String,
    /// Kernel file and function, patch, mail, or document.
    pub source: String,
    /// What is run.
    pub checks: Vec<Check>,
    /// Recordings of a real kernel in which it can be seen.
    pub recordings: Vec<String>,
    /// More words, markdown.
    pub body: String,
}

/// What is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {what}")]
pub struct SpecError {
    /// The file.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// A chapter: what stands before the first rule, and the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chapter {
    /// The heading, without `# `.
    pub title: String,
    /// Words before the first rule, markdown.
    pub intro: String,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// Reads a chapter.
///
/// # Errors
/// An unknown or repeated key, a rule without text, source, holds or check, a name that is no rule
/// name or stands twice, a check that can't be read.
pub fn parse(file: &str, text: &str) -> Result<Chapter, SpecError> {
    let mut reader = Reader {
        file,
        chapter: Chapter::default(),
        open: None,
    };
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(number, line)?;
    }
    reader.close()?;
    Ok(reader.chapter)
}

/// A rule that is being read.
#[derive(Default)]
struct Open {
    line: usize,
    id: String,
    text: Option<String>,
    holds: Option<String>,
    source: Option<String>,
    recordings: Option<Vec<String>>,
    checks: Vec<Check>,
    body: String,
    in_body: bool,
}

struct Reader<'f> {
    file: &'f str,
    chapter: Chapter,
    open: Option<Open>,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &str) -> Result<(), SpecError> {
        if let Some(id) = line.strip_prefix("## ") {
            self.close()?;
            return self.begin(number, id.trim());
        }
        match &mut self.open {
            None => match line.strip_prefix("# ") {
                Some(title) => self.chapter.title = title.trim().into(),
                None => push_line(&mut self.chapter.intro, line),
            },
            Some(open) if open.in_body || line.trim().is_empty() => {
                open.in_body = true;
                push_line(&mut open.body, line);
            }
            Some(open) => entry(open, line).map_err(|what| self.error(number, what))?,
        }
        Ok(())
    }

    fn begin(&mut self, number: usize, id: &str) -> Result<(), SpecError> {
        let mut parts = id.split('-');
        let word = |part: Option<&str>| {
            part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_uppercase()))
        };
        let named = parts.next() == Some("HR") && word(parts.next());
        let numbered =
            parts.next().is_some_and(|part| part.parse::<u32>().is_ok()) && parts.next().is_none();
        if !named || !numbered {
            return Err(self.error(
                number,
                format!("`{id}` is no rule name; one looks like HR-DECAP-1"),
            ));
        }
        if self.chapter.rules.iter().any(|rule| rule.id == id) {
            return Err(self.error(number, format!("{id} stands twice")));
        }
        self.open = Some(Open {
            line: number,
            id: id.into(),
            ..Open::default()
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), SpecError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let (line, id) = (open.line, open.id.clone());
        let missing = |what: &str| self.error(line, format!("{id} has no `{what}`"));
        if open.checks.is_empty() {
            return Err(missing("check"));
        }
        let rule = Rule {
            text: open.text.ok_or_else(|| missing("text"))?,
            holds: open.holds.ok_or_else(|| missing("holds"))?,
            source: open.source.ok_or_else(|| missing("source"))?,
            id: open.id,
            checks: open.checks,
            recordings: open.recordings.unwrap_or_default(),
            body: open.body.trim().into(),
        };
        self.chapter.rules.push(rule);
        Ok(())
    }

    fn error(&self, line: usize, what: String) -> SpecError {
        SpecError {
            file: self.file.into(),
            line,
            what,
        }
    }
}

/// One `key: value` line of a rule.
fn entry(open: &mut Open, line: &str) -> Result<(), String> {
    let (key, value) = line
        .split_once(':')
        .ok_or_else(|| format!("`{line}` is no `key: value` line"))?;
    let value = value.trim();
    if value.is_empty() {
        return Err(format!("`{key}` is empty"));
    }
    let once = |slot: &mut Option<String>| match slot.replace(value.into()) {
        Some(_) => Err(format!("`{key}` stands twice")),
        None => Ok(()),
    };
    match key {
        "text" => once(&mut open.text),
        "holds" => once(&mut open.holds),
        "source" => once(&mut open.source),
        "recordings" => {
            open.recordings = Some(value.split(',').map(|name| name.trim().into()).collect());
            Ok(())
        }
        "check" => {
            open.checks.push(
                value
                    .parse()
                    .map_err(|error: CheckError| error.to_string())?,
            );
            Ok(())
        }
        _ => Err(format!(
            "`{key}` is unknown; a rule has text, holds, source, check, recordings"
        )),
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "# Title\nIntro.\n\n## HR-A-1\ntext: T.\nholds: all\nsource: S\ncheck: seed mac_header a.entry@rx: data=1\n\nBody.\n";

    #[test]
    fn a_rule_has_all_its_parts() {
        let chapter = parse("a.md", RULE).expect("a chapter");
        assert_eq!(
            (chapter.title.as_str(), chapter.intro.trim()),
            ("Title", "Intro.")
        );
        let rule = &chapter.rules[0];
        assert_eq!(
            (rule.id.as_str(), rule.text.as_str(), rule.body.as_str()),
            ("HR-A-1", "T.", "Body.")
        );
        assert_eq!(rule.checks.len(), 1);
    }

    #[test]
    fn mistakes_name_their_line() {
        let wrong = |from: &str, to: &str| {
            parse("a.md", &RULE.replace(from, to))
                .expect_err("an error")
                .to_string()
        };
        assert_eq!(wrong("holds: all\n", ""), "a.md:4: HR-A-1 has no `holds`");
        assert_eq!(
            wrong("source: S", "sauce: S"),
            "a.md:7: `sauce` is unknown; a rule has text, holds, source, check, recordings"
        );
        assert_eq!(
            wrong("HR-A-1", "HR-1"),
            "a.md:4: `HR-1` is no rule name; one looks like HR-DECAP-1"
        );
        assert_eq!(wrong("source: S", "source:"), "a.md:7: `source` is empty");
        assert_eq!(
            wrong("text: T.", "text: T.\ntext: U."),
            "a.md:6: `text` stands twice"
        );
        assert!(wrong("data=1", "data").starts_with("a.md:8: "));
    }
}
