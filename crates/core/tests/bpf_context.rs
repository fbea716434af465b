//! Every access of the context, by type, offset and size, against what Linux 7.2.13 allows
//! (`tests/verifier/context.txt`; its origin: `tests/verifier/README.md`).

use std::collections::BTreeSet;

use headroom_core::bpf::Program;

/// Bytes of the structure behind which nothing was asked any more: `struct xdp_md`, `struct __sk_buff`.
fn end(section: &str) -> i32 {
    if section == "xdp" { 24 } else { 192 }
}

fn program(section: &str, what: char, size: u32, off: i32) -> Program {
    let bits = size * 8;
    let access = match what {
        'R' => format!("r0 = *(u{bits} *)(r1 {off:+})"),
        'S' => format!("r0 = *(s{bits} *)(r1 {off:+})"),
        _ => format!("r0 = 0\n*(u{bits} *)(r1 {off:+}) = r0"),
    };
    // 1 is a verdict for those types that have few
    let verdict = i32::from(matches!(section, "cgroup_skb" | "sk_skb"));
    let text = format!("{access}\nr0 = {verdict}\nexit\n");
    Program::from_asm("context", section, &text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn every_access_as_linux_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/verifier/context.txt"
    );
    let text = std::fs::read_to_string(path).expect("tests/verifier/context.txt");
    let mut wrong = Vec::new();
    let (mut asked, mut types) = (0, BTreeSet::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (head, allowed) = line.split_once(':').expect("type what: offsets");
        let (section, what) = head.split_once(' ').expect("a type and what");
        let size: u32 = what[1..].parse().expect("bytes");
        let what = what.chars().next().expect("R, S or W");
        let allowed: BTreeSet<i32> = allowed
            .split_whitespace()
            .map(|off| off.parse().expect("an offset"))
            .collect();
        types.insert(section);
        for off in -4..end(section) + 9 {
            asked += 1;
            let here = program(section, what, size, off).facts();
            if here.is_ok() != allowed.contains(&off) {
                let linux = if here.is_ok() { "refuses" } else { "allows" };
                wrong.push(format!("{section} {what}{size} at {off}: Linux {linux} it"));
            }
        }
    }
    assert_eq!((types.len(), asked), (9, 18_447));
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
