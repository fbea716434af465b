//! Keys and values of maps by their BTF types. The offsets are those of C's rules for the structs of
//! `programs/typed_maps.bpf.c`, reckoned by hand.

use headroom_core::bpf::{Form, Leaf, map_types};

const OBJECT: &[u8] = include_bytes!("programs/typed_maps.bpf.o");

fn leaves(map: &str, value: bool) -> Vec<Leaf> {
    let found = map_types(OBJECT).into_iter().find(|types| types.map == map);
    let found = found.expect(map);
    if value { found.value } else { found.key }
}

fn leaf(all: &[Leaf], name: &str) -> Leaf {
    all.iter()
        .find(|leaf| leaf.name == name)
        .expect(name)
        .clone()
}

fn brief(leaf: &Leaf) -> (&str, Form, u32, u32) {
    (
        leaf.name.as_str(),
        leaf.form,
        leaf.offset_bits,
        leaf.size_bits,
    )
}

#[test]
fn a_struct_in_a_struct_with_a_union() {
    let key = leaves("flows", false);
    // netns 0–3; from: port 4–5, padding, the union 8–23.
    assert_eq!(brief(&key[0]), ("netns", Form::Unsigned, 0, 32));
    assert_eq!(brief(&key[1]), ("from.port", Form::Unsigned, 32, 16));
    assert_eq!(brief(&key[2]), ("from.v4", Form::Unsigned, 64, 32));
    assert_eq!(brief(&key[3]), ("from.v6", Form::Bytes, 64, 128));
    assert_eq!(key[3].kind, "unsigned char[16]");
    assert_eq!(key.len(), 4);
    assert_eq!(key[0].kind, "unsigned int");
}

#[test]
fn signs_texts_bit_fields_and_pointers() {
    let value = leaves("flows", true);
    let all: Vec<_> = value.iter().map(brief).collect();
    assert_eq!(
        all,
        [
            ("delta", Form::Signed, 0, 32),
            ("up", Form::Bool, 32, 8),
            ("dev", Form::Text, 40, 128),
            // Byte 21 has room for three bits; twelve more do not fit into its unit of two bytes.
            ("prio", Form::Unsigned, 168, 3),
            ("vid", Form::Unsigned, 176, 12),
            ("ctx", Form::Pointer, 192, 64),
            ("packets", Form::Unsigned, 256, 64),
        ]
    );
}

#[test]
fn variables_of_data_sections_lie_where_the_symbols_say() {
    let data = leaves(".data", true);
    let all: Vec<_> = data.iter().map(brief).collect();
    assert_eq!(
        all,
        [
            ("limit", Form::Unsigned, 0, 32),
            ("drift", Form::Signed, 32, 16)
        ]
    );
    assert_eq!(
        brief(&leaves(".bss", true)[0]),
        ("total", Form::Unsigned, 0, 64)
    );
    assert!(leaves(".bss", false).is_empty());
}

#[test]
fn values_are_read_and_written_where_they_lie() {
    let all = leaves("flows", true);
    let mut value = vec![0; 40];
    for (name, text) in [
        ("delta", "-3"),
        ("up", "true"),
        ("dev", "\"eth0\""),
        ("prio", "5"),
        ("vid", "0xabc"),
        ("ctx", "0x1000"),
        ("packets", "18446744073709551615"),
    ] {
        leaf(&all, name).put(text, &mut value).expect(name);
        let back = leaf(&all, name).text(&value).expect(name);
        let expected = if name == "vid" { "2748" } else { text };
        assert_eq!(back, expected, "{name}");
    }
    assert_eq!(value[..4], [0xfd, 0xff, 0xff, 0xff]);
    assert_eq!(value[4], 1);
    assert_eq!(&value[5..10], b"eth0\0");
    assert_eq!((value[21], value[22], value[23]), (5, 0xbc, 0x0a));
    assert_eq!(value[24..26], [0, 0x10]);
    assert_eq!(value[32..], [0xff; 8]);
    // A shorter text leaves nothing of the longer one.
    leaf(&all, "dev").put("\"lo\"", &mut value).expect("lo");
    assert_eq!(&value[5..10], b"lo\0\0\0");
    assert_eq!(value[21], 5);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let all = leaves("flows", true);
    let mut value = vec![0x55; 40];
    for (name, text, said) in [
        ("prio", "8", "8 does not fit into 3 bits."),
        ("delta", "-2147483649", "does not fit into 32 signed bits"),
        ("vid", "-1", "does not fit"),
        ("packets", "many", "“many” is no number."),
        (
            "dev",
            "\"a name of seventeen\"",
            "These are 19 bytes; it has 16.",
        ),
        ("dev", "\"open", "no quote at its end"),
        ("up", "2 3", "no number"),
    ] {
        let error = leaf(&all, name).put(text, &mut value).expect_err(text);
        assert!(error.contains(said), "{name} {text}: {error}");
    }
    assert_eq!(value, [0x55; 40]);
    let short = leaf(&all, "packets").put("1", &mut [0; 8]);
    assert_eq!(short, Err("The value is too short for it.".into()));
    assert_eq!(leaf(&all, "packets").text(&[0; 8]), None);
}

#[test]
fn what_is_no_object_has_no_types() {
    assert!(map_types(b"").is_empty());
    for end in 0..OBJECT.len() {
        // Whatever is cut off: nothing but an answer.
        let _ = map_types(&OBJECT[..end]);
    }
}
