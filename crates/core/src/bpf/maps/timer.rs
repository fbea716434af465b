//! Timers in the values of maps (`bpf_timer_*()`, kernel/bpf/helpers.c). The program sees the bytes of its `struct bpf_timer` as
//! zeros; what it set stands here.

use std::sync::Arc;

use super::{Maps, ValuePlace, values_address};
use crate::bpf::listing::Listing;

const EBUSY: i64 = 16;
const EINVAL: i64 = 22;
const EDEADLK: i64 = 35;

/// Clocks that a timer may run by: `CLOCK_REALTIME`, `CLOCK_MONOTONIC`, `CLOCK_BOOTTIME`. They are one here.
const CLOCKS: [u64; 3] = [0, 1, 7];
/// `BPF_F_TIMER_ABS`.
const ABSOLUTE: u64 = 1;
/// `BPF_F_TIMER_ABS | BPF_F_TIMER_CPU_PIN`.
const START_FLAGS: u64 = 3;

/// A timer that was made (`struct bpf_hrtimer`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timer {
    /// The program that set the callback, and the first instruction of the callback.
    callback: Option<(Arc<Listing>, usize)>,
    /// When it fires, nanoseconds of the virtual clock.
    expires: Option<u64>,
}

impl Timer {
    /// When it expires and what it calls, if that is a function of the program and the time has come.
    fn due(&self, program: &Arc<Listing>, now: u64) -> Option<(u64, usize)> {
        let (of, function) = self.callback.as_ref()?;
        let own = Arc::ptr_eq(of, program) || of == program;
        let expires = self.expires.filter(|at| own && *at <= now)?;
        Some((expires, *function))
    }
}

/// A timer that fires: the function it calls, and what it gives to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bpf) struct Fired {
    pub function: usize,
    pub map: usize,
    pub key: Vec<u8>,
    /// Address of the value.
    pub value: u64,
    place: (usize, usize),
}

impl Maps {
    /// The timer at an address: its map, and where the value begins in the map's values.
    fn timer_place(&self, address: u64) -> Option<(usize, usize)> {
        let place = self.place_of_address(address)?;
        let off = self.def(place.map)?.details.timer?;
        Some((place.map, place.at.checked_sub(off as usize)?))
    }

    /// `bpf_timer_init()`.
    pub(in crate::bpf) fn timer_init(&mut self, address: u64, flags: u64) -> Option<i64> {
        let place = self.timer_place(address)?;
        if !CLOCKS.contains(&flags) {
            return Some(-EINVAL);
        }
        if self.timers.contains_key(&place) {
            return Some(-EBUSY);
        }
        self.timers.insert(place, Timer::default());
        Some(0)
    }

    /// `bpf_timer_set_callback()`; the function is one of that program.
    pub(in crate::bpf) fn timer_set_callback(
        &mut self,
        address: u64,
        program: Arc<Listing>,
        function: usize,
    ) -> Option<i64> {
        let place = self.timer_place(address)?;
        let Some(timer) = self.timers.get_mut(&place) else {
            return Some(-EINVAL);
        };
        timer.callback = Some((program, function));
        Some(0)
    }

    /// `bpf_timer_start()` at a time.
    pub(in crate::bpf) fn timer_start(
        &mut self,
        address: u64,
        nsecs: u64,
        flags: u64,
        now: u64,
    ) -> Option<i64> {
        let place = self.timer_place(address)?;
        if flags & !START_FLAGS != 0 {
            return Some(-EINVAL);
        }
        let timer = self.timers.get_mut(&place);
        let Some(timer) = timer.filter(|timer| timer.callback.is_some()) else {
            return Some(-EINVAL);
        };
        timer.expires = Some(match flags & ABSOLUTE {
            0 => now.saturating_add(nsecs),
            _ => nsecs,
        });
        Some(0)
    }

    /// `bpf_timer_cancel()`: 1 if it was armed. It forgets the callback.
    pub(in crate::bpf) fn timer_cancel(&mut self, address: u64) -> Option<i64> {
        let place = self.timer_place(address)?;
        let Some(timer) = self.timers.get_mut(&place) else {
            return Some(-EINVAL);
        };
        if self.running == Some(place) {
            return Some(-EDEADLK);
        }
        timer.callback = None;
        Some(i64::from(timer.expires.take().is_some()))
    }

    /// A value is written anew or deleted: its timer is no more (`bpf_obj_cancel_fields()`).
    pub(super) fn forget_timer(&mut self, place: ValuePlace) {
        if !self.timers.is_empty() {
            self.timers.remove(&(place.map, place.at));
        }
    }

    /// Whether any timer is armed.
    pub(in crate::bpf) fn has_armed(&self) -> bool {
        self.timers.values().any(|timer| timer.expires.is_some())
    }

    /// Places of the program's timers whose time has come, the earliest first.
    pub(in crate::bpf) fn due(&self, program: &Arc<Listing>, now: u64) -> Vec<(usize, usize)> {
        let due = |(place, timer): (&(usize, usize), &Timer)| {
            timer.due(program, now).map(|(at, _)| (at, *place))
        };
        let mut all: Vec<_> = self.timers.iter().filter_map(due).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, place)| place).collect()
    }

    /// A timer of [`Maps::due`] fires, if it is still armed: it is no more, and runs until [`Maps::timer_done`].
    pub(in crate::bpf) fn fire(
        &mut self,
        place: (usize, usize),
        program: &Arc<Listing>,
        now: u64,
    ) -> Option<Fired> {
        let (_, function) = self.timers.get(&place)?.due(program, now)?;
        self.timers.get_mut(&place)?.expires = None;
        self.running = Some(place);
        let (map, at) = place;
        let m = self.maps.get(map)?;
        let slot = (at / m.stride().max(1)) as u32;
        let key = match m.def.kind.is_array() {
            true => slot.to_le_bytes().to_vec(),
            false => {
                let of = |(_, own): &(&Vec<u8>, &u32)| **own == slot;
                m.slots.iter().find(of)?.0.clone()
            }
        };
        Some(Fired {
            function,
            map,
            key,
            value: values_address(map) + at as u64,
            place,
        })
    }

    /// The callback of a timer has returned.
    pub(in crate::bpf) fn timer_done(&mut self, fired: &Fired) {
        if self.running == Some(fired.place) {
            self.running = None;
        }
    }
}
