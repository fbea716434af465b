use proptest::prelude::*;

use super::*;
use crate::share::{Frame, Program, ProgramText};

fn work() -> Work {
    Work {
        commands: "ip netns add tx\nping -c1 10.0.0.1\n".into(),
        scenario: "seed".into(),
        programs: vec![
            Program {
                name: "mine".into(),
                text: ProgramText::Assembler("r0 = 0\nexit\n".into()),
            },
            Program {
                name: "x.bpf.o".into(),
                text: ProgramText::Object((0..=255).collect()),
            },
        ],
        packets: vec![Frame {
            name: "first".into(),
            bytes: vec![2, 0, 0, 0, 0, 1],
        }],
        view: "d=mac_header&at=get_tag.exit@decap%231".into(),
        policy: String::new(),
    }
}

/// A link that is out in the world: it is never made again, only read. Made by Python's zlib from
/// sections written by hand (`docs/links.md` has the recipe): scenario "seed", commands
/// "ping -c1 10.0.0.1".
const FIRST_LINK: &str = include_str!("first-link.txt");

#[test]
fn a_link_of_the_first_version_is_read_for_ever() {
    let opened = from_link(FIRST_LINK).expect("a link");
    assert_eq!(opened.broken, Vec::<String>::new());
    assert_eq!(opened.work.scenario, "seed");
    assert_eq!(opened.work.commands, "ping -c1 10.0.0.1");
    assert_eq!(opened.work.programs, []);
}

#[test]
fn there_and_back() {
    let link = to_link(&work()).expect("short enough");
    assert!(link.starts_with('1'));
    assert!(
        link.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        "{link}"
    );
    let opened = from_link(&format!("#{link}")).expect("a link");
    assert_eq!((opened.work, opened.broken), (work(), vec![]));
    assert_eq!(
        from_link(&to_text_quickly(&work())).expect("a text").work,
        work()
    );
    let wrapped = format!("{}\r\n {}", &link[..40], &link[40..]);
    assert_eq!(from_link(&wrapped).expect("a link").work, work());
    assert_eq!(from_bytes(&to_bytes(&work())).expect("a file").work, work());
}

/// Packets of zeros would be next to nothing if they were compressed; base64 has four characters for three bytes.
#[test]
fn what_is_kept_is_compressed_where_that_is_quick_or_needed() {
    for (bytes, as_it_is) in [
        (64 << 10, false),
        (200 << 10, true),
        (1 << 20, true),
        (2 << 20, false),
    ] {
        let mut all = work();
        all.packets.push(Frame {
            name: "zeros".into(),
            bytes: vec![0; bytes],
        });
        let text = to_text_quickly(&all);
        assert_eq!(text.len() > bytes / 3 * 4, as_it_is, "{bytes}");
        assert_eq!(from_link(&text).expect("a text").work, all);
    }
}

/// Cut anywhere: an error that says so, or a part of the work and a sentence about the rest.
#[test]
fn a_link_that_is_cut_off_opens_what_is_whole() {
    let link = to_link(&work()).expect("short enough");
    let mut most = 0;
    for len in 0..link.len() {
        match from_link(&link[..len]) {
            Ok(opened) => {
                assert!(!opened.broken.is_empty(), "{len} of {}", link.len());
                let part = opened.work;
                assert!(part.commands.is_empty() || part.commands == work().commands);
                assert!(
                    part.programs
                        .iter()
                        .all(|program| work().programs.contains(program))
                );
                most = most.max(part.programs.len());
            }
            Err(ShareError::Empty) => assert_eq!(len, 0),
            Err(error) => assert_eq!(error, ShareError::Damaged, "{len}"),
        }
    }
    assert!(most >= 1, "some prefix still holds a program");
}

#[test]
fn what_is_wrong_is_said() {
    let message = |text: &str| from_link(text).expect_err(text).to_string();
    assert_eq!(message("#"), "the link is empty");
    assert_eq!(
        message("2abc"),
        "the link begins with “2”; only version 1 is known here"
    );
    assert_eq!(
        message("1ä"),
        "character 2 of the link is “ä”, which no link holds"
    );
    assert_eq!(
        message("1____"),
        "the link is damaged at its start; nothing of it can be read"
    );
    let link = to_link(&work()).expect("short enough");
    let spoiled = format!("{}%{}", &link[..60], &link[60..]);
    match from_link(&spoiled) {
        Ok(opened) => assert!(
            opened.broken[0].starts_with("Character 61 of the link is “%”"),
            "{:?}",
            opened.broken
        ),
        Err(error) => assert_eq!(error, ShareError::Damaged),
    }
}

#[test]
fn a_bomb_is_refused_and_too_much_is_no_link() {
    let bomb = compress_to_vec(&vec![0; MAX_UNPACKED + 1], 9);
    assert_eq!(from_bytes(&bomb), Err(ShareError::Unpacked));
    // Bytes without pattern don't shrink: a xorshift.
    let mut state = 88_172_645_463_325_252_u64;
    let noise: Vec<u8> = (0..40_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect();
    let big = Work {
        packets: vec![Frame {
            name: "noise".into(),
            bytes: noise,
        }],
        ..work()
    };
    assert!(matches!(to_link(&big), Err(ShareError::TooLong { len }) if len > MAX_LINK));
    assert_eq!(from_bytes(&to_bytes(&big)).expect("a file").work, big);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_fall(text in "1?[A-Za-z0-9_%-]{0,200}") {
        let _ = from_link(&text);
    }

    #[test]
    fn one_changed_character_never_gives_other_content(at in 1usize..200, to in 0usize..64) {
        let link = to_link(&work()).expect("short enough");
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = 1 + at % (link.len() - 1);
        let mut changed = link.clone();
        changed.replace_range(at..=at, &alphabet[to..=to]);
        if let Ok(opened) = from_link(&changed) {
            // The checksums: what is opened is what was there, or it is missing and said to be.
            let whole = opened.work == work();
            prop_assert!(whole || !opened.broken.is_empty());
            prop_assert!(opened.work.commands.is_empty() || opened.work.commands == work().commands);
        }
    }
}
