//! What an instruction means, in a sentence: from its text as `headroom_core::bpf` prints it. Semantics are those of
//! RFC 9669.

use super::functions::FUNCTIONS;

/// The sentence; empty for a text that is none.
#[must_use]
pub fn of(text: &str) -> String {
    let text = text.trim();
    if let Some(called) = text.strip_prefix("call ") {
        return call(called);
    }
    if let Some(rest) = text.strip_prefix("if ") {
        return branch(rest);
    }
    if let Some(rest) = text.strip_prefix("lock ") {
        return format!("{}: in one piece, as other CPUs see it.", capital(rest));
    }
    if text == "exit" {
        return "Ends the program, or the function it called, with what r0 holds.".into();
    }
    if let Some(by) = text.split_once(" pc").map(|(_, by)| by)
        && text.starts_with("goto")
    {
        return format!("Goes on {}.", distance(by));
    }
    if let Some(rest) = text.strip_prefix("*(u")
        && let Some((place, value)) = rest.split_once(" = ")
    {
        let (bits, place) = place.split_once(" *)").unwrap_or_default();
        let from = match value.starts_with('r') {
            true => format!("the lower {} of {value}", bytes(bits)),
            false => format!("{value} as {}", bytes(bits)),
        };
        return match bits {
            "64" => format!("Stores {value} as 8 bytes at {}.", inner(place)),
            _ => format!("Stores {from} at {}.", inner(place)),
        };
    }
    assignment(text).unwrap_or_default()
}

fn call(called: &str) -> String {
    let name = called.split('#').next().unwrap_or(called);
    if let Some(by) = name.strip_prefix("pc") {
        return format!(
            "Calls the function {}; r1 to r5 are its arguments, r0 is what it returns.",
            distance(by)
        );
    }
    let short = name.strip_prefix("bpf_").unwrap_or(name);
    let known = FUNCTIONS.iter().find(|(known, _)| *known == short);
    match known {
        Some((_, what)) => format!("{name}: {what}. What it returns is in r0; r1 to r5 are lost."),
        None => format!("Calls {name}. What it returns is in r0; r1 to r5 are lost."),
    }
}

fn branch(rest: &str) -> String {
    let Some((condition, by)) = rest.split_once(" goto pc") else {
        return String::new();
    };
    let words: Vec<&str> = condition.split(' ').collect();
    let [left, sign, right] = words.as_slice() else {
        return String::new();
    };
    let how = match (*sign, left.starts_with('w')) {
        ("&", _) => "has a bit in common".to_owned(),
        (sign, short) => {
            let signed = sign.starts_with('s');
            let order = !matches!(sign, "==" | "!=");
            let mut how = sign.trim_start_matches('s').to_owned();
            if order {
                how.push_str(if signed { ", signed" } else { ", unsigned" });
            }
            if short {
                how.push_str(", in the lower 32 bits");
            }
            how
        }
    };
    match *sign {
        "&" => format!("Goes on {} if {left} {how} with {right}.", distance(by)),
        sign => {
            let sign = sign.trim_start_matches('s');
            let more = how.strip_prefix(sign).unwrap_or_default();
            format!("Goes on {} if {left} {sign} {right}{more}.", distance(by))
        }
    }
}

fn assignment(text: &str) -> Option<String> {
    let (to, rest) = text.split_once(' ')?;
    let (sign, value) = rest.split_once(' ')?;
    let number = to.strip_prefix(['r', 'w'])?;
    number.parse::<u8>().ok()?;
    let short = to.starts_with('w');
    let upper = if short {
        format!(" The upper half of r{number} becomes 0.")
    } else {
        String::new()
    };
    if sign == "=" {
        if let Some(load) = value.strip_prefix("*(") {
            let (kind, place) = load.split_once(" *)")?;
            let rest = match (kind.strip_prefix('s'), kind) {
                (Some(_), _) => ", its sign carried into the rest",
                (None, "u64") => "",
                (None, _) => "; the rest of it becomes 0",
            };
            let place = match place.strip_prefix("skb") {
                Some(at) => format!(
                    "offset {} of the packet, turned from network order",
                    at.trim_matches(['[', ']'])
                ),
                None => inner(place).to_owned(),
            };
            return Some(format!(
                "Loads {} from {place} into {to}{rest}.",
                bytes(kind.trim_start_matches(['u', 's']))
            ));
        }
        if let Some(map) = value.strip_prefix("map[") {
            let name = map.split(']').next()?;
            return Some(match map.contains("][0]") {
                true => format!(
                    "The address of map {name}'s value, plus {}.",
                    map.rsplit('+').next()?
                ),
                false => format!("The map {name}, to be given to a helper."),
            });
        }
        for (word, what) in [
            ("be", "network order"),
            ("le", "little-endian order"),
            ("bswap", "the other order"),
        ] {
            let swapped = value
                .strip_prefix(word)
                .and_then(|rest| rest.split_once(' '));
            if let Some((bits, _)) = swapped.filter(|(bits, _)| bits.parse::<u8>().is_ok()) {
                let rest = match bits {
                    "64" => "",
                    _ => "; the rest of it becomes 0",
                };
                return Some(format!(
                    "Puts the lower {} of r{number} into {what}{rest}.",
                    bytes(bits)
                ));
            }
        }
        if let Some(negated) = value.strip_prefix("-").filter(|rest| *rest == to) {
            return Some(format!("Negates {negated}.{upper}"));
        }
        return Some(
            match value
                .strip_prefix("(s")
                .and_then(|rest| rest.split_once(')'))
            {
                Some((bits, from)) => format!(
                    "Sets {to} to the lower {} of {from}, the sign carried on.{upper}",
                    bytes(bits)
                ),
                None => format!("Sets {to} to {value}.{upper}"),
            },
        );
    }
    let signed = sign.starts_with('s') && sign != "s>>=";
    let what = match sign.trim_start_matches('s') {
        "+=" => format!("Adds {value} to {to}."),
        "-=" => format!("Takes {value} from {to}."),
        "*=" => format!("Multiplies {to} by {value}."),
        "/=" => format!("Divides {to} by {value}; by 0 gives 0."),
        "%=" => format!("Leaves of {to} what {value} does not divide; by 0 leaves it."),
        "|=" => format!("Sets in {to} the bits of {value}."),
        "&=" => format!("Keeps in {to} the bits of {value}."),
        "^=" => format!("Turns in {to} the bits of {value}."),
        "<<=" => format!("Shifts {to} left by {value} bits."),
        ">>=" if sign.starts_with('s') => {
            format!("Shifts {to} right by {value} bits, its sign kept.")
        }
        ">>=" => format!("Shifts {to} right by {value} bits, with zeros."),
        _ => return None,
    };
    let signed = if signed { " Signed." } else { "" };
    Some(format!("{what}{signed}{upper}"))
}

