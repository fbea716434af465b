use super::*;
use proptest::prelude::*;

fn shown(text: &str) -> Vec<(&str, Kind)> {
    let lines = tokens(text);
    text.split('\n')
        .zip(&lines)
        .flat_map(|(line, tokens)| {
            tokens
                .iter()
                .map(move |token| (&line[token.range.clone()], token.kind))
        })
        .collect()
}

#[test]
fn what_each_word_is() {
    assert_eq!(
        shown("ip -n tx addr add 10.0.0.2/24 dev tx # why"),
        [
            ("ip", Kind::Tool),
            ("-n", Kind::Flag),
            ("tx", Kind::Name),
            ("addr", Kind::Word),
            ("add", Kind::Word),
            ("10.0.0.2/24", Kind::Address),
            ("dev", Kind::Word),
            ("tx", Kind::Name),
            ("# why", Kind::Comment),
        ]
    );
    assert_eq!(
        shown("# ip netns exec tx ping -c1 10.0.0.1\n64 bytes from 10.0.0.1\n\n"),
        [
            ("#", Kind::Prompt),
            ("ip", Kind::Tool),
            ("netns", Kind::Word),
            ("exec", Kind::Word),
            ("tx", Kind::Name),
            ("ping", Kind::Tool),
            ("-c1", Kind::Flag),
            ("10.0.0.1", Kind::Address),
            ("64 bytes from 10.0.0.1", Kind::Comment),
        ]
    );
}

#[test]
fn the_parsers_own_words_complete() {
    let choices = |text: &str| complete(text, text.len()).choices;
    assert_eq!(choices("et"), ["ethtool"]);
    assert_eq!(choices("orc t"), ["tcx", "tun", "tap"]);
    assert_eq!(choices("orc tcx p rx "), ["ingress", "egress"]);
    assert_eq!(choices("ip link add br0 type br"), ["bridge"]);
    assert_eq!(choices("ip link add br0 t"), ["type"]);
    assert_eq!(choices("orc tcx p rx ingress "), Vec::<String>::new());
    let text = "ip netns add tx\nip link add rx type veth peer name far netns tx\norc tcx get rx i";
    assert_eq!(choices(text), ["ingress"]);
    assert_eq!(
        choices("ip link add rx type veth peer name far\norc tap "),
        ["rx", "far"]
    );
    assert_eq!(complete("orc xdp p d", 11).expected, "a device");
    assert_eq!(complete("orc xdp p d", 11).replaces, 10..11);
}

proptest! {
    #[test]
    fn any_text_at_any_place(text in "[a-z0-9#$ /.:äé\n-]{0,60}", at in 0usize..80) {
        let completion = complete(&text, at);
        prop_assert!(text.get(completion.replaces.clone()).is_some());
        for (line, tokens) in text.split('\n').zip(tokens(&text)) {
            let mut end = 0;
            for token in tokens {
                prop_assert!(token.range.start >= end && line.get(token.range.clone()).is_some());
                end = token.range.end;
            }
        }
    }
}
