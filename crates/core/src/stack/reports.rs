//! What programs report of themselves through the ring buffer `report`.

use super::Kernel;
use crate::trace::ReadHow;
use crate::trace::read::{Report, ReportWhat};

impl Kernel {
    /// A record of a ring buffer: those of the map `report` are the recorder's
    /// (`struct report_rec` in golden/programs/report.h).
    pub(super) fn ringbuf_record(&mut self, run: usize, map: &str, record: &[u8]) {
        if map != "report" {
            return;
        }
        if let Some(what) = decode_report(record) {
            let run = &self.recorder.trace.runs[run];
            let report = Report {
                program: run.program.clone(),
                dev: run.dev.clone(),
                hook: run.hook,
                after_step: self.recorder.events(),
                what,
            };
            self.recorder.trace.reports.push(report);
        }
    }
}

/// `struct report_rec`: rec 0, ifindex 4, how 8, len 12, ret 16, prog 24, what 48, `bytes_len` 72, bytes 76.
fn decode_report(record: &[u8]) -> Option<ReportWhat> {
    const HOW_DATA_META: u32 = 1;
    const HOW_DYNPTR: u32 = 2;
    const HOW_RET: u32 = 3;
    let word = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
    let ret = i64::from_le_bytes(record.get(16..24)?.try_into().ok()?);
    let read = |how| {
        let shown = word(72)? as usize;
        Some(ReportWhat::Read {
            how,
            len: word(12)?,
            value: record.get(76..76 + shown)?.to_vec(),
            ret,
        })
    };
    match (word(0)?, word(8)?) {
        (2, HOW_DATA_META) => read(ReadHow::DataMeta),
        (2, HOW_DYNPTR) => read(ReadHow::Dynptr),
        (2, HOW_RET) => {
            let what = record.get(48..72)?;
            let text: Vec<u8> = what.iter().copied().take_while(|byte| *byte != 0).collect();
            Some(ReportWhat::HelperResult {
                helper: String::from_utf8_lossy(&text).into_owned(),
                ret,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(how: u32, what: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut record = vec![0; 336];
        record[0] = 2;
        record[8..12].copy_from_slice(&how.to_le_bytes());
        record[12] = bytes.len() as u8;
        record[16..24].copy_from_slice(&(-22i64).to_le_bytes());
        record[48..48 + what.len()].copy_from_slice(what);
        record[72] = bytes.len() as u8;
        record[76..76 + bytes.len()].copy_from_slice(bytes);
        record
    }

    #[test]
    fn records_of_the_report_map() {
        let read = decode_report(&record(1, b"read", &[42, 0, 0, 0]));
        assert_eq!(
            read,
            Some(ReportWhat::Read {
                how: ReadHow::DataMeta,
                len: 4,
                value: vec![42, 0, 0, 0],
                ret: -22
            })
        );
        let result = decode_report(&record(3, b"adjust_meta(-3)", &[]));
        assert_eq!(
            result,
            Some(ReportWhat::HelperResult {
                helper: "adjust_meta(-3)".into(),
                ret: -22
            })
        );
    }

    #[test]
    fn other_records_are_left_alone() {
        assert_eq!(decode_report(&record(9, b"", &[])), None);
        assert_eq!(decode_report(&[2, 0, 0]), None);
    }
}
