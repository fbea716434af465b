// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* One program for each section name that libbpf knows and a packet runs through. */
#define PROGRAM(section, name) SEC(section) int name(void *ctx) { return 0; }
PROGRAM("xdp", p_xdp)
PROGRAM("xdp.frags", p_xdp_frags)
PROGRAM("xdp/devmap", p_xdp_devmap)
PROGRAM("tc", p_tc)
PROGRAM("tcx/ingress", p_tcx_ingress)
PROGRAM("tcx/egress", p_tcx_egress)
PROGRAM("netkit/primary", p_netkit_primary)
PROGRAM("netkit/peer", p_netkit_peer)
PROGRAM("classifier", p_classifier)
PROGRAM("action", p_action)
PROGRAM("lwt_in", p_lwt_in)
PROGRAM("lwt_out", p_lwt_out)
PROGRAM("lwt_xmit", p_lwt_xmit)
PROGRAM("lwt_seg6local", p_lwt_seg6local)
PROGRAM("cgroup_skb/ingress", p_cgroup_ingress)
PROGRAM("cgroup_skb/egress", p_cgroup_egress)
PROGRAM("cgroup/skb", p_cgroup_skb)
PROGRAM("socket", p_socket)
PROGRAM("sk_skb/stream_verdict", p_sk_skb)
PROGRAM("kprobe/do_nothing", p_kprobe)
char _license[] SEC("license") = "GPL";
