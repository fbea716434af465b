//! Packets of a capture file (`.pcap`).

use pcap_file::pcap::{PcapParser, RawPcapPacket};
use pcap_file::{DataLink, PcapError as Parse};
use thiserror::Error;

/// First bytes of a pcapng file (its section header block).
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Bytes of the file's header.
const HEADER: usize = 24;

/// Why a capture can't be read. Offsets are bytes from the start of the file, packets count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PcapError {
    /// The newer format.
    #[error("this is a pcapng file; `editcap -F pcap` makes a pcap file of it")]
    Pcapng,
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
    walk(file, |number, offset, record| {
        out.push(whole(number, offset, record)?);
        Ok(())
    })?;
    Ok(out)
}

/// The packet of that number, from 1. The whole file is read, so that one that is cut off is refused.
pub fn packet(file: &[u8], number: usize) -> Result<Vec<u8>, PcapError> {
    let mut found = None;
    let count = walk(file, |at, offset, record| {
        if at == number {
            found = Some(whole(at, offset, record)?);
        }
        Ok(())
    })?;
    found.ok_or(PcapError::NoPacket {
        packet: number,
        count,
    })
}

fn whole(packet: usize, offset: usize, record: &RawPcapPacket<'_>) -> Result<Vec<u8>, PcapError> {
    if record.incl_len < record.orig_len {
        let (have, of) = (record.incl_len, record.orig_len);
        return Err(PcapError::Packet {
            offset,
            packet,
            why: format!("only {have} of its {of} bytes were captured"),
        });
    }
    Ok(record.data.to_vec())
}

/// Calls `each` for every packet with its number and the offset of its record; gives their count.
fn walk(
    file: &[u8],
    mut each: impl FnMut(usize, usize, &RawPcapPacket<'_>) -> Result<(), PcapError>,
) -> Result<usize, PcapError> {
    if file.starts_with(&PCAPNG) {
        return Err(PcapError::Pcapng);
    }
    if file.len() < HEADER {
        let why = format!("{} bytes, its header has {HEADER}", file.len());
        return Err(PcapError::NoPcap { why });
    }
    let (mut rest, parser) = PcapParser::new(file).map_err(|error| PcapError::NoPcap {
        why: error.to_string(),
    })?;
    let link = parser.header().datalink;
    if link != DataLink::ETHERNET {
        let link = u32::from(link);
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
        each(count, offset, &record)?;
        rest = after;
    }
    Ok(count)
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

    #[test]
    fn other_files() {
        assert_eq!(packet(&[0x0a, 0x0d, 0x0d, 0x0a], 1), Err(PcapError::Pcapng));
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
