//! Whether events stand where the rest of the recording says: a device or a namespace that is missing can't be told
//! from one that the kernel did not have (`skb->dev` is NULL, the experiment's own namespace), but what the programs
//! read and where the set-up put its devices tell.

use super::event::{Event, Packet};
use super::expand::ExpandError;
use super::model::{Head, Recording};
use crate::scenario::graph::Graph;
use crate::trace::Edge;

/// Checks the events of a recording against its head.
///
/// # Errors
/// The first event whose `dev` or `netns` contradicts what was read there or where the set-up put its devices.
pub(super) fn check(recording: &Recording) -> Result<(), ExpandError> {
    reads(&recording.head, &recording.events)?;
    // A set-up that can't be read is said by whoever runs it.
    match recording.commands() {
        Ok(lines) => namespaces(&Graph::of(&lines), &recording.events),
        Err(_) => Ok(()),
    }
}

fn wrong(seq: u32, field: &str, what: String) -> ExpandError {
    ExpandError {
        seq: seq as usize,
        field: field.into(),
        what,
    }
}

/// `rx`, `tx in namespace b`.
fn place(dev: &str, netns: Option<&str>) -> String {
    netns.map_or_else(|| dev.into(), |netns| format!("{dev} in namespace {netns}"))
}

/// Every read and every helper's result is of a run of its program on its device.
fn reads(head: &Head, events: &[Event]) -> Result<(), ExpandError> {
    let read = head
        .reads
        .iter()
        .map(|one| (&one.program, &one.dev, &one.netns, one.after_seq));
    let results = head
        .helper_results
        .iter()
        .map(|one| (&one.program, &one.dev, &one.netns, one.after_seq));
    for (program, dev, netns, after) in read.chain(results) {
        let runs = || {
            events
                .iter()
                .filter(|event| event.prog && event.stage.name == *program)
        };
        if runs().any(|event| event.dev.as_ref() == Some(dev) && event.netns == *netns) {
            continue;
        }
        // The last run that began before it is the one that read.
        let before =
            |event: &&Event| event.seq as usize <= after && event.stage.edge == Edge::Entry;
        let Some(event) = runs().rfind(before).or_else(|| runs().next()) else {
            continue;
        };
        let (field, value) = match &event.dev {
            Some(known) if known == dev => ("netns", event.netns.as_deref()),
            known => ("dev", known.as_deref()),
        };
        let has = value.map_or("missing".into(), |value| format!("`{value}`"));
        let wants = place(dev, netns.as_deref());
        return Err(wrong(
            event.seq,
            field,
            format!("it is {has}, but a read says that {program} ran on {wants}"),
        ));
    }
    Ok(())
}

/// A device that the set-up made in other namespaces only is not in the experiment's own. (Of a packet that is gone a
/// recording has no namespace.)
fn namespaces(graph: &Graph, events: &[Event]) -> Result<(), ExpandError> {
    for event in events {
        let Some(dev) = &event.dev else {
            if event.netns.is_some() {
                return Err(wrong(
                    event.seq,
                    "dev",
                    "it is missing, although `netns` says where the device is".into(),
                ));
            }
            continue;
        };
        let gone = event.packet == Packet::Result;
        if gone || event.netns.is_some() || graph.device(None, dev).is_some() {
            continue;
        }
        let made = graph.devices.iter().find(|device| device.name == *dev);
        let netns = made.and_then(|device| graph.namespaces.get(device.namespace));
        if let Some(Some(netns)) = netns {
            return Err(wrong(
                event.seq,
                "netns",
                format!("it is missing, but the set-up has {dev} in namespace {netns} only"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::model::Recording;

    /// The recording of the seed experiment, changed, and what is said of it.
    fn said(change: impl Fn(&mut Value)) -> String {
        let root = env!("CARGO_MANIFEST_DIR");
        let file = format!("{root}/../../tests/recordings/E2-gre-veth-full.mac_header.json");
        let text = std::fs::read_to_string(&file).expect("it is there");
        let mut json: Value = serde_json::from_str(&text).expect("JSON");
        for event in json["events"].as_array_mut().expect("events") {
            change(event);
        }
        match Recording::read("x.json", &json.to_string()) {
            Ok(_) => "accepted".into(),
            Err(error) => error.to_string(),
        }
    }

    fn without(field: &'static str, of: impl Fn(&Value) -> bool) -> String {
        said(|event| {
            if of(event) {
                event.as_object_mut().expect("an object").remove(field);
            }
        })
    }

    /// Every field by which an event is placed is missed, in the event where it is missing.
    #[test]
    fn an_event_without_its_place_is_refused_by_number_and_field() {
        assert_eq!(said(|_| {}), "accepted");
        // Its first event is `__dev_queue_xmit` of packet 1 on encap in tx.
        let first = |event: &Value| event["seq"] == 1;
        assert_eq!(
            without("skb", first),
            "x.json: Event 1, field `skb`: it is missing or null, expected the number of the packet."
        );
        assert_eq!(
            without("netns", first),
            "x.json: Event 1, field `netns`: it is missing, but the set-up has encap in namespace tx only."
        );
        assert_eq!(
            without("dev", first),
            "x.json: Event 1, field `dev`: it is missing, although `netns` says where the device is."
        );
        let xdp = without("dev", |event| event["kind"] == "xdp");
        assert!(
            xdp.contains("field `dev`: it is missing, expected the device of the receive queue"),
            "{xdp}"
        );
        let tc = without("dev", |event| {
            event["prog"] == true && event["kind"] == "skb"
        });
        assert!(
            tc.contains("field `dev`: it is missing, but a read says that ")
                && tc.ends_with(" ran on rx."),
            "{tc}"
        );
        let other = said(|event| {
            if event["prog"] == true && event["dev"] == "rx" {
                event["netns"] = "tx".into();
            }
        });
        assert!(
            other.contains("field `netns`: it is `tx`, but a read says that "),
            "{other}"
        );
    }
}
