//! `net/core/neighbour.c`: from the next hop's address to its link-layer header.

use std::net::Ipv4Addr;

use super::{Kernel, Run, not_covered};
use crate::net::ethernet;
use crate::scenario::command::Mac;
use crate::scenario::topology::DevId;
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/core/neighbour.c";

impl Kernel {
    /// `neigh_output()`: a device without link header (a tunnel) sends as it is.
    pub(super) fn neigh_output(&mut self, no: SkbNo, dev: DevId, next_hop: Ipv4Addr) -> Run<i64> {
        if self.topology.dev(dev).hard_header_len == 0 {
            return self.traced("neigh_direct_output", FILE, no, |k| k.dev_queue_xmit(no));
        }
        let Some(lladdr) = self.topology.neighbour(dev, next_hop) else {
            let name = &self.topology.dev(dev).name;
            return not_covered(format!(
                "neigh_resolve_output: nobody on {name} has the address {next_hop} (ARP)"
            ));
        };
        self.traced("neigh_resolve_output", FILE, no, |k| {
            k.eth_header(no, dev, lladdr)?;
            k.dev_queue_xmit(no)
        })
    }

    /// `eth_header()` (`net/ethernet/eth.c`): pushes the Ethernet header.
    fn eth_header(&mut self, no: SkbNo, dev: DevId, dest: Mac) -> Run<()> {
        self.traced("eth_header", "net/ethernet/eth.c", no, |k| {
            k.skb_mut(no).push(ethernet::HLEN)?;
            let mut header = [0; ethernet::HLEN as usize];
            header[..6].copy_from_slice(&dest);
            header[6..12].copy_from_slice(&k.topology.dev(dev).mac);
            header[12..].copy_from_slice(&k.skb(no).protocol.to_be_bytes());
            let data = k.skb(no).data;
            k.write_header(
                no,
                data,
                &header,
                Layer::Ethernet,
                "Ethernet".into(),
                "eth_header",
            );
            Ok(i64::from(ethernet::HLEN))
        })?;
        Ok(())
    }
}
