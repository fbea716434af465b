//! The context of a program with an skb, `struct __sk_buff`: which field of the kernel's structure a load or store means.

use super::TcHost;
use crate::bpf::CtxField;
use crate::scenario::topology::DevId;
use crate::stack::programs::address_of;
use crate::trace::ReadHow;

impl TcHost<'_> {
    /// The kernel structure's field behind a load of the context.
    pub(super) fn load_field(&mut self, field: CtxField) -> u64 {
        let skb = self.kernel.skb(self.no);
        let at = |offset: u32| address_of(skb.head) + u64::from(offset);
        match field {
            CtxField::Data => at(skb.data),
            CtxField::DataEnd => at(skb.cb.data_end),
            CtxField::DataMeta => {
                let start = skb.cb.data_meta;
                if !self.is_in_front(start) {
                    self.looked.get_or_insert(ReadHow::DataMeta);
                }
                self.address(start)
            }
            CtxField::Len => u64::from(skb.len),
            CtxField::PktType => skb.pkt_type as u64,
            CtxField::Protocol => u64::from(skb.protocol.to_be()),
            CtxField::Ifindex => u64::from(self.kernel.topology.dev(self.dev).ifindex),
            CtxField::IngressIfindex => u64::from(skb.skb_iif),
            CtxField::Mark => u64::from(skb.mark),
            CtxField::Priority => u64::from(skb.priority),
            CtxField::VlanTci => u64::from(skb.vlan_tci),
            CtxField::VlanPresent => u64::from(skb.vlan_present),
            CtxField::VlanProto => u64::from(skb.vlan_proto.to_be()),
            CtxField::ClonedByte => u64::from(skb.cloned),
            CtxField::Hash => u64::from(skb.bpf.hash.unwrap_or(0)),
            CtxField::QueueIndex => u64::from(skb.bpf.queue_mapping),
            CtxField::TcIndex => u64::from(skb.bpf.tc_index),
            CtxField::TcClassid => u64::from(skb.bpf.tc_classid),
            CtxField::Cb(from) => {
                let mut bytes = [0; 8];
                let rest = skb.bpf.cb.get(usize::from(from)..).unwrap_or_default();
                let len = rest.len().min(8);
                bytes[..len].copy_from_slice(&rest[..len]);
                u64::from_le_bytes(bytes)
            }
            // At ingress a delivery time is not shown as a time of arrival.
            CtxField::Tstamp if skb.tc_at_ingress && skb.bpf.tstamp_type != 0 => 0,
            CtxField::Tstamp | CtxField::TstampAsIs => skb.bpf.tstamp,
            CtxField::TstampType => u64::from(skb.bpf.tstamp_type),
            CtxField::WireLen => u64::from(skb.len),
            CtxField::GsoSize => u64::from(self.kernel.buffers.get(skb.head).shinfo.gso_size),
            // No device here stamps packets, busy-polls, or delivers to a socket before TC.
            CtxField::NapiId | CtxField::Hwtstamp | CtxField::Sk => 0,
            field => self.netfilter_field(field),
        }
    }

    /// The same behind a store: `size` bytes of `value`.
    pub(super) fn store_field(&mut self, field: CtxField, size: u32, value: u64) {
        let skb = self.kernel.skb_mut(self.no);
        match field {
            CtxField::Mark => skb.mark = value as u32,
            CtxField::Priority => skb.priority = value as u32,
            CtxField::QueueIndex => skb.bpf.queue_mapping = value as u16,
            CtxField::TcIndex => skb.bpf.tc_index = value as u16,
            CtxField::TcClassid => skb.bpf.tc_classid = value as u16,
            CtxField::Cb(from) => {
                let (from, len) = (usize::from(from), size.min(8) as usize);
                if let Some(place) = skb.bpf.cb.get_mut(from..from + len) {
                    place.copy_from_slice(&value.to_le_bytes()[..len]);
                }
            }
            CtxField::Tstamp => {
                skb.bpf.tstamp = value;
                if skb.tc_at_ingress {
                    skb.bpf.tstamp_type = 0;
                }
            }
            CtxField::TstampAsIs => skb.bpf.tstamp = value,
            _ => {}
        }
    }

    fn netfilter_field(&self, field: CtxField) -> u64 {
        let Some(state) = self.netfilter else {
            return 0;
        };
        let index = |dev: Option<DevId>| dev.map_or(0, |dev| self.kernel.topology.dev(dev).ifindex);
        match field {
            CtxField::NfHook => state.hook as u64,
            CtxField::NfPf => state.pf as u64,
            CtxField::NfIn => u64::from(state.input.is_some()),
            CtxField::NfOut => u64::from(state.output.is_some()),
            CtxField::NfInIndex => u64::from(index(state.input)),
            CtxField::NfOutIndex => u64::from(index(state.output)),
            _ => 0,
        }
    }
}
