//! From offsets to places. One scale serves all steps and all designs, so that the eye compares
//! straight down and nothing jumps.

use super::reach::Reach;
use crate::trace::{BufferNo, Layer, PacketFields, Trace};

/// How a piece of the buffer is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// Byte by byte, one unit each.
    Cells,
    /// Many bytes in a few units, with a break mark.
    Fold,
}

/// A piece of the buffer; offsets are bytes from `head`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Left edge, in units.
    pub x: f64,
    /// Width, in units.
    pub width: f64,
    /// How it is drawn.
    pub kind: PieceKind,
}

/// Offsets to units. A unit is the width of one byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// From head to end, without holes.
    pub pieces: Vec<Piece>,
    /// Width of the whole, in units.
    pub units: f64,
}

/// Width of a fold, in units.
const FOLD: f64 = 2.0;
/// A stretch shorter than this is drawn byte by byte; folding it saves nothing.
const SHORTEST_FOLD: u32 = 6;
/// Bytes shown of a long payload at its start.
const PAYLOAD_SHOWN: u32 = 2;
/// Bytes shown in front of the first written byte.
const MARGIN: u32 = 2;

impl Scale {
    /// All bytes equally wide.
    #[must_use]
    pub fn linear(end: u32) -> Self {
        let units = f64::from(end.max(1));
        let piece = Piece {
            start: 0,
            end,
            x: 0.0,
            width: units,
            kind: PieceKind::Cells,
        };
        Self {
            pieces: vec![piece],
            units,
        }
    }

    /// Byte by byte where headers, metadata or pointers are in any step of any of the traces;
    /// the long uniform runs (headroom, payload, tailroom) folded.
    #[must_use]
    pub fn compressed<'t>(traces: &[(&'t Trace, BufferNo)]) -> Self {
        let whole =
            |(trace, buffer): &(&'t Trace, BufferNo)| (*trace, *buffer, Reach::whole(trace));
        Self::compressed_in(&traces.iter().map(whole).collect::<Vec<_>>())
    }

    /// The same, looking only where the buffers are.
    #[must_use]
    pub fn compressed_in(traces: &[(&Trace, BufferNo, Reach)]) -> Self {
        let mut keep: Vec<bool> = Vec::new();
        for (trace, buffer, reach) in traces {
            mark_bytes(trace, *buffer, reach, &mut keep);
            mark_pointers(trace, *buffer, reach, &mut keep);
        }
        widen(&mut keep);
        Self::from_kept(&keep)
    }

    fn from_kept(keep: &[bool]) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut start, mut x) = (0, 0.0);
        while start < keep.len() {
            let mut stop = start + 1;
            while stop < keep.len() && keep[stop] == keep[start] {
                stop += 1;
            }
            let long = (stop - start) as u32 >= SHORTEST_FOLD;
            let kind = if keep[start] || !long {
                PieceKind::Cells
            } else {
                PieceKind::Fold
            };
            let width = if kind == PieceKind::Fold {
                FOLD
            } else {
                (stop - start) as f64
            };
            match pieces.last_mut() {
                Some(last) if last.kind == kind => {
                    last.end = stop as u32;
                    last.width += width;
                }
                _ => pieces.push(Piece {
                    start: start as u32,
                    end: stop as u32,
                    x,
                    width,
                    kind,
                }),
            }
            x += width;
            start = stop;
        }
        if pieces.is_empty() {
            Self::linear(1)
        } else {
            Self { pieces, units: x }
        }
    }

    /// Place of an offset, in units; offsets beyond the end are at the end.
    #[must_use]
    pub fn x(&self, offset: u32) -> f64 {
        let piece = self.pieces.iter().find(|piece| offset < piece.end);
        piece.map_or(self.units, |piece| {
            let bytes = f64::from(offset.saturating_sub(piece.start));
            piece.x + bytes * piece.width / f64::from(piece.end - piece.start)
        })
    }

    /// Where each piece begins, for who looks at the picture from outside: `offset,units` of each, then of the end.
    #[must_use]
    pub fn places(&self) -> String {
        let mut out = String::new();
        let mut one = |offset: u32, x: f64| {
            out.push_str(&offset.to_string());
            out.push(',');
            out.push_str(&(x as u32).to_string());
            out.push(' ');
        };
        for piece in &self.pieces {
            one(piece.start, piece.x);
        }
        one(self.pieces.last().map_or(0, |last| last.end), self.units);
        out.pop();
        out
    }

    /// Offsets that are drawn byte by byte.
    pub fn cells(&self) -> impl Iterator<Item = u32> + '_ {
        self.pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Cells)
            .flat_map(|piece| piece.start..piece.end)
    }

    /// The folded pieces.
    pub fn folds(&self) -> impl Iterator<Item = &Piece> + '_ {
        self.pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Fold)
    }
}

