//! A small trace with hand-chosen offsets for the tests of this module: native XDP on `rx`, GRE
//! decapsulation to `decap`, one reader there. Headroom 256 bytes, tag 42.

use std::sync::Arc;

use super::name::names;
use crate::bpf::{Listing, ListingLine};
use crate::trace::recorder::Moment;
use crate::trace::{
    BufferNo, ByteWrite, Cursor, DevRef, Edge, Expected, Layer, MetaFields, MetadataRead, OriginId,
    Outcome, PacketFields, PacketView, ReadHow, Recorder, Run, SkbFields, SkbNo, Source, StepKind,
    Trace, Verdict, XdpFields,
};

const GRE: [u8; 4] = [0, 0, 8, 0];
const TAG: [u8; 4] = [42, 0, 0, 0];

fn dev(name: &str) -> DevRef {
    DevRef {
        name: name.into(),
        netns: None,
    }
}

struct Builder {
    recorder: Recorder,
    pending: Vec<ByteWrite>,
    fields: SkbFields,
    meta_end: bool,
}

/// The whole trace under one design, `mac_header` or `meta_end`.
pub(crate) fn decap(design: &str) -> Trace {
    let mut b = Builder {
        recorder: Recorder::new("test", design),
        pending: Vec::new(),
        fields: skb_fields(),
        meta_end: design == "meta_end",
    };
    b.build_buffer();
    b.recorder.enter();
    b.set_tag();
    b.function("eth_type_trans", "rx", Edge::Entry);
    b.fields.data = 270;
    b.fields.mac_header = Some(256);
    b.fields.network_header = Some(270);
    b.fields.len -= 14;
    b.set_meta(256, 4);
    b.function("eth_type_trans", "rx", Edge::Exit);
    b.fields.data = 290;
    b.fields.len -= 20;
    b.function("__iptunnel_pull_header", "rx", Edge::Entry);
    b.fields.data = 294;
    b.fields.len -= 4;
    b.function("__iptunnel_pull_header", "rx", Edge::Exit);
    b.fields.network_header = Some(294);
    b.function("ip_tunnel_rcv", "rx", Edge::Entry);
    b.fields.mac_header = Some(294);
    if !b.meta_end {
        b.set_meta(294, 4);
    }
    b.function("ip_tunnel_rcv", "decap", Edge::Exit);
    b.get_tag();
    b.recorder.trace
}

pub(crate) fn skb_fields() -> SkbFields {
    SkbFields {
        data: 256,
        tail: 330,
        end: 384,
        len: 74,
        data_len: 0,
        mac_header: None,
        network_header: None,
        transport_header: None,
        inner_mac_header: None,
        inner_network_header: None,
        mac_len: 0,
        protocol: 0x0800,
        pkt_type: 0,
        vlan_present: false,
        vlan_tci: 0,
        vlan_proto: 0,
        encapsulation: false,
        cloned: false,
        ip_summed: 0,
        gso_size: 0,
        nr_frags: 0,
        dataref: 1,
        users: 1,
        meta: MetaFields {
            len: 0,
            start: None,
            end: None,
        },
        meta_end: None,
        fragments: Vec::new(),
    }
}

impl Builder {
    fn set_meta(&mut self, end: u32, len: u32) {
        self.fields.meta = MetaFields {
            len,
            start: Some(end - len),
            end: Some(end),
        };
        self.fields.meta_end = self.meta_end.then_some(end);
    }

    fn step(
        &mut self,
        kind: StepKind,
        device: &str,
        fields: Option<PacketFields>,
        outcome: Outcome,
    ) {
        let fields = fields.unwrap_or_else(|| PacketFields::Skb(self.fields.clone()));
        let moment = Moment {
            kind,
            dev: Some(std::sync::Arc::new(dev(device))),
            skb: Some(SkbNo(1)),
            buffer: Some(BufferNo(1)),
            fields: Some(fields),
            outcome,
            freed: false,
        };
        self.recorder.step(moment, &mut self.pending);
    }

