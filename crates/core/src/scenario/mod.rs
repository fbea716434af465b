//! Commands a person would type → topology and packets.
//!
//! [`command`] is the data, [`parse`](mod@parse) makes it from text, [`file`](mod@file) reads scenario files.

pub mod bpf_map;
mod bpftool;
pub mod bridge;
pub mod clsact;
pub mod command;
mod contradict;
pub mod device;
pub mod error;
mod ethtool;
pub mod file;
pub mod graph;
pub mod inet6;
mod ip;
mod ip6;
pub mod ip_fou;
pub mod ip_ioam;
pub mod ip_l2tp;
mod ip_link;
mod ip_link_kind;
mod ip_tunnel;
mod lex;
pub mod link_kind;
pub mod meant;
pub mod netfilter;
mod nft;
pub mod nic;
pub mod operand;
mod orc;
pub mod parse;
mod ping;
pub mod prog_load;
mod route_encap;
pub mod routes;
mod same_tunnel;
mod script;
pub mod socket;
pub mod syntax;
mod sysctl;
mod tc;
pub mod tc_action;
pub mod topology;
mod topology_error;
mod tunnel_parms;
mod value;

pub use error::ParseError;
pub use file::{FileError, Roadmap, RoadmapStatus, ScenarioFile};
pub use parse::{Parsed, parse, parse_setup};
pub use script::{ScriptError, script};
