//! What helpers and kernel functions do, in a sentence each, as include/uapi/linux/bpf.h and the kernel's own comments
//! have it.

/// Helpers and kernel functions: name without `bpf_`, and what it does with its arguments (r1 to r5).
pub const FUNCTIONS: &[(&str, &str)] = &[
    (
        "map_lookup_elem",
        "the address of the value of key r2 in map r1, or 0 if there is none",
    ),
    (
        "map_update_elem",
        "puts value r3 under key r2 into map r1; flags r4",
    ),
    ("map_delete_elem", "takes key r2 out of map r1"),
    (
        "ktime_get_ns",
        "nanoseconds since boot, time in suspend left out",
    ),
    (
        "trace_printk",
        "prints format r1 of r2 bytes with up to three values into the trace pipe",
    ),
    ("get_prandom_u32", "a random number of 32 bits"),
    ("get_smp_processor_id", "the number of the CPU"),
    (
        "skb_store_bytes",
        "writes r4 bytes from r3 into packet r1 at offset r2; pointers into the packet must be loaded anew",
    ),
    (
        "l3_csum_replace",
        "updates an IP checksum of packet r1 at offset r2 for a change from r3 to r4",
    ),
    (
        "l4_csum_replace",
        "updates a TCP, UDP or ICMP checksum of packet r1 at offset r2 for a change from r3 to r4",
    ),
    (
        "tail_call",
        "goes on in the program at index r3 of map r2; comes back only if there is none",
    ),
    (
        "clone_redirect",
        "sends a clone of packet r1 out of, or into, device r2",
    ),
    (
        "skb_vlan_push",
        "pushes a VLAN tag with protocol r2 and TCI r3 onto packet r1",
    ),
    ("skb_vlan_pop", "pops a VLAN tag off packet r1"),
    (
        "skb_get_tunnel_key",
        "writes the tunnel metadata of packet r1 to r2",
    ),
    (
        "skb_set_tunnel_key",
        "sets the tunnel metadata of packet r1 from r2",
    ),
    (
        "redirect",
        "sends the packet to device r1 when the program has ended",
    ),
    (
        "skb_load_bytes",
        "copies r4 bytes of packet r1 from offset r2 to r3; also bytes that are in fragments",
    ),
    (
        "csum_diff",
        "the checksum of what changes from r1 (r2 bytes) to r3 (r4 bytes), added to r5",
    ),
    (
        "skb_change_proto",
        "makes packet r1 one of protocol r2: IPv4 to IPv6 or back",
    ),
    ("skb_change_type", "sets pkt_type of packet r1 to r2"),
    (
        "skb_change_tail",
        "makes packet r1 r2 bytes long: trims it or grows it at its end",
    ),
    (
        "skb_pull_data",
        "makes r2 bytes of packet r1 linear, and writable; pointers into the packet must be loaded anew",
    ),
    ("skb_change_head", "grows packet r1 by r2 bytes in front"),
    (
        "xdp_adjust_head",
        "moves data by r2 bytes: negative grows the packet in front",
    ),
    (
        "xdp_adjust_meta",
        "moves data_meta by r2 bytes: negative makes room for metadata in front of data",
    ),
    (
        "skb_adjust_room",
        "grows or shrinks packet r1 by r2 bytes behind its MAC header (mode r3: or behind the network header)",
    ),
    (
        "redirect_map",
        "sends the packet to entry r2 of map r1 when the program has ended",
    ),
    (
        "xdp_adjust_tail",
        "moves data_end by r2 bytes: negative trims the packet",
    ),
    (
        "fib_lookup",
        "looks up a route for the addresses in r2 and writes the next hop there",
    ),
    (
        "xdp_get_buff_len",
        "the length of the packet, fragments included",
    ),
    (
        "xdp_load_bytes",
        "copies r4 bytes of the packet from offset r2 to r3; also bytes that are in fragments",
    ),
    (
        "xdp_store_bytes",
        "writes r4 bytes from r3 into the packet at offset r2; also bytes that are in fragments",
    ),
    (
        "dynptr_read",
        "copies r2 bytes from offset r4 of dynptr r3 to r1",
    ),
    (
        "dynptr_write",
        "writes r4 bytes from r3 to offset r2 of dynptr r1",
    ),
    (
        "dynptr_data",
        "the address of r3 bytes at offset r2 of dynptr r1, or 0",
    ),
    ("dynptr_from_skb", "makes r3 a dynptr of packet r1"),
    ("dynptr_from_xdp", "makes r3 a dynptr of packet r1"),
    (
        "dynptr_from_skb_meta",
        "makes r3 a dynptr of the metadata of packet r1, wherever the design keeps them",
    ),
    (
        "dynptr_slice",
        "the address of r4 bytes at offset r2 of dynptr r1; copied to r3 if they do not lie in one piece; or 0",
    ),
    ("dynptr_slice_rdwr", "as bpf_dynptr_slice, to be written to"),
    (
        "xdp_pull_data",
        "makes r2 bytes of the packet linear; pointers into the packet must be loaded anew",
    ),
    (
        "skb_meta_realign",
        "moves the metadata up against the MAC header (series v3); a prologue calls it, no program can",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the simulator does not know would never be found.
    #[test]
    fn every_name_is_one_that_the_simulator_has() {
        let known = [
            include_str!("../../../core/src/bpf/helper_names.rs"),
            include_str!("../../../core/src/bpf/helpers/kfunc.rs"),
            include_str!("../../../core/src/bpf/helpers/allowed.rs"),
            include_str!("../../../core/src/bpf/disasm.rs"),
        ]
        .concat();
        for (at, (name, _)) in FUNCTIONS.iter().enumerate() {
            let printed = [
                format!("\"{name}\""),
                format!("\"bpf_{name}\""),
                format!("\"call bpf_{name}\""),
            ];
            assert!(printed.iter().any(|name| known.contains(name)), "{name}");
            assert!(
                FUNCTIONS
                    .iter()
                    .skip(at + 1)
                    .all(|(other, _)| other != name),
                "{name} twice"
            );
        }
    }
}
