//! *Did you mean …?*: the word among those that would fit that is nearest to what was typed.

use strsim::osa_distance;

/// Words of prose that stand between the words that would fit.
const PROSE: [&str; 22] = [
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "its", "more", "not", "of",
    "one", "only", "or", "such", "the", "to", "tools", "with",
];

/// The nearest word of a text, when one is near: one slip of the finger in a short word, two in a longer one.
#[must_use]
pub fn meant(word: &str, known: &str) -> Option<String> {
    let slips = match word.chars().count() {
        0 | 1 => return None,
        2..=4 => 1,
        _ => 2,
    };
    let separates = |c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.');
    known
        .split(separates)
        .map(|known| known.trim_matches('.'))
        .filter(|known| known.len() > 1 && !PROSE.contains(known) && *known != word)
        .map(|known| (osa_distance(word, known), known))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
}

/// The same as words to put into a sentence; nothing when no word is near.
#[must_use]
pub fn did_you_mean(word: &str, known: &str) -> String {
    meant(word, known).map_or_else(String::new, |meant| format!(" (did you mean `{meant}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_in_a_short_word_and_two_in_a_longer_one() {
        let known = "up, down, address MAC, netns NETNS, mtu N or xdp pinned PATH";
        assert_eq!(meant("dwon", known).as_deref(), Some("down"));
        assert_eq!(meant("adress", known).as_deref(), Some("address"));
        assert_eq!(meant("netnss", known).as_deref(), Some("netns"));
        assert_eq!(meant("mtx", known).as_deref(), Some("mtu"));
        assert_eq!(meant("frob", known), None);
        assert_eq!(meant("x", known), None);
        assert_eq!(meant("of", "one of the tools ip, tc"), None);
        assert_eq!(
            did_you_mean("gretp", "veth, gre, gretap"),
            " (did you mean `gretap`?)"
        );
        assert_eq!(did_you_mean("", "veth"), "");
    }
}
