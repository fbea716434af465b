//! A capture that is read from the reader's file, a slice at a time.

use headroom_protocol::capture::{self, Most, Packet};
use headroom_protocol::program::Reply;

/// Bytes that are read at once.
pub const SLICE: usize = 1 << 20;

/// Bytes of packets that are handed over at once; the last of them may go beyond.
const PART: usize = 1 << 16;

/// Why nothing can be read: the file was moved, changed or is on a disk that is gone.
const GONE: &str = "the browser can't read it any more";

/// Reads a file of so many bytes and says after each slice how far it is. `read` fills a slice with the bytes from a place
/// on; `false` if it can't.
pub fn answer(
    size: usize,
    most: Most,
    read: &mut dyn FnMut(usize, &mut [u8]) -> bool,
    say: &mut dyn FnMut(Reply),
) {
    let mut file = vec![0; size];
    let mut from = 0;
    for slice in file.chunks_mut(SLICE) {
        if !read(from, slice) {
            return say(Reply::Captured(Err(GONE.into())));
        }
        from += slice.len();
        say(Reply::Reading(from as u64));
    }
    let mut read = capture::read(&file, most);
    if let Ok(read) = &mut read {
        hand_over(std::mem::take(&mut read.packets), say);
    }
    say(Reply::Captured(read));
}

/// Says the packets, a part after the other.
fn hand_over(packets: Vec<Packet>, say: &mut dyn FnMut(Reply)) {
    let (mut part, mut bytes) = (Vec::new(), 0);
    for packet in packets {
        bytes += packet.bytes.len();
        part.push(packet);
        if bytes >= PART {
            say(Reply::Packets(std::mem::take(&mut part)));
            bytes = 0;
        }
    }
    if !part.is_empty() {
        say(Reply::Packets(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most {
        packets: 2,
        bytes: 4000,
    };

    /// A capture of frames of 1000 bytes: 24 bytes in front (little-endian, microseconds, Ethernet), 16 before each frame.
    fn frames(count: usize) -> Vec<u8> {
        let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        out.extend([0; 8]);
        out.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
        for number in 0..count {
            let len = 1000_u32.to_le_bytes();
            out.extend([[number as u8, 0, 0, 0], [0; 4], len, len].concat());
            out.extend(vec![number as u8; 1000]);
        }
        out
    }

    /// 65 packets of 1000 bytes are less than 65,536, 66 are not: the 132 go in two parts, one more in a third.
    #[test]
    fn packets_are_handed_over_in_parts() {
        let packet = |number| Packet {
            number,
            time: None,
            bytes: vec![0; 1000],
        };
        let parts = |count| {
            let mut said = Vec::new();
            hand_over((1..=count).map(packet).collect(), &mut |reply| {
                if let Reply::Packets(part) = reply {
                    let numbers = part.first().zip(part.last());
                    said.push(numbers.map(|(first, last)| (first.number, last.number)));
                }
            });
            said
        };
        assert_eq!(parts(132), [Some((1, 66)), Some((67, 132))]);
        assert_eq!(
            parts(133),
            [Some((1, 66)), Some((67, 132)), Some((133, 133))]
        );
        assert_eq!(parts(0), []);
    }

    fn told(file: &[u8], until: usize) -> Vec<Reply> {
        let mut said = Vec::new();
        let mut read = |from: usize, slice: &mut [u8]| {
            let end = from + slice.len();
            slice.copy_from_slice(&file[from..end]);
            end <= until
        };
        answer(file.len(), MOST, &mut read, &mut |reply| said.push(reply));
        said
    }

    /// 2100 frames are 24 + 2100 * 1016 = 2,133,624 bytes: two slices of 1,048,576, and one of 36,472.
    #[test]
    fn slices_are_told_one_by_one_and_packets_go_across_their_ends() {
        let said = told(&frames(2100), usize::MAX);
        let [
            Reply::Reading(a),
            Reply::Reading(b),
            Reply::Reading(c),
            Reply::Packets(packets),
            Reply::Captured(Ok(read)),
        ] = said.as_slice()
        else {
            panic!("{said:?}")
        };
        assert_eq!(read.packets, []);
        assert_eq!([*a, *b, *c], [1_048_576, 2_097_152, 2_133_624]);
        assert_eq!((read.whole, read.broken, &read.first), (2100, 0, &None));
        let seen: Vec<_> = packets
            .iter()
            .map(|packet| {
                (
                    packet.number,
                    packet.time,
                    packet.bytes == [packet.number as u8 - 1; 1000],
                )
            })
            .collect();
        assert_eq!(seen, [(1, Some(0), true), (2, Some(1_000_000_000), true)]);
    }

    /// The file is cut off within its second frame, whose record stands at 24 + 1016; and one of which nothing can be read.
    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let all = frames(2);
        let said = told(&all[..all.len() - 1], usize::MAX);
        let Some(Reply::Captured(Ok(read))) = said.last() else {
            panic!("{said:?}")
        };
        assert_eq!((read.whole, read.broken), (1, 1));
        let first = read.first.as_deref();
        assert_eq!(first, Some("offset 1040: the file ends inside packet 2"));
        let said = told(&all[..30], usize::MAX);
        let why = "offset 24: the file ends inside packet 1".to_owned();
        assert_eq!(said, [Reply::Reading(30), Reply::Captured(Err(why))]);
    }

    /// The disk is gone after the first slice.
    #[test]
    fn a_file_that_goes_meanwhile_is_said() {
        let said = told(&frames(2100), SLICE);
        let gone = Reply::Captured(Err(GONE.to_owned()));
        assert_eq!(said, [Reply::Reading(1_048_576), gone]);
    }
}
