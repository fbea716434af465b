//! What the stack does goes into the trace: steps with the packet's fields, sources of bytes, warnings.

use super::{Kernel, MAX_STEPS, Returned, Run, Stop};
use crate::scenario::topology::DevId;
use crate::skb::{SkBuff, header};
use crate::trace::recorder::Moment;
use crate::trace::{
    Edge, Layer, MetaFields, Outcome, PacketFields, SkbFields, SkbNo, Source, SourceTable, StepKind,
};

impl Kernel {
    /// A new source of bytes: who writes what, on which device.
    pub(crate) fn source(
        &mut self,
        layer: Layer,
        label: String,
        writer: &str,
        dev: Option<DevId>,
        len: u32,
    ) -> u16 {
        if self.recorder.quiet {
            return SourceTable::UNWRITTEN;
        }
        let dev = dev.map(|dev| self.topology.dev_ref(dev));
        self.recorder.source(Source {
            layer,
            label,
            writer: writer.into(),
            dev,
            step: 0,
            len: len as u16,
        })
    }

    /// Runs `body` as the kernel function `name`, with its entry and exit in the trace.
    #[inline]
    pub(crate) fn traced<T: Returned>(
        &mut self,
        name: &'static str,
        file: &'static str,
        skb: SkbNo,
        body: impl FnOnce(&mut Self) -> Run<T>,
    ) -> Run<T> {
        if !self.recorder.passes() {
            self.record_edge((name, file), Edge::Entry, skb, Outcome::None)?;
        }
        self.recorder.enter();
        let result = body(self);
        self.recorder.leave();
        let value = result?;
        if !self.recorder.passes() {
            self.record_edge((name, file), Edge::Exit, skb, value.outcome())?;
        }
        Ok(value)
    }

    /// As [`Kernel::traced`], for a function that is given `struct sk_buff **`: the exit shows the
    /// packet that is behind the pointer then.
    #[inline]
    pub(crate) fn traced_pskb<T: Returned>(
        &mut self,
        name: &'static str,
        file: &'static str,
        skb: SkbNo,
        body: impl FnOnce(&mut Self) -> Run<(T, SkbNo)>,
    ) -> Run<T> {
        if !self.recorder.passes() {
            self.record_edge((name, file), Edge::Entry, skb, Outcome::None)?;
        }
        self.recorder.enter();
        let result = body(self);
        self.recorder.leave();
        let (value, skb) = result?;
        if !self.recorder.passes() {
            self.record_edge((name, file), Edge::Exit, skb, value.outcome())?;
        }
        Ok(value)
    }

    /// Whether there may be one more step.
    pub(super) fn within_limits(&self) -> Run<()> {
        if self.recorder.next_step() >= MAX_STEPS {
            return Err(Box::new(Stop::Budget));
        }
        let limit = self.limits.memory;
        if self.recorder.bytes() > limit {
            return Err(Box::new(Stop::Memory { limit }));
        }
        Ok(())
    }

    /// Records a step with the packet as it is now. A quiet run only counts it.
    #[inline]
    pub(crate) fn step(&mut self, kind: StepKind, no: SkbNo, outcome: Outcome) -> Run<()> {
        if self.recorder.quiet && self.recorder.next_step() < MAX_STEPS {
            self.recorder.pass(&kind);
            return Ok(());
        }
        self.record(kind, no, outcome)
    }

    /// Entry or exit of a kernel function. Marked as cold, so that the way of a packet without a trace lies together.
    #[cold]
    #[inline(never)]
    fn record_edge(
        &mut self,
        (name, file): (&'static str, &'static str),
        edge: Edge,
        no: SkbNo,
        outcome: Outcome,
    ) -> Run<()> {
        self.record(StepKind::Function { name, file, edge }, no, outcome)
    }

    #[inline(never)]
    fn record(&mut self, kind: StepKind, no: SkbNo, outcome: Outcome) -> Run<()> {
        self.within_limits()?;
        let dev = match self.skbs.get(&no) {
            Some(skb) => skb.dev.map(|dev| self.dev_ref(dev)),
            None => self.judge.last_dev(no),
        };
        let skb = self.skbs.get(&no);
        let moment = Moment {
            kind,
            dev,
            skb: Some(no),
            buffer: skb.map(|skb| skb.head),
            fields: skb.map(|skb| PacketFields::Skb(self.fields(skb))),
            outcome,
            freed: skb.is_none(),
        };
        self.recorder.step(moment, self.buffers.log_mut());
        Ok(())
    }

    /// The fields of a recording.
    pub(crate) fn fields(&self, skb: &SkBuff) -> SkbFields {
        let buffer = self.buffers.get(skb.head);
        SkbFields {
            data: skb.data,
            tail: skb.tail,
            end: buffer.end(),
            len: skb.len,
            data_len: skb.data_len,
            mac_header: header(skb.mac_header),
            network_header: header(skb.network_header),
            transport_header: header(skb.transport_header),
            inner_mac_header: header(skb.inner_mac_header),
            inner_network_header: header(skb.inner_network_header),
            mac_len: u32::from(skb.mac_len),
            protocol: skb.protocol,
            pkt_type: skb.pkt_type as u8,
            vlan_present: skb.vlan_present,
            vlan_tci: skb.vlan_tci,
            vlan_proto: skb.vlan_proto,
            encapsulation: skb.encapsulation,
            cloned: skb.cloned,
            ip_summed: skb.ip_summed,
            gso_size: buffer.shinfo.gso_size,
            nr_frags: buffer.frags.len() as u8,
            dataref: buffer.dataref,
            users: skb.users,
            meta: self.meta_fields(skb),
            meta_end: self.design.meta_end_field(&buffer.shinfo),
            fragments: match skb.data_len {
                0 => Vec::new(),
                _ => self.fragments(skb.no),
            },
        }
    }

    /// Where the metadata are, by the design's formula.
    pub(crate) fn meta_fields(&self, skb: &SkBuff) -> MetaFields {
        let shinfo = &self.buffers.get(skb.head).shinfo;
        let len = u32::from(shinfo.meta_len);
        let end = self.design.metadata_end(skb, shinfo);
        MetaFields {
            len,
            start: end.and_then(|end| end.checked_sub(len)),
            end,
        }
    }

    /// `net_warn_ratelimited()`: ten in a row (`net.core.message_burst`).
    pub(crate) fn warn_ratelimited(&mut self, text: String) {
        const MESSAGE_BURST: usize = 10;
        let warnings = &mut self.recorder.trace.warnings;
        if warnings.iter().filter(|known| **known == text).count() < MESSAGE_BURST {
            warnings.push(text);
        }
    }

    /// A kernel warning; each text once.
    pub(crate) fn warn_once(&mut self, text: &str) {
        let warnings = &mut self.recorder.trace.warnings;
        if !warnings.iter().any(|known| known == text) {
            warnings.push(text.into());
        }
    }
}
