//! Which event of a trace is which event of a recording.
//!
//! Aligned by (function or program, entry or exit, device, namespace, packet, occurrence). Skbs are matched
//! in order of first appearance; XDP events have no skb, so they are aligned per device.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, Packet};
use crate::trace::Edge;

/// Largest table for one packet, cells; above it events are aligned by the next occurrence.
const MAX_TABLE: usize = 4 << 20;

/// The result; indexes into the two lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// (recorded, simulated), in the recording's order.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs that are there on both sides, but not in the same order.
    pub moved: Vec<(usize, usize)>,
    /// Recorded only.
    pub missing: Vec<usize>,
    /// Simulated only.
    pub extra: Vec<usize>,
    /// Simulated skb → recorded skb.
    pub skbs: BTreeMap<u32, u32>,
}

/// The packet an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'e> {
    Skb(u32),
    Xdp(Option<&'e str>, Option<&'e str>),
}

fn group(event: &Event) -> Group<'_> {
    match (event.skb, &event.packet) {
        (Some(skb), Packet::Skb(_) | Packet::Result) => Group::Skb(skb),
        _ => Group::Xdp(event.dev.as_deref(), event.netns.as_deref()),
    }
}

/// What must be equal for two events of a packet to be the same.
type Key<'e> = (&'e str, Edge, bool, Option<&'e str>, Option<&'e str>);

fn key(event: &Event) -> Key<'_> {
    (
        &event.stage.name,
        event.stage.edge,
        event.prog,
        event.dev.as_deref(),
        event.netns.as_deref(),
    )
}

/// Aligns two lists.
pub(super) fn align(expected: &[&Event], got: &[&Event]) -> Alignment {
    let (left, right) = (groups(expected), groups(got));
    let skbs = pair_skbs(expected, got, &left, &right);
    let mut result = Alignment::default();
    let mut taken = BTreeSet::new();
    for (group, indexes) in &right {
        let partner = match group {
            Group::Skb(skb) => skbs.get(skb).map(|skb| Group::Skb(*skb)),
            xdp @ Group::Xdp(..) => Some(*xdp),
        };
        let partner = partner.and_then(|partner| left.iter().find(|(other, _)| *other == partner));
        match partner {
            Some((other, events)) => {
                taken.insert(*other);
                align_packet(expected, got, events, indexes, &mut result);
            }
            None => result.extra.extend(indexes),
        }
    }
    result.missing.extend(
        left.iter()
            .filter(|(group, _)| !taken.contains(group))
            .flat_map(|(_, indexes)| indexes),
    );
    result.skbs = skbs;
    result.pairs.sort_unstable();
    result.missing.sort_unstable();
    result.extra.sort_unstable();
    result
}

/// Events by packet, packets in order of first appearance.
fn groups<'e>(events: &[&'e Event]) -> Vec<(Group<'e>, Vec<usize>)> {
    let mut found: Vec<(Group<'e>, Vec<usize>)> = Vec::new();
    let mut places: BTreeMap<Group<'e>, usize> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let group = group(event);
        let place = *places.entry(group).or_insert(found.len());
        match found.get_mut(place) {
            Some((_, indexes)) => indexes.push(index),
            None => found.push((group, vec![index])),
        }
    }
    found
}

