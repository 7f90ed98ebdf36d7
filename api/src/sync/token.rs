//! The token of a copy: where it stands, and how far a copy in the making has come.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::SCHEMA;
use domain::{Kind, Language, Position, Reader, Stream};

/// An object's place in the order in which a first copy is sent.
pub type Key = (Kind, Uuid);

/// Some of the published streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams(u8);

impl Streams {
    /// All of them.
    pub const ALL: Self = Self(0b1111);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These alone.
    pub fn of(streams: impl IntoIterator<Item = Stream>) -> Self {
        Self(streams.into_iter().filter_map(place).fold(0, |bits, n| bits | 1 << n))
    }

    /// Whether `stream` is among them.
    pub fn has(self, stream: Stream) -> bool {
        place(stream).is_some_and(|n| self.0 & 1 << n != 0)
    }

    /// Those of them that are not among `others`.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Those that are among these or among `others`.
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Stream> {
        Stream::PUBLISHED.into_iter().filter(move |stream| self.has(*stream))
    }
}

/// The place of a published stream in a token.
fn place(stream: Stream) -> Option<usize> {
    Stream::PUBLISHED.iter().position(|published| *published == stream)
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What has changed since the positions.
    Changes,
    /// The same, from this object on in the step that follows its stream's position.
    Step(Key),
    /// Everything of the missing streams, from this object on; `bases` once any of it has come out of a base.
    All {
        /// Where.
        from: Key,
        /// Whether a base was used.
        bases: bool,
    },
    /// What bases lack of the missing streams, from this object on.
    Rest(Key),
}

/// Where a copy stands. Nonces cannot be guessed and the audience is the caller's own, so that
/// nothing is gained by making one up and no signature is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Of the shapes in the copy.
    pub schema: u8,
    /// Whose copy it is.
    pub audience: u64,
    /// Its language, by number.
    pub language: u8,
    /// The streams in it.
    pub streams: Streams,
    /// Those of them that are being fetched.
    pub missing: Streams,
    /// For each stream a position that the copy has everything of, or will have at [`Phase::Changes`].
    pub positions: [Position; 4],
    /// What comes next.
    pub phase: Phase,
}

/// Of a copy that is whole and of all streams: as the first release wrote it.
const WHOLE: u8 = 1;
/// Of any other.
const PART: u8 = 2;
const WHOLE_BYTES: usize = 1 + 1 + 8 + 1 + 4 * 24;
const PART_BYTES: usize = WHOLE_BYTES + 1 + 1 + 1 + 1 + 16;

/// The place before everything.
pub const START: Key = (Kind::Organization, Uuid::nil());

const NOWHERE: Position = Position { rev: 0, nonce: Uuid::nil() };

impl Token {
    /// Of nothing yet.
    pub fn empty(reader: Reader, language: Language) -> Self {
        Self {
            schema: SCHEMA,
            audience: fingerprint(reader),
            language: language as u8,
            streams: Streams::NONE,
            missing: Streams::NONE,
            positions: [NOWHERE; 4],
            phase: Phase::Changes,
        }
    }

    /// The position of a stream.
    pub fn position(&self, stream: Stream) -> Position {
        place(stream).map_or(NOWHERE, |n| self.positions[n])
    }

    /// Moves a stream.
    pub fn set_position(&mut self, stream: Stream, position: Position) {
        if let Some(n) = place(stream) {
            self.positions[n] = position;
        }
    }

