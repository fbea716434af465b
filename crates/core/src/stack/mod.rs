//! The path itself: one Rust function per kernel function, with the same name.
//!
//! [`Kernel`] owns the world (topology, packets, buffers, programs) and the recorder. Stack code
//! only does what the kernel does; [`Kernel::traced`] wraps a function with its entry and exit.

mod act_mirred;
mod act_mpls;
mod act_vlan;
mod af_packet;
mod arp;
mod bridge;
mod bridge_if;
mod bridge_vlan;
mod cls;
mod dev_rx;
mod dev_tx;
mod exec;
mod execute;
mod execute_error;
mod execute_hooks;
mod execute_ip6;
mod execute_route;
mod execute_tc;
mod execute_xdp;
mod features;
mod filter;
mod fou;
mod fraglist;
mod geneve;
mod gro;
mod gro_complete;
mod gro_ip;
mod gro_merge;
mod gro_tcp;
mod gro_tunnel;
mod gso;
mod gso_ip;
mod gso_tcp;
mod gso_tunnel;
mod icmp;
mod icmp_limit;
mod icmpv6;
mod inet_fragment;
mod ioam6;
mod ip6_forward;
mod ip6_fragment;
mod ip6_gre;
mod ip6_input;
mod ip6_output;
mod ip6_reassembly;
mod ip6_tunnel;
mod ip_defrag;
mod ip_forward;
mod ip_fragment;
mod ip_input;
mod ip_output;
mod ip_tunnel;
mod ipgre;
mod ipip;
mod judge;
mod l2tp;
mod link_set;
mod links;
mod llc;
mod lwt_encap;
mod lwtunnel;
mod macvlan;
mod md_tunnel;
mod mpls;
mod napi;
mod ndisc;
mod neighbour;
mod netdev_features;
mod netfilter;
mod netkit;
mod nic;
mod nic_skb;
mod nic_xdp;
mod outer;
mod page_pool;
mod pmtu;
mod prog_load;
mod program_maps;
mod program_runs;
mod programs;
mod promisc;
mod quiet;
mod rcsum;
mod reads;
#[cfg(test)]
mod redirect_tests;
mod reports;
mod seg6;
mod sit;
mod skb_data_move;
mod skb_frags;
mod skb_own;
mod skb_segment;
mod skb_vlan;
mod skbuff;
mod socket;
mod softirq;
mod steps;
mod stores;
mod taps;
mod tc;
mod tc_host;
mod tcp;
mod tcp6;
mod tun;
mod tunnel_err;
mod udp;
mod udp6;
mod veth;
mod vlan;
mod vxlan;
mod xdp_broadcast;
mod xdp_frags;
mod xdp_frame;
mod xdp_generic;
mod xdp_run;

pub use exec::{ExecError, Executed, Hook, Ready, exec, lacks, rules};
pub use execute_error::{Cause, ExecuteError};
pub(crate) use prog_load::file_name;
pub(crate) use programs::address_of;
pub use programs::{Loaded, ProgramError};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use thiserror::Error;

use crate::bpf::{Fault, Object, XdpTarget};
use crate::design::MetadataDesign;
use crate::limits::Limits;
use crate::scenario::topology::{DevId, ProgId, Topology, TopologyError};
use crate::skb::{Buffers, Packets, SkBuff, SkbError};
use crate::trace::{BufferNo, Layer, Outcome, Recorder, SkbNo, Trace};
use crate::xdp::XdpBuff;

/// Most steps of one run; a run that would take more ends with an error that says so.
pub const MAX_STEPS: usize = 2_000_000;

