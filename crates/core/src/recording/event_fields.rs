//! An event as a flat list of named fields, which is what is compared.

use super::event::{ByteRun, Event, Field, Packet, Ret, Value, skb_fields, xdp_fields};

/// The event's fields by name, bytes and `head` left out. `number` gives the number under which an skb is known.
pub(super) fn own_fields(event: &Event, number: impl Fn(u32) -> Option<u32>) -> Vec<Field> {
    let text = |text: Option<&String>| text.map_or(Value::Unset, |text| Value::Text(text.clone()));
    let mut fields: Vec<Field> = vec![
        ("prog", event.prog.into()),
        ("dev", text(event.dev.as_ref())),
        ("netns", text(event.netns.as_ref())),
        ("kind", Value::Text(event.kind().into())),
        ("skb", event.skb.and_then(&number).into()),
        ("end_of_life", event.end_of_life.into()),
        ("freed", event.freed.into()),
    ];
    fields.extend(
        event
            .drop_reason
            .map(|reason| ("drop_reason", reason.into())),
    );
    fields.extend(event.ret.map(|ret| match ret {
        Ret::Number(n) => ("ret", Value::Number(n)),
        Ret::Pointer => ("ret", Value::Text("pointer".into())),
    }));
    fields.extend(event.ret_skb.map(|skb| match skb {
        // An skb that the other side does not know stays different from NULL.
        Some(skb) => (
            "ret_skb",
            number(skb).map_or(Value::Text("another skb".into()), Value::from),
        ),
        None => ("ret_skb", Value::Unset),
    }));
    match &event.packet {
        Packet::Skb(skb) => {
            fields.extend(skb_fields(&skb.fields));
            let meta = skb.fields.meta;
            // `meta` is null in a recording whose end is not set, so that its length is not known
            let len = meta.end.map_or(0, |_| meta.len);
            fields.extend([
                ("meta.len", len.into()),
                ("meta.start", meta.start.into()),
                ("meta.end", meta.end.into()),
            ]);
            fields.extend(run_fields(&skb.bytes));
        }
        Packet::Xdp(xdp) => {
            fields.extend(xdp_fields(&xdp.fields));
            fields.extend(run_fields(&xdp.bytes));
        }
        Packet::Result => {}
    }
    fields
}

fn run_fields(run: &ByteRun) -> [Field; 2] {
    [
        ("bytes_off", run.offset.into()),
        ("bytes_truncated", run.truncated.into()),
    ]
}
