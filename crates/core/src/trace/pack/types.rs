//! The types of a trace, field by field. A field or a variant that is missing here does not compile.

use std::sync::Arc;

use super::super::fields::{Fragment, MetaFields, PacketFields, SkbFields, XdpFields};
use super::super::read::{Expected, MetadataRead, ReadHow, Report, ReportWhat, TapFrame, Verdict};
use super::super::step::{BufferNo, DevRef, Edge, Run, SkbNo};
use super::super::stores::StoreLog;
use super::super::{Cost, Layer, MapCall, OriginId, RegisterLog, Source, SourceTable, Trace};
use super::{In, Out, Pack, pack, pack_words, steps, writes};
use crate::bpf::{Access, Branch, Listing, ListingLine, MapDef, MapKind, MapState};

pack! {
    DevRef { name, netns }
    Expected { offset, origins, lost_at }
    MetadataRead { run, program, dev, hook, how, step, buffer, offset, bytes, origins, verdict, expected }
    TapFrame { dev, bytes }
    Report { program, dev, hook, after_step, what }
    MetaFields { len, start, end }
    Fragment { skb, buffer, offset, len }
    XdpFields { data_meta, data, data_end, frame_sz, fragments }
    SkbFields {
        data, tail, end, len, data_len, mac_header, network_header, transport_header, inner_mac_header,
        inner_network_header, mac_len, protocol, pkt_type, vlan_present, vlan_tci, vlan_proto, encapsulation,
        cloned, ip_summed, gso_size, nr_frags, dataref, users, meta, meta_end, fragments,
    }
    OriginId { source, byte }
    Source { layer, label, writer, dev, step, len }
    MapCall { step, object, map, helper, key, value, flags }
    RegisterLog { whole, ends, numbers, values, last }
    StoreLog { steps, addresses, ends, bytes }
    Cost { metadata_bytes_moved, buffer_allocations, metadata_allocations, structure_bytes, prologue_instructions }
    Listing { program, section, lines, source, source_file, map_names }
    ListingLine { text, written, written_text, note, c_line, branch, access }
    Branch { target, cond, short, left, right, imm }
    Access { base, off, size, writes }
    MapState { def, entries, records }
}

pack_words! {
    Edge [Entry, Exit]
    ReadHow [DataMeta, Dynptr]
    Verdict [Ok, Garbage, Lost, Overwritten, None]
    Layer [
        Unwritten, Metadata, ProgramStore, Ethernet, Ipv4, Ipv6, Ipv6Ext, Gre, Icmp, Icmpv6, Vlan, Mpls, Udp, Tcp,
        Vxlan, L2tp, Geneve, Payload,
    ]
}

macro_rules! numbered {
    ($($type:ident)*) => {$(
        impl Pack for $type {
            fn put(&self, out: &mut Out) {
                self.0.put(out);
            }
            fn take(from: &mut In<'_>) -> Self {
                Self(Pack::take(from))
            }
        }
    )*};
}

numbered! { SkbNo BufferNo }

impl Pack for PacketFields {
    fn put(&self, out: &mut Out) {
        match self {
            Self::Skb(fields) => {
                out.number(0);
                fields.put(out);
            }
            Self::Xdp(fields) => {
                out.number(1);
                fields.put(out);
            }
        }
    }

    fn take(from: &mut In<'_>) -> Self {
        match from.up_to(1) {
            0 => Self::Skb(Pack::take(from)),
            _ => Self::Xdp(Pack::take(from)),
        }
    }
}

impl Pack for ReportWhat {
    fn put(&self, out: &mut Out) {
        match self {
            Self::Read {
                how,
                len,
                value,
                ret,
            } => {
                out.number(0);
                how.put(out);
                len.put(out);
                value.put(out);
                ret.put(out);
            }
            Self::HelperResult { helper, ret } => {
                out.number(1);
                helper.put(out);
                ret.put(out);
            }
        }
    }

    fn take(from: &mut In<'_>) -> Self {
        match from.up_to(1) {
            0 => Self::Read {
                how: Pack::take(from),
                len: Pack::take(from),
                value: Pack::take(from),
                ret: Pack::take(from),
            },
            _ => Self::HelperResult {
                helper: Pack::take(from),
                ret: Pack::take(from),
            },
        }
    }
}

/// Without its details, which do not go into traces.
impl Pack for MapDef {
    fn put(&self, out: &mut Out) {
        self.name.put(out);
        self.kind.put(out);
        for number in [self.key_size, self.value_size, self.max_entries, self.flags] {
            number.put(out);
        }
        self.initial.put(out);
        self.programs.put(out);
        self.entries.put(out);
    }

    fn take(from: &mut In<'_>) -> Self {
        Self {
            name: Pack::take(from),
            kind: Pack::take(from),
            key_size: Pack::take(from),
            value_size: Pack::take(from),
            max_entries: Pack::take(from),
            flags: Pack::take(from),
            initial: Pack::take(from),
            programs: Pack::take(from),
            entries: Pack::take(from),
            details: Default::default(),
        }
    }
}

