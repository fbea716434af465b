//! Packets of a capture file (`.pcap`, `.pcapng`).

use pcap_file::pcap::{PcapParser, RawPcapPacket};
use pcap_file::{PcapError as Parse, TsResolution};
use thiserror::Error;

use super::pcapng;

/// `LINKTYPE_ETHERNET`.
pub(super) const ETHERNET: u32 = 1;
/// Bytes of the file's header.
const HEADER: usize = 24;

/// Why a capture can't be read. Offsets are bytes from the start of the file, packets count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PcapError {
    /// A block of a pcapng file that makes no sense.
    #[error("offset {offset}: a pcapng block: {why}")]
    Block {
        /// Where it starts.
        offset: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A packet of another link in a pcapng file.
    #[error("offset {offset}: a packet of link type {link}; only Ethernet is covered")]
    LinkOf {
        /// Where its block starts.
        offset: usize,
        /// Type, as `LINKTYPE_*` numbers it.
        link: u32,
    },
    /// The header is wrong or cut off.
    #[error("not a pcap file: {why}")]
    NoPcap {
        /// What is wrong.
        why: String,
    },
    /// Packets of another link.
    #[error("offset 20: packets of link type {link}; only Ethernet is covered")]
    Link {
        /// Type, as `LINKTYPE_*` numbers it.
        link: u32,
    },
    /// The file ends inside a packet.
    #[error("offset {offset}: the file ends inside packet {packet}")]
    CutOff {
        /// Where the packet's record starts.
        offset: usize,
        /// Its number.
        packet: usize,
    },
    /// A record that makes no sense.
    #[error("offset {offset}: packet {packet}: {why}")]
    Packet {
        /// Where the packet's record starts.
        offset: usize,
        /// Its number.
        packet: usize,
        /// What is wrong.
        why: String,
    },
    /// There is no packet of that number.
    #[error("there is no packet {packet}; the file has {count}")]
    NoPacket {
        /// Its number.
        packet: usize,
        /// Packets in the file.
        count: usize,
    },
}

/// All packets, in order.
///
/// # Errors
/// As [`packet`]; a packet that was captured in part only is refused.
pub fn packets(file: &[u8]) -> Result<Vec<Vec<u8>>, PcapError> {
    let mut out = Vec::new();
    walk(file, |packet| {
        out.push(whole(&packet)?);
        Ok(())
    })?;
    Ok(out)
}

/// A packet as a capture holds it.
pub(super) struct Packet<'f> {
    /// From 1.
    pub number: usize,
    /// Of its record or block.
    pub offset: usize,
    /// What was captured.
    pub data: &'f [u8],
    /// Bytes on the wire.
    pub original: usize,
    /// When it was captured, in nanoseconds since 1970, where the file says it.
    pub time: Option<u64>,
    /// What else is wrong with its record.
    pub wrong: Option<&'static str>,
}

/// A packet that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// From 1.
    pub number: usize,
    /// When, in nanoseconds after the first packet of the file that says when.
    pub time: Option<u64>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What could be read of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readable {
    /// The first whole packets, as many as were asked for.
    pub packets: Vec<Captured>,
    /// Whole packets in the file.
    pub whole: usize,
    /// Packets that are not whole.
    pub broken: usize,
    /// What is wrong with the first of these.
    pub first: Option<PcapError>,
}

/// The first `most` packets of at most `most_bytes` together, also of a file that is cut off or holds parts of packets.
///
/// # Errors
/// When no packet can be read, why.
pub fn readable(file: &[u8], most: usize, most_bytes: usize) -> Result<Readable, PcapError> {
    let mut out = Readable::default();
    let mut bytes = 0_usize;
    let mut began = None;
    let end = walk(file, |packet| {
        let time = packet.time.map(|time| {
            let began = *began.get_or_insert(time);
            time.saturating_sub(began)
        });
        match whole(&packet) {
            Ok(data) => {
                out.whole += 1;
                bytes = bytes.saturating_add(data.len());
                if out.packets.len() < most && bytes <= most_bytes {
                    let (number, bytes) = (packet.number, data);
                    out.packets.push(Captured {
                        number,
                        time,
                        bytes,
                    });
                }
            }
            Err(error) => {
                out.broken += 1;
                out.first.get_or_insert(error);
            }
        }
        Ok(())
    });
    match end {
        Err(error) if out.whole == 0 => return Err(out.first.unwrap_or(error)),
        Err(error) => {
            out.broken += 1;
            out.first.get_or_insert(error);
        }
        Ok(_) if out.whole == 0 => {
            if let Some(error) = out.first {
                return Err(error);
            }
        }
        Ok(_) => {}
    }
    Ok(out)
}