/// Why a run ends before its packets do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stop {
    /// The packet comes to something the simulator does not have.
    #[error("not covered: {what}")]
    NotCovered {
        /// Kernel function and why.
        what: String,
    },
    /// The kernel would panic.
    #[error(transparent)]
    Skb(#[from] SkbError),
    /// A program did what is forbidden, or did not end.
    #[error("program {program} on {dev}: {fault}")]
    Program {
        /// Program name.
        program: String,
        /// Device.
        dev: String,
        /// What happened.
        fault: Fault,
    },
    /// Too many steps.
    #[error("the run did not end within {MAX_STEPS} steps; do its devices form a loop?")]
    Budget,
    /// The trace takes too much memory.
    #[error("the trace takes more than {limit} bytes, the limit of this run")]
    Memory {
        /// Bytes.
        limit: usize,
    },
    /// No route, no such device.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

/// Result of a stack function. Every step hands one back, so that why a run ends is in a box: a result fits into registers.
pub(crate) type Run<T> = Result<T, Box<Stop>>;

impl From<SkbError> for Box<Stop> {
    fn from(error: SkbError) -> Self {
        Box::new(error.into())
    }
}

impl From<TopologyError> for Box<Stop> {
    fn from(error: TopologyError) -> Self {
        Box::new(error.into())
    }
}

/// Shorthand for [`Stop::NotCovered`].
#[cold]
pub(crate) fn not_covered<T>(what: impl Into<String>) -> Run<T> {
    Err(Box::new(Stop::NotCovered { what: what.into() }))
}

/// What a traced function returns, as the recordings show it.
pub(crate) trait Returned {
    fn outcome(&self) -> Outcome;
}

impl Returned for () {
    fn outcome(&self) -> Outcome {
        Outcome::None
    }
}

impl Returned for i64 {
    fn outcome(&self) -> Outcome {
        Outcome::Ret(*self)
    }
}

impl Returned for Option<SkbNo> {
    fn outcome(&self) -> Outcome {
        Outcome::RetSkb(*self)
    }
}

/// Work that waits for the next softirq.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Softirq {
    /// The ring of a veth device with NAPI.
    VethPoll(DevId),
    /// `softnet_data.input_pkt_queue`.
    Backlog,
    /// A tunnel's GRO cell.
    GroCell(DevId),
    /// The worker of a device with MACVLAN devices on it, for one broadcast.
    MacvlanBroadcast(DevId, SkbNo),
    /// The thread of a cpumap's entry, for one packet of a device.
    CpuMap(DevId, SkbNo),
}

/// Two machines in one: all namespaces of one simulated kernel.
pub struct Kernel {
    pub(crate) topology: Topology,
    pub(crate) design: Arc<dyn MetadataDesign>,
    programs: Vec<Loaded>,
    maps: programs::ObjectMaps,
    workshops: programs::Workshops,
    /// Objects that a command will load, with their numbers.
    unloaded: Vec<(usize, Object)>,
    /// Names of those that a command has loaded.
    loaded_files: BTreeSet<String>,
    /// Paths at which `bpftool prog load` has pinned programs.
    pins: Vec<(String, ProgId)>,
    /// Whether programs are for one device unless a command says so; `None`: nobody asks.
    pub(crate) device_bound: Option<bool>,
    program_source: Option<(usize, Layer, u16)>,
    pub(crate) skbs: Packets,
    pub(crate) buffers: Buffers,
    pub(crate) recorder: Recorder,
    judge: judge::Judge,
    stores: stores::Stores,
    softirqs: VecDeque<Softirq>,
    napi: napi::Napis,
    page_pools: BTreeMap<page_pool::PoolOf, page_pool::PagePool>,
    gro_segments: BTreeMap<SkbNo, gro_tcp::Segment>,
    tunnel_errors: BTreeMap<DevId, u32>,
    path_mtus: pmtu::PathMtus,
    backlog: VecDeque<SkbNo>,
    in_backlog: bool,
    free_skb_no: Option<SkbNo>,
    bh_disabled: u32,
    xmit_recursion: u32,
    /// `softnet_data.xmit.sched_mirred_dev`.
    mirred_nest: Vec<DevId>,
    redirect_info: filter::RedirectInfo,
    xdp_redirect_info: Option<XdpTarget>,
    /// The frame whose program used traits, and no metadata.
    xdp_traits: Option<BufferNo>,
    xdp_tx: Vec<(DevId, XdpBuff)>,
    xdp_bulk: Vec<(DevId, XdpBuff)>,
    xdp_cpu: Vec<(DevId, XdpBuff)>,
    taps: Vec<taps::Tap>,
    /// Whether neighbours are asked for their addresses, as in a recording, or known at once.
    pub(crate) asks_neighbours: bool,
    neighbours: neighbour::Learned,
    frag_queues: inet_fragment::Queues,
    next_skb: u32,
    next_ip_id: u16,
    icmp_peers: icmp_limit::Peers,
    pub(crate) source_ports: VecDeque<u16>,
    /// ICMP messages that running `ping`s sent on a recorded kernel.
    pub(crate) pings: VecDeque<Vec<u8>>,
    /// Addresses of devices that were given none, on a recorded kernel.
    pub(crate) macs: Vec<crate::recording::DrawnMac>,
    pinging: socket::Pinging,
    dev_refs: quiet::DevRefs,
    pub(crate) limits: Limits,
    /// `headroom assume dynptr-everywhere` is among the commands.
    pub(crate) assumes_dynptr: bool,
}

