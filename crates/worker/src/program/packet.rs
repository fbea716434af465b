//! The packet around the place that a program works at.

use headroom_core::stepping::{Stepper, in_buffer};
use headroom_core::trace::replay::Memory;
use headroom_core::trace::{Cursor, PacketFields, Trace};
use headroom_protocol::program::{Area, Cell, Row};

/// Bytes a row.
const ROW: u32 = 16;
/// Rows shown.
const ROWS: u32 = 10;

/// Rows, and what points into them. `memory` is where the last look left off.
pub fn rows(
    stepper: &Stepper<'_>,
    trace: &Trace,
    memory: &mut Option<(usize, Memory)>,
) -> (Vec<Row>, Vec<(u32, String)>) {
    let cursor = match memory.take() {
        Some((at, memory)) => Cursor::resume(trace, at, memory),
        None => Cursor::new(trace),
    };
    let Some(mut cursor) = cursor else {
        return Default::default();
    };
    cursor.go(stepper.step());
    let view = cursor.packet();
    let out = match (view.fields, view.buffer, view.step.buffer) {
        (Some(fields), Some(buffer), Some(no)) => {
            let bounds = Bounds::of(fields);
            let touched = touched(stepper, no.0);
            let first = first(bounds, &touched);
            let rows = (0..ROWS).map(|row| first + row * ROW);
            let rows = rows.filter_map(|start| row(start, &buffer.bytes, bounds, &touched));
            (rows.collect(), marks(stepper, bounds, no.0))
        }
        _ => Default::default(),
    };
    *memory = Some((stepper.step(), cursor.into_memory()));
    out
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    meta: u32,
    data: u32,
    end: u32,
}

impl Bounds {
    fn of(fields: &PacketFields) -> Self {
        match fields {
            PacketFields::Xdp(xdp) => Self {
                meta: xdp.data_meta,
                data: xdp.data,
                end: xdp.data_end,
            },
            PacketFields::Skb(skb) => Self {
                // What a program sees as data_meta: in front of data.
                meta: skb.data.saturating_sub(skb.meta.len),
                data: skb.data,
                end: skb.data + skb.len.saturating_sub(skb.data_len),
            },
        }
    }
}

/// Ranges of offsets that the instruction read or wrote: start, end, wrote.
fn touched(stepper: &Stepper<'_>, buffer: u32) -> Vec<(u32, u32, bool)> {
    let mut out = Vec::new();
    if let Some(touched) = stepper.touched()
        && let Some((no, off)) = touched.buffer
        && no.0 == buffer
        && let Ok(start) = u32::try_from(off)
    {
        out.push((start, start + u32::from(touched.size), touched.writes));
    }
    let writes = stepper.packet_writes().iter();
    let writes = writes.filter(|write| write.buffer.0 == buffer);
    out.extend(writes.map(|write| (write.offset, write.offset + write.new.len() as u32, true)));
    out
}

/// Where the rows begin: at the metadata, or above what was touched if that is far away.
fn first(bounds: Bounds, touched: &[(u32, u32, bool)]) -> u32 {
    let usual = bounds.meta.min(bounds.data) / ROW * ROW;
    let shown = usual..usual + ROW * ROWS;
    match touched.first() {
        Some((start, ..)) if !shown.contains(start) => (start / ROW * ROW).saturating_sub(ROW * 4),
        _ => usual,
    }
}

fn row(start: u32, bytes: &[u8], bounds: Bounds, touched: &[(u32, u32, bool)]) -> Option<Row> {
    let here = bytes.get(start as usize..)?;
    let here = here.get(..ROW as usize).unwrap_or(here);
    let cell = |(byte, at): (&u8, u32)| Cell {
        byte: *byte,
        place: match at {
            at if (bounds.data..bounds.end).contains(&at) => Area::Packet,
            at if (bounds.meta..bounds.data).contains(&at) => Area::Metadata,
            _ => Area::Outside,
        },
        touched: touched
            .iter()
            .filter(|(from, to, _)| (*from..*to).contains(&at))
            .map(|(.., writes)| if *writes { 2 } else { 1 })
            .max()
            .unwrap_or(0),
    };
    let cells: Vec<Cell> = here.iter().zip(start..).map(cell).collect();
    (!cells.is_empty()).then_some(Row { start, cells })
}

/// The ends of metadata and packet, and the registers that point into the buffer.
fn marks(stepper: &Stepper<'_>, bounds: Bounds, buffer: u32) -> Vec<(u32, String)> {
    let mut out = Vec::new();
    if bounds.meta < bounds.data {
        out.push((bounds.meta, "data_meta".to_owned()));
    }
    out.push((bounds.data, "data".to_owned()));
    out.push((bounds.end, "data_end".to_owned()));
    for (number, value) in stepper.after().into_iter().enumerate() {
        let place = in_buffer(value, buffer).filter(|(no, _)| no.0 == buffer);
        if let Some(off) = place.and_then(|(_, off)| u32::try_from(off).ok()) {
            out.push((off, format!("r{number}")));
        }
    }
    out
}
