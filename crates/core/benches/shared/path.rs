//! Packets a second through decapsulation: GRE over veth, from the sender's device to the end of the
//! packet in the receiver; without programs, with two of them, and with a trace of every step.

use headroom_core::design::DesignName;
use headroom_core::simulate::{Quiet, simulate};

use super::decap::{input, send};
use super::{Now, print, time};

const DESIGN: DesignName = DesignName::MacHeader;

/// Packets of one measurement without a trace.
pub const PACKETS: usize = 100_000;

/// Without a trace, path only and with two programs; a profiler wants fewer `packets`.
pub fn quiet(target: &str, now: Now<'_>, packets: usize) {
    let send = send();
    for (name, with_programs) in [("path", false), ("path.programs", true)] {
        let mut quiet = Quiet::new(&input(with_programs, 0), DESIGN).expect("a set-up");
        let printed = quiet.run(&send).expect("a packet");
        assert_eq!(printed.len(), usize::from(with_programs));
        let steps = quiet.steps();
        assert!(steps > 40, "only {steps} steps");
        let ms = time(now, packets, || quiet.run(&send).expect("a packet"));
        print(
            target,
            name,
            packets as f64 / ms * 1000.0,
            "packets/s without a trace",
        );
    }
}

/// With every step, and two programs.
pub fn traced(target: &str, now: Now<'_>) {
    const TRACED: usize = 500;
    let input = input(true, TRACED);
    let mut steps = 0;
    let ms = time(now, 4, || {
        steps = simulate(&input, DESIGN).expect("a trace").steps.len()
    });
    print(
        target,
        "path.traced",
        (4 * TRACED) as f64 / ms * 1000.0,
        "packets/s with every step",
    );
    print(
        target,
        "path.steps",
        steps as f64 / TRACED as f64,
        "steps a packet",
    );
}
