//! Lays labels out in rows under a line, each beside its own tick, so that no label covers another
//! label or another label's stem.

/// A label under a tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Offset it speaks of, bytes from `head`.
    pub offset: u32,
    /// Lines of text; the first begins with the offset.
    pub lines: Vec<String>,
    /// The tick.
    pub tick: f64,
    /// Left edge of the text.
    pub x: f64,
    /// Width of the text.
    pub width: f64,
    /// First row, from 0.
    pub row: usize,
    /// The text stands left of its tick (its right edge is at the tick).
    pub left: bool,
}

impl Label {
    /// A line below all others that belongs to no pointer.
    pub(crate) fn legend(line: String, row: usize, width: f64) -> Self {
        Self {
            offset: u32::MAX,
            lines: vec![line],
            tick: 0.0,
            x: 0.0,
            width,
            row,
            left: false,
        }
    }

    /// One past the last row.
    #[must_use]
    pub fn end_row(&self) -> usize {
        self.row + self.lines.len()
    }

    /// The text in one line.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// Space between a tick and its text.
const PAD: f64 = 4.0;
/// Least space between two texts.
const GAP: f64 = 8.0;
/// A label that finds no free place within this many rows takes the last one.
const MOST_ROWS: usize = 12;

/// Takes labels from left to right.
#[derive(Debug)]
pub(crate) struct Rail {
    width: f64,
    char_width: f64,
    ticks: Vec<f64>,
    pub(crate) labels: Vec<Label>,
}

impl Rail {
    pub(crate) fn new(width: f64, char_width: f64, ticks: Vec<f64>) -> Self {
        Self {
            width,
            char_width,
            ticks,
            labels: Vec::new(),
        }
    }

    /// Places one label for several names at one offset.
    pub(crate) fn place(&mut self, offset: u32, names: &[&str], tick: f64) {
        let lines = self.wrap(offset, names);
        let longest = lines
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0);
        let width = longest as f64 * self.char_width;
        let right = tick + PAD;
        let left = tick - PAD - width;
        let middle = (tick - width / 2.0).clamp(0.0, (self.width - width).max(0.0));
        let candidates = [(right, false), (left, true), (middle, false)];
        let fits = |x: f64| x >= 0.0 && x + width <= self.width;
        let label = (0..MOST_ROWS).find_map(|row| {
            let at = |(x, left): (f64, bool)| Label {
                offset,
                lines: lines.clone(),
                tick,
                x,
                width,
                row,
                left,
            };
            // Centred text lies over its own stem; that is only good below the first row.
            let allowed = candidates.iter().take(if row == 0 { 2 } else { 3 });
            allowed
                .copied()
                .filter(|(x, _)| fits(*x))
                .map(at)
                .find(|label| self.free(label))
        });
        let row = self.rows();
        self.labels.push(label.unwrap_or(Label {
            offset,
            lines,
            tick,
            x: middle,
            width,
            row,
            left: false,
        }));
    }

    /// Rows in use.
    pub(crate) fn rows(&self) -> usize {
        self.labels.iter().map(Label::end_row).max().unwrap_or(0)
    }

    fn wrap(&self, offset: u32, names: &[&str]) -> Vec<String> {
        let most = ((self.width - 2.0 * PAD) / self.char_width).max(8.0) as usize;
        let mut lines = vec![offset.to_string()];
        for (i, name) in names.iter().enumerate() {
            let joint = if i == 0 { " " } else { " · " };
            let last = lines.last_mut().expect("there is always a line");
            if last.chars().count() + joint.chars().count() + name.len() <= most {
                last.push_str(joint);
                last.push_str(name);
            } else {
                lines.push(format!("· {name}"));
            }
        }
        lines
    }

    fn free(&self, new: &Label) -> bool {
        let under = |tick: f64| new.x - 2.0 < tick && tick < new.x + new.width + 2.0;
        // Every tick has a stem through the first row.
        let first_row_is_clear = new.row > 0 || !self.ticks.iter().any(|tick| under(*tick));
        first_row_is_clear
            && self.labels.iter().all(|old| {
                let rows_meet = new.row < old.end_row() && old.row < new.end_row();
                let texts_meet =
                    rows_meet && new.x < old.x + old.width + GAP && old.x < new.x + new.width + GAP;
                // A stem runs from the line above down to the first row of its label.
                let crosses = |stem: &Label, text: &Label| {
                    stem.row > text.row
                        && text.x - 2.0 < stem.tick
                        && stem.tick < text.x + text.width + 2.0
                };
                !texts_meet && !crosses(new, old) && !crosses(old, new)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn overlap(a: &Label, b: &Label) -> bool {
        a.row < b.end_row() && b.row < a.end_row() && a.x < b.x + b.width && b.x < a.x + a.width
    }

    #[test]
    fn pointers_at_one_offset_share_a_label() {
        let mut rail = Rail::new(800.0, 6.6, vec![400.0]);
        rail.place(294, &["data", "mac_header", "network_header"], 400.0);
        assert_eq!(
            rail.labels[0].text(),
            "294 data · mac_header · network_header"
        );
        assert_eq!((rail.labels[0].x, rail.labels[0].row), (404.0, 0));
    }

    #[test]
    fn a_narrow_picture_breaks_the_label_into_lines() {
        let mut rail = Rail::new(160.0, 6.6, vec![80.0]);
        rail.place(294, &["data", "mac_header", "network_header"], 80.0);
        assert_eq!(
            rail.labels[0].lines,
            ["294 data · mac_header", "· network_header"]
        );
    }

    /// 4 bytes of 14: the text of the first would lie over the stem of the second, so it goes left.
    #[test]
    fn a_text_keeps_off_its_neighbours_stem() {
        let mut rail = Rail::new(800.0, 6.6, vec![400.0, 456.0]);
        rail.place(290, &["data_meta"], 400.0);
        rail.place(294, &["data"], 456.0);
        assert!(rail.labels[0].left && rail.labels[0].row == 0);
        assert_eq!((rail.labels[1].x, rail.labels[1].row), (460.0, 0));
    }

    proptest! {
        /// Any set of pointers, on a phone and on a wall: no label covers another, none leaves the picture.
        #[test]
        fn labels_never_overlap(mut ticks in prop::collection::vec(0.0..1.0f64, 1..9), wide in 300.0..1900.0f64) {
            ticks.sort_by(f64::total_cmp);
            let mut rail = Rail::new(wide, 6.6, ticks.iter().map(|tick| tick * wide).collect());
            for (i, tick) in ticks.iter().enumerate() {
                rail.place(i as u32 * 100, &["network_header"], tick * wide);
            }
            for (i, a) in rail.labels.iter().enumerate() {
                prop_assert!(a.x >= 0.0 && a.x + a.width <= wide + 0.1);
                for b in &rail.labels[i + 1..] {
                    prop_assert!(!overlap(a, b), "{a:?} {b:?}");
                }
            }
        }
    }
}
