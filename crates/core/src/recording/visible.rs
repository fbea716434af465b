//! Which functions a recorded kernel lets one see. A recording may say so itself; where it does not, it is one of the
//! two kernels of the shared recordings, whose facts are here, from `traced.mac_header.txt` and `traced.meta_end.txt`: they
//! were built by different compilers, which inlined different functions.

/// What of a run a recording shows.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The design of the recorded kernel.
    pub design: &'a str,
    /// The functions that were traced, where the recording has a list.
    pub traced: Option<&'a [String]>,
}

impl Sight<'_> {
    /// Whether a function of that name, called by `caller`, can occur in the recording.
    #[must_use]
    pub fn shows(&self, function: &str, caller: Option<&str>) -> bool {
        match self.traced {
            Some(traced) => {
                traced.iter().any(|name| name == function)
                    && !is_inlined(self.design, function, caller)
            }
            None => is_visible(self.design, function, caller),
        }
    }
}

/// Whether a function of that name, called by `caller`, can occur in a recording of `design`. All can
/// under a design that was never recorded.
#[must_use]
pub fn is_visible(design: &str, function: &str, caller: Option<&str>) -> bool {
    let own: &[&str] = match design {
        "mac_header" => &MAC_HEADER_ONLY,
        "meta_end" => &META_END_ONLY,
        _ => return true,
    };
    (BOTH.contains(&function) || own.contains(&function)) && !is_inlined(design, function, caller)
}

/// Whether the recorded kernel of `design` has a function inlined where `caller` calls it.
fn is_inlined(design: &str, function: &str, caller: Option<&str>) -> bool {
    let inlined: &[Inlined] = match design {
        "mac_header" => &MAC_HEADER_INLINED,
        "meta_end" => &META_END_INLINED,
        _ => &[],
    };
    let both: &[Inlined] = match inlined.is_empty() {
        true => &[],
        false => &BOTH_INLINED,
    };
    both.iter()
        .chain(inlined)
        .any(|(name, into)| *name == function && (into.is_none() || *into == caller))
}

/// A function, and the caller it is inlined into; `None`: into all of them.
type Inlined = (&'static str, Option<&'static str>);

/// Traced in both kernels.
const BOTH: [&str; 123] = [
    "bpf_prog_run_generic_xdp",
    "do_xdp_generic",
    "veth_xdp_rcv_skb",
    "skb_pp_cow_data",
    "eth_type_trans",
    "netif_receive_skb",
    "__netif_receive_skb_one_core",
    "skb_vlan_untag",
    "vlan_do_receive",
    "tcf_classify",
    "ip_rcv",
    "ip_rcv_core",
    "ip_rcv_finish_core",
    "ip_local_deliver",
    "ip_protocol_deliver_rcu",
    "__ipgre_rcv",
    "ip_tunnel_rcv",
    "__iptunnel_pull_header",
    "vxlan_rcv",
    "geneve_udp_encap_recv",
    "ipip_tunnel_rcv",
    "tunnel4_rcv",
    "udp_rcv",
    "udp_queue_rcv_skb",
    "udp_queue_rcv_one_skb",
    "gro_cells_receive",
    "gro_receive_skb",
    "dev_gro_receive",
    "skb_gro_receive",
    "inet_gro_receive",
    "ip_forward",
    "ip_output",
    "__ip_finish_output",
    "ip_finish_output2",
    "ip_local_out",
    "__ip_local_out",
    "ip_tunnel_xmit",
    "ipgre_xmit",
    "gre_tap_xmit",
    "ipip_tunnel_xmit",
    "vxlan_xmit",
    "vxlan_xmit_one",
    "geneve_xmit",
    "vlan_dev_hard_start_xmit",
    "iptunnel_xmit",
    "iptunnel_handle_offloads",
    "skb_realloc_headroom",
    "skb_expand_head",
    "pskb_expand_head",
    "skb_vlan_push",
    "skb_vlan_pop",
    "__skb_vlan_pop",
    "skb_ensure_writable",
    "bpf_skb_vlan_push",
    "bpf_skb_vlan_pop",
    "bpf_skb_change_head",
    "bpf_skb_change_tail",
    "bpf_skb_adjust_room",
    "bpf_skb_change_proto",
    "bpf_skb_store_bytes",
    "bpf_skb_pull_data",
    "bpf_clone_redirect",
    "skb_do_redirect",
    "__bpf_redirect",
    "bpf_dynptr_from_skb_meta",
    "__dev_queue_xmit",
    "dev_hard_start_xmit",
    "veth_xmit",
    "dev_forward_skb",
    "__dev_forward_skb",
    "dev_forward_skb_nomtu",
    "skb_scrub_packet",
    "skb_clone",
    "skb_copy",
    "__pskb_copy_fclone",
    "icmp_rcv",
    "packet_rcv",
    "tpacket_rcv",
    "tcf_mirred_act",
    "br_handle_frame",
    "br_handle_frame_finish",
    "br_pass_frame_up",
    "br_forward_finish",
    "br_dev_queue_push_xmit",
    "br_dev_xmit",
    "mpls_forward",
    "mpls_xmit",
    "lwtunnel_input",
    "lwtunnel_output",
    "lwtunnel_xmit",
    "bpf_xmit",
    "loopback_xmit",
    "netif_rx",
    "__netif_rx",
    "netif_rx_internal",
    "dev_queue_xmit_nit",
    "neigh_resolve_output",
    "neigh_direct_output",
    "eth_header",
    "sk_skb_reason_drop",
    "consume_skb",
    "__kfree_skb",
    "skb_release_head_state",
    "skb_release_data",
    "kfree_skbmem",
    "skb_cow_data",
    "skb_checksum_help",
    "arp_rcv",
    "icmp_reply",
    "br_handle_vlan",
    "vlan_gro_receive",
    "skb_tunnel_check_pmtu",
    "skb_mpls_pop",
    "skb_mpls_push",
    "tcf_mpls_act",
    "skb_eth_pop",
    "skb_eth_push",
    "skb_copy_ubufs",
    "skb_segment",
    "napi_skb_free_stolen_head",
    "kfree_skb_partial",
    "bpf_xdp_adjust_meta",
    "bpf_xdp_adjust_head",
];

