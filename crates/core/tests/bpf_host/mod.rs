//! A packet in a byte buffer, as small as the engine's contract allows.
//! The rules of `bpf_xdp_adjust_meta()` are written from net/core/filter.c, not from our simulator.

#![allow(dead_code)] // each test file uses a part

use headroom_core::bpf::{
    Budget, CtxField, Fault, Host, Maps, Object, Prepared, Prologue, fix_up, load_object, run,
};

/// Size of `struct xdp_frame`, which takes the first bytes of the headroom.
const XDP_FRAME: i64 = 40;

pub struct Packet {
    pub bytes: Vec<u8>,
    pub data_meta: u32,
    pub data: u32,
    pub data_end: u32,
    pub ifindex: u32,
    pub cloned: bool,
    pub pull_fails: bool,
    /// What is `skb->vlan_all != 0`, and the tag.
    pub vlan: Option<u16>,
    pub mark: u32,
    /// Bytes that a realign moves the metadata by.
    pub gap: u32,
    pub printk: Vec<String>,
    pub records: Vec<(String, Vec<u8>)>,
    pub calls: Vec<&'static str>,
    pub insns: Vec<(usize, [u64; 11])>,
    pub clock: u64,
    /// Whether each instruction is told.
    pub steps: bool,
}

impl Packet {
    /// 256 bytes of headroom, a frame of 64 bytes with byte i = i, no metadata.
    pub fn new() -> Packet {
        let mut bytes = vec![0; 256];
        bytes.extend(0..64u8);
        Packet {
            bytes,
            data_meta: 256,
            data: 256,
            data_end: 320,
            ifindex: 7,
            cloned: false,
            pull_fails: false,
            vlan: None,
            mark: 0x1234_5678,
            gap: 0,
            printk: Vec::new(),
            records: Vec::new(),
            calls: Vec::new(),
            insns: Vec::new(),
            clock: 1_000,
            steps: true,
        }
    }

    /// With metadata in front of the frame.
    pub fn with_meta(meta: &[u8]) -> Packet {
        let mut packet = Packet::new();
        packet.data_meta -= meta.len() as u32;
        packet.bytes[packet.data_meta as usize..256].copy_from_slice(meta);
        packet
    }

    pub fn meta(&self) -> &[u8] {
        &self.bytes[self.data_meta as usize..self.data as usize]
    }
}

impl Host for Packet {
    fn packet_address(&self) -> u64 {
        0xffff_8881_0123_4000
    }
    fn ctx_load(&mut self, field: CtxField) -> u64 {
        let address = |off: u32| self.packet_address() + u64::from(off);
        match field {
            CtxField::Data => address(self.data),
            CtxField::DataEnd => address(self.data_end),
            CtxField::DataMeta => address(self.data_meta),
            CtxField::Len => u64::from(self.data_end - self.data),
            CtxField::Ifindex => u64::from(self.ifindex),
            CtxField::Mark => u64::from(self.mark),
            CtxField::VlanPresent => u64::from(self.vlan.is_some()),
            CtxField::VlanTci => u64::from(self.vlan.unwrap_or(0)),
            CtxField::ClonedByte => 0xf0 | u64::from(self.cloned),
            CtxField::Protocol => 0x0008,
            _ => 0,
        }
    }
    fn packet_bounds(&self) -> (i32, u32) {
        (self.data_meta as i32, self.data_end)
    }
    fn packet_load(&mut self, offset: i32, into: &mut [u8]) {
        into.copy_from_slice(&self.bytes[offset as usize..][..into.len()]);
    }
    fn packet_store(&mut self, offset: i32, bytes: &[u8]) {
        self.bytes[offset as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    fn xdp_adjust_meta(&mut self, delta: i32) -> i64 {
        let meta = i64::from(self.data_meta) + i64::from(delta);
        let len = i64::from(self.data) - meta;
        if meta < XDP_FRAME || len < 0 {
            return -22;
        }
        if len % 4 != 0 || len > 255 {
            return -13;
        }
        self.data_meta = meta as u32;
        0
    }
    fn xdp_adjust_head(&mut self, delta: i32) -> i64 {
        let len = self.data - self.data_meta;
        let data = i64::from(self.data) + i64::from(delta);
        if data - i64::from(len) < XDP_FRAME || data > i64::from(self.data_end) - 14 {
            return -22;
        }
        let to = (data - i64::from(len)) as usize;
        self.bytes
            .copy_within(self.data_meta as usize..self.data as usize, to);
        self.data_meta = to as u32;
        self.data = data as u32;
        0
    }
    fn load_bytes(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        let start = self.data as usize + offset as usize;
        match self.bytes.get(start..start + into.len()) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => return -14,
        }
        0
    }
    fn skb_meta_realign(&mut self) {
        self.calls.push("realign");
        // The metadata end `gap` bytes in front of the frame.
        let (start, gap) = (self.data_meta as usize, self.gap as usize);
        self.bytes
            .copy_within(start - gap..self.data as usize - gap, start);
        self.gap = 0;
    }
    fn skb_pull_data(&mut self, len: u32) -> i64 {
        self.calls.push("pull");
        assert_eq!(len, 0);
        self.cloned = false;
        if self.pull_fails { -12 } else { 0 }
    }
    fn dynptr_from_skb_meta(&mut self, flags: u64) -> Result<u32, i64> {
        if flags != 0 {
            Err(-22)
        } else {
            Ok(self.data - self.data_meta)
        }
    }
    fn skb_meta_load(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        let start = (self.data_meta + offset) as usize;
        into.copy_from_slice(&self.bytes[start..][..into.len()]);
        0
    }
    fn skb_meta_store(&mut self, offset: u32, bytes: &[u8]) -> i64 {
        let start = (self.data_meta + offset) as usize;
        self.bytes[start..][..bytes.len()].copy_from_slice(bytes);
        0
    }
    fn skb_meta_slice(&self, offset: u32) -> Option<i32> {
        Some((self.data_meta + offset) as i32)
    }
    fn skb_meta_slice_store(&mut self, offset: u32, bytes: &[u8]) {
        self.skb_meta_store(offset, bytes);
    }
    fn printk(&mut self, line: String) {
        self.printk.push(line);
    }
    fn ringbuf_output(&mut self, map: &str, record: &[u8]) {
        self.records.push((map.to_owned(), record.to_vec()));
    }
    fn ktime_ns(&mut self) -> u64 {
        self.clock += 100;
        self.clock
    }
    fn steps(&self) -> bool {
        self.steps
    }
    fn instruction(&mut self, insn: usize, registers: &[u64; 11]) {
        self.insns.push((insn, *registers));
    }
}

pub fn object(name: &str) -> Object {
    let path = format!("{}/tests/programs/{name}.bpf.o", env!("CARGO_MANIFEST_DIR"));
    load_object(name, &std::fs::read(&path).unwrap()).unwrap()
}

pub fn prepare(object: &Object, prologue: Prologue) -> Prepared {
    fix_up(&object.programs[0], prologue).unwrap()
}

/// Loads, fixes up and runs the first program of an object.
pub fn exec(name: &str, prologue: Prologue, packet: &mut Packet) -> Result<u64, Fault> {
    let object = object(name);
    let mut maps = Maps::new(&object).unwrap();
    run(
        &prepare(&object, prologue),
        &mut maps,
        packet,
        Budget::default(),
    )
}
