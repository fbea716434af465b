//! One moment of a run as the page draws it.

use std::cell::OnceCell;
use std::collections::HashSet;

use headroom_core::bpf::{MapDef, MapState};
use headroom_core::scene::sentence::verdict_name;
use headroom_core::stepping::{Place, Stepper};
use headroom_protocol::program::{MapView, Moment, Slot, Value};

use super::words;

/// Instructions shown before and behind the moment.
const AROUND: usize = 8;
/// Instructions of a chain that are told, from its end.
const CHAIN: usize = 4096;
/// Entries of a map that are shown: as many as the lab's Maps tab shows.
const ENTRIES: usize = 256;

/// Everything but packet and maps.
pub fn of(stepper: &Stepper<'_>, run: u32) -> Moment {
    let after = stepper.after();
    let changed = stepper.changed();
    let verdict = stepper
        .run()
        .verdict
        .map(|verdict| verdict_name(stepper.run().hook, verdict));
    let why = stepper.why();
    let callers = stepper.callers().into_iter();
    Moment {
        run,
        at: stepper.at() as u32,
        len: stepper.len() as u32,
        insn: stepper.insn() as u32,
        c_line: stepper.c_line().map(|(line, _)| line),
        did: words::did(stepper, verdict.as_deref()),
        taken: why.as_ref().map(|why| why.taken),
        why: why.map(|why| why.to_string()),
        registers: after.iter().map(|n| value(stepper, *n)).collect(),
        changed: changed.into_iter().map(|n| n as u8).collect(),
        callers: callers.map(|at| stepper.insn_at(at) as u32).collect(),
        stack: stack(stepper),
        around: around(stepper),
        ..Moment::default()
    }
}

fn value(stepper: &Stepper<'_>, number: u64) -> Value {
    let place = stepper.place(number);
    Value {
        number,
        text: words::value(&place),
        kind: place.kind().into(),
    }
}

/// The slots of the frame in which something was written, from r10 downwards.
fn stack(stepper: &Stepper<'_>) -> Vec<Slot> {
    let top = stepper.after()[10];
    let frame = stepper.frame();
    let bottom = top.wrapping_sub(frame.len() as u64);
    let stored: Vec<(u64, u64)> = stepper
        .stores()
        .map(|store| {
            (
                store.address,
                store.address.wrapping_add(store.bytes.len() as u64),
            )
        })
        .collect();
    let slot = |(index, bytes): (usize, &[Option<u8>])| {
        let start = bottom.wrapping_add(index as u64 * 8);
        let whole: Option<Vec<u8>> = bytes.iter().copied().collect();
        let number = whole.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
        let place = number.map(|number| stepper.place(number));
        let what = place.filter(|place| !matches!(place, Place::Number(_)));
        let now = |(from, to): &(u64, u64)| *from < start.wrapping_add(8) && *to > start;
        Slot {
            off: start.wrapping_sub(top) as i32,
            bytes: bytes.to_vec(),
            what: what.map(|place| place.to_string()),
            now: stored.iter().any(now),
        }
    };
    let slots = frame.chunks(8).enumerate().rev();
    slots
        .filter(|(_, bytes)| bytes.iter().any(Option::is_some))
        .map(slot)
        .collect()
}

fn around(stepper: &Stepper<'_>) -> Vec<(u32, u32, String)> {
    let (at, mut walker) = (stepper.at(), stepper.clone());
    let first = at.saturating_sub(AROUND);
    let last = (at + AROUND + 1).min(stepper.len());
    (first..last)
        .map(|at| {
            walker.go(at);
            (at as u32, walker.insn() as u32, words::short(&walker))
        })
        .collect()
}

/// What made a register's value: position, line of the listing.
pub fn chain(stepper: &Stepper<'_>, register: u8, maps: &[MapDef]) -> Vec<(u32, u32)> {
    let made = stepper
        .chain(usize::from(register), CHAIN, maps)
        .into_iter();
    made.map(|at| (at as u32, stepper.insn_at(at) as u32))
        .collect()
}

