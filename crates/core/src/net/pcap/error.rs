//! Why a capture can't be read.

use thiserror::Error;

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
