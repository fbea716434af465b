//! What an instruction did, in words.

use headroom_core::stepping::{Place, Stepper};

/// Bytes that are shown of one store.
const MOST: usize = 16;

/// What a value is; a number as the hex and the decimal form.
pub fn value(place: &Place) -> String {
    match place {
        Place::Number(n) if *n < 10 => format!("{n}"),
        Place::Number(n) if *n <= u64::from(u32::MAX) => format!("{n:#x} = {n}"),
        Place::Number(n) if (*n as i64) < 0 && (*n as i64) > -4096 => format!("{}", *n as i64),
        place => place.to_string(),
    }
}

/// `2a 00 00 00`.
pub fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes
        .iter()
        .take(MOST)
        .map(|b| format!("{b:02x}"))
        .collect();
    let more = if bytes.len() > MOST { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

/// Short, for a list: `r2 = pkt +14`, `[fp -8] = 2a 00 00 00`, why a branch went where it went.
pub fn short(stepper: &Stepper<'_>) -> String {
    if let Some(why) = stepper.why() {
        return why.to_string();
    }
    let after = stepper.after();
    let changed = stepper.changed().into_iter();
    let changed = changed.map(|n| format!("r{n} = {}", value(&stepper.place(after[n]))));
    let stores = stepper
        .stores()
        .map(|store| format!("[{}] = {}", stepper.place(store.address), hex(store.bytes)));
    let writes = stepper.packet_writes().iter().map(|write| {
        let bytes: Vec<u8> = write.new.iter().map(|(byte, _)| *byte).collect();
        format!("[{}] = {}", write.offset, hex(&bytes))
    });
    let all: Vec<String> = changed.chain(stores).chain(writes).collect();
    all.join(", ")
}

/// A sentence.
pub fn did(stepper: &Stepper<'_>, verdict: Option<&str>) -> String {
    if let Some(why) = stepper.why() {
        return format!("{why}.");
    }
    let last = stepper.at() + 1 == stepper.len();
    let (depth, next) = (stepper.depth(), stepper.depth_after());
    let what = short(stepper);
    let tail = if what.is_empty() {
        String::new()
    } else {
        format!(": {what}")
    };
    if last {
        return match verdict {
            Some(verdict) => format!("The program ends with {verdict}."),
            None => "The run ends here without a verdict.".into(),
        };
    }
    if next > depth {
        return "Goes into a function, which gets a stack frame of its own.".into();
    }
    if next < depth {
        let back = stepper.after()[0];
        return format!(
            "The function returns: r0 = {}.",
            value(&stepper.place(back))
        );
    }
    let note = stepper.line().and_then(|line| line.note.as_deref());
    if let Some(field) = note.and_then(|note| note.strip_suffix(", rewritten")) {
        return format!("Reaches {field}{tail}.");
    }
    if let Some(touched) = stepper.touched() {
        let (word, size) = (
            if touched.writes { "Writes" } else { "Reads" },
            touched.size,
        );
        let bytes = if size == 1 { "byte" } else { "bytes" };
        let off = match touched.buffer {
            Some((_, off)) if off >= 0 => format!(", offset {off}"),
            _ => String::new(),
        };
        return format!("{word} {size} {bytes} at {}{off}{tail}.", touched.place);
    }
    match what.is_empty() {
        true => "Changes no register and no memory.".into(),
        false => format!("{what}."),
    }
}
