//! A line of assembler in words, for colours. What is wrong is not found here: the assembler says that.

/// Words that are no operand.
const WORDS: [&str; 8] = [
    "goto", "gotol", "if", "call", "exit", "lock", "ll", "may_goto",
];

/// First byte, one past the last, and class of each word that has a colour.
#[must_use]
pub fn tokens(line: &str) -> Vec<(usize, usize, &'static str)> {
    let end = comment(line).unwrap_or(line.len());
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..end).filter(|rest| !rest.is_empty()) {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
        let Some(start) = rest.find(is_word) else {
            break;
        };
        let word = &rest[start..];
        let len = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let (from, to) = (at + start, at + start + len);
        let label = line.get(to..end).is_some_and(|rest| rest.starts_with(':'));
        if let Some(class) = class(&word[..len], label) {
            out.push((from, to, class));
        }
        at = to;
    }
    if end < line.len() {
        out.push((end, line.len(), "t-comment"));
    }
    out
}

/// Where a comment begins.
fn comment(line: &str) -> Option<usize> {
    let own = line.trim_start();
    if own.starts_with('#') {
        return Some(line.len() - own.len());
    }
    [line.find(';'), line.find("//")]
        .into_iter()
        .flatten()
        .min()
}

fn class(word: &str, label: bool) -> Option<&'static str> {
    let register = |word: &str| {
        let digits = word.strip_prefix(['r', 'w']);
        digits.is_some_and(|digits| matches!(digits.parse::<u8>(), Ok(0..=10)))
    };
    if label {
        return Some("t-flag");
    }
    if register(word) {
        return Some("t-name");
    }
    if WORDS.contains(&word) {
        return Some("t-tool");
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Some("t-num");
    }
    word.starts_with("bpf_").then_some("t-addr")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<(&str, &'static str)> {
        tokens(line)
            .into_iter()
            .map(|(from, to, class)| (&line[from..to], class))
            .collect()
    }

    #[test]
    fn registers_numbers_words_and_comments() {
        assert_eq!(
            words("if r4 > r3 goto out ; too short"),
            [
                ("if", "t-tool"),
                ("r4", "t-name"),
                ("r3", "t-name"),
                ("goto", "t-tool"),
                ("; too short", "t-comment")
            ]
        );
        assert_eq!(
            words("r2 = *(u32 *)(r1 +140)"),
            [("r2", "t-name"), ("r1", "t-name"), ("140", "t-num")]
        );
        assert_eq!(words("out:"), [("out", "t-flag")]);
        assert_eq!(
            words("call bpf_xdp_adjust_meta"),
            [("call", "t-tool"), ("bpf_xdp_adjust_meta", "t-addr")]
        );
        assert_eq!(words("  # all"), [("# all", "t-comment")]);
        assert_eq!(words("r11 // é"), [("// é", "t-comment")]);
        assert_eq!(words(""), []);
        assert_eq!(words("é = ="), []);
    }
}
