//! A capture of the reader's as the lab takes it. The page reads a small one by itself; a larger one it gives as a file to
//! a worker, which reads it slice by slice ([`crate::program::Ask::Capture`]).

use headroom_core::net::pcap;
use serde::{Deserialize, Serialize};

/// How much is taken of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Most {
    /// Packets.
    pub packets: u32,
    /// Bytes of these together.
    pub bytes: u32,
}

/// What could be read of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The first whole packets.
    pub packets: Vec<Packet>,
    /// Whole packets in the file.
    pub whole: u32,
    /// Packets that are not whole.
    pub broken: u32,
    /// What is wrong with the first of these.
    pub first: Option<String>,
}

/// A packet of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// From 1.
    pub number: u32,
    /// When, in nanoseconds after the first packet of the file that says when.
    pub time: Option<u64>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads a capture.
///
/// # Errors
/// When no packet can be read, why.
pub fn read(file: &[u8], most: Most) -> Result<Capture, String> {
    let read = pcap::readable(file, most.packets as usize, most.bytes as usize)
        .map_err(|error| error.to_string())?;
    let packet = |packet: pcap::Captured| Packet {
        number: number(packet.number),
        time: packet.time,
        bytes: packet.bytes,
    };
    Ok(Capture {
        packets: read.packets.into_iter().map(packet).collect(),
        whole: number(read.whole),
        broken: number(read.broken),
        first: read.first.map(|error| error.to_string()),
    })
}

/// Packets of a file; one of more than 2^32 packets has 16 bytes of header for each, and is not read here.
fn number(packets: usize) -> u32 {
    u32::try_from(packets).unwrap_or(u32::MAX)
}
