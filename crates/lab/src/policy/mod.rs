//! The design whose policy points a reader sets by hand: its points as text and as a form, for the workshop, for
//! Compare and for the lab.

#[cfg(target_arch = "wasm32")]
pub mod panel;
#[cfg(target_arch = "wasm32")]
pub mod view;

use headroom_core::design::DesignName;
use headroom_core::design::policy::{Point, Policy};

/// The points of a policy as text, also of one that contradicts itself; what is not named is as in Linux 7.2.
fn points_of(policy: &str) -> Policy {
    let mut out = Policy::MAC_HEADER;
    for (point, value) in policy.split(',').filter_map(|part| part.split_once('=')) {
        let _ = out.set(point.trim(), value.trim());
    }
    out
}

/// The value of a point.
#[must_use]
pub fn value_of(policy: &str, point: &Point) -> &'static str {
    let points = points_of(policy).points();
    let found = points.into_iter().find(|(name, ..)| *name == point.name);
    found.map_or("", |(_, value, _)| value)
}

/// The policy with another value of a point.
#[must_use]
pub fn with_value(policy: &str, point: &str, value: &str) -> String {
    let mut policy = points_of(policy);
    let _ = policy.set(point, value);
    policy.to_string()
}

/// The policy of a design by its name; that of Linux 7.2 when there is none.
#[must_use]
pub fn of_design(name: &str) -> String {
    let policy = DesignName::parse(name).map(|design| design.policy().to_string());
    policy.unwrap_or_default()
}

/// The design that has the most points as this policy has them: what it was probably made from.
#[must_use]
pub fn nearest(policy: &str) -> DesignName {
    let own = points_of(policy).points();
    let same = |design: &DesignName| {
        let theirs = design.policy().points();
        own.iter().zip(&theirs).filter(|(a, b)| a.1 == b.1).count()
    };
    // The first of the best ones.
    let mut best = DesignName::MacHeader;
    for design in DesignName::EVERY {
        if same(&design) > same(&best) {
            best = design;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_core::design::policy::POINTS;

    fn point(name: &str) -> &'static Point {
        POINTS.iter().find(|point| point.name == name).expect(name)
    }

    #[test]
    fn a_point_is_read_and_set_also_where_points_contradict_each_other() {
        assert_eq!(value_of("", point("on_decap")), "keep");
        let changed = with_value("", "on_decap", "move_up");
        assert_eq!(changed, "on_decap=move_up");
        assert_eq!(value_of(&changed, point("on_decap")), "move_up");
        assert_eq!(with_value(&changed, "on_decap", "keep"), "");
        // realign needs end=field.
        let wrong = with_value("", "prologue", "realign");
        assert!(Policy::parse(&wrong).is_err());
        assert_eq!(value_of(&wrong, point("prologue")), "realign");
    }

    #[test]
    fn the_design_a_policy_was_made_from() {
        assert_eq!(nearest("").as_str(), "mac_header");
        // Moving up at decapsulation and nothing else is what that design is.
        assert_eq!(nearest("on_decap=move_up").as_str(), "memmove_on_decap");
        assert_eq!(nearest("on_scrub=clear").as_str(), "mac_header");
        for design in ["meta_end", "skb_ext", "traits"] {
            assert_eq!(nearest(&of_design(design)).as_str(), design);
        }
        assert_eq!(of_design("no such design"), "");
    }
}
