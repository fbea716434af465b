use super::*;

/// RFC 9197, section 4.4.1: hop limit and node id, then interfaces: two words of 4 bytes; wide ones are two each.
#[test]
fn lengths_of_a_nodes_part() {
    assert_eq!(nodelen(0xc000_0000), 2);
    assert_eq!(nodelen(0x00c0_0000), 4);
    // an opaque state snapshot does not count
    assert_eq!(nodelen(0x8000_0200), 1);
}

/// 16 bytes and 12 for data, 4 of padding: 32, which is 3 units of 8 behind the first (RFC 8200, section 4.3). The
/// option's own length is 2 + 8 + 12 (RFC 9486, section 3).
#[test]
fn the_option() {
    let what = Ioam6 {
        freq: (1, 1),
        mode: Ioam6Mode::Inline,
        tunsrc: None,
        tundst: None,
        trace_type: 0xc000_0000,
        ns: 123,
        size: 12,
    };
    let header = ioam6_lwt_encap(&what, 58);
    assert_eq!(header.len(), 32);
    assert_eq!(header[..8], [58, 3, 1, 0, 49, 22, 0, 0]);
    assert_eq!(header[8..16], [0, 123, 2 << 3, 3, 0xc0, 0, 0, 0]);
    assert_eq!(header[28..], [1, 2, 0, 0]);
    assert_eq!(ioam_options(&header), [4]);
}