    fn function(&mut self, name: &'static str, device: &str, edge: Edge) {
        let outcome = if edge == Edge::Exit {
            Outcome::Ret(0)
        } else {
            Outcome::None
        };
        self.step(
            StepKind::Function {
                name,
                file: "net/core/test.c",
                edge,
            },
            device,
            None,
            outcome,
        );
    }

    fn source(&mut self, layer: Layer, label: &str, writer: &str, len: u16) -> u16 {
        let source = Source {
            layer,
            label: label.into(),
            writer: writer.into(),
            dev: Some(dev("rx")),
            step: 0,
            len,
        };
        self.recorder.source(source)
    }

    fn build_buffer(&mut self) {
        let mut new = vec![(0, OriginId::default()); 256];
        let parts: [(Layer, &str, &str, Vec<u8>); 6] = [
            (Layer::Ethernet, "Ethernet", "eth_header", vec![2; 14]),
            (
                Layer::Ipv4,
                "IPv4 10.0.0.2 → 10.0.0.1",
                "iptunnel_xmit",
                vec![0x45; 20],
            ),
            (Layer::Gre, "GRE", "gre_build_header", GRE.to_vec()),
            (
                Layer::Ipv4,
                "IPv4 192.0.2.2 → 192.0.2.1",
                "ping",
                vec![0x45; 20],
            ),
            (Layer::Icmp, "ICMP echo", "ping", vec![8; 8]),
            (Layer::Payload, "payload", "ping", vec![0x61; 8]),
        ];
        for (layer, label, writer, bytes) in parts {
            let source = self.source(layer, label, writer, bytes.len() as u16);
            new.extend(bytes.iter().enumerate().map(|(i, b)| {
                (
                    *b,
                    OriginId {
                        source,
                        byte: i as u16,
                    },
                )
            }));
        }
        new.resize(384, (0, OriginId::default()));
        self.pending.push(ByteWrite {
            buffer: BufferNo(1),
            offset: 0,
            old: Vec::new(),
            new,
            moved_from: None,
            copied_from: None,
        });
        self.function("veth_xdp_rcv_skb", "rx", Edge::Entry);
    }

    fn run(
        &mut self,
        program: &str,
        hook: &'static str,
        device: &str,
        lines: &[(&str, Option<usize>)],
    ) -> usize {
        let line = |(text, written): &(&str, Option<usize>)| ListingLine {
            text: (*text).into(),
            written: *written,
            written_text: None,
            note: None,
            c_line: None,
            branch: None,
            access: None,
        };
        let listing = Listing {
            program: program.into(),
            section: hook.into(),
            lines: lines.iter().map(line).collect(),
            source: Vec::new(),
            source_file: None,
            map_names: Vec::new(),
        };
        let run = Run {
            program: program.into(),
            hook,
            dev: dev(device),
            listing: Arc::new(listing),
            verdict: Some(0),
        };
        self.recorder.trace.runs.push(run);
        self.recorder.trace.runs.len() - 1
    }

