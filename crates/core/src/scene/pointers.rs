//! The pointers of a packet, and where their labels go so that none covers another.

use super::labels::{Label, Rail};
use super::scale::Scale;
use crate::trace::{PacketFields, PacketView, StepKind, Trace};

/// One pointer, by the kernel's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointer {
    /// Such as `mac_header`.
    pub name: &'static str,
    /// Offset from `head`, bytes.
    pub offset: u32,
    /// Place in the picture.
    pub x: f64,
}

/// Name and offset of each pointer that is set, in the order of their offsets.
/// `data_meta` is there while a program can see it.
#[must_use]
pub fn pointers(trace: &Trace, view: &PacketView<'_>) -> Vec<(&'static str, u32)> {
    let Some(fields) = view.fields else {
        return Vec::new();
    };
    let mut out = match fields {
        PacketFields::Xdp(f) => vec![
            ("data_hard_start", 0),
            ("data_meta", f.data_meta),
            ("data", f.data),
            ("data_end", f.data_end),
        ],
        PacketFields::Skb(f) => {
            let in_program = match &view.step.kind {
                StepKind::Program { run, .. } | StepKind::Insn { run, .. } => {
                    trace.runs.get(*run).is_some()
                }
                StepKind::Function { .. } | StepKind::EndOfLife { .. } => false,
            };
            let data_meta =
                (in_program && f.meta.len > 0).then(|| f.data.saturating_sub(f.meta.len));
            let optional = [
                ("data_meta", data_meta),
                ("meta_end", f.meta_end.filter(|_| f.meta.len > 0)),
                ("data", Some(f.data)),
                ("mac_header", f.mac_header),
                ("network_header", f.network_header),
                ("transport_header", f.transport_header),
                ("tail", Some(f.tail)),
                ("end", Some(f.end)),
            ];
            let mut out = vec![("head", 0)];
            out.extend(
                optional
                    .into_iter()
                    .filter_map(|(name, offset)| Some((name, offset?))),
            );
            out
        }
    };
    super::order::by_key(&mut out, |(_, offset)| *offset);
    out
}

/// Pointers with their places, and one label for each offset.
#[must_use]
pub fn place(
    pointers: &[(&'static str, u32)],
    scale: &Scale,
    width: f64,
    char_width: f64,
) -> (Vec<Pointer>, Vec<Label>) {
    let unit = width / scale.units;
    let placed: Vec<Pointer> = pointers
        .iter()
        .map(|(name, offset)| Pointer {
            name,
            offset: *offset,
            x: scale.x(*offset) * unit,
        })
        .collect();
    let mut rail = Rail::new(width, char_width, placed.iter().map(|p| p.x).collect());
    let mut start = 0;
    while start < placed.len() {
        let offset = placed[start].offset;
        let stop = start
            + placed[start..]
                .iter()
                .take_while(|p| p.offset == offset)
                .count();
        let names: Vec<&str> = placed[start..stop].iter().map(|p| p.name).collect();
        rail.place(offset, &names, placed[start].x);
        start = stop;
    }
    (placed, rail.labels)
}