impl Kernel {
    /// A kernel without devices.
    #[must_use]
    pub fn new(scenario: &str, design: Arc<dyn MetadataDesign>) -> Self {
        let mut recorder = Recorder::new(scenario, design.name());
        recorder.trace.cost.structure_bytes = design.structure_bytes();
        Self {
            topology: Topology::default(),
            design,
            programs: Vec::new(),
            maps: Vec::new(),
            workshops: programs::Workshops::default(),
            unloaded: Vec::new(),
            loaded_files: BTreeSet::new(),
            pins: Vec::new(),
            device_bound: None,
            program_source: None,
            skbs: Packets::default(),
            buffers: Buffers::default(),
            recorder,
            judge: judge::Judge::default(),
            stores: stores::Stores::default(),
            softirqs: VecDeque::new(),
            napi: napi::Napis::default(),
            page_pools: BTreeMap::new(),
            gro_segments: BTreeMap::new(),
            tunnel_errors: BTreeMap::new(),
            path_mtus: pmtu::PathMtus::new(),
            backlog: VecDeque::new(),
            in_backlog: false,
            free_skb_no: None,
            bh_disabled: 0,
            xmit_recursion: 0,
            mirred_nest: Vec::new(),
            redirect_info: filter::RedirectInfo::default(),
            xdp_redirect_info: None,
            xdp_traits: None,
            xdp_tx: Vec::new(),
            xdp_bulk: Vec::new(),
            xdp_cpu: Vec::new(),
            taps: Vec::new(),
            asks_neighbours: false,
            neighbours: neighbour::Learned::new(),
            frag_queues: inet_fragment::Queues::new(),
            next_skb: 1,
            next_ip_id: 0xe001,
            icmp_peers: icmp_limit::Peers::new(),
            source_ports: VecDeque::new(),
            pings: VecDeque::new(),
            macs: Vec::new(),
            pinging: socket::Pinging::default(),
            dev_refs: quiet::DevRefs::default(),
            limits: Limits::default(),
            assumes_dynptr: false,
        }
    }

    /// What happened.
    #[must_use]
    pub fn into_trace(mut self) -> Trace {
        self.read_taps();
        self.keep_maps();
        self.recorder.trace.take_checkpoints();
        self.recorder.trace
    }

    /// `__ip_select_ident()`: the kernel draws it at random; here it counts from 0xe001, as the
    /// recordings do (golden/README.md, "What is not the same every time").
    pub(crate) fn ip_select_ident(&mut self) -> u16 {
        self.ip_select_idents(1)
    }

    /// The same for a packet that will be cut into `segs`: they have the ids that follow.
    pub(crate) fn ip_select_idents(&mut self, segs: u16) -> u16 {
        let id = self.next_ip_id;
        self.next_ip_id = self.next_ip_id.wrapping_add(segs);
        id
    }

    /// The packet. Stack code holds numbers of live packets only.
    #[inline]
    pub(crate) fn skb(&self, no: SkbNo) -> &SkBuff {
        &self.skbs[&no]
    }

    /// The packet, to change it.
    #[inline]
    pub(crate) fn skb_mut(&mut self, no: SkbNo) -> &mut SkBuff {
        self.skbs
            .get_mut(&no)
            .unwrap_or_else(|| unreachable!("skb {} is used after it was freed", no.0))
    }

    /// Packet bytes from an offset of the buffer.
    #[inline]
    pub(crate) fn bytes(&self, no: SkbNo, offset: u32, len: u32) -> &[u8] {
        self.buffers.get(self.skb(no).head).bytes(offset, len)
    }
}