fn keep_at(keep: &mut Vec<bool>, at: u32) {
    let at = at as usize;
    if keep.len() <= at {
        keep.resize(at + 1, false);
    }
    keep[at] = true;
}

fn mark_bytes(trace: &Trace, buffer: BufferNo, reach: &Reach, keep: &mut Vec<bool>) {
    for write in reach.writes(trace, buffer) {
        let end = write.offset as usize + write.new.len();
        if keep.len() < end {
            keep.resize(end, false);
        }
        for (at, (_, origin)) in (write.offset..).zip(&write.new) {
            let shown = match trace.sources.source(*origin).layer {
                Layer::Unwritten => false,
                Layer::Payload => u32::from(origin.byte) < PAYLOAD_SHOWN,
                _ => true,
            };
            if shown {
                keep_at(keep, at);
            }
        }
    }
}

/// The byte at `tail` is where tailroom begins: one cell on each side of it.
fn mark_pointers(trace: &Trace, buffer: BufferNo, reach: &Reach, keep: &mut Vec<bool>) {
    for step in reach.steps(trace, buffer) {
        let Some(fields) = step.fields.and_then(|index| trace.fields.get(index)) else {
            continue;
        };
        match fields {
            PacketFields::Skb(f) => {
                keep_at(keep, f.tail.saturating_sub(1));
                if keep.len() < f.end as usize {
                    keep.resize(f.end as usize, false);
                }
            }
            PacketFields::Xdp(f) => keep_at(keep, f.data_end.saturating_sub(1)),
        }
    }
}

fn widen(keep: &mut [bool]) {
    if let Some(first) = keep.iter().position(|kept| *kept) {
        let from = first.saturating_sub(MARGIN as usize);
        keep[from..first].fill(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    fn brief(scale: &Scale) -> Vec<(u32, u32, PieceKind)> {
        scale
            .pieces
            .iter()
            .map(|p| (p.start, p.end, p.kind))
            .collect()
    }

    /// 0–249 folded, 2 bytes of margin, metadata and headers, the 8 payload bytes (2 shown, 5 too few to fold, the last
    /// before `tail` shown), tailroom folded.
    #[test]
    fn long_runs_are_folded_the_same_way_in_both_designs() {
        let (mac, end) = (decap("mac_header"), decap("meta_end"));
        let scale = Scale::compressed(&[(&mac, BufferNo(1)), (&end, BufferNo(1))]);
        assert_eq!(
            brief(&scale),
            [
                (0, 250, PieceKind::Fold),
                (250, 330, PieceKind::Cells),
                (330, 384, PieceKind::Fold)
            ]
        );
        assert_eq!(scale.units, 2.0 + 80.0 + 2.0);
        assert_eq!(scale.x(0), 0.0);
        assert_eq!(scale.x(250), 2.0);
        assert_eq!(scale.x(294), 2.0 + 44.0);
        assert_eq!(scale.x(384), 84.0);
        assert_eq!(scale.cells().count(), 80);
        assert_eq!(scale.places(), "0,0 250,2 330,82 384,84");
    }

    #[test]
    fn to_scale_is_a_straight_line() {
        let scale = Scale::linear(384);
        assert_eq!(
            (scale.x(0), scale.x(192), scale.x(384), scale.x(9999)),
            (0.0, 192.0, 384.0, 384.0)
        );
    }
}
