// How a chapter of the specification is written. Used by the build script, which fails on any
// mistake, and by tests.
//
//     # Chapter title
//
//     Introduction, Markdown (optional).
//
//     ## HR-META-1
//     text: One sentence, with MUST and MAY in the sense of RFC 2119.
//     holds: both designs
//     source: `include/linux/skbuff.h`, `skb_metadata_end()`
//     check: seed mac_header get_tag.exit@rx#1: read.value=42
//     recordings: E2-gre-veth-full
//
//     More words, Markdown (optional).
//
// A check is `<scenario> <design> <step>: <what must hold>`; there may be several, and each is a link
// to its step. `recordings` may be missing.

/// Keys of a rule. All but the last must be there.
pub const KEYS: [&str; 5] = ["text", "holds", "source", "check", "recordings"];

/// One check of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Scenario id.
    pub scenario: String,
    /// Design.
    pub design: String,
    /// Name of the step.
    pub step: String,
    /// What must hold.
    pub holds: String,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// `HR-META-1`.
    pub id: String,
    /// Values of the keys, in the order in which they stand; `check` may occur more than once.
    pub keys: Vec<(String, String)>,
    /// Its checks.
    pub checks: Vec<Check>,
    /// Markdown after the keys.
    pub body: String,
}

impl Rule {
    /// The first value of a key.
    pub fn key(&self, name: &str) -> Option<&str> {
        self.keys
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Heading.
    pub title: String,
    /// Markdown before the first rule.
    pub intro: String,
    /// Rules, in order.
    pub rules: Vec<Rule>,
}

/// Reads a chapter; an error names the line.
pub fn parse(file: &str, text: &str) -> Result<Chapter, String> {
    let mut title = None;
    let mut intro = String::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut in_keys = false;
    for (number, line) in (1..).zip(text.lines()) {
        let at = |what: String| format!("{file}:{number}: {what}");
        if let Some(id) = line.strip_prefix("## ") {
            rules.push(heading(id.trim(), &rules).map_err(at)?);
            in_keys = true;
            continue;
        }
        let Some(rule) = rules.last_mut() else {
            match line.strip_prefix("# ") {
                Some(heading) if title.is_none() => title = Some(heading.trim().to_owned()),
                _ => push_line(&mut intro, line),
            }
            continue;
        };
        if in_keys && line.trim().is_empty() {
            in_keys = false;
        } else if in_keys {
            key_line(rule, line).map_err(at)?;
        } else {
            push_line(&mut rule.body, line);
        }
    }
    for rule in &rules {
        if let Some(key) = KEYS.iter().take(4).find(|key| rule.key(key).is_none()) {
            return Err(format!("{file}: rule {} has no `{key}`", rule.id));
        }
    }
    let title = title.ok_or_else(|| format!("{file}: the first line must be `# Title`"))?;
    Ok(Chapter {
        title,
        intro,
        rules,
    })
}

fn heading(id: &str, rules: &[Rule]) -> Result<Rule, String> {
    if !is_id(id) {
        return Err(format!(
            "“{id}” is no rule id, expected something like HR-META-1"
        ));
    }
    if rules.iter().any(|rule| rule.id == id) {
        return Err(format!("rule {id} is there twice"));
    }
    Ok(Rule {
        id: id.into(),
        ..Rule::default()
    })
}

fn key_line(rule: &mut Rule, line: &str) -> Result<(), String> {
    let Some((key, value)) = line.split_once(':') else {
        return Err(format!(
            "expected `key: value` or an empty line, found “{line}”"
        ));
    };
    let (key, value) = (key.trim(), value.trim());
    if !KEYS.contains(&key) {
        return Err(format!(
            "unknown key “{key}”; there are {}",
            KEYS.join(", ")
        ));
    }
    if value.is_empty() {
        return Err(format!("`{key}` is empty"));
    }
    if key == "check" {
        rule.checks.push(check(value)?);
    } else if rule.key(key).is_some() {
        return Err(format!("`{key}` is there twice"));
    }
    rule.keys.push((key.into(), value.into()));
    Ok(())
}

fn check(value: &str) -> Result<Check, String> {
    let bad = || format!("check “{value}” is not `scenario design step: what must hold`");
    let (place, holds) = value.split_once(": ").ok_or_else(bad)?;
    let words: Vec<&str> = place.split_whitespace().collect();
    match words.as_slice() {
        [scenario, design, step] => Ok(Check {
            scenario: (*scenario).into(),
            design: (*design).into(),
            step: (*step).into(),
            holds: holds.trim().into(),
        }),
        _ => Err(bad()),
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn is_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let plain = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    parts.len() >= 3 && parts[0] == "HR" && parts.iter().all(plain)
}