/// The packet of that number, from 1. The whole file is read, so that one that is cut off is refused.
pub fn packet(file: &[u8], number: usize) -> Result<Vec<u8>, PcapError> {
    let mut found = None;
    let count = walk(file, |packet| {
        if packet.number == number {
            found = Some(whole(&packet)?);
        }
        Ok(())
    })?;
    found.ok_or(PcapError::NoPacket {
        packet: number,
        count,
    })
}

fn whole(packet: &Packet<'_>) -> Result<Vec<u8>, PcapError> {
    let (have, of) = (packet.data.len(), packet.original);
    let why = match packet.wrong {
        Some(wrong) => wrong.to_owned(),
        None if have < of => format!("only {have} of its {of} bytes were captured"),
        None if have > of => format!("{have} bytes were captured of a packet of {of}"),
        None if have == 0 => "it has no bytes".to_owned(),
        None => return Ok(packet.data.to_vec()),
    };
    Err(PcapError::Packet {
        offset: packet.offset,
        packet: packet.number,
        why,
    })
}

/// Calls `each` for every packet; gives their count.
fn walk(
    file: &[u8],
    mut each: impl FnMut(Packet<'_>) -> Result<(), PcapError>,
) -> Result<usize, PcapError> {
    if file.starts_with(&pcapng::SECTION) {
        return pcapng::walk(file, each);
    }
    if file.len() < HEADER {
        let why = format!("{} bytes, its header has {HEADER}", file.len());
        return Err(PcapError::NoPcap { why });
    }
    let (mut rest, parser) = PcapParser::new(file).map_err(|error| PcapError::NoPcap {
        why: error.to_string(),
    })?;
    let link = u32::from(parser.header().datalink);
    if link != ETHERNET {
        return Err(PcapError::Link { link });
    }
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        let offset = file.len() - rest.len();
        let (after, record) = parser.next_raw_packet(rest).map_err(|error| match error {
            Parse::IncompleteBuffer => PcapError::CutOff {
                offset,
                packet: count,
            },
            error => PcapError::Packet {
                offset,
                packet: count,
                why: error.to_string(),
            },
        })?;
        each(Packet {
            number: count,
            offset,
            data: captured(&record),
            original: record.orig_len as usize,
            time: Some(time(&record, parser.header().ts_resolution)),
            wrong: None,
        })?;
        rest = after;
    }
    Ok(count)
}

/// Nanoseconds since 1970.
fn time(record: &RawPcapPacket<'_>, resolution: TsResolution) -> u64 {
    let unit = match resolution {
        TsResolution::MicroSecond => 1000,
        TsResolution::NanoSecond => 1,
    };
    u64::from(record.ts_sec) * 1_000_000_000 + u64::from(record.ts_frac) * unit
}

