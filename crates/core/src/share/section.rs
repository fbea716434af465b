//! Sections: tag, length, checksum, body.
//!
//! ```text
//! 1 byte    tag
//! 4 bytes   length of the body, little endian
//! 4 bytes   Adler-32 (RFC 1950) of tag and body, little endian
//! …         body
//! ```

/// Bytes in front of a body.
const HEAD: usize = 9;

/// What a section holds. The numbers are in links that are out in the world: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Scenario = 1,
    Commands = 2,
    View = 3,
    Policy = 4,
    Assembler = 5,
    Object = 6,
    Frame = 7,
}

impl Tag {
    const ALL: [Self; 7] = [
        Self::Scenario,
        Self::Commands,
        Self::View,
        Self::Policy,
        Self::Assembler,
        Self::Object,
        Self::Frame,
    ];

    /// The words a reader knows it by.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Scenario => "the scenario's name",
            Self::Commands => "the commands",
            Self::View => "what was shown",
            Self::Policy => "the design's policy points",
            Self::Assembler => "a program in assembler",
            Self::Object => "an object file",
            Self::Frame => "a packet",
        }
    }
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) tag: Tag,
    pub(super) body: Vec<u8>,
}

/// What reading one section came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole one.
    Whole(Section),
    /// Broken; the clause says how. Reading goes on behind it.
    Broken(String),
    /// Cut off: nothing can follow.
    CutOff(String),
}

/// Adler-32 of RFC 1950, section 8.2.
fn adler(parts: [&[u8]; 2]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in parts.into_iter().flatten() {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    b << 16 | a
}

/// Appends a section.
pub(super) fn write(section: &Section, out: &mut Vec<u8>) {
    let tag = section.tag as u8;
    out.push(tag);
    // A body is bounded by what a link or file holds, far below 4 GiB.
    let len = u32::try_from(section.body.len()).unwrap_or(u32::MAX);
    out.extend(len.to_le_bytes());
    out.extend(adler([&[tag], &section.body]).to_le_bytes());
    out.extend(&section.body);
}

/// Reads the section at the start of `bytes` (not empty); gives it and its length.
pub(super) fn read(bytes: &[u8]) -> (Found, usize) {
    let number = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    };
    let tag = bytes
        .first()
        .and_then(|first| Tag::ALL.into_iter().find(|tag| *tag as u8 == *first));
    let name = tag.map_or("a part of a kind that is not known here", Tag::word);
    let (Some(len), Some(sum)) = (number(1), number(5)) else {
        return (Found::CutOff(format!("{name}: cut off")), bytes.len());
    };
    let end = HEAD.saturating_add(len as usize);
    let Some(body) = bytes.get(HEAD..end) else {
        let have = bytes.len() - HEAD.min(bytes.len());
        let what = format!("{name}: cut off, {have} of {len} bytes are there");
        return (Found::CutOff(what), bytes.len());
    };
    let found = match tag {
        Some(tag) if adler([&[tag as u8], body]) == sum => Found::Whole(Section {
            tag,
            body: body.to_vec(),
        }),
        Some(_) => Found::Broken(format!("{name}: damaged, its checksum is wrong")),
        None => Found::Broken(format!("{name} (kind {}), left out", bytes[0])),
    };
    (found, end)
}

/// A name and what it names in one body.
pub(super) fn two(name: &str, rest: &[u8]) -> Vec<u8> {
    let name = name.as_bytes();
    let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let mut out = len.to_le_bytes().to_vec();
    out.extend(&name[..usize::from(len)]);
    out.extend(rest);
    out
}

/// Takes [`two`] apart.
pub(super) fn split_two(body: &[u8]) -> Result<(String, Vec<u8>), String> {
    let len = body
        .get(..2)
        .map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])))
        .ok_or("it has no name")?;
    let name = body.get(2..2 + len).ok_or("its name is cut off")?;
    let rest = body.get(2 + len..).unwrap_or_default();
    Ok((read_text(name.to_vec())?, rest.to_vec()))
}

/// UTF-8 text.
pub(super) fn read_text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1950 gives the algorithm; `Wikipedia` by hand: a = 1 + 920 = 921 = 0x398, b = 4582 = 0x11e6.
    #[test]
    fn adler_of_a_word() {
        assert_eq!(adler([b"Wiki", b"pedia"]), 0x11e6_0398);
    }

    #[test]
    fn a_flipped_bit_is_damage_and_reading_goes_on_behind_it() {
        let mut bytes = Vec::new();
        let one = |text: &str| Section {
            tag: Tag::Commands,
            body: text.into(),
        };
        write(&one("ip link"), &mut bytes);
        let first = bytes.len();
        write(&one("ping"), &mut bytes);
        bytes[HEAD] ^= 1;
        let (found, end) = read(&bytes);
        assert_eq!(
            found,
            Found::Broken("the commands: damaged, its checksum is wrong".into())
        );
        assert_eq!(end, first);
        assert_eq!(read(&bytes[end..]).0, Found::Whole(one("ping")));
    }
}
