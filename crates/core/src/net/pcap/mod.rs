//! Packets of a capture file (`.pcap`, `.pcapng`).

mod classic;
mod error;
mod ng;
#[cfg(test)]
mod tests;

pub use error::PcapError;

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u32 = 1;

/// All packets, in order.
///
/// # Errors
/// As [`packet`]; a packet that was captured in part only is refused.
pub fn packets(file: &[u8]) -> Result<Vec<Vec<u8>>, PcapError> {
    let mut out = Vec::new();
    walk(file, |packet| {
        out.push(whole(&packet)?.to_vec());
        Ok(())
    })?;
    Ok(out)
}

/// A packet as a capture holds it.
struct Packet<'f> {
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
                    out.packets.push(Captured {
                        number: packet.number,
                        time,
                        bytes: data.to_vec(),
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
            found = Some(whole(&packet)?.to_vec());
        }
        Ok(())
    })?;
    found.ok_or(PcapError::NoPacket {
        packet: number,
        count,
    })
}

/// The bytes of a packet that was captured whole.
fn whole<'f>(packet: &Packet<'f>) -> Result<&'f [u8], PcapError> {
    let (have, of) = (packet.data.len(), packet.original);
    let why = match packet.wrong {
        Some(wrong) => wrong.to_owned(),
        None if have < of => format!("only {have} of its {of} bytes were captured"),
        None if have > of => format!("{have} bytes were captured of a packet of {of}"),
        None if have == 0 => "it has no bytes".to_owned(),
        None => return Ok(packet.data),
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
    each: impl FnMut(Packet<'_>) -> Result<(), PcapError>,
) -> Result<usize, PcapError> {
    if file.starts_with(&ng::SECTION) {
        ng::walk(file, each)
    } else {
        classic::walk(file, each)
    }
}
