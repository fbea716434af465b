//! Cost grows with the length of the path and of the trace, and not faster. What is counted depends on neither the machine nor its load:
//! steps, allocations and the bytes that they ask for.

#[path = "../benches/shared/decap.rs"]
mod decap;

use allocation_counter::{AllocationInfo, measure};
use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, simulate};

const DESIGN: DesignName = DesignName::MacHeader;

/// A row of hosts, each at a wire with the next one; the ones in the middle forward, and the first asks the last.
fn routers(wires: usize) -> Input {
    let mut text = String::from("ip netns add r0\n");
    for left in 0..wires {
        let right = left + 1;
        text += &format!(
            "ip netns add r{right}\n\
             ip -n r{left} link add out{left} type veth peer name in{right} netns r{right}\n\
             ip -n r{left} link set dev out{left} up\n\
             ip -n r{right} link set dev in{right} up\n\
             ip -n r{left} addr add 10.{left}.0.1/24 dev out{left}\n\
             ip -n r{right} addr add 10.{left}.0.2/24 dev in{right}\n\
             ip -n r{left} route add 192.0.2.0/24 via 10.{left}.0.2 dev out{left}\n\
             ip netns exec r{left} sysctl -q -w net.ipv4.ip_forward=1\n"
        );
    }
    text += &format!(
        "ip -n r{wires} addr add 192.0.2.1/32 dev in{wires}\n\
         ip netns exec r{wires} sysctl -q -w net.ipv4.icmp_echo_ignore_all=1\n\
         ip netns exec r0 ping -c 1 192.0.2.1\n"
    );
    Input::new("routers", parse(&text).unwrap(), &[]).unwrap()
}

fn of_all(input: &Input) -> (usize, AllocationInfo) {
    let mut steps = 0;
    let cost = measure(|| steps = simulate(input, DESIGN).unwrap().steps.len());
    (steps, cost)
}

/// What the last command costs: the run with it less the run without it. Steps, and what was allocated.
fn of_last_command(mut input: Input) -> (usize, AllocationInfo) {
    let (steps, mut cost) = of_all(&input);
    input.lines.pop();
    let (before, without) = of_all(&input);
    assert_eq!(before, 0, "nothing is sent by the set-up");
    cost.count_total -= without.count_total;
    cost.bytes_total -= without.bytes_total;
    (steps, cost)
}

/// Twice the path: twice the steps to the letter, and about twice of all else.
#[test]
fn twice_the_path_costs_twice_as_much() {
    let (short, of_short) = of_last_command(routers(5));
    let (longer, of_longer) = of_last_command(routers(10));
    let (longest, of_longest) = of_last_command(routers(20));
    let hop = (longer - short) / 5;
    assert!(hop > 30, "{hop} steps a hop");
    assert_eq!((longer - short, longest - longer), (5 * hop, 10 * hop));
    grows_no_faster(&[of_short, of_longer, of_longest]);
}

/// Twice the packets, each with two programs and all of their instructions: twice the trace.
#[test]
fn twice_the_trace_costs_twice_as_much() {
    let cost = |packets| of_all(&decap::input(true, packets));
    let [(few, of_few), (more, of_more), (many, of_many)] = [50, 100, 200].map(cost);
    assert_eq!((more, many), (2 * few, 4 * few));
    grows_no_faster(&[of_few, of_more, of_many]);
}

/// Each one is of twice as much as the one before. Lists grow by doubling, and snapshots are taken now and then, so that not all is twice
/// as much to the letter; four times as much would be the square.
fn grows_no_faster(costs: &[AllocationInfo]) {
    for pair in costs.windows(2) {
        let [less, more] = pair else {
            continue;
        };
        let counts = more.count_total * 2 <= less.count_total * 5;
        let bytes = more.bytes_total * 2 <= less.bytes_total * 5;
        assert!(counts && bytes, "{less:?} {more:?}");
    }
}
