//! Exports: the rows of an import out of the edition, as NDJSON or CSV, in pieces as fast as the reader takes
//! them.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use actix_web::http::header::{self, Accept, Header, HeaderValue, Quality};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{Stream, stream};
use serde::Serialize;

use crate::imports::csv::{Columns, flatten, guard, rank};
use crate::params::Params;
use crate::problem::{ApiError, Code};
use domain::{Broken, Rule};

/// About how large a piece is, in bytes.
const PIECE: usize = 64 * 1024;

/// How many entries are looked at between two looks at how large the piece has become.
const STRIDE: usize = 50;

/// How long a reader may take nothing, and what it takes at most in all. The edition that it holds is freed then.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: u32 = 20;

/// What spreadsheets tell UTF-8 by.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What an export's answer varies by.
const VARY: &str = "Accept, Accept-Encoding, Authorization";

/// A place in an export: which collection, and how many of its entries are behind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Which collection.
    pub part: usize,
    /// How many entries of it.
    pub entries: usize,
}

/// Something that can be exported.
pub trait Rows: Send + Sync + 'static {
    /// A row, in the form of the import.
    type Row: Serialize;
    /// The columns of its CSV.
    const COLUMNS: Columns;

    /// Gives every row among the next `most` entries behind `place` to `each`; returns where to go on, or
    /// `None` at the end. The same edition gives the same rows in the same order in every process.
    fn rows(&self, place: Place, most: usize, uris: bool, each: impl FnMut(Self::Row)) -> Option<Place>;
}

/// How an export is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line.
    Ndjson,
    /// Columns; beginning with a byte order mark if that is asked for.
    Csv {
        /// With a byte order mark.
        marked: bool,
    },
}

impl Format {
    /// `format` and `bom`, or else what `Accept` ranks first.
    pub fn of(req: &HttpRequest, params: &mut Params) -> Result<Self, ApiError> {
        let marked = params.get("bom", crate::params::boolean).unwrap_or(false);
        let asked = params.get("format", |format| match format {
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv { marked }),
            _ => Err(Broken::new(Rule::OneOf, message!("must be one of {values}", values = "ndjson, csv"))),
        });
        if asked.is_some() || !req.headers().contains_key(header::ACCEPT) || params.text("format").is_some() {
            return Ok(asked.unwrap_or(Self::Ndjson));
        }
        let accepted = Accept::parse(req).map_err(|_| ApiError::new(Code::NotAcceptable))?;
        let wanted = Accept(accepted.0.into_iter().filter(|range| range.quality > Quality::ZERO).collect());
        let format = wanted.ranked().into_iter().find_map(|range| match range.essence_str() {
            "text/csv" | "text/*" => Some(Self::Csv { marked }),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/*" | "*/*" => {
                Some(Self::Ndjson)
            }
            _ => None,
        });
        format.ok_or_else(|| {
            ApiError::new(Code::NotAcceptable)
                .detail(message!("must be one of {values}", values = "application/x-ndjson, text/csv"))
        })
    }

    fn extension(&self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv { .. } => "csv",
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv { .. } => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// Puts the headers on an export's answer that do not depend on whether it has a body.
pub fn set_vary(response: &mut HttpResponse) {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static(VARY));
}

/// A response with all rows. `name` is the file's name without its end, of letters, digits and `-`.
pub async fn respond<R: Rows>(rows: R, format: Format, name: &str) -> Result<HttpResponse, ApiError> {
    let rows = Arc::new(rows);
    let (looked, is_csv) = (rows.clone(), matches!(format, Format::Csv { .. }));
    let columns = match is_csv {
        true => web::block(move || columns(&*looked)).await.map_err(|_| ApiError::new(Code::Internal))?,
        false => Vec::new(),
    };
    let lease = Lease::begin(rows, PATIENCE);
    let start = head(&format, columns.iter().map(String::as_str)).map_err(|_| ApiError::new(Code::Internal))?;
    let writing = Writing { lease, columns, is_csv, start: Some(start), place: Some(Place::default()) };
    let pieces = stream::try_unfold(writing, |mut writing| async move {
        Ok::<_, io::Error>(writing.piece()?.map(|piece| (piece, writing)))
    });
    Ok(attachment(&format, name, pieces))
}

/// A response that is a file of this name, without its end.
pub(crate) fn attachment<P>(format: &Format, name: &str, pieces: P) -> HttpResponse
where
    P: Stream<Item = io::Result<web::Bytes>> + 'static,
{
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.extension());
    HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .content_type(format.media_type())
        .streaming(pieces)
}

/// What a file begins with.
pub(crate) fn head<'a>(format: &Format, columns: impl Iterator<Item = &'a str>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if let Format::Csv { marked } = format {
        if *marked {
            head.extend(BYTE_ORDER_MARK);
        }
        write_record(&mut head, columns)?;
    }
    Ok(head)
}

/// The columns that any of the rows has something in.
fn columns<R: Rows>(rows: &R) -> Vec<String> {
    let mut found = BTreeSet::from(["kind".to_owned(), "key".to_owned()]);
    let mut place = Some(Place::default());
    while let Some(from) = place {
        place = rows.rows(from, STRIDE, true, |row| {
            found.extend(flatten(&serde_json::to_value(row).unwrap_or_default()).into_keys());
        });
    }
    let mut columns: Vec<String> = found.into_iter().collect();
    columns.sort_by_cached_key(|column| rank(R::COLUMNS, column));
    columns
}

/// Writes a row of CSV.
pub(crate) fn write_record<'a>(piece: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(piece);
    Ok(writer.write_record(cells)?)
}

