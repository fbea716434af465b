//! How a run is shown where that is not as usual: part of the address, `view=scale,changes&speed=5&page=2`.

/// Something that is shown, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// The buffer to scale, nothing folded.
    Scale = 1,
    /// In place of all bytes those that are others than at the step before.
    Changes = 2,
    /// All fields, in place of the first ones and those that change.
    Fields = 4,
    /// On the page that compares: all steps, in place of those that differ.
    Steps = 8,
}

/// Each with its word in addresses.
const WORDS: [(Show, &str); 4] = [
    (Show::Scale, "scale"),
    (Show::Changes, "changes"),
    (Show::Fields, "fields"),
    (Show::Steps, "steps"),
];

/// How fast it plays: so many times as fast as usual, the word on the button, and that in addresses.
pub const SPEEDS: [(f64, &str, &str); 4] = [
    (1.0, "1×", "1"),
    (2.0, "2×", "2"),
    (5.0, "5×", "5"),
    (0.5, "½×", "0.5"),
];

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    /// The sum of what is shown, of [`Show`].
    pub shows: u8,
    /// Index into [`SPEEDS`].
    pub speed: usize,
    /// The page of the list of steps, from 0.
    pub page: usize,
}

impl View {
    /// Whether something is shown.
    #[must_use]
    pub fn has(self, what: Show) -> bool {
        self.shows & what as u8 != 0
    }

    /// With something shown that was not, or the other way round.
    #[must_use]
    pub fn toggled(self, what: Show) -> Self {
        let shows = self.shows ^ what as u8;
        Self { shows, ..self }
    }

    /// The values of the address for `view`, `speed` and `page`; empty where it is as usual.
    #[must_use]
    pub fn words(self) -> [(&'static str, String); 3] {
        let shown = WORDS.iter().filter(|(what, _)| self.has(*what));
        let shown: Vec<&str> = shown.map(|(_, word)| *word).collect();
        let speed = SPEEDS.get(self.speed).filter(|_| self.speed > 0);
        let page = match self.page {
            0 => String::new(),
            page => (page + 1).to_string(),
        };
        [
            ("view", shown.join(",")),
            (
                "speed",
                speed.map_or_else(String::new, |(.., word)| (*word).to_owned()),
            ),
            ("page", page),
        ]
    }

    /// Takes a pair of the address; `None` where it is another's, else whether it could be read.
    pub fn read(&mut self, key: &str, value: &str) -> Option<bool> {
        let known = match key {
            "view" => value.split(',').fold(true, |known, word| {
                match WORDS.iter().find(|(_, known)| *known == word) {
                    Some((what, _)) => self.shows |= *what as u8,
                    None => return false,
                }
                known
            }),
            "speed" => match SPEEDS.iter().position(|(.., word)| *word == value) {
                Some(speed) => {
                    self.speed = speed;
                    true
                }
                None => false,
            },
            "page" => match value.parse::<usize>() {
                Ok(page) => {
                    self.page = page.saturating_sub(1);
                    true
                }
                Err(_) => false,
            },
            _ => return None,
        };
        Some(known)
    }
}