/// Matches skbs in order of appearance: first those whose first event (of functions that the trace has
/// at all) is the same, then what is left.
fn pair_skbs(
    expected: &[&Event],
    got: &[&Event],
    left: &[(Group<'_>, Vec<usize>)],
    right: &[(Group<'_>, Vec<usize>)],
) -> BTreeMap<u32, u32> {
    let covered: BTreeSet<&str> = got.iter().map(|event| event.stage.name.as_str()).collect();
    let skb = |group: &Group<'_>| match group {
        Group::Skb(skb) => Some(*skb),
        Group::Xdp(..) => None,
    };
    let mut free: Vec<(u32, Key<'_>)> = Vec::new();
    for (group, indexes) in left {
        let first = indexes
            .iter()
            .map(|i| expected[*i])
            .find(|event| covered.contains(event.stage.name.as_str()));
        free.extend(skb(group).zip(first.map(key)));
    }
    let simulated: Vec<(u32, Key<'_>)> = right
        .iter()
        .filter_map(|(group, indexes)| Some((skb(group)?, key(got[*indexes.first()?]))))
        .collect();
    let mut pairs = BTreeMap::new();
    for (number, first) in &simulated {
        if let Some(at) = free.iter().position(|(_, other)| other == first) {
            pairs.insert(*number, free.remove(at).0);
        }
    }
    for (number, _) in &simulated {
        if !pairs.contains_key(number) && !free.is_empty() {
            pairs.insert(*number, free.remove(0).0);
        }
    }
    pairs
}

/// Aligns the events of one packet.
fn align_packet(
    expected: &[&Event],
    got: &[&Event],
    left: &[usize],
    right: &[usize],
    result: &mut Alignment,
) {
    let left_keys: Vec<Key<'_>> = left.iter().map(|i| key(expected[*i])).collect();
    let right_keys: Vec<Key<'_>> = right.iter().map(|i| key(got[*i])).collect();
    let common = common(&left_keys, &right_keys);
    result
        .pairs
        .extend(common.iter().map(|(l, r)| (left[*l], right[*r])));
    let (in_left, in_right): (BTreeSet<usize>, BTreeSet<usize>) = common.into_iter().unzip();
    let mut spare: Vec<usize> = (0..right.len()).filter(|r| !in_right.contains(r)).collect();
    for l in (0..left.len()).filter(|l| !in_left.contains(l)) {
        let same = |with_dev: bool| {
            let wanted = left_keys[l];
            spare.iter().position(|r| {
                let other = right_keys[*r];
                (other.0, other.1, other.2) == (wanted.0, wanted.1, wanted.2)
                    && (!with_dev || other == wanted)
            })
        };
        match (same(true), same(false)) {
            (Some(at), _) => result.moved.push((left[l], right[spare.remove(at)])),
            // The same function on another device: the comparison of `dev` will say so.
            (None, Some(at)) => result.pairs.push((left[l], right[spare.remove(at)])),
            (None, None) => result.missing.push(left[l]),
        }
    }
    result.extra.extend(spare.into_iter().map(|r| right[r]));
}

/// Longest common subsequence, as pairs of indexes in rising order.
fn common(left: &[Key<'_>], right: &[Key<'_>]) -> Vec<(usize, usize)> {
    let head = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (rest_l, rest_r) = (&left[head..], &right[head..]);
    let tail = rest_l
        .iter()
        .rev()
        .zip(rest_r.iter().rev())
        .take_while(|(l, r)| l == r)
        .count();
    let (mid_l, mid_r) = (
        &rest_l[..rest_l.len() - tail],
        &rest_r[..rest_r.len() - tail],
    );
    let middle = if mid_l.len().saturating_mul(mid_r.len()) <= MAX_TABLE {
        table(mid_l, mid_r)
    } else {
        next(mid_l, mid_r)
    };
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|i| (i, i)).collect();
    pairs.extend(middle.into_iter().map(|(l, r)| (l + head, r + head)));
    pairs.extend((0..tail).map(|i| (left.len() - tail + i, right.len() - tail + i)));
    pairs
}

fn table(left: &[Key<'_>], right: &[Key<'_>]) -> Vec<(usize, usize)> {
    let width = right.len() + 1;
    let mut longest = vec![0u32; (left.len() + 1) * width];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            longest[l * width + r] = if left[l] == right[r] {
                longest[(l + 1) * width + r + 1] + 1
            } else {
                longest[(l + 1) * width + r].max(longest[l * width + r + 1])
            };
        }
    }
    let (mut l, mut r, mut pairs) = (0, 0, Vec::new());
    while l < left.len() && r < right.len() {
        if left[l] == right[r] {
            pairs.push((l, r));
            (l, r) = (l + 1, r + 1);
        } else if longest[(l + 1) * width + r] >= longest[l * width + r + 1] {
            l += 1;
        } else {
            r += 1;
        }
    }
    pairs
}

/// Each key with its next occurrence.
fn next(left: &[Key<'_>], right: &[Key<'_>]) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for (r, key) in right.iter().enumerate() {
        places
            .entry((key.0, key.1 == Edge::Entry))
            .or_default()
            .push(r);
    }
    let (mut from, mut pairs) = (0, Vec::new());
    for (l, key) in left.iter().enumerate() {
        let places = places
            .get(&(key.0, key.1 == Edge::Entry))
            .map_or(&[][..], Vec::as_slice);
        let start = places.partition_point(|r| *r < from);
        if let Some(r) = places[start..].iter().copied().find(|r| right[*r] == *key) {
            pairs.push((l, r));
            from = r + 1;
        }
    }
    pairs
}
