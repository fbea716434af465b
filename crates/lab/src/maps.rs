//! Maps of programs as a reader types and sees them: bytes and numbers, and the command that changes one.

use headroom_core::scenario::bpf_map::MapChange;
use headroom_core::scenario::command::Command;
use headroom_core::scenario::parse;

use crate::edit;

/// `2a 00 00 00`
#[must_use]
pub fn spaced(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.join(" ")
}

/// The number that 1, 2, 4 or 8 bytes are, little endian as on the recorded machine.
#[must_use]
pub fn number(bytes: &[u8]) -> Option<u64> {
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return None;
    }
    let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    Some(bytes.iter().rev().fold(0, fold))
}

/// Bytes of a key or a value: pairs of hex digits (`2a 00 00 00`), or a number (`42`, `0x2a`, `-1`) that is
/// written little endian.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn read(text: &str, size: u32) -> Result<Vec<u8>, String> {
    let size = size as usize;
    let words: Vec<&str> = text.split_whitespace().collect();
    let byte = |word: &&str| {
        let pair = word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit());
        pair.then(|| u8::from_str_radix(word, 16).ok()).flatten()
    };
    if let [word] = words.as_slice()
        && !(size == 1 && word.len() == 2 && word.parse::<u8>().is_err())
    {
        return of_number(word, size);
    }
    let bytes: Option<Vec<u8>> = words.iter().map(byte).collect();
    match bytes {
        Some(bytes) if bytes.len() == size => Ok(bytes),
        Some(bytes) => Err(format!("These are {} bytes; it has {size}.", bytes.len())),
        None => Err("Expected a number, or bytes as pairs of hex digits (2a 00 00 00).".into()),
    }
}

fn of_number(word: &str, size: usize) -> Result<Vec<u8>, String> {
    let value = match word.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => match word.strip_prefix('-') {
            Some(digits) => digits.parse::<u128>().ok().map(u128::wrapping_neg),
            None => word.parse().ok(),
        },
    };
    let value =
        value.ok_or_else(|| format!("“{word}” is no number, and no pair of hex digits."))?;
    let bytes = value.to_le_bytes();
    let sign = if word.starts_with('-') { 0xff } else { 0 };
    let fits = bytes.iter().skip(size).all(|byte| *byte == sign);
    if !fits {
        return Err(format!("{word} does not fit into {size} bytes."));
    }
    let fill = std::iter::repeat(sign);
    Ok(bytes.into_iter().chain(fill).take(size).collect())
}

/// The command that makes a change.
#[must_use]
pub fn command(change: &MapChange) -> String {
    let key = if change.key.is_empty() {
        String::new()
    } else {
        format!(" key hex {}", spaced(&change.key))
    };
    match &change.value {
        Some(value) => format!(
            "bpftool map update name {}{key} value hex {}",
            change.map,
            spaced(value)
        ),
        None => format!("bpftool map delete name {}{key}", change.map),
    }
}

/// The commands with one more change, before the first packet: in the place of the command that changed the same
/// key before, if there is one.
#[must_use]
pub fn with_change(commands: &str, change: &MapChange) -> String {
    let same = changes(commands)
        .into_iter()
        .find(|(_, known)| known.map == change.map && known.key == change.key);
    match same {
        Some((line, _)) => edit::replaced(commands, line, &command(change)),
        None => edit::before_packets(commands, &command(change)),
    }
}

/// The changes of maps that the commands hold, with their 1-based lines.
#[must_use]
pub fn changes(commands: &str) -> Vec<(usize, MapChange)> {
    let lines = parse(commands).map(|parsed| parsed.lines);
    let change = |line: headroom_core::scenario::command::Line| match line.command {
        Command::Map(change) => Some((line.number, change)),
        _ => None,
    };
    lines
        .unwrap_or_default()
        .into_iter()
        .filter_map(change)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes() {
        assert_eq!(read("42", 4), Ok(vec![42, 0, 0, 0]));
        assert_eq!(read("0x0102", 4), Ok(vec![2, 1, 0, 0]));
        assert_eq!(read("-2", 8), Ok([&[0xfe][..], &[0xff; 7]].concat()));
        assert_eq!(read("2a 00 00 00", 4), Ok(vec![42, 0, 0, 0]));
        assert_eq!(read("ff", 1), Ok(vec![255]));
        assert_eq!(read("10", 1), Ok(vec![10]));
        assert_eq!(read("1", 20).map(|bytes| bytes.len()), Ok(20));
        for (text, size, said) in [
            ("256", 1, "does not fit"),
            ("-129", 0, "does not fit"),
            ("2a 00", 4, "These are 2 bytes"),
            ("2a 0x", 2, "Expected a number"),
            ("tag", 4, "no number"),
            ("", 4, "These are 0 bytes"),
        ] {
            let error = read(text, size).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
        assert_eq!(number(&[1, 2, 0, 0]), Some(513));
        assert_eq!(number(&[1, 2, 3]), None);
    }

    #[test]
    fn a_change_stands_before_the_first_packet_and_once() {
        let commands = "# ip netns add tx\n# ip link add rx type veth peer name tx netns tx\n# ping -c 1 192.0.2.1\n";
        let mut change = MapChange {
            map: "cfg".into(),
            key: vec![0; 4],
            value: Some(vec![42, 0, 0, 0]),
        };
        let once = with_change(commands, &change);
        let line = "# bpftool map update name cfg key hex 00 00 00 00 value hex 2a 00 00 00";
        assert_eq!(once.lines().nth(2), Some(line), "{once}");
        assert!(once.ends_with("192.0.2.1\n"));
        assert_eq!(changes(&once), [(3, change.clone())]);
        change.value = Some(vec![43, 0, 0, 0]);
        let twice = with_change(&once, &change);
        assert_eq!(twice.lines().count(), 4, "{twice}");
        assert_eq!(changes(&twice), [(3, change.clone())]);
        change.key = vec![1, 0, 0, 0];
        assert_eq!(changes(&with_change(&twice, &change)).len(), 2);
        assert_eq!(edit::without(&twice, 3), commands);
    }
}
