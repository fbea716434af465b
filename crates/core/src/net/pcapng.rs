//! Packets of a pcapng file (draft-ietf-opsawg-pcapng): sections, interfaces, enhanced and simple packet blocks.
//! Other blocks are passed over by their length.

use super::pcap::{ETHERNET, Packet, PcapError};

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
mod tests {
    use super::super::pcap::{PcapError, packets, readable};

    /// A block as the draft draws it: type, length, body in words, length.
    fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
        let number = |n: u32| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let len = number(12 + (body.len() + padding.len()) as u32);
        [&number(kind)[..], &len, body, &padding, &len].concat()
    }

    fn numbers(all: &[u32], big: bool) -> Vec<u8> {
        let one = |n: &u32| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        all.iter().flat_map(one).collect()
    }

    fn file(link: u16, snaplen: u32, packets: &[(&[u8], u32)], big: bool) -> Vec<u8> {
        let half = |n: u16| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let header = [
            numbers(&[0x1a2b_3c4d], big),
            half(1).to_vec(),
            half(0).to_vec(),
            vec![0xff; 8],
        ]
        .concat();
        let interface = [half(link).to_vec(), vec![0; 2], numbers(&[snaplen], big)].concat();
        let mut out = [block(0x0a0d_0d0a, &header, big), block(1, &interface, big)].concat();
        // A name resolution block is passed over.
        out.extend(block(4, &[0; 4], big));
        for (data, original) in packets {
            let head = numbers(&[0, 0, 0, data.len() as u32, *original], big);
            out.extend(block(6, &[&head[..], data].concat(), big));
        }
        out
    }

    #[test]
    fn packets_in_both_byte_orders_and_in_several_sections() {
        for big in [false, true] {
            let mut all = file(1, 0, &[(&[1, 2, 3], 3), (&[4], 1)], big);
            all.extend(file(1, 2, &[(&[5], 1)], !big));
            // A simple packet block: 4 bytes on the wire, of which the interface keeps 2.
            all.extend(block(
                3,
                &[numbers(&[4], !big), vec![6, 7, 0, 0]].concat(),
                !big,
            ));
            let read = readable(&all, 9, 9).expect("packets");
            let bytes: Vec<&[u8]> = read.packets.iter().map(|p| &p.bytes[..]).collect();
            assert_eq!(bytes, [&[1, 2, 3][..], &[4], &[5]]);
            assert_eq!((read.whole, read.broken), (3, 1));
            let said = read
                .first
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(
                said.ends_with("packet 4: only 2 of its 4 bytes were captured"),
                "{said}"
            );
        }
    }

    /// Every prefix: fewer packets, or an error with the place of the block that is cut off.
    #[test]
    fn cut_off_anywhere() {
        let whole = file(1, 0, &[(&[1, 2, 3], 3), (&[4], 1)], false);
        // Section 28, interface 20, names 16; then 36 bytes each.
        let starts = [0, 28, 48, 64, 100, 136];
        for len in 1..=whole.len() {
            let got = packets(&whole[..len]);
            let offset = starts
                .iter()
                .rev()
                .find(|start| **start < len)
                .copied()
                .unwrap_or(0);
            if starts.contains(&len) {
                assert_eq!(
                    got.map(|all| all.len()),
                    Ok(len.saturating_sub(64) / 36),
                    "{len}"
                );
            } else if len >= 4 {
                assert!(
                    matches!(got, Err(PcapError::Block { offset: at, .. }) if at == offset),
                    "{len}: {got:?}"
                );
            }
        }
    }

    /// An option of 200 bytes in a block of 40: of a packet, which is left out, and of an interface, which nothing can be
    /// read without. Times in the interface's unit.
    #[test]
    fn options_and_times() {
        let section = block(
            0x0a0d_0d0a,
            &[
                &numbers(&[0x1a2b_3c4d], false)[..],
                &[1, 0, 0, 0],
                &[0xff; 8],
            ]
            .concat(),
            false,
        );
        // if_tsresol: nanoseconds.
        let unit = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        let interface =
            |options: &[u8]| block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], options].concat(), false);
        let packet = |low: u32, options: &[u8]| {
            block(
                6,
                &[
                    &numbers(&[0, 0, low, 4, 4], false)[..],
                    &[1, 2, 3, 4],
                    options,
                ]
                .concat(),
                false,
            )
        };
        let comment = [1, 0, 2, 0, b'o', b'k', 0, 0, 0, 0, 0, 0];
        let long = [1, 0, 200, 0, b'n', b'o', 0, 0];
        let all = [
            section.clone(),
            interface(&unit),
            packet(7, &comment),
            packet(8, &long),
            packet(1_000_000_007, &[]),
        ]
        .concat();
        let read = readable(&all, 9, 99).expect("packets");
        let seen: Vec<_> = read.packets.iter().map(|p| (p.number, p.time)).collect();
        assert_eq!(seen, [(1, Some(0)), (3, Some(1_000_000_000))]);
        let said = read
            .first
            .map(|error| error.to_string())
            .unwrap_or_default();
        // 28 bytes of section, 32 of interface, 48 of the first packet.
        assert_eq!(
            said,
            "offset 108: packet 2: an option is longer than its block"
        );
        let all = [section, interface(&long), packet(7, &[])].concat();
        let why = readable(&all, 9, 99).map_err(|error| error.to_string());
        let want = "offset 28: a pcapng block: an option is longer than its block";
        assert_eq!(why, Err(want.to_owned()));
    }

    /// Times of two packets of an interface with these options.
    fn times(options: &[u8], units: [u32; 2]) -> Vec<Option<u64>> {
        let section = block(
            0x0a0d_0d0a,
            &[
                &numbers(&[0x1a2b_3c4d], false)[..],
                &[1, 0, 0, 0],
                &[0xff; 8],
            ]
            .concat(),
            false,
        );
        let interface = block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], options].concat(), false);
        let packet = |low: u32| {
            let head = numbers(&[0, 0, low, 4, 4], false);
            block(6, &[&head[..], &[1, 2, 3, 4]].concat(), false)
        };
        let all = [section, interface, packet(units[0]), packet(units[1])].concat();
        let read = readable(&all, 9, 99).expect("packets");
        read.packets.iter().map(|packet| packet.time).collect()
    }

    /// Without `if_tsresol` a unit is a microsecond: 7 of them are 7000 ns.
    #[test]
    fn times_without_a_resolution_are_microseconds() {
        assert_eq!(times(&[], [1, 8]), [Some(0), Some(7000)]);
    }

    /// `if_tsresol` with its highest bit: 2 to the minus 10 s, of which 512 are half a second.
    #[test]
    fn times_in_powers_of_two() {
        let options = [9, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(times(&options, [0, 512]), [Some(0), Some(500_000_000)]);
    }

    #[test]
    fn other_links_and_wrong_lengths() {
        let wifi = file(105, 0, &[(&[1], 1)], false);
        assert_eq!(
            packets(&wifi),
            Err(PcapError::LinkOf {
                offset: 64,
                link: 105
            })
        );
        let good = file(1, 0, &[(&[1], 1)], false);
        for (at, value) in [(68, 0), (68, 11), (68, 255), (84, 255), (72, 1)] {
            let mut wrong = good.clone();
            wrong[at] = value;
            let got = packets(&wrong);
            assert!(
                matches!(got, Err(PcapError::Block { offset: 64, .. })),
                "{at}: {got:?}"
            );
        }
    }
}
