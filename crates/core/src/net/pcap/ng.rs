//! Packets of a pcapng file (draft-ietf-opsawg-pcapng): sections, interfaces, enhanced and simple packet blocks.
//! Other blocks are passed over by their length.

use super::{ETHERNET, Packet, PcapError};

/// Type of a section header block; the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Type of an interface description block.
const INTERFACE: u32 = 1;
/// Type of a simple packet block.
const SIMPLE: u32 = 3;
/// Type of an enhanced packet block.
const ENHANCED: u32 = 6;
/// The byte-order magic of a section header, as its writer sees it.
const MAGIC: u32 = 0x1a2b_3c4d;
/// A block's type and its length in front, and its length again behind.
const AROUND: usize = 12;

/// What is known of an interface.
struct Interface {
    link: u32,
    /// Most bytes of a packet that are kept; 0 for all.
    snaplen: usize,
    /// Of its times (`if_tsresol`): a power of ten, or of two with the highest bit set.
    resolution: u8,
}

/// `if_tsresol`, and what it is without that option: microseconds.
const RESOLUTION: u32 = 9;
const MICROSECONDS: u8 = 6;

impl Interface {
    /// Nanoseconds since 1970.
    fn time(&self, units: u64) -> Option<u64> {
        let power = u32::from(self.resolution & 0x7f);
        let base: u128 = if self.resolution & 0x80 == 0 { 10 } else { 2 };
        let a_second = base.checked_pow(power)?;
        let nanoseconds = u128::from(units).checked_mul(1_000_000_000)? / a_second;
        u64::try_from(nanoseconds).ok()
    }
}

/// One section: byte order, and the interfaces so far.
#[derive(Default)]
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

impl Section {
    fn number(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// The low 16 bits first, as linktype and reserved stand in an interface description.
    fn half(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        let half = if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        };
        Some(u32::from(half))
    }
}

/// Calls `each` for every packet; gives their count. Offsets are those of blocks.
pub(super) fn walk(
    file: &[u8],
    mut each: impl FnMut(Packet<'_>) -> Result<(), PcapError>,
) -> Result<usize, PcapError> {
    let mut section = Section::default();
    let (mut offset, mut count) = (0, 0);
    while offset < file.len() {
        let rest = file.get(offset..).unwrap_or_default();
        let (kind, body, len) = block(rest, &mut section).ok_or(PcapError::Block {
            offset,
            why: "it is cut off, or its length is wrong",
        })?;
        let short = PcapError::Block {
            offset,
            why: "it is shorter than its own header",
        };
        match kind {
            INTERFACE => {
                let read = || Some((section.half(body, 0)?, section.number(body, 4)?));
                let (link, snaplen) = read().ok_or(short)?;
                let options = options(body, 8, &section);
                let options = options.ok_or(PcapError::Block {
                    offset,
                    why: OPTION,
                })?;
                let resolution = options.iter().find(|(code, _)| *code == RESOLUTION);
                let resolution = resolution.and_then(|(_, value)| value.first().copied());
                section.interfaces.push(Interface {
                    link,
                    snaplen: snaplen as usize,
                    resolution: resolution.unwrap_or(MICROSECONDS),
                });
            }
            ENHANCED | SIMPLE => {
                count += 1;
                let (interface, original, data) = packet(kind, body, &section).ok_or(short)?;
                let behind = 20 + data.len().next_multiple_of(4);
                let whole = kind == SIMPLE || options(body, behind, &section).is_some();
                let known = section.interfaces.get(interface).ok_or(PcapError::Block {
                    offset,
                    why: "it names an interface that is not described before it",
                })?;
                if known.link != ETHERNET {
                    let link = known.link;
                    return Err(PcapError::LinkOf { offset, link });
                }
                each(Packet {
                    number: count,
                    offset,
                    data,
                    original,
                    time: units(kind, body, &section).and_then(|units| known.time(units)),
                    wrong: (!whole).then_some(OPTION),
                })?;
            }
            _ => {}
        }
        offset += len;
    }
    Ok(count)
}

/// What is said of a block whose options are longer than itself.
const OPTION: &str = "an option is longer than its block";

/// Codes and values of the options from a place of a body on; nothing if one goes beyond the end.
fn options<'f>(body: &'f [u8], mut at: usize, section: &Section) -> Option<Vec<(u32, &'f [u8])>> {
    let mut out = Vec::new();
    while at < body.len() {
        let (code, len) = (
            section.half(body, at)?,
            section.half(body, at + 2)? as usize,
        );
        if code == 0 {
            break;
        }
        let value = body.get(at + 4..at + 4 + len)?;
        out.push((code, value));
        at += 4 + len.next_multiple_of(4);
    }
    Some(out)
}

/// When a packet was captured, in units of its interface; a simple packet does not say it.
fn units(kind: u32, body: &[u8], section: &Section) -> Option<u64> {
    let high = section.number(body, 4).filter(|_| kind == ENHANCED)?;
    Some(u64::from(high) << 32 | u64::from(section.number(body, 8)?))
}

/// Type, body and length of the block that begins here; a section header sets the byte order.
fn block<'f>(rest: &'f [u8], section: &mut Section) -> Option<(u32, &'f [u8], usize)> {
    if rest.starts_with(&SECTION) {
        let magic = rest.get(8..12)?.try_into().ok()?;
        *section = Section {
            big_endian: match magic {
                bytes if u32::from_le_bytes(bytes) == MAGIC => false,
                bytes if u32::from_be_bytes(bytes) == MAGIC => true,
                _ => return None,
            },
            interfaces: Vec::new(),
        };
    }
    let kind = section.number(rest, 0)?;
    let len = section.number(rest, 4)? as usize;
    let body = rest.get(8..len.checked_sub(4)?)?;
    let again = section.number(rest, len - 4)? as usize;
    (len >= AROUND && len.is_multiple_of(4) && again == len).then_some((kind, body, len))
}

/// Index of the interface, length on the wire, and the captured bytes.
fn packet<'f>(kind: u32, body: &'f [u8], section: &Section) -> Option<(usize, usize, &'f [u8])> {
    if kind == ENHANCED {
        let interface = section.number(body, 0)? as usize;
        let captured = section.number(body, 12)? as usize;
        let original = section.number(body, 16)? as usize;
        let data = body.get(20..20_usize.checked_add(captured)?)?;
        return Some((interface, original, data));
    }
    // A simple packet is of the first interface, and is as long as that keeps.
    let original = section.number(body, 0)? as usize;
    let kept = section.interfaces.first().map_or(0, |first| first.snaplen);
    let captured = if kept == 0 {
        original
    } else {
        original.min(kept)
    };
    let data = body.get(4..4_usize.checked_add(captured)?)?;
    Some((0, original, data))
}

#[cfg(test)]
#[path = "ng_tests.rs"]
mod tests;