/// Traced in the kernel of `mac_header` only.
const MAC_HEADER_ONLY: [&str; 9] = [
    "__netif_receive_skb",
    "ip_rcv_finish",
    "ip_local_deliver_finish",
    "gre_rcv",
    "ipip_rcv",
    "ip_forward_finish",
    "ip_finish_output",
    "bpf_skb_net_hdr_pop",
    "validate_xmit_skb",
];

/// Traced in the kernel of `meta_end` only.
const META_END_ONLY: [&str; 3] = [
    "bpf_skb_meta_realign",
    "bpf_skb_net_hdr_push",
    "bpf_skb_generic_pop",
];

/// Traced as a function of its own, and never recorded, or not from that caller: inlined there.
const BOTH_INLINED: [Inlined; 2] = [
    // net/ipv6/ip6_gre.c has a function of this name too, and the one of IPv4 was traced
    ("gre_rcv", Some("ip6_protocol_deliver_rcu")),
    ("ip_send_skb", None),
];
/// As above: `ip_rcv()` is recorded 104 times, with `ip_rcv_core` and `ip_rcv_finish_core` inside, and never with
/// `ip_rcv_finish`; `ipv6_rcv()` in the same way. An ICMP reply is recorded with `__ip_local_out` and `ip_output`, without
/// the `ip_local_out` between them that `iptunnel_xmit()` shows.
const MAC_HEADER_INLINED: [Inlined; 3] = [
    ("ip_rcv_finish", None),
    ("ip6_rcv_finish", None),
    ("ip_local_out", Some("ip_send_skb")),
];
/// As above: `ip_local_out()` is recorded, and never with `__ip_local_out` inside; `br_handle_frame_finish()` is
/// recorded with `br_dev_queue_push_xmit` straight inside.
const META_END_INLINED: [Inlined; 2] = [("__ip_local_out", None), ("br_forward_finish", None)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_the_traced_lists() {
        // wc -l traced.*.txt
        assert_eq!(BOTH.len() + MAC_HEADER_ONLY.len(), 132);
        assert_eq!(BOTH.len() + META_END_ONLY.len(), 126);
        let seen = |design, function| is_visible(design, function, None);
        assert!(seen("mac_header", "gre_rcv") && !seen("meta_end", "gre_rcv"));
        assert!(seen("meta_end", "bpf_skb_meta_realign"));
        assert!(!seen("mac_header", "bpf_skb_meta_realign"));
        assert!(!seen("mac_header", "ip_rcv_finish") && !seen("meta_end", "skb_data_move"));
        assert!(seen("skb_ext", "skb_data_move"));
        let from = |caller| is_visible("mac_header", "ip_local_out", Some(caller));
        assert!(from("iptunnel_xmit") && !from("ip_send_skb"));
    }

    /// What a recording says of itself goes before the lists; what the recorded kernels have inlined stays so.
    #[test]
    fn a_recording_says_which_functions_were_traced() {
        let traced = ["ipv6_rcv", "gre_rcv", "ip_send_skb"].map(String::from);
        let shows = |design, function, caller| {
            let traced = Some(&traced[..]);
            Sight { design, traced }.shows(function, caller)
        };
        assert!(shows("mac_header", "ipv6_rcv", None) && !shows("mac_header", "ip_rcv", None));
        assert!(shows(
            "meta_end",
            "gre_rcv",
            Some("ip_protocol_deliver_rcu")
        ));
        assert!(!shows(
            "meta_end",
            "gre_rcv",
            Some("ip6_protocol_deliver_rcu")
        ));
        assert!(!shows("mac_header", "ip_send_skb", None) && shows("skb_ext", "ip_send_skb", None));
        let without = Sight {
            design: "mac_header",
            traced: None,
        };
        assert!(without.shows("ip_rcv", None) && !without.shows("ipv6_rcv", None));
    }
}
