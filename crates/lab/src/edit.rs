//! Commands as a text that buttons change: a line more, a line other, a line less.

use headroom_core::scenario::command::Command;
use headroom_core::scenario::graph::Graph;
use headroom_core::scenario::parse;

/// The line with the prompt that the other lines have.
fn prompted(commands: &str, line: &str) -> String {
    let prompts = commands
        .lines()
        .any(|line| line.starts_with("# ") || line.starts_with("$ "));
    format!("{}{line}", if prompts { "# " } else { "" })
}

/// With one more line at the end.
#[must_use]
pub fn at_end(commands: &str, line: &str) -> String {
    let joint = if commands.is_empty() || commands.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{commands}{joint}{}", prompted(commands, line))
}

/// With one more line before the first that sends a packet; at the end, if none does.
#[must_use]
pub fn before_packets(commands: &str, line: &str) -> String {
    match first_packet(commands) {
        Some(at) => inserted(commands, at, line),
        None => at_end(commands, line),
    }
}

/// With a line that needs a device: before the first packet, if the device is there by then, else at the end.
#[must_use]
pub fn for_device(commands: &str, line: &str, netns: Option<&str>, dev: &str) -> String {
    let Some(at) = first_packet(commands) else {
        return at_end(commands, line);
    };
    let before: Vec<&str> = commands.lines().take(at - 1).collect();
    let there = parse(&before.join("\n"))
        .is_ok_and(|parsed| Graph::of(&parsed.lines).device(netns, dev).is_some());
    if there {
        inserted(commands, at, line)
    } else {
        at_end(commands, line)
    }
}

/// With another line in the place of one, 1-based.
#[must_use]
pub fn replaced(commands: &str, at: usize, line: &str) -> String {
    let new = prompted(commands, line);
    let all = commands.split('\n').enumerate();
    let all: Vec<&str> = all
        .map(|(index, old)| if index + 1 == at { new.as_str() } else { old })
        .collect();
    all.join("\n")
}

/// Without a line, 1-based.
#[must_use]
pub fn without(commands: &str, at: usize) -> String {
    let all = commands.split('\n').enumerate();
    let kept: Vec<&str> = all
        .filter(|(index, _)| index + 1 != at)
        .map(|(_, line)| line)
        .collect();
    kept.join("\n")
}

fn inserted(commands: &str, at: usize, line: &str) -> String {
    let new = prompted(commands, line);
    let mut all: Vec<&str> = commands.split('\n').collect();
    all.insert((at - 1).min(all.len()), &new);
    all.join("\n")
}

/// The first line that sends something, 1-based.
fn first_packet(commands: &str) -> Option<usize> {
    let parsed = parse(commands).ok()?;
    let sends = |command: &Command| {
        matches!(
            command,
            Command::Send { .. }
                | Command::Burst { .. }
                | Command::Ping { .. }
                | Command::NicReceive { .. }
        )
    };
    let found = parsed.lines.into_iter().find(|line| sends(&line.command))?;
    Some(found.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ip netns add tx\n# ip link add rx type veth peer name tx netns tx\n# ping -c 1 192.0.2.1\n# ip link add late type dummy\n";

    #[test]
    fn lines_come_where_they_have_an_effect() {
        let line = |text: &str, at: usize| text.lines().nth(at).unwrap_or_default().to_owned();
        let tap = for_device(TEXT, "orc tap rx", None, "rx");
        assert_eq!(line(&tap, 2), "# orc tap rx");
        let inside = for_device(TEXT, "orc tap tx tx", Some("tx"), "tx");
        assert_eq!(line(&inside, 2), "# orc tap tx tx");
        let late = for_device(TEXT, "orc tap late", None, "late");
        assert_eq!(line(&late, 4), "# orc tap late");
        let seed = include_str!("../../../content/scenarios/seed.json");
        let seed = headroom_core::scenario::ScenarioFile::read("seed.json", seed).expect("seed");
        let seed = seed.paste.join("\n");
        let attached = for_device(&seed, "orc tcx x rx ingress", None, "rx");
        let at = |text: &str| attached.lines().position(|line| line.contains(text));
        assert!(at("orc tcx x") < at("ping -c1"), "{attached}");
        // Without a packet, and without prompts.
        assert_eq!(
            before_packets("ip netns add a", "orc tap x"),
            "ip netns add a\norc tap x"
        );
        assert_eq!(at_end("", "orc tap x"), "orc tap x");
        assert_eq!(replaced("a\nb\n", 1, "c"), "c\nb\n");
        assert_eq!(without("a\nb\n", 2), "a\n");
    }
}
