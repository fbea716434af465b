//! The step before in the same packet, whatever happened to others in between.

use super::BufferNo;
use super::Trace;
use super::fields::PacketFields;
use super::step::Step;

/// So many steps are looked through. A packet that comes back after more is in [`Trace::returns`].
const NEAR: usize = 4096;

/// Where a packet's last step is kept: by its number, or for a frame, which has none, by its buffer's.
/// (In 64 bits: a file may claim any number.)
fn slot(step: &Step) -> Option<u64> {
    match (step.skb, step.buffer) {
        (Some(skb), _) => Some(2 * u64::from(skb.0)),
        (None, Some(buffer)) => Some(2 * u64::from(buffer.0) + 1),
        (None, None) => None,
    }
}

impl Trace {
    /// The last step before that shows the same packet. `None` at its first one. What it costs does not grow with
    /// the trace.
    #[must_use]
    pub fn before(&self, step: usize) -> Option<usize> {
        self.before_from(step, step)
    }

    /// As [`Trace::before`], but only of the steps below `end`.
    #[must_use]
    pub fn before_from(&self, step: usize, end: usize) -> Option<usize> {
        let now = self.steps.get(step)?;
        let place = slot(now)?;
        let from = end.saturating_sub(NEAR);
        let near = self.steps.get(from..end)?.iter();
        let shows = |s: &Step| s.fields.is_some() && slot(s) == Some(place);
        let at = { near }.rposition(shows).map(|at| from + at);
        let found = at.or_else(|| {
            let at = self.returns.binary_search_by_key(&step, |(at, _)| *at);
            let (_, before) = self.returns.get(at.ok()?)?;
            (*before < end).then_some(*before)
        })?;
        self.goes_on(found, step).then_some(found)
    }

    /// The packet of one step is that of a later one with its number. The kernel gives the number of a packet that is
    /// gone to the next, in another buffer; one that goes on in another buffer was copied there.
    fn goes_on(&self, before: usize, now: usize) -> bool {
        let (old, new) = (&self.steps[before], &self.steps[now]);
        if old.buffer == new.buffer {
            return true;
        }
        let data = old.fields.and_then(|at| match self.fields.get(at)? {
            PacketFields::Skb(fields) => Some(fields.data),
            PacketFields::Xdp(fields) => Some(fields.data),
        });
        let (Some(data), Some(buffer)) = (data, old.buffer) else {
            return false;
        };
        let from = now.saturating_sub(NEAR).max(before);
        let writes = self.steps[from].writes.end..new.writes.end;
        self.writes
            .get(writes)
            .unwrap_or_default()
            .iter()
            .any(|write| {
                let copied = write.copied_from.filter(|(from, _)| *from == buffer);
                let holds_data = |(_, at): (BufferNo, u32)| {
                    let behind = data.checked_sub(at);
                    behind.is_some_and(|behind| (behind as usize) < write.new.len())
                };
                Some(write.buffer) == new.buffer && copied.is_some_and(holds_data)
            })
    }

    /// Notes where packets come back after many steps of others; called once when the trace is whole.
    pub fn note_returns(&mut self) {
        self.returns.clear();
        let all = self.steps.len();
        if all <= NEAR {
            return;
        }
        // Numbers are given in the order of first appearance; a file may claim others.
        let mut last: Vec<usize> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let slot = slot(step).and_then(|slot| usize::try_from(slot).ok());
            let Some(slot) = slot.filter(|slot| *slot / 4 < all) else {
                continue;
            };
            if last.len() <= slot {
                last.resize(slot + 1, all);
            }
            let before = last[slot];
            if before < all && index - before > NEAR {
                self.returns.push((index, before));
            }
            if step.fields.is_some() {
                last[slot] = index;
            }
        }
    }
}

#[cfg(test)]
#[path = "before_tests.rs"]
mod tests;