    fn set_tag(&mut self) {
        let run = self.run("set_tag", "xdp", "rx", &[]);
        let xdp = |data_meta| {
            Some(PacketFields::Xdp(XdpFields {
                data_meta,
                data: 256,
                data_end: 330,
                frame_sz: 704,
                fragments: Vec::new(),
            }))
        };
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Entry,
            },
            "rx",
            xdp(256),
            Outcome::None,
        );
        let source = self.source(Layer::Metadata, "tag", "set_tag", 4);
        self.write(252, &TAG, source, None);
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Exit,
            },
            "rx",
            xdp(252),
            Outcome::Ret(2),
        );
    }

    fn write(&mut self, offset: u32, bytes: &[u8; 4], source: u16, moved_from: Option<u32>) {
        let new = bytes
            .iter()
            .enumerate()
            .map(|(i, b)| {
                (
                    *b,
                    OriginId {
                        source,
                        byte: i as u16,
                    },
                )
            })
            .collect();
        let old = match offset {
            290 => GRE
                .iter()
                .enumerate()
                .map(|(i, b)| {
                    (
                        *b,
                        OriginId {
                            source: 3,
                            byte: i as u16,
                        },
                    )
                })
                .collect(),
            _ => vec![(0, OriginId::default()); 4],
        };
        self.pending.push(ByteWrite {
            buffer: BufferNo(1),
            offset,
            old,
            new,
            moved_from,
            copied_from: None,
        });
    }

    fn get_tag(&mut self) {
        let prologue = [
            ("r6 = r1", None),
            ("call bpf_skb_meta_realign", None),
            ("r1 = r6", None),
        ];
        let body = [
            ("r2 = *(u64 *)(r1 +208)", Some(0)),
            ("r3 = *(u32 *)(r2 +0)", Some(1)),
        ];
        let lines: Vec<_> = if self.meta_end {
            prologue.iter().chain(&body).copied().collect()
        } else {
            body.to_vec()
        };
        let run = self.run("get_tag", "ingress", "decap", &lines);
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Entry,
            },
            "decap",
            None,
            Outcome::None,
        );
        if self.meta_end {
            self.insn(run, 0);
            self.function("bpf_skb_meta_realign", "decap", Edge::Entry);
            self.write(290, &TAG, 7, Some(252));
            self.set_meta(294, 4);
            self.function("bpf_skb_meta_realign", "decap", Edge::Exit);
            self.insn(run, 1);
            self.insn(run, 2);
        }
        let first = if self.meta_end { 3 } else { 0 };
        self.insn(run, first);
        self.insn(run, first + 1);
        let source = if self.meta_end { 7 } else { 3 };
        let read = MetadataRead {
            run,
            program: "get_tag".into(),
            dev: dev("decap"),
            hook: "ingress",
            how: ReadHow::DataMeta,
            step: self.recorder.next_step() - 1,
            buffer: BufferNo(1),
            offset: Some(290),
            bytes: if self.meta_end {
                TAG.to_vec()
            } else {
                GRE.to_vec()
            },
            origins: (0..4).map(|byte| OriginId { source, byte }).collect(),
            verdict: if self.meta_end {
                Verdict::Ok
            } else {
                Verdict::Garbage
            },
            expected: Some(Expected {
                offset: if self.meta_end { 290 } else { 252 },
                origins: (0..4).map(|byte| OriginId { source: 7, byte }).collect(),
                lost_at: None,
            }),
        };
        self.recorder.trace.reads.push(read);
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Exit,
            },
            "decap",
            None,
            Outcome::Ret(0),
        );
    }

    fn insn(&mut self, run: usize, insn: usize) {
        let registers = self.recorder.trace.registers.push(&[0; 11]);
        self.step(
            StepKind::Insn {
                run,
                insn,
                registers,
            },
            "decap",
            None,
            Outcome::None,
        );
    }
}

/// Index of a named step.
pub(crate) fn step_at(trace: &Trace, name: &str) -> usize {
    let name = name.parse().expect("a step name");
    names(trace)
        .iter()
        .position(|n| *n == name)
        .unwrap_or_else(|| panic!("no step {name}"))
}

/// Looks at the packet of a named step.
pub(crate) fn view_at<T>(trace: &Trace, name: &str, look: impl FnOnce(PacketView<'_>) -> T) -> T {
    let mut cursor = Cursor::new(trace).expect("a trace with steps");
    cursor.go(step_at(trace, name));
    look(cursor.packet())
}

/// Fields of a named step.
pub(crate) fn fields_at<'t>(trace: &'t Trace, name: &str) -> &'t PacketFields {
    let index = trace.steps[step_at(trace, name)].fields.expect("fields");
    &trace.fields[index]
}