    /// As it travels: always of the same length for a copy in the making.
    pub fn encode(&self) -> String {
        let is_whole = self.streams == Streams::ALL && self.missing == Streams::NONE && self.phase == Phase::Changes;
        let mut bytes = Vec::with_capacity(PART_BYTES);
        bytes.extend([if is_whole { WHOLE } else { PART }, self.schema]);
        bytes.extend(self.audience.to_be_bytes());
        bytes.push(self.language);
        for position in self.positions {
            bytes.extend(position.rev.to_be_bytes());
            bytes.extend(position.nonce.as_bytes());
        }
        if !is_whole {
            let (phase, (kind, id)) = match self.phase {
                Phase::Changes => (0, START),
                Phase::Step(key) => (1, key),
                Phase::All { from, bases: false } => (2, from),
                Phase::All { from, bases: true } => (3, from),
                Phase::Rest(key) => (4, key),
            };
            bytes.extend([self.streams.0, self.missing.0, phase, kind as u8]);
            bytes.extend(id.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Of text from outside.
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > PART_BYTES.div_ceil(3) * 4 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&[version, schema, ref rest @ ..], parts) = bytes.split_at_checked(WHOLE_BYTES)? else { return None };
        let (audience, rest) = rest.split_first_chunk()?;
        let (language, rest) = rest.split_first()?;
        let mut positions = [NOWHERE; 4];
        for (position, bytes) in positions.iter_mut().zip(rest.chunks_exact(24)) {
            let (rev, nonce) = bytes.split_first_chunk()?;
            let rev = i64::from_be_bytes(*rev);
            *position = Position { rev: (rev >= 0).then_some(rev)?, nonce: Uuid::from_slice(nonce).ok()? };
        }
        let (streams, missing, phase) = match (version, parts) {
            (WHOLE, []) => (Streams::ALL, Streams::NONE, Phase::Changes),
            (PART, &[streams, missing, phase, kind, ref id @ ..]) => {
                let (streams, missing) = (Streams(streams), Streams(missing));
                let key = (*Kind::ALL.get(usize::from(kind))?, Uuid::from_slice(id).ok()?);
                let phase = match phase {
                    0 => Phase::Changes,
                    1 => Phase::Step(key),
                    2 => Phase::All { from: key, bases: false },
                    3 => Phase::All { from: key, bases: true },
                    4 => Phase::Rest(key),
                    _ => return None,
                };
                let is_fetching = matches!(phase, Phase::All { .. } | Phase::Rest(_));
                let is_possible = streams != Streams::NONE
                    && streams.without(Streams::ALL) == Streams::NONE
                    && missing.without(streams) == Streams::NONE
                    && (missing != Streams::NONE) == is_fetching;
                (is_possible.then_some(streams)?, missing, phase)
            }
            _ => return None,
        };
        let audience = u64::from_be_bytes(*audience);
        Some(Self { schema, audience, language: *language, streams, missing, positions, phase })
    }
}

fn fingerprint(reader: Reader) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    reader.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token() -> impl Strategy<Value = Token> {
        let position = (0..i64::MAX, any::<u128>()).prop_map(|(rev, n)| Position { rev, nonce: Uuid::from_u128(n) });
        let key = (prop::sample::select(Kind::ALL.to_vec()), any::<u128>().prop_map(Uuid::from_u128));
        let phase = prop_oneof![
            Just(Phase::Changes),
            key.clone().prop_map(Phase::Step),
            (key.clone(), any::<bool>()).prop_map(|(from, bases)| Phase::All { from, bases }),
            key.prop_map(Phase::Rest),
        ];
        let parts = (1u8..16, 1u8..16, phase);
        (any::<(u8, u64, u8)>(), prop::array::uniform4(position), parts).prop_map(
            |((schema, audience, language), positions, (streams, missing, phase))| {
                let is_fetching = matches!(phase, Phase::All { .. } | Phase::Rest(_));
                let (streams, missing) = if is_fetching { (streams | missing, missing) } else { (streams, 0) };
                let (streams, missing) = (Streams(streams), Streams(missing));
                Token { schema, audience, language, streams, missing, positions, phase }
            },
        )
    }

    proptest! {
        #[test]
        fn a_token_reads_back(token in token()) {
            prop_assert_eq!(Token::decode(&token.encode()), Some(token));
        }

        #[test]
        fn no_bytes_break_the_reader_and_each_token_is_spelled_in_one_way(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            token in token(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut changed = URL_SAFE_NO_PAD.decode(token.encode()).unwrap();
            let at = at.index(changed.len());
            changed[at] = byte;
            for bytes in [bytes, changed] {
                let text = URL_SAFE_NO_PAD.encode(&bytes);
                if let Some(read) = Token::decode(&text) {
                    prop_assert_eq!(Token::decode(&read.encode()), Some(read));
                }
            }
        }
    }

    #[test]
    fn junk_is_none() {
        for junk in ["", "A", "AQEB", &"A".repeat(143), &"A".repeat(1000), "ä", "====", &"_".repeat(170)] {
            assert_eq!(Token::decode(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_token_of_the_first_release_is_of_a_whole_copy_of_all_streams() {
        let published = "AQGbjfrbWHdhGAEAAAAAAAAAAQa0LB5E5k7JoW1M6vT-th0AAAAAAAAAAfsp39eKqkj3h5tBxhbog0kAAAAAAAAAAQ5yVruIqU3kmZNqCA47uWYAAAAAAAAAAR6i0oEQ3E8HmI9w3Jp8BVE";
        let token = Token::decode(published).unwrap();
        assert_eq!((token.streams, token.missing, token.phase), (Streams::ALL, Streams::NONE, Phase::Changes));
        assert_eq!(token.encode(), published);
    }

    #[test]
    fn audiences_have_different_fingerprints() {
        use domain::MissionId;
        let mission = |n| Reader::Mission(MissionId(Uuid::from_u128(n)));
        let all = [Reader::Stranger, Reader::Secretariat, mission(1), mission(2)].map(fingerprint);
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }
}
