//! What a reader has made in the lab, and its sections.

use super::section::{Section, Tag, read_text, split_two, two};

/// A program of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Name of the file it stands for, such as `mine.bpf.o`, or of the program for assembler.
    pub name: String,
    /// Its text.
    pub text: ProgramText,
}

/// A program as an object file or as assembler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramText {
    /// Bytes of an ELF object.
    Object(Vec<u8>),
    /// Text for the assembler.
    Assembler(String),
}

/// A packet of the lab's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is called in the list.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The lab's work: all that a link restores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The commands, as text.
    pub commands: String,
    /// Id of the scenario whose programs are there too; empty for none.
    pub scenario: String,
    /// Programs, in the order in which they are loaded.
    pub programs: Vec<Program>,
    /// Packets that were made or dropped.
    pub packets: Vec<Frame>,
    /// What is shown, as the query of an address (`d=…&at=…&z=…`); empty for the opening picture.
    pub view: String,
    /// Policy points of the `custom` design, as text; empty for none.
    pub policy: String,
}

impl Work {
    /// The sections, the ones a reader would miss most first: a link that is cut off loses its end.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut out = Vec::new();
        let mut text = |tag, text: &str| {
            if !text.is_empty() {
                out.push(Section {
                    tag,
                    body: text.as_bytes().to_vec(),
                });
            }
        };
        text(Tag::Scenario, &self.scenario);
        text(Tag::Commands, &self.commands);
        text(Tag::View, &self.view);
        text(Tag::Policy, &self.policy);
        for program in &self.programs {
            let (tag, bytes) = match &program.text {
                ProgramText::Assembler(text) => (Tag::Assembler, text.as_bytes()),
                ProgramText::Object(bytes) => (Tag::Object, bytes.as_slice()),
            };
            out.push(Section {
                tag,
                body: two(&program.name, bytes),
            });
        }
        for frame in &self.packets {
            out.push(Section {
                tag: Tag::Frame,
                body: two(&frame.name, &frame.bytes),
            });
        }
        out
    }

    /// Takes a section in. An error is a clause that says what is wrong with it.
    pub(super) fn take(&mut self, section: Section) -> Result<(), String> {
        let Section { tag, body } = section;
        match tag {
            Tag::Scenario => self.scenario = read_text(body)?,
            Tag::Commands => self.commands = read_text(body)?,
            Tag::View => self.view = read_text(body)?,
            Tag::Policy => self.policy = read_text(body)?,
            Tag::Assembler => {
                let (name, text) = split_two(&body)?;
                let text = ProgramText::Assembler(read_text(text)?);
                self.programs.push(Program { name, text });
            }
            Tag::Object => {
                let (name, bytes) = split_two(&body)?;
                let text = ProgramText::Object(bytes);
                self.programs.push(Program { name, text });
            }
            Tag::Frame => {
                let (name, bytes) = split_two(&body)?;
                self.packets.push(Frame { name, bytes });
            }
        }
        Ok(())
    }
}
