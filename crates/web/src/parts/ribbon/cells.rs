//! The part of the picture that is drawn byte by byte.

use headroom_core::scene::scale::{Piece, PieceKind};
use headroom_core::scene::{Cell, Scale};

use super::CELL_H;
use crate::parts::px;

/// What is drawn byte by byte.
pub fn pieces(scale: &Scale) -> impl Iterator<Item = &Piece> {
    let all = scale.pieces.iter();
    all.filter(|piece| piece.kind == PieceKind::Cells)
}

/// Two digits leave room between themselves and their neighbours; the style sheet makes them taller. A multiple of a
/// quarter: what is between, Chromium draws as a size a little smaller, so that far bytes stand beside their places.
pub fn digit_size(unit: f64) -> f64 {
    (unit * 2.94).floor().min(50.0) / 4.0
}

/// The bytes that were written, as one shape.
pub fn written(cells: &[Cell], unit: f64) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = cells.get(at) {
        let run = cells[at..].iter().zip(0u32..);
        let run = run
            .take_while(|(cell, n)| cell.written && cell.offset == first.offset + n)
            .count();
        if run > 0 {
            let along = px(run as f64 * unit);
            out.push_str(&format!(
                "M{} 0h{along}v{}h-{along}z",
                px(first.x),
                px(CELL_H)
            ));
        }
        at += run.max(1);
    }
    out
}
