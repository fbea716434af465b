//! Captures by hand, and each prefix of one.

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