/// A section of data is an array in the kernel's numbers; it gets two of its own, that no type has.
impl Pack for MapKind {
    fn put(&self, out: &mut Out) {
        out.number(match self {
            Self::Data { read_only } => u64::from(*read_only),
            kind => u64::from(kind.number()) + 2,
        });
    }

    fn take(from: &mut In<'_>) -> Self {
        match from.up_to(u64::from(u32::MAX)) {
            number @ (0 | 1) => Self::Data {
                read_only: number == 1,
            },
            number => Self::from_number(number as u32 - 2),
        }
    }
}

impl Pack for SourceTable {
    fn put(&self, out: &mut Out) {
        self.sources.put(out);
    }

    fn take(from: &mut In<'_>) -> Self {
        let sources = Vec::take(from);
        if sources.is_empty() {
            from.fail();
        }
        Self { sources }
    }
}

impl Pack for [u64; 11] {
    fn put(&self, out: &mut Out) {
        self.iter().for_each(|value| value.put(out));
    }

    fn take(from: &mut In<'_>) -> Self {
        [(); 11].map(|()| Pack::take(from))
    }
}

/// Each listing once, then the runs with the numbers of theirs.
fn put_runs(runs: &[Run], out: &mut Out) {
    let mut listings: Vec<&Arc<Listing>> = Vec::new();
    let mut numbers = Vec::with_capacity(runs.len());
    for run in runs {
        let same =
            |known: &&Arc<Listing>| Arc::ptr_eq(known, &run.listing) || **known == run.listing;
        let known = listings.iter().position(same);
        numbers.push(known.unwrap_or_else(|| {
            listings.push(&run.listing);
            listings.len() - 1
        }));
    }
    out.number(listings.len() as u64);
    listings
        .iter()
        .for_each(|listing| listing.as_ref().put(out));
    out.number(runs.len() as u64);
    for (run, listing) in runs.iter().zip(numbers) {
        run.program.put(out);
        run.hook.put(out);
        run.dev.put(out);
        listing.put(out);
        run.verdict.put(out);
    }
}

fn take_runs(from: &mut In<'_>) -> Vec<Run> {
    let listings: Vec<Arc<Listing>> = Vec::<Listing>::take(from)
        .into_iter()
        .map(Arc::new)
        .collect();
    let mut out = Vec::new();
    for _ in 0..from.len() {
        let (program, hook, dev) = (Pack::take(from), Pack::take(from), Pack::take(from));
        let listing = listings.get(usize::take(from)).cloned();
        let Some(listing) = listing.filter(|_| from.wrong.is_none()) else {
            from.fail();
            break;
        };
        out.push(Run {
            program,
            hook,
            dev,
            listing,
            verdict: Pack::take(from),
        });
    }
    out
}

impl Pack for Trace {
    fn put(&self, out: &mut Out) {
        let Self {
            scenario,
            design,
            steps,
            fields,
            registers,
            writes,
            stores,
            // Follow from the writes.
            checkpoints: _,
            // Follow from the steps.
            returns: _,
            sources,
            runs,
            run_objects,
            map_calls,
            reads,
            reports,
            printk,
            warnings,
            taps,
            skipped,
            maps,
            cost,
        } = self;
        scenario.put(out);
        design.put(out);
        steps::put(steps, out);
        fields.put(out);
        registers.put(out);
        writes::put(writes, out);
        stores.put(out);
        sources.put(out);
        put_runs(runs, out);
        run_objects.put(out);
        map_calls.put(out);
        reads.put(out);
        reports.put(out);
        printk.put(out);
        warnings.put(out);
        taps.put(out);
        skipped.put(out);
        maps.put(out);
        cost.put(out);
    }

    fn take(from: &mut In<'_>) -> Self {
        let trace = Self {
            scenario: Pack::take(from),
            design: Pack::take(from),
            steps: steps::take(from),
            fields: Pack::take(from),
            registers: Pack::take(from),
            writes: writes::take(from),
            stores: Pack::take(from),
            checkpoints: Vec::new(),
            returns: Vec::new(),
            sources: Pack::take(from),
            runs: take_runs(from),
            run_objects: Pack::take(from),
            map_calls: Pack::take(from),
            reads: Pack::take(from),
            reports: Pack::take(from),
            printk: Pack::take(from),
            warnings: Pack::take(from),
            taps: Pack::take(from),
            skipped: Pack::take(from),
            maps: Pack::take(from),
            cost: Pack::take(from),
        };
        let (writes, fields) = (trace.writes.len(), trace.fields.len());
        let fits = |step: &super::super::Step| {
            step.writes.end <= writes && step.fields.is_none_or(|index| index < fields)
        };
        if !trace.steps.iter().all(fits) {
            from.fail();
        }
        trace
    }
}