/// Key and value.
type Entry = (Vec<u8>, Vec<u8>);

/// Maps, and which entries are not what they were before. Of many entries those that the instruction changed are in
/// the list wherever they stand.
pub fn maps(before: &[MapState], after: &[MapState]) -> Vec<MapView> {
    let plain = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let view = |(number, map): (usize, &MapState)| {
        let old = before.get(number);
        let entries = old.map(|old| old.entries.as_slice()).unwrap_or_default();
        let sent = old.map_or(0, |old| old.records.len());
        // Nearly all entries stand where they stood; only where one does not are all looked through.
        let known = OnceCell::<HashSet<&Entry>>::new();
        let is_new = |at: usize, entry: &Entry| {
            let all = || known.get_or_init(|| entries.iter().collect());
            entries.get(at) != Some(entry) && !all().contains(entry)
        };
        let entry = |(at, entry): (usize, &Entry)| {
            let now = is_new(at, entry);
            (at < ENTRIES || now).then(|| (plain(&entry.0), plain(&entry.1), now))
        };
        let record = |(number, record): (usize, &Vec<u8>)| {
            let now = number >= sent;
            let shown = map.entries.len() + number < ENTRIES || now;
            shown.then(|| ("record".to_owned(), plain(record), now))
        };
        let records = map.records.iter().enumerate().filter_map(record);
        let all = map.entries.iter().enumerate().filter_map(entry);
        let listed: Vec<_> = all.chain(records).take(2 * ENTRIES).collect();
        let total = map.entries.len() + map.records.len();
        MapView {
            name: map.def.name.clone(),
            kind: map.def.kind.name(),
            more: total.saturating_sub(listed.len()) as u32,
            entries: listed,
        }
    };
    after.iter().enumerate().map(view).collect()
}

#[cfg(test)]
mod tests {
    use headroom_core::bpf::{MapDef, MapKind};

    use super::*;

    fn map(entries: u16, records: u8) -> MapState {
        MapState {
            def: MapDef {
                name: "flows".into(),
                kind: MapKind::Hash,
                key_size: 2,
                value_size: 1,
                max_entries: 512,
                flags: 0,
                initial: Vec::new(),
                programs: Vec::new(),
                details: Default::default(),
                entries: Vec::new(),
            },
            entries: (0..entries)
                .map(|key| (key.to_be_bytes().to_vec(), vec![7]))
                .collect(),
            records: (0..records).map(|record| vec![record]).collect(),
        }
    }

    /// 400 entries, the one of 300 (0x012c) becomes 9: the first 256 and that one are listed, 143 are not.
    #[test]
    fn of_many_entries_the_changed_one_is_listed() {
        let before = map(400, 0);
        let mut after = before.clone();
        after.entries[300].1 = vec![9];
        let view = &maps(&[before], &[after])[0];
        assert_eq!((view.entries.len(), view.more), (257, 143));
        assert_eq!(view.entries[256], ("012c".into(), "09".into(), true));
        assert!(view.entries[..256].iter().all(|(.., now)| !now));
    }

    #[test]
    fn a_map_of_200_entries_is_listed_whole() {
        let view = &maps(&[map(200, 0)], &[map(200, 0)])[0];
        assert_eq!((view.entries.len(), view.more), (200, 0));
    }

    /// The first of 400 entries is taken out: all others stand one place before, and none is new.
    #[test]
    fn entries_that_stand_elsewhere_are_not_new() {
        let before = map(400, 0);
        let mut after = before.clone();
        after.entries.remove(0);
        let view = &maps(&[before], &[after])[0];
        assert_eq!((view.entries.len(), view.more), (256, 143));
        assert!(view.entries.iter().all(|(.., now)| !now));
    }

    #[test]
    fn a_record_that_was_sent_now_is_marked_and_older_ones_are_not() {
        let view = &maps(&[map(0, 1)], &[map(0, 2)])[0];
        let marks: Vec<bool> = view.entries.iter().map(|(.., now)| *now).collect();
        assert_eq!((marks, view.more), (vec![false, true], 0));
    }
}
