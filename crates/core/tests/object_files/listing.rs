//! Our text of an instruction and `llvm-objdump`'s (`tests/objects/listings.txt`), brought into one form.
//!
//! Left as they are: opcodes, operations, registers, sizes, conditions, distances. What the two write in different ways and is
//! made alike: numbers (hexadecimal or decimal, negative or not: 32 bits count), blanks, `pc` before a distance, `ll` behind a wide
//! number, `w` for the register of a load or store of four bytes or fewer, the name of a helper before its number.
//! Not compared: what a relocation changes (maps, data, functions, kernel functions), and atomics, where LLVM names
//! operations in another way.

use std::collections::BTreeMap;

/// Object file → function → text of each of its instructions.
pub type Listings = BTreeMap<String, BTreeMap<String, Vec<String>>>;

pub fn read(text: &str) -> Listings {
    let mut out = Listings::new();
    let (mut file, mut function) = (String::new(), String::new());
    for line in text.lines() {
        if let Some((path, _)) = line.split_once(":\tfile format") {
            file = path.trim_start_matches("built/").to_owned();
        } else if let Some((_, name)) = line.strip_suffix(">:").and_then(|l| l.split_once(" <")) {
            // a label inside a function
            if !name.starts_with("LBB") && !name.starts_with(".LBB") {
                function = name.to_owned();
            }
        } else if let Some((_, insn)) = line.split_once(":\t") {
            let functions = out.entry(file.clone()).or_default();
            let insns = functions.entry(function.clone()).or_default();
            insns.push(insn.trim().to_owned());
        }
    }
    out
}

/// Whether an instruction is left out, by what we print and by what LLVM prints.
pub fn is_left_out(ours: &str, theirs: &str) -> bool {
    // the object has 0 where a relocation puts a number
    let relocated =
        ours.contains("map[") || ours.contains("subprog[") || theirs.ends_with("= 0x0 ll");
    let function = ours.starts_with("call ") && !ours.contains('#');
    let atomic = ["lock ", "atomic", "xchg"]
        .iter()
        .any(|word| ours.contains(word) || theirs.contains(word));
    relocated || function || atomic
}

/// One form for both.
pub fn form(text: &str) -> String {
    let text = text.trim().trim_end_matches(" ll");
    // call bpf_trace_printk#6 → call:6
    let text = match (text.strip_prefix("call "), text.split_once('#')) {
        (Some(_), Some((_, id))) => format!("call:{id}"),
        (Some(id), None) => format!("call:{id}"),
        _ => text.replace(" pc+", " +").replace(" pc-", " -"),
    };
    // blanks go, and the end of a number before this word must be seen
    let text = text.replace(" goto", ";goto");
    let memory = text.contains("*(u") || text.contains("*(s");
    let mut out = String::new();
    let mut chars = text.chars().filter(|c| !c.is_whitespace()).peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let starts_word = !before.is_ascii_alphanumeric();
        let sign = matches!(c, '+' | '-')
            && chars.peek().is_some_and(char::is_ascii_digit)
            && before != '=';
        if c.is_ascii_digit() && starts_word || sign {
            let mut digits = c.to_string();
            while let Some(more) = chars.peek().filter(|c| c.is_ascii_alphanumeric()) {
                digits.push(*more);
                chars.next();
            }
            out.push_str(&number(&digits));
            before = '0';
            continue;
        }
        let short =
            memory && c == 'w' && starts_word && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if short { 'r' } else { c });
        before = c;
    }
    out
}

/// `-0x8` and `4294967288` are one number; its sign stays where an offset or a distance has one.
fn number(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let value = value.unwrap_or_else(|_| panic!("no number: {text}"));
    if value > u64::from(u32::MAX) {
        return format!("{sign}{value}");
    }
    let value = if sign == "-" {
        value.wrapping_neg()
    } else {
        value
    };
    format!("#{}", value as u32)
}

#[test]
fn one_form() {
    let same = |ours: &str, theirs: &str| assert_eq!(form(ours), form(theirs));
    same("r2 = *(u32 *)(r1 +0)", "w2 = *(u32 *)(r1 + 0x0)");
    same("*(u8 *)(r10 -1) = 5", "*(u8 *)(r10 - 0x1) = 0x5");
    same("if r1 s> 0xffffffff goto pc-3", "if r1 s> -0x1 goto -0x3");
    same("w2 = -4", "w2 = -0x4");
    same("call bpf_trace_printk#6", "call 0x6");
    same("r1 = 0x123456789abc", "r1 = 0x123456789abc ll");
    assert_ne!(form("r1 += 1"), form("r1 += 0x2"));
    assert_ne!(form("w1 += 1"), form("r1 += 0x1"));
    assert_ne!(form("goto pc+1"), form("goto -0x1"));
}
