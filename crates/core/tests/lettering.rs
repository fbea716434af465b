//! Names in a picture as narrow as a phone: everything that has bytes has one, and none lies over another.

mod catalogue;

use std::collections::BTreeSet;

use headroom_core::design::DesignName;
use headroom_core::scene::ribbon::Placed;
use headroom_core::scene::{Family, Ribbon, RibbonOptions, Scale, ZoneKind, ribbon};
use headroom_core::simulate::simulate;
use headroom_core::trace::{Cursor, StepKind, Trace};

/// What a page of 390 CSS pixels leaves for the picture.
const PHONE: f64 = 362.0;

/// The pictures of all function-level steps.
fn pictures(trace: &Trace, width: f64, mut see: impl FnMut(usize, &Ribbon)) {
    let mut cursor = Cursor::new(trace).expect("steps");
    for (step, kind) in trace.steps.iter().enumerate() {
        cursor.go(step);
        let view = cursor.packet();
        let (Some(buffer), false) = (kind.buffer, matches!(kind.kind, StepKind::Insn { .. }))
        else {
            continue;
        };
        let scale = Scale::compressed(&[(trace, buffer)]);
        let options = RibbonOptions {
            scale: &scale,
            width,
            char_width: 6.62,
        };
        see(step, &ribbon(trace, step, &view, options));
    }
}

/// From where to where a label reaches: letters of the sans face, 11 px, as a browser measures them.
fn reach<T>(of: &Placed<T>) -> (f64, f64) {
    let wide = |c: char| if c.is_uppercase() { 7.5 } else { 5.6 };
    let (middle, half) = (
        of.x + of.width / 2.0,
        of.label.chars().map(wide).sum::<f64>() / 2.0,
    );
    (middle - half, middle + half)
}

fn meet<T>(all: &[&Placed<T>]) -> Vec<String> {
    let mut named: Vec<_> = all.iter().filter(|one| !one.label.is_empty()).collect();
    named.sort_by(|a, b| (a.x + a.width / 2.0).total_cmp(&(b.x + b.width / 2.0)));
    let pairs = named.windows(2);
    pairs
        .filter(|pair| reach(pair[0]).1 > reach(pair[1]).0)
        .map(|pair| {
            let [(a, b), (c, d)] = [reach(pair[0]), reach(pair[1])];
            format!(
                "{} at {a:.0}–{b:.0} over {} at {c:.0}–{d:.0}",
                pair[0].label, pair[1].label
            )
        })
        .collect()
}

#[test]
fn on_a_phone_everything_has_a_name() {
    let mut wrong = BTreeSet::new();
    for scenario in catalogue::scenarios() {
        for design in DesignName::ALL {
            let Ok(trace) = simulate(&catalogue::input_of(&scenario), design) else {
                continue;
            };
            pictures(&trace, PHONE, |step, picture| {
                let mut say =
                    |what: String| wrong.insert(format!("{} {step}: {what}", scenario.id));
                let bare = |family| {
                    matches!(
                        family,
                        Family::Headroom | Family::Unwritten | Family::Tailroom
                    )
                };
                let regions: Vec<_> = picture
                    .regions
                    .iter()
                    .filter(|r| !bare(r.item.family))
                    .collect();
                for (index, region) in regions.iter().enumerate() {
                    let around = index.saturating_sub(1)..(index + 2).min(regions.len());
                    let named = regions[around]
                        .iter()
                        .any(|r| r.item.source == region.item.source && !r.label.is_empty());
                    // A single byte has no room for a digit.
                    if !named && region.width >= 6.62 {
                        say(format!(
                            "{} of {:.0} has no name",
                            region.item.short, region.width
                        ));
                    }
                }
                for zone in &picture.zones {
                    let end = matches!(zone.item.kind, ZoneKind::Headroom | ZoneKind::Tailroom);
                    // Metadata that the headers of a packet were pushed over may lie where its name would be.
                    let covered = picture.zones.iter().any(|other| {
                        let middle = zone.x + zone.width / 2.0;
                        other.item != zone.item
                            && (other.x - 30.0..other.x + other.width + 30.0).contains(&middle)
                    });
                    if zone.label.is_empty()
                        && zone.width >= 6.62
                        && !end
                        && !(zone.item.kind == ZoneKind::Packet && covered)
                    {
                        say(format!(
                            "{:?} of {:.0} has no name",
                            zone.item.kind, zone.width
                        ));
                    }
                }
                let zones: Vec<_> = picture.zones.iter().collect();
                for both in meet(&zones).into_iter().chain(meet(&regions)) {
                    say(both);
                }
            });
        }
    }
    let few: Vec<_> = wrong.iter().take(40).collect();
    assert!(wrong.is_empty(), "{}: {few:#?}", wrong.len());
}
