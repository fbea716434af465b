//! Fields as text, and what changed between two moments.

use crate::trace::{PacketFields, SkbFields};

/// One field, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// The kernel's name.
    pub name: &'static str,
    /// The value, such as `256`, `0x0800`, `not set`.
    pub value: String,
}

/// A field that has another value than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The kernel's name.
    pub name: &'static str,
    /// Before.
    pub old: String,
    /// Now.
    pub new: String,
}

fn offset(value: Option<u32>) -> String {
    value.map_or_else(|| NOT_SET.into(), |value| value.to_string())
}

/// What is said of an offset that has no value.
pub(super) const NOT_SET: &str = "not set";

/// Where metadata are looked for that are longer than what lies in front of their end.
pub(super) const BELOW_HEAD: &str = "below head";

fn range(start: Option<u32>, end: Option<u32>, len: u32) -> String {
    match (start, end) {
        _ if len == 0 => "none".into(),
        (Some(start), Some(end)) => super::explain::span(start, end),
        (None, Some(_)) => BELOW_HEAD.into(),
        _ => NOT_SET.into(),
    }
}

/// All fields in the order of a field list. `metadata` is where they are by the design's formula.
#[must_use]
pub fn values(fields: &PacketFields) -> Vec<FieldValue> {
    let field = |name, value: String| FieldValue { name, value };
    let number = |name, value: u32| FieldValue {
        name,
        value: value.to_string(),
    };
    match fields {
        PacketFields::Xdp(f) => vec![
            field(
                "metadata",
                range(
                    Some(f.data_meta),
                    Some(f.data),
                    f.data.saturating_sub(f.data_meta),
                ),
            ),
            number("data_meta", f.data_meta),
            number("data", f.data),
            number("data_end", f.data_end),
            number("frame_sz", f.frame_sz),
            number("nr_frags", f.fragments.len() as u32),
        ],
        PacketFields::Skb(f) => skb(f, &field, &number),
    }
}

fn skb(
    f: &SkbFields,
    field: &dyn Fn(&'static str, String) -> FieldValue,
    number: &dyn Fn(&'static str, u32) -> FieldValue,
) -> Vec<FieldValue> {
    let flag = |name, value: bool| number(name, u32::from(value));
    let mut out = vec![
        field("metadata", range(f.meta.start, f.meta.end, f.meta.len)),
        number("meta_len", f.meta.len),
    ];
    if f.meta_end.is_some() {
        out.push(field("meta_end", offset(f.meta_end)));
    }
    out.extend([
        number("data", f.data),
        number("tail", f.tail),
        number("end", f.end),
        number("len", f.len),
        number("data_len", f.data_len),
        field("mac_header", offset(f.mac_header)),
        field("network_header", offset(f.network_header)),
        field("transport_header", offset(f.transport_header)),
        field("inner_mac_header", offset(f.inner_mac_header)),
        field("inner_network_header", offset(f.inner_network_header)),
        number("mac_len", f.mac_len),
        field("protocol", format!("0x{:04x}", f.protocol)),
        number("pkt_type", u32::from(f.pkt_type)),
        flag("vlan_present", f.vlan_present),
        flag("encapsulation", f.encapsulation),
        flag("cloned", f.cloned),
        number("ip_summed", u32::from(f.ip_summed)),
        number("gso_size", u32::from(f.gso_size)),
        number("nr_frags", u32::from(f.nr_frags)),
        number("dataref", f.dataref),
        number("users", f.users),
    ]);
    if f.vlan_present {
        out.push(field("vlan_tci", format!("0x{:04x}", f.vlan_tci)));
        out.push(field("vlan_proto", format!("0x{:04x}", f.vlan_proto)));
    }
    out
}

/// The fields that both moments have and that differ, in the order of [`values`].
#[must_use]
pub fn changes(before: &PacketFields, now: &PacketFields) -> Vec<FieldChange> {
    let old = values(before);
    values(now)
        .into_iter()
        .filter_map(|new| {
            let before = old.iter().find(|old| old.name == new.name)?;
            (before.value != new.value).then(|| FieldChange {
                name: new.name,
                old: before.value.clone(),
                new: new.value,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, fields_at};

    #[test]
    fn decap_moves_mac_header_and_with_it_the_metadata() {
        let trace = decap("mac_header");
        let before = fields_at(&trace, "ip_tunnel_rcv.entry@rx#1");
        let now = fields_at(&trace, "ip_tunnel_rcv.exit@decap#1");
        let brief: Vec<String> = changes(before, now)
            .iter()
            .map(|c| format!("{} {} → {}", c.name, c.old, c.new))
            .collect();
        assert_eq!(
            brief,
            ["metadata 252–255 → 290–293", "mac_header 256 → 294"]
        );
    }

    #[test]
    fn a_header_that_is_not_set_says_so() {
        let trace = decap("mac_header");
        let PacketFields::Skb(mut f) = fields_at(&trace, "ip_tunnel_rcv.entry@rx#1").clone() else {
            panic!("an skb")
        };
        f.mac_header = None;
        f.meta.start = None;
        f.meta.end = None;
        let of = |name| {
            values(&PacketFields::Skb(f.clone()))
                .into_iter()
                .find(|v| v.name == name)
                .map(|v| v.value)
        };
        assert_eq!(of("mac_header").as_deref(), Some("not set"));
        assert_eq!(of("metadata").as_deref(), Some("not set"));
        assert_eq!(of("protocol").as_deref(), Some("0x0800"));
    }
}
