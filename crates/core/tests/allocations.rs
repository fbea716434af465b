//! What a packet costs without a trace, in allocations: a number that does not depend on the machine or its load. Packets a second are
//! measured by `cargo xtask bench` (docs/speed.md).

#[path = "../benches/shared/decap.rs"]
mod decap;

use headroom_core::design::DesignName;
use headroom_core::simulate::Quiet;

/// Allocations of 100 packets, when buffers and lists have grown to what they need.
fn of_100_packets(with_programs: bool) -> u64 {
    let send = decap::send();
    let mut quiet = Quiet::new(&decap::input(with_programs, 0), DesignName::MacHeader).unwrap();
    let mut packets = |count| {
        for _ in 0..count {
            let printed = quiet.run(&send).unwrap();
            assert_eq!(printed.len(), usize::from(with_programs));
        }
    };
    packets(100);
    allocation_counter::measure(|| packets(100)).count_total
}

#[test]
fn a_packet_on_its_path_allocates_nothing() {
    assert_eq!(of_100_packets(false), 0);
}

/// `rbpf` makes a stack each time that it is entered: at the eight stretches of arithmetic of these two programs. What one of them
/// prints takes five: the format, the number, the line as it is made, what is known of it, the line for the caller.
#[test]
fn two_programs_allocate_what_rbpf_needs_and_the_line_they_print() {
    assert_eq!(of_100_packets(true), 100 * (8 + 5));
}