fn captured<'r>(record: &'r RawPcapPacket<'_>) -> &'r [u8] {
    let len = record.data.len().min(record.incl_len as usize);
    record.data.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(packets: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        out.extend([0, 0, 4, 0, 1, 0, 0, 0]);
        for packet in packets {
            let len = (packet.len() as u32).to_le_bytes();
            out.extend([[0; 4], [0; 4], len, len].concat());
            out.extend(*packet);
        }
        out
    }

    #[test]
    fn packets_by_number() {
        let file = file(&[&[1, 2, 3], &[4]]);
        assert_eq!(packet(&file, 1), Ok(vec![1, 2, 3]));
        assert_eq!(packet(&file, 2), Ok(vec![4]));
        let none = PcapError::NoPacket {
            packet: 3,
            count: 2,
        };
        assert_eq!(packet(&file, 3), Err(none));
        assert_eq!(packets(&file), Ok(vec![vec![1, 2, 3], vec![4]]));
    }

    /// Every prefix of a file: an error with its place, or fewer packets.
    #[test]
    fn cut_off_anywhere() {
        let whole = file(&[&[1, 2, 3], &[4]]);
        for len in 0..whole.len() {
            let got = packet(&whole[..len], 2);
            match len {
                0..24 => assert!(matches!(got, Err(PcapError::NoPcap { .. })), "{len}"),
                24 | 43 => assert!(matches!(got, Err(PcapError::NoPacket { .. })), "{len}"),
                25..43 => assert_eq!(
                    got,
                    Err(PcapError::CutOff {
                        offset: 24,
                        packet: 1
                    })
                ),
                _ => assert_eq!(
                    got,
                    Err(PcapError::CutOff {
                        offset: 43,
                        packet: 2
                    })
                ),
            }
        }
    }

    /// A capture that ends in the middle of its last packet, with one of which a part was captured only.
    #[test]
    fn what_can_be_read_is_read() {
        let mut all = file(&[&[1, 2, 3], &[4], &[5, 6]]);
        // Of the second packet (its record stands at 24 + 16 + 3) 9 bytes were on the wire.
        all[43 + 12] = 9;
        let read = readable(&all, 9, 9).expect("packets");
        let packet = |number: usize, bytes: &[u8]| Captured {
            number,
            time: Some(0),
            bytes: bytes.to_vec(),
        };
        assert_eq!(read.packets, [packet(1, &[1, 2, 3]), packet(3, &[5, 6])]);
        assert_eq!((read.whole, read.broken), (2, 1));
        let said = read.first.map(|error| error.to_string());
        let want = "offset 43: packet 2: only 1 of its 9 bytes were captured";
        assert_eq!(said.as_deref(), Some(want));
        // Not more than asked for, in number and in bytes; all are counted.
        for (most, most_bytes) in [(1, 9), (9, 4)] {
            let read = readable(&all, most, most_bytes).expect("packets");
            assert_eq!((read.packets.len(), read.whole), (1, 2));
        }
        let cut = readable(&all[..all.len() - 1], 9, 9).expect("packets");
        assert_eq!((cut.packets.len(), cut.broken), (1, 2));
        // Nothing at all: the reason, not an empty list.
        let packet = 1;
        assert_eq!(
            readable(&all[..40], 9, 9),
            Err(PcapError::CutOff { offset: 24, packet })
        );
        assert_eq!(readable(&all[..24], 9, 9), Ok(Readable::default()));
    }

    /// Records that a capture can't have: more captured than was there, nothing at all. Times are from the first on.
    #[test]
    fn lengths_and_times() {
        let mut all = file(&[&[1, 2, 3], &[4], &[], &[5]]);
        // Record 1 stands at 24: 1.5 s; the others behind it: record 2 at 43, 3 at 60, 4 at 76.
        all[24] = 1;
        all[28..32].copy_from_slice(&500_000_u32.to_le_bytes());
        all[76] = 3;
        all[43 + 12] = 0;
        let read = readable(&all, 9, 9).expect("packets");
        let seen: Vec<_> = read.packets.iter().map(|p| (p.number, p.time)).collect();
        assert_eq!(seen, [(1, Some(0)), (4, Some(1_500_000_000))]);
        assert_eq!(read.broken, 2);
        let said = |number| packet(&all, number).map_err(|error| error.to_string());
        let want = "offset 43: packet 2: 1 bytes were captured of a packet of 0";
        assert_eq!(said(2), Err(want.to_owned()));
        let want = "offset 60: packet 3: it has no bytes";
        assert_eq!(said(3), Err(want.to_owned()));
    }

    /// The magic 0xa1b23c4d: what is behind the seconds counts nanoseconds.
    #[test]
    fn times_in_nanoseconds() {
        let mut all = file(&[&[1], &[2]]);
        all[..4].copy_from_slice(&[0x4d, 0x3c, 0xb2, 0xa1]);
        // The second record stands at 24 + 16 + 1, its fraction 4 behind.
        all[45] = 7;
        let read = readable(&all, 9, 9).expect("packets");
        let times: Vec<_> = read.packets.iter().map(|packet| packet.time).collect();
        assert_eq!(times, [Some(0), Some(7)]);
    }

    #[test]
    fn other_files() {
        // The newer format: not more than its first four bytes.
        let newer = packet(&[0x0a, 0x0d, 0x0d, 0x0a], 1);
        assert!(matches!(newer, Err(PcapError::Block { offset: 0, .. })));
        assert!(matches!(packet(&[7; 40], 1), Err(PcapError::NoPcap { .. })));
        let mut raw_ip = file(&[&[1]]);
        raw_ip[20] = 101;
        assert_eq!(packet(&raw_ip, 1), Err(PcapError::Link { link: 101 }));
        let mut cut = file(&[&[1]]);
        cut[36] = 9;
        let message = packet(&cut, 1).map_err(|e| e.to_string());
        let want = "offset 24: packet 1: only 1 of its 9 bytes were captured";
        assert_eq!(message, Err(want.to_owned()));
    }
}
