//! Files as the draft draws their blocks, in both byte orders.

use super::super::{PcapError, packets, readable};

fn number(n: u32, big: bool) -> [u8; 4] {
    if big {
        n.to_be_bytes()
    } else {
        n.to_le_bytes()
    }
}

fn half(n: u16, big: bool) -> [u8; 2] {
    if big {
        n.to_be_bytes()
    } else {
        n.to_le_bytes()
    }
}

fn numbers(all: &[u32], big: bool) -> Vec<u8> {
    all.iter().flat_map(|n| number(*n, big)).collect()
}

/// A block as the draft draws it: type, length, body in words, length.
fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let len = number(12 + (body.len() + padding.len()) as u32, big);
    [&number(kind, big)[..], &len, body, &padding, &len].concat()
}

/// A section header: byte order, version 1.0, no length.
fn section(big: bool) -> Vec<u8> {
    let magic = number(0x1a2b_3c4d, big);
    let (one, none) = (half(1, big), half(0, big));
    block(
        0x0a0d_0d0a,
        &[&magic[..], &one, &none, &[0xff; 8]].concat(),
        big,
    )
}

/// An Ethernet interface of a little-endian file, with options.
fn interface(options: &[u8]) -> Vec<u8> {
    block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], options].concat(), false)
}

/// A packet of four bytes, so many units after 1970.
fn packet(units: u32, options: &[u8]) -> Vec<u8> {
    let head = numbers(&[0, 0, units, 4, 4], false);
    block(6, &[&head[..], &[1, 2, 3, 4], options].concat(), false)
}

fn file(link: u16, snaplen: u32, packets: &[(&[u8], u32)], big: bool) -> Vec<u8> {
    let interface = [&half(link, big)[..], &[0; 2], &number(snaplen, big)].concat();
    let mut out = [section(big), block(1, &interface, big)].concat();
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
    // if_tsresol: nanoseconds.
    let unit = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let comment = [1, 0, 2, 0, b'o', b'k', 0, 0, 0, 0, 0, 0];
    let long = [1, 0, 200, 0, b'n', b'o', 0, 0];
    let all = [
        section(false),
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
    let all = [section(false), interface(&long), packet(7, &[])].concat();
    let why = readable(&all, 9, 99).map_err(|error| error.to_string());
    let want = "offset 28: a pcapng block: an option is longer than its block";
    assert_eq!(why, Err(want.to_owned()));
}

/// Times of two packets of an interface with these options.
fn times(options: &[u8], units: [u32; 2]) -> Vec<Option<u64>> {
    let all = [
        section(false),
        interface(options),
        packet(units[0], &[]),
        packet(units[1], &[]),
    ]
    .concat();
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
