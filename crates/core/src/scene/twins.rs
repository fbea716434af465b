//! Other packets in the same buffer: a clone has an `sk_buff` of its own and shares `head` with the one it is
//! made from. Both are drawn over one buffer.

use super::order::by_key;
use super::table::TextRow;
use crate::trace::{Outcome, PacketFields, SkbFields, SkbNo, StepKind, Trace};

/// How far back another packet is looked for, in steps. One that is held back longer is not drawn.
const FAR: usize = 20_000;

/// Another living packet in the buffer of a step's packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Twin<'t> {
    /// Its number.
    pub skb: SkbNo,
    /// Its fields, as they were last seen.
    pub fields: &'t SkbFields,
}

impl Twin<'_> {
    /// Its pointers in words, in the order of their offsets.
    #[must_use]
    pub fn pointers(&self) -> Vec<(&'static str, u32)> {
        let fields = self.fields;
        let mut out: Vec<(&'static str, u32)> = [
            ("meta_end", fields.meta_end),
            ("data", Some(fields.data)),
            ("mac_header", fields.mac_header),
            ("network_header", fields.network_header),
            ("transport_header", fields.transport_header),
            ("tail", Some(fields.tail)),
        ]
        .into_iter()
        .filter_map(|(name, offset)| Some((name, offset?)))
        .collect();
        by_key(&mut out, |(_, offset)| *offset);
        out
    }

    /// `packet 1 · data 270 · network_header 270 · tail 378`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut out = format!("packet {}", self.skb.0);
        for (name, offset) in self.pointers() {
            out.push_str(&format!(" · {name} {offset}"));
        }
        out
    }
}

/// The others, the one seen last first. `skb_shared_info.dataref` says how many there are: without more than
/// one reference nothing is looked for.
#[must_use]
pub fn twins(trace: &Trace, step: usize) -> Vec<Twin<'_>> {
    let Some(now) = trace.steps.get(step) else {
        return Vec::new();
    };
    let of = |index: Option<usize>| match trace.fields.get(index?)? {
        PacketFields::Skb(fields) => Some(fields),
        PacketFields::Xdp(_) => None,
    };
    let wanted = of(now.fields).map_or(0, |fields| fields.dataref.saturating_sub(1) as usize);
    let mut seen: Vec<Option<SkbNo>> = vec![now.skb];
    let mut out = Vec::new();
    let earlier = trace.steps.get(..step).unwrap_or_default();
    for before in earlier.iter().rev().take(FAR) {
        if out.len() >= wanted {
            break;
        }
        // A clone that nothing has been done with yet: `__skb_clone()` has given it the fields of the one it is of.
        let made = match (&before.kind, before.outcome) {
            (StepKind::Function { name, .. }, Outcome::RetSkb(made)) if *name == "skb_clone" => {
                made
            }
            _ => None,
        };
        if let (Some(skb), Some(fields)) = (made, of(before.fields))
            && before.buffer == now.buffer
            && !seen.contains(&made)
        {
            out.push(Twin { skb, fields });
            seen.push(made);
        }
        if before.skb.is_none() || seen.contains(&before.skb) {
            continue;
        }
        seen.push(before.skb);
        let gone = before.freed || matches!(before.kind, StepKind::EndOfLife { .. });
        if let (false, Some(skb), Some(fields)) = (gone, before.skb, of(before.fields))
            && before.buffer == now.buffer
        {
            out.push(Twin { skb, fields });
        }
    }
    out
}

/// The others as lines of the table of words.
#[must_use]
pub fn twin_rows(trace: &Trace, step: usize) -> Vec<TextRow> {
    let row = |twin: &Twin<'_>| {
        let skb = twin.skb.0;
        let one = move |(name, offset): (&'static str, u32)| TextRow {
            kind: "pointer",
            place: offset.to_string(),
            what: format!("{name} of packet {skb}, in the same buffer"),
        };
        twin.pointers().into_iter().map(one).collect::<Vec<_>>()
    };
    twins(trace, step).iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;
    use crate::trace::{Edge, Step};

    /// `decap` with a clone of its packet made by hand: packet 9, seen at one step, `dataref` 2 from then on.
    fn with_clone(gone: bool) -> (Trace, usize) {
        let mut trace = decap("mac_header");
        let at = trace
            .steps
            .iter()
            .rposition(|step| {
                let fields = step.fields.and_then(|index| trace.fields.get(index));
                matches!(fields, Some(PacketFields::Skb(_)))
            })
            .expect("an skb");
        let own = trace.steps[at].clone();
        let PacketFields::Skb(mut fields) = trace.fields[own.fields.expect("fields")].clone()
        else {
            panic!("an skb")
        };
        fields.dataref = 2;
        let shared = trace.fields.len();
        trace.fields.push(PacketFields::Skb(fields.clone()));
        fields.data += 14;
        trace.fields.push(PacketFields::Skb(fields));
        let kind = StepKind::Function {
            name: "skb_clone",
            file: "net/core/skbuff.c",
            edge: Edge::Exit,
        };
        let clone = Step {
            kind,
            skb: Some(SkbNo(9)),
            fields: Some(shared + 1),
            outcome: Outcome::None,
            freed: gone,
            writes: own.writes.end..own.writes.end,
            ..own.clone()
        };
        let after = Step {
            fields: Some(shared),
            writes: own.writes.end..own.writes.end,
            ..own
        };
        trace.steps.truncate(at + 1);
        trace.steps.extend([clone, after]);
        (trace, at)
    }

    #[test]
    fn a_clone_is_drawn_over_the_buffer_it_shares() {
        let (trace, at) = with_clone(false);
        assert_eq!(twins(&trace, at), [], "before it is made");
        let found = twins(&trace, at + 2);
        let [twin] = found.as_slice() else {
            panic!("one: {found:?}")
        };
        assert_eq!(twin.skb, SkbNo(9));
        let data = twin.fields.data;
        assert!(twin.words().starts_with("packet 9"), "{}", twin.words());
        let rows = twin_rows(&trace, at + 2);
        assert!(
            rows.iter().any(|row| row.place == data.to_string()
                && row.what == "data of packet 9, in the same buffer"),
            "{rows:?}"
        );
    }

    /// `skb_clone()` has returned it, and no function was given it yet: it has the fields of the one it is of.
    #[test]
    fn a_clone_that_only_was_returned_is_drawn_with_the_fields_it_was_given() {
        let (mut trace, at) = with_clone(false);
        trace.steps[at + 1].skb = trace.steps[at].skb;
        trace.steps[at + 1].outcome = Outcome::RetSkb(Some(SkbNo(4)));
        let found = twins(&trace, at + 2);
        let [twin] = found.as_slice() else {
            panic!("one: {found:?}")
        };
        let given = trace.steps[at + 1]
            .fields
            .and_then(|index| trace.fields.get(index));
        assert_eq!(twin.skb, SkbNo(4));
        assert_eq!(given, Some(&PacketFields::Skb(twin.fields.clone())));
    }

    #[test]
    fn one_that_is_gone_is_not() {
        let (trace, at) = with_clone(true);
        assert_eq!(twins(&trace, at + 2), []);
    }
}