/// `(r1 +4)` without its brackets.
fn inner(place: &str) -> &str {
    place.trim_matches(['(', ')'])
}

fn bytes(bits: &str) -> String {
    match bits.parse::<u32>() {
        Ok(8) => "1 byte".into(),
        Ok(bits) => format!("{} bytes", bits / 8),
        Err(_) => "bytes".into(),
    }
}

/// `+6` or `-3`, in instructions of eight bytes from the next one.
fn distance(by: &str) -> String {
    match by.parse::<i64>() {
        Ok(0) => "at the next instruction".into(),
        Ok(by) if by > 0 => format!("{by} behind the next instruction"),
        Ok(by) => format!("{} before the next instruction", -by),
        Err(_) => "elsewhere".into(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected from RFC 9669: 32-bit operations clear the upper half, loads fill with zeros, `MEMSX` with the sign,
    /// offsets of jumps count from the next instruction, division by zero gives zero, modulo leaves the destination.
    #[test]
    fn instructions_are_told_as_the_rfc_has_them() {
        for (text, told) in [
            ("w0 = 2", "Sets w0 to 2. The upper half of r0 becomes 0."),
            ("r3 = r1", "Sets r3 to r1."),
            ("r3 += 4", "Adds 4 to r3."),
            (
                "r3 = *(u32 *)(r1 +0)",
                "Loads 4 bytes from r1 +0 into r3; the rest of it becomes 0.",
            ),
            (
                "r2 = *(u64 *)(r1 +208)",
                "Loads 8 bytes from r1 +208 into r2.",
            ),
            (
                "r2 = *(s8 *)(r1 +1)",
                "Loads 1 byte from r1 +1 into r2, its sign carried into the rest.",
            ),
            ("*(u32 *)(r1 +0) = 42", "Stores 42 as 4 bytes at r1 +0."),
            (
                "*(u16 *)(r10 -2) = r3",
                "Stores the lower 2 bytes of r3 at r10 -2.",
            ),
            ("*(u64 *)(r10 -8) = r0", "Stores r0 as 8 bytes at r10 -8."),
            (
                "if r3 > r2 goto pc+6",
                "Goes on 6 behind the next instruction if r3 > r2, unsigned.",
            ),
            (
                "if w3 s<= 0xff goto pc-3",
                "Goes on 3 before the next instruction if w3 <= 0xff, signed, in the lower 32 bits.",
            ),
            (
                "if r0 == 0x0 goto pc+0",
                "Goes on at the next instruction if r0 == 0x0.",
            ),
            (
                "if r1 & 0x1 goto pc+2",
                "Goes on 2 behind the next instruction if r1 has a bit in common with 0x1.",
            ),
            (
                "r1 = be16 r1",
                "Puts the lower 2 bytes of r1 into network order; the rest of it becomes 0.",
            ),
            (
                "w2 /= w3",
                "Divides w2 by w3; by 0 gives 0. The upper half of r2 becomes 0.",
            ),
            (
                "r2 s%= 3",
                "Leaves of r2 what 3 does not divide; by 0 leaves it. Signed.",
            ),
            ("r4 s>>= 32", "Shifts r4 right by 32 bits, its sign kept."),
            (
                "r1 = map[.rodata][0]+0",
                "The address of map .rodata's value, plus 0.",
            ),
            ("r1 = map[tags]", "The map tags, to be given to a helper."),
            ("goto pc-4", "Goes on 4 before the next instruction."),
            ("no instruction", ""),
        ] {
            assert_eq!(of(text), told, "{text}");
        }
    }

    #[test]
    fn a_helper_and_a_kernel_function_are_explained_by_name() {
        assert_eq!(
            of("call bpf_trace_printk#6"),
            "bpf_trace_printk: prints format r1 of r2 bytes with up to three values into the trace pipe. \
             What it returns is in r0; r1 to r5 are lost."
        );
        assert!(
            of("call bpf_skb_meta_realign")
                .starts_with("bpf_skb_meta_realign: moves the metadata up against the MAC header")
        );
        assert!(of("call bpf_unheard_of").starts_with("Calls bpf_unheard_of."));
        assert!(of("call pc+7").starts_with("Calls the function 7 behind the next instruction"));
    }
}
