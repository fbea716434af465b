//! Which scenarios the catalogue shows, under which heading, and the address that says so.

use headroom_protocol::files::Entry;

/// The chapters of the catalogue: a heading, and the tags of which one puts a scenario there. The
/// first chapter that fits has it.
const CHAPTERS: [(&str, &[&str]); 9] = [
    ("The thread", &["seed"]),
    ("The roadmap, row by row", &["roadmap"]),
    ("The public test suite, made anew", &["skb-metadata-tests"]),
    ("Clones and taps", &["clone", "tap", "mirred", "write"]),
    ("TC helpers", &["helper", "gap", "pair"]),
    ("Decapsulation", &["decap"]),
    (
        "Encapsulation and tunnels on transmit",
        &["encap", "lwt", "tx"],
    ),
    (
        "Forwarding, bridges, namespaces",
        &["forward", "bridge", "netns", "scrub", "gro"],
    ),
    ("One device", &["veth", "xdp", "driver"]),
];
/// Everything else.
const OTHERS: &str = "More";

/// Fewest scenarios that a tag must stand on to have a button.
const COMMON: usize = 4;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Words that a scenario must hold, in its id, title, summary or tags.
    pub find: String,
    /// A tag that it must have; empty for any.
    pub tag: String,
}

impl Choice {
    /// From the pairs of an address' query.
    #[must_use]
    pub fn read(pairs: &[(String, String)]) -> Self {
        let value = |wanted: &str| {
            let found = pairs.iter().find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Self {
            find: value("q"),
            tag: value("tag"),
        }
    }

    /// The query, with its `?`; empty when all is shown.
    #[must_use]
    pub fn query(&self, encode: impl Fn(&str) -> String) -> String {
        let pairs: Vec<String> = [("q", &self.find), ("tag", &self.tag)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={}", encode(value)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }

    /// Whether a scenario is shown.
    #[must_use]
    pub fn shows(&self, entry: &Entry) -> bool {
        if !self.tag.is_empty() && !entry.tags.contains(&self.tag) {
            return false;
        }
        let text = format!(
            "{} {} {} {}",
            entry.id,
            entry.title,
            entry.summary,
            entry.tags.join(" ")
        )
        .to_lowercase();
        self.find
            .to_lowercase()
            .split_whitespace()
            .all(|word| crate::filter::found(&text, word))
    }
}

/// The scenarios that are shown, as indexes below their chapter's heading.
#[must_use]
pub fn chapters(entries: &[Entry], choice: &Choice) -> Vec<(&'static str, Vec<usize>)> {
    let headings = CHAPTERS.iter().map(|(heading, _)| *heading).chain([OTHERS]);
    headings
        .map(|heading| {
            let here =
                |at: &usize| chapter(&entries[*at]) == heading && choice.shows(&entries[*at]);
            (heading, (0..entries.len()).filter(here).collect())
        })
        .filter(|(_, shown): &(_, Vec<usize>)| !shown.is_empty())
        .collect()
}

fn chapter(entry: &Entry) -> &'static str {
    let has = |tags: &[&str]| entry.tags.iter().any(|tag| tags.contains(&tag.as_str()));
    CHAPTERS
        .iter()
        .find(|(_, tags)| has(tags))
        .map_or(OTHERS, |(heading, _)| heading)
}

/// Tags that many scenarios have, the most frequent first.
#[must_use]
pub fn tags(entries: &[Entry]) -> Vec<String> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for tag in entries.iter().flat_map(|entry| &entry.tags) {
        match counted.iter_mut().find(|(known, _)| known == tag) {
            Some((_, count)) => *count += 1,
            None => counted.push((tag.clone(), 1)),
        }
    }
    counted.retain(|(_, count)| *count >= COMMON);
    counted.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counted.into_iter().map(|(tag, _)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, tags: &[&str]) -> Entry {
        Entry {
            id: id.into(),
            title: format!("About {id}"),
            summary: "A tag of `42`.".into(),
            tags: tags.iter().map(|tag| (*tag).into()).collect(),
        }
    }

    #[test]
    fn the_first_chapter_that_fits_has_a_scenario() {
        let entries = [
            entry("veth-tag", &["veth"]),
            entry("pattern-gre", &["decap", "skb-metadata-tests"]),
            entry("odd", &[]),
            entry("seed", &["seed", "decap"]),
        ];
        let all = chapters(&entries, &Choice::default());
        let expected: Vec<(&str, Vec<usize>)> = vec![
            ("The thread", vec![3]),
            ("The public test suite, made anew", vec![1]),
            ("One device", vec![0]),
            ("More", vec![2]),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn words_and_a_tag_choose() {
        let shown = |find: &str, tag: &str| {
            let choice = Choice {
                find: find.into(),
                tag: tag.into(),
            };
            choice.shows(&entry("decap-gre", &["decap", "gre"]))
        };
        assert!(shown("", ""));
        assert!(shown("GRE 42", "decap"));
        assert!(!shown("gre vxlan", "decap"));
        assert!(!shown("", "vlan"));
    }

    #[test]
    fn the_address_and_back() {
        let choice = Choice {
            find: "gre".into(),
            tag: "decap".into(),
        };
        let query = choice.query(str::to_owned);
        assert_eq!(query, "?q=gre&tag=decap");
        let pairs = [("q", "gre"), ("tag", "decap")].map(|(k, v)| (k.into(), v.into()));
        assert_eq!(Choice::read(&pairs), choice);
        assert_eq!(Choice::default().query(str::to_owned), "");
    }

    #[test]
    fn only_common_tags_have_a_button() {
        let mut entries = vec![entry("a", &["decap", "gre"]); COMMON];
        entries.push(entry("b", &["decap", "rare"]));
        assert_eq!(tags(&entries), ["decap", "gre"]);
    }
}
