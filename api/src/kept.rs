//! What was rendered and is kept: the same content is not rendered twice.
//!
//! Each is found by what its entity tag is made of. So nothing need be thrown away when something changes: what
//! has changed has another tag, and what is no longer asked for makes room for what is.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use domain::{Kind, Language, Reader};

/// How many bytes are kept: what is asked for decides whether of bodies, of pages or of what is coded.
const MOST: u64 = 48 << 20;

/// How many that may be; only a guess.
const ENTRIES: usize = 1 << 15;

/// What an entry takes beside its text.
const OVERHEAD: usize = 160;

/// How many are remembered to have been asked for once.
const NOTED: usize = 4096;

/// Which of a value's bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// As its own address shows it, and lists, searches and copies.
    Object(Kind),
    /// An INF note with its chain.
    NoteInChain,
}

/// What a body is made of and nothing else: whom it is for is in the tag, as far as it makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyOf {
    /// Which body.
    pub shape: Shape,
    /// Whose.
    pub id: Uuid,
    /// The hash of its content.
    pub tag: u64,
    /// In which language.
    pub language: Language,
}

/// A body as JSON.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Rendered(Arc<RawValue>);

impl Rendered {
    /// The JSON of a body.
    pub fn of(body: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::value::to_raw_value(body)?.into()))
    }

    /// The bytes, which are not copied.
    pub fn bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Rendered {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

/// What a page of a list or search depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageOf<'a> {
    /// The hash of the streams' positions.
    pub tag: u64,
    /// In which language.
    pub language: Language,
    /// Who reads.
    pub reader: Reader,
    /// What was asked, as it was sent.
    pub asked: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OwnedPageOf {
    tag: u64,
    language: Language,
    reader: Reader,
    asked: Box<str>,
}

impl PageOf<'_> {
    fn is(&self, key: &OwnedPageOf) -> bool {
        let OwnedPageOf { tag, language, reader, asked } = key;
        (self.tag, self.language, self.reader, self.asked) == (*tag, *language, *reader, asked)
    }
}

/// A page of a list or search, ready to send.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The JSON.
    pub body: Bytes,
    /// `Link`, when there is more.
    pub link: Option<HeaderValue>,
}

/// What a coded body is made of: the bytes it codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodedOf {
    hash: u128,
    length: usize,
    coding: &'static str,
}

/// What is kept, by what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Of {
    Body(BodyOf),
    Page(OwnedPageOf),
    Coded(CodedOf),
}

/// [`Of`], as it is looked up: the same variants in the same order, so that the hashes are the same.
#[derive(Debug, Hash)]
enum Sought<'a> {
    Body(&'a BodyOf),
    Page(&'a PageOf<'a>),
    Coded(&'a CodedOf),
}

impl Equivalent<Of> for Sought<'_> {
    fn equivalent(&self, key: &Of) -> bool {
        match (self, key) {
            (Self::Body(of), Of::Body(key)) => *of == key,
            (Self::Page(of), Of::Page(key)) => of.is(key),
            (Self::Coded(of), Of::Coded(key)) => *of == key,
            _ => false,
        }
    }
}

#[derive(Clone)]
enum Thing {
    Body(Rendered),
    Page(Arc<Page>),
    Coded(Bytes),
}

#[derive(Clone)]
struct Weight;

impl Weighter<Of, Thing> for Weight {
    fn weight(&self, of: &Of, thing: &Thing) -> u64 {
        let asked = if let Of::Page(of) = of { of.asked.len() + OVERHEAD } else { 0 };
        let bytes = match thing {
            Thing::Body(body) => body.as_ref().len(),
            // The link repeats what was asked.
            Thing::Page(page) => page.body.len() + page.link.as_ref().map_or(0, HeaderValue::len),
            Thing::Coded(coded) => coded.len(),
        };
        (bytes + asked + OVERHEAD) as u64
    }
}

