//! Commands that say two things at once: an option twice with different values, or a word and its opposite. Some tools
//! take the last word; here it is a mistake, with the place of both.

use super::error::{ParseError, Problem};
use super::lex::Word;

/// Options of `ip`, `bridge` and `tc` with a value, of which a command has one.
const VALUED: [&str; 46] = [
    "dev",
    "name",
    "address",
    "addr",
    "netns",
    "mtu",
    "master",
    "local",
    "remote",
    "local6",
    "remote6",
    "key",
    "ikey",
    "okey",
    "ttl",
    "tos",
    "id",
    "vni",
    "dstport",
    "mode",
    "protocol",
    "proto",
    "lladdr",
    "nud",
    "hoplimit",
    "encaplimit",
    "tclass",
    "flowlabel",
    "tunnel_id",
    "peer_tunnel_id",
    "session_id",
    "peer_session_id",
    "udp_sport",
    "udp_dport",
    "vid",
    "via",
    "pref",
    "prio",
    "scrub",
    "vlan_filtering",
    "vlan_protocol",
    "df",
    "headroom",
    "index",
    "promisc",
    "reorder_hdr",
];

/// Words of which only one can be meant. A word with a value stands here too.
const OPPOSITES: [&[&str]; 17] = [
    &["up", "down"],
    &["master", "nomaster"],
    &["key", "nokey"],
    &["csum", "nocsum"],
    &["icsum", "noicsum"],
    &["ocsum", "noocsum"],
    &["seq", "noseq"],
    &["pmtudisc", "nopmtudisc"],
    &["udpcsum", "noudpcsum"],
    &["learning", "nolearning"],
    &["udp6zerocsumtx", "noudp6zerocsumtx"],
    &["udp6zerocsumrx", "noudp6zerocsumrx"],
    &["forward", "blackhole"],
    &["self", "master"],
    &["ingress", "egress"],
    // iproute2 (`vxlan_parse_opt()`, `geneve_parse_opt()`): packets bring their network identifier
    &["external", "id", "noexternal"],
    &["external", "vni"],
];

/// Behind these the options are those of something else: a device's type, its other end, an action.
const SECTIONS: [&str; 8] = [
    "type", "peer", "encap", "action", "matchall", "bpf", "xdp", "pinned",
];

/// Checks a command that is understood.
///
/// # Errors
/// The word that contradicts an earlier one.
pub(super) fn check(words: &[Word], line: usize) -> Result<(), ParseError> {
    let mut said: Vec<(&Word, Option<&Word>)> = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let text = word.text.as_str();
        if SECTIONS.contains(&text) {
            said.clear();
            continue;
        }
        let valued = VALUED.contains(&text);
        let value = if valued && !is_flag(words, text) {
            rest.next_if(|_| true)
        } else {
            None
        };
        let against = said.iter().find(|(known, earlier)| {
            let known = known.text.as_str();
            let twice = known == text && value.map(|v| &v.text) != earlier.map(|v| &v.text);
            let group = |group: &&[&str]| group.contains(&known) && group.contains(&text);
            twice || known != text && OPPOSITES.iter().any(group)
        });
        if let Some((known, earlier)) = against {
            let whole = |word: &Word, value: Option<&Word>| match value {
                Some(value) => format!("{} {}", word.text, value.text),
                None => word.text.clone(),
            };
            return Err(ParseError {
                line,
                column: word.column,
                word: word.text.clone(),
                problem: Problem::Contradicts {
                    word: whole(word, value),
                    other: whole(known, *earlier),
                    column: known.column,
                },
            });
        }
        if valued || OPPOSITES.iter().any(|group| group.contains(&text)) {
            said.push((word, value));
        }
    }
    Ok(())
}

/// Words that have a value in one place and none in another: `master` of `bridge vlan`, `key` of a route's `encap ip`.
fn is_flag(words: &[Word], text: &str) -> bool {
    let has = |wanted: &str| words.iter().any(|word| word.text == wanted);
    match text {
        "master" => words
            .first()
            .is_some_and(|tool| tool.text.ends_with("bridge")),
        "key" => has("encap"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;

    fn error(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn a_word_and_its_opposite() {
        assert_eq!(
            error("ip link set dev rx up down"),
            "Line 1, column 23: `down` contradicts `up` at column 20."
        );
        assert_eq!(
            error("ip link add g type gre remote 10.0.0.2 key 5 nokey"),
            "Line 1, column 46: `nokey` contradicts `key 5` at column 40."
        );
        assert_eq!(
            error("ip link add v type vxlan external id 5"),
            "Line 1, column 35: `id 5` contradicts `external` at column 26."
        );
        assert_eq!(
            error("tc filter add dev rx ingress egress matchall action drop"),
            "Line 1, column 30: `egress` contradicts `ingress` at column 22."
        );
    }

    #[test]
    fn an_option_twice() {
        assert_eq!(
            error("ip -n a link set dev rx mtu 1500 mtu 1400"),
            "Line 1, column 34: `mtu 1400` contradicts `mtu 1500` at column 25."
        );
        assert_eq!(
            error("ip netns exec far ip addr add 10.0.0.1/24 dev rx dev tx"),
            "Line 1, column 50: `dev tx` contradicts `dev rx` at column 43."
        );
        assert!(parse("ip link set dev rx mtu 1500 mtu 1500 up up").is_ok());
    }

    /// Two devices in one command have options each; actions in a row too; a value may look like an option.
    #[test]
    fn what_only_looks_so() {
        for text in [
            "ip link add a address 02:00:00:00:00:01 type veth peer name b address 02:00:00:00:00:02 netns x",
            "ip link set dev up down",
            "ip link add a type netkit forward peer blackhole name b",
            "tc filter add dev rx ingress matchall action mirred egress mirror dev a action mirred ingress redirect dev b",
            "bridge vlan add dev a vid 5 master",
            "ip route add 10.0.0.0/8 encap ip id 5 dst 10.0.0.2 key dev g",
            "ip netns exec up ip link set dev rx down",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