/// An export that is under way.
struct Writing<R> {
    lease: Arc<Lease<R>>,
    columns: Vec<String>,
    is_csv: bool,
    start: Option<Vec<u8>>,
    place: Option<Place>,
}

impl<R: Rows> Writing<R> {
    fn piece(&mut self) -> io::Result<Option<web::Bytes>> {
        let rows = self.lease.rows()?;
        let mut piece = self.start.take().unwrap_or_default();
        while let Some(from) = self.place.filter(|_| piece.len() < PIECE) {
            let mut written = Ok(());
            self.place = rows.rows(from, STRIDE, self.is_csv, |row| {
                if written.is_ok() {
                    written = self.write(&mut piece, &row);
                }
            });
            written?;
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn write(&self, piece: &mut Vec<u8>, row: &R::Row) -> io::Result<()> {
        if self.is_csv {
            let cells = flatten(&serde_json::to_value(row)?);
            let cells: Vec<String> =
                self.columns.iter().map(|column| cells.get(column).map_or_else(String::new, |c| guard(c))).collect();
            return write_record(piece, cells.iter().map(String::as_str));
        }
        serde_json::to_writer(&mut *piece, row)?;
        piece.push(b'\n');
        Ok(())
    }
}

/// What an export reads from, as long as its reader goes on taking it.
struct Lease<R> {
    rows: Mutex<Option<Arc<R>>>,
    moved: AtomicBool,
}

impl<R: Rows> Lease<R> {
    fn begin(rows: Arc<R>, patience: Duration) -> Arc<Self> {
        let lease = Arc::new(Self { rows: Mutex::new(Some(rows)), moved: AtomicBool::new(true) });
        actix_web::rt::spawn(Self::watch(Arc::downgrade(&lease), patience));
        lease
    }

    fn rows(&self) -> io::Result<Arc<R>> {
        self.moved.store(true, Ordering::Relaxed);
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        rows.ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "the reader stood still"))
    }

    async fn watch(lease: Weak<Self>, patience: Duration) {
        for _ in 0..LONGEST {
            tokio::time::sleep(patience).await;
            match lease.upgrade() {
                None => return,
                Some(lease) if !lease.moved.swap(false, Ordering::Relaxed) => break,
                Some(_) => {}
            }
        }
        if let Some(lease) = lease.upgrade() {
            lease.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[derive(Clone)]
    struct Numbers(usize);

    impl Rows for Numbers {
        type Row = serde_json::Value;
        const COLUMNS: Columns = &["kind", "key", "name.@"];

        fn rows(&self, place: Place, most: usize, _: bool, mut each: impl FnMut(Self::Row)) -> Option<Place> {
            let end = self.0.min(place.entries + most);
            (place.entries..end).for_each(|n| each(serde_json::json!({"kind": "unit", "key": n, "name": {"en": "="}})));
            (end < self.0).then_some(Place { entries: end, ..place })
        }
    }

    fn format(query: &str, accept: Option<&str>) -> Result<Format, Code> {
        let mut req = TestRequest::get();
        if let Some(accept) = accept {
            req = req.insert_header((header::ACCEPT, accept));
        }
        let mut params = Params::parse(query).unwrap();
        let format = Format::of(&req.to_http_request(), &mut params).map_err(|error| error.code())?;
        params.finish().map(|()| format).map_err(|error| error.code())
    }

    #[test]
    fn a_format_is_asked_for_by_parameter_or_accept() {
        let csv = Ok(Format::Csv { marked: false });
        assert_eq!(format("", None), Ok(Format::Ndjson));
        assert_eq!(format("format=csv", Some("application/x-ndjson")), csv);
        assert_eq!(format("", Some("text/html, text/csv;q=0.9, */*;q=0.1")), csv);
        assert_eq!(format("", Some("*/*")), Ok(Format::Ndjson));
        assert_eq!(format("", Some("text/csv;q=0, application/ndjson;q=0.1")), Ok(Format::Ndjson));
        assert_eq!(format("", Some("application/json")), Err(Code::NotAcceptable));
        assert_eq!(format("format=xml", None), Err(Code::ValidationFailed));
        assert_eq!(format("format=csv&bom=true", None), Ok(Format::Csv { marked: true }));
    }

    #[actix_web::test]
    async fn pieces_are_small_however_many_rows_there_are() {
        let rows = Arc::new(Numbers(100_000));
        let columns = columns(&*rows);
        assert_eq!(columns, ["kind", "key", "name.en"]);
        for is_csv in [false, true] {
            let lease = Lease::begin(rows.clone(), PATIENCE);
            let place = Some(Place::default());
            let mut writing = Writing { lease, columns: columns.clone(), is_csv, start: None, place };
            let (mut pieces, mut lines) = (0, 0);
            while let Some(piece) = writing.piece().unwrap() {
                assert!(piece.len() < PIECE + 10_000);
                pieces += 1;
                lines += piece.iter().filter(|byte| **byte == b'\n').count();
                if is_csv {
                    assert!(piece.ends_with(b",'=\r\n"));
                }
            }
            assert!(pieces > 10);
            assert_eq!(lines, 100_000);
        }
    }

    #[actix_web::test]
    async fn a_reader_that_stands_still_holds_nothing() {
        let (rows, patience) = (Arc::new(Numbers(100_000)), Duration::from_millis(100));
        let lease = Lease::begin(rows.clone(), patience);
        let mut writing =
            Writing { lease, columns: Vec::new(), is_csv: false, start: None, place: Some(Place::default()) };
        assert!(writing.piece().is_ok());
        tokio::time::sleep(patience / 2).await;
        assert!(writing.piece().is_ok());
        tokio::time::sleep(patience * 3).await;
        assert_eq!(Arc::strong_count(&rows), 1);
        assert!(writing.piece().is_err());
    }
}
