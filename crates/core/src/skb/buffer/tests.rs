use super::*;
use proptest::prelude::*;

#[test]
fn memmove_takes_bytes_and_origins_along() {
    let mut buffers = Buffers::default();
    let no = buffers.alloc(64);
    buffers.write(no, 10, &[1, 2, 3, 4], 7, 0);
    buffers.memmove(no, 10, 12, 4);
    assert_eq!(buffers.get(no).bytes(10, 6), [1, 2, 1, 2, 3, 4]);
    let last = buffers.get(no).origins(15, 1)[0];
    assert_eq!(last, OriginId { source: 7, byte: 3 });
}

#[test]
fn bytes_below_head_keep_what_was_stored() {
    let mut buffers = Buffers::default();
    let no = buffers.alloc(16);
    assert_eq!(below_head(-10, 4), 4);
    assert_eq!(below_head(-2, 4), 2);
    assert_eq!(below_head(3, 4), 0);
    buffers.write_below(no, -10, &[0x2b, 0x2c], 7, 5);
    let (bytes, origins) = buffers.get(no).below(-11, 4);
    assert_eq!(bytes, [0, 0x2b, 0x2c, 0]);
    let origin = |source, byte| OriginId { source, byte };
    assert_eq!(origins[1..3], [origin(7, 5), origin(7, 6)]);
    // the buffer itself is as it was, and another one has no part in it
    assert_eq!(buffers.get(no).bytes(0, 16), [0; 16]);
    let other = buffers.alloc(16);
    assert_eq!(buffers.get(other).below(-10, 2).0, [0, 0]);
}

#[test]
fn a_write_over_the_end_is_cut() {
    let mut buffers = Buffers::default();
    let no = buffers.alloc(64);
    buffers.write(no, 62, &[1, 2, 3, 4], 1, 0);
    assert_eq!(buffers.get(no).bytes(60, 10), [0, 0, 1, 2]);
    buffers.write(no, 1000, &[9], 1, 0);
    assert_eq!(buffers.get(no).end(), 64);
}

proptest! {
    /// Origins are conserved: after any memmove, the target holds what the source held.
    #[test]
    fn memmove_conserves_origins(from in 0u32..96, to in 0u32..96, len in 0u32..32) {
        let mut buffers = Buffers::default();
        let no = buffers.alloc(128);
        let all: Vec<u8> = (0..128).collect();
        buffers.write(no, 0, &all, 3, 0);
        let before = buffers.get(no).origins(from, len).to_vec();
        buffers.memmove(no, from, to, len);
        prop_assert_eq!(buffers.get(no).origins(to, len), &before[..]);
        for (byte, origin) in buffers.get(no).bytes(0, 128).iter().zip(buffers.get(no).origins(0, 128)) {
            prop_assert_eq!(u16::from(*byte), origin.byte);
        }
    }
}
