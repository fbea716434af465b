//! Packets of a pcap file (pcap-savefile(5)), as the crate `pcap-file` reads its records.

use pcap_file::pcap::{PcapParser, RawPcapPacket};
use pcap_file::{PcapError as Parse, TsResolution};

use super::{ETHERNET, Packet, PcapError};

/// Bytes of the file's header.
const HEADER: usize = 24;

/// Calls `each` for every packet; gives their count.
pub(super) fn walk(
    file: &[u8],
    mut each: impl FnMut(Packet<'_>) -> Result<(), PcapError>,
) -> Result<usize, PcapError> {
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