/// What is kept.
pub struct Kept {
    things: Cache<Of, Thing, Weight>,
    /// Nobody knows it, so nobody can look for bytes of the same hash.
    seed: u64,
    /// Hashes of what was asked for once. Most searches are never asked again: a page, and what is coded, is kept
    /// from its second time on.
    noted: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            things: Cache::with_weighter(ENTRIES, MOST, Weight),
            seed: RandomState::new().hash_one(0),
            noted: (0..NOTED).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Kept {
    /// The body of this; rendered if it is not there yet.
    pub fn body<T: Serialize>(&self, of: &BodyOf, render: impl FnOnce() -> T) -> Result<Rendered, serde_json::Error> {
        if let Some(Thing::Body(body)) = self.things.get(&Sought::Body(of)) {
            return Ok(body);
        }
        let body = Rendered::of(&render())?;
        self.things.insert(Of::Body(*of), Thing::Body(body.clone()));
        Ok(body)
    }

    /// A page that is there.
    pub fn page(&self, of: &PageOf<'_>) -> Option<Arc<Page>> {
        match self.things.get(&Sought::Page(of))? {
            Thing::Page(page) => Some(page),
            _ => None,
        }
    }

    /// A page that was made: kept if it has been asked for before.
    pub fn offer_page(&self, of: &PageOf<'_>, page: Page) -> Arc<Page> {
        let page = Arc::new(page);
        if self.is_again(of) {
            let PageOf { tag, language, reader, asked } = *of;
            let of = OwnedPageOf { tag, language, reader, asked: asked.into() };
            self.things.insert(Of::Page(of), Thing::Page(Arc::clone(&page)));
        }
        page
    }

    /// What the coding of these bytes is kept by.
    pub fn coded_of(&self, body: &[u8], coding: &'static str) -> CodedOf {
        CodedOf { hash: xxh3_128_with_seed(body, self.seed), length: body.len(), coding }
    }

    /// A coded body that is there.
    pub fn coded(&self, of: &CodedOf) -> Option<Bytes> {
        match self.things.get(&Sought::Coded(of))? {
            Thing::Coded(coded) => Some(coded),
            _ => None,
        }
    }

    /// A body that was coded: kept if it has been asked for before.
    pub fn offer_coded(&self, of: CodedOf, coded: &[u8]) {
        if self.is_again(of) {
            self.things.insert(Of::Coded(of), Thing::Coded(Bytes::copy_from_slice(coded)));
        }
    }

    /// Whether this was asked for not long ago; notes that it is now.
    fn is_again(&self, key: impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        self.noted[hash as usize % NOTED].swap(hash, Ordering::Relaxed) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: BodyOf =
        BodyOf { shape: Shape::Object(Kind::Person), id: Uuid::from_u128(1), tag: 7, language: Language::En };

    #[test]
    fn a_body_is_rendered_once_for_the_same_content_and_anew_for_another() {
        let kept = Kept::default();
        let body =
            |of: &BodyOf, text: &str| String::from_utf8(kept.body(of, || text.to_owned()).unwrap().bytes().to_vec());
        assert_eq!(body(&OF, "first").unwrap(), "\"first\"");
        assert_eq!(body(&OF, "second").unwrap(), "\"first\"");
        for other in [
            BodyOf { tag: 8, ..OF },
            BodyOf { language: Language::Fr, ..OF },
            BodyOf { id: Uuid::nil(), ..OF },
            BodyOf { shape: Shape::NoteInChain, ..OF },
        ] {
            assert_eq!(body(&other, "another").unwrap(), "\"another\"", "{other:?}");
        }
    }

    #[test]
    fn a_page_is_kept_from_its_second_time_on_and_for_nobody_else() {
        let kept = Kept::default();
        let of = PageOf { tag: 1, language: Language::En, reader: Reader::Stranger, asked: "/a?q=x" };
        let page = || Page { body: Bytes::from_static(b"{}"), link: None };
        assert_eq!(kept.page(&of), None);
        kept.offer_page(&of, page());
        assert_eq!(kept.page(&of), None);
        kept.offer_page(&of, page());
        assert_eq!(kept.page(&of).as_deref(), Some(&page()));
        for other in [
            PageOf { tag: 2, ..of },
            PageOf { language: Language::Zh, ..of },
            PageOf { reader: Reader::Secretariat, ..of },
            PageOf { asked: "/a?q=y", ..of },
        ] {
            assert_eq!(kept.page(&other), None, "{other:?}");
        }
    }

    #[test]
    fn a_coded_body_is_kept_for_the_same_bytes_and_coding() {
        let kept = Kept::default();
        let of = kept.coded_of(b"a long text", "zstd");
        kept.offer_coded(of, b"short");
        assert_eq!(kept.coded(&of), None, "once");
        kept.offer_coded(of, b"short");
        assert_eq!(kept.coded(&of).as_deref(), Some(&b"short"[..]));
        assert_eq!(kept.coded(&kept.coded_of(b"a long text", "gzip")), None);
        assert_eq!(kept.coded(&kept.coded_of(b"a long test", "zstd")), None);
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let kept = Kept::default();
        for tag in 0..40_000 {
            kept.body(&BodyOf { tag, ..OF }, || "x".repeat(4096)).unwrap();
        }
        assert!(kept.things.weight() <= MOST);
        assert!(kept.things.len() > 8_000);
    }
}
