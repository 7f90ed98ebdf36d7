//! Files of rows: how they arrive, and how they are read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};

use super::csv::{self, Columns};
use crate::payload;
use crate::problem::{ApiError, Code};
use domain::{Fault, Rule};

/// The longest line, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// How long a file may take to arrive.
const SPOOL_WAIT: Duration = Duration::from_secs(300);

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line.
    Ndjson,
    /// These columns.
    Csv(Columns),
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv(_) => "csv",
        }
    }

    /// Of a request's body; CSV where there are `columns`.
    pub fn of(req: &HttpRequest, columns: Option<Columns>) -> Result<Self, ApiError> {
        let refused = |detail: &str| Err(ApiError::new(Code::UnsupportedMediaType).detail(detail));
        let value = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut parts = value.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let format = match (media_type.as_str(), columns) {
            ("application/x-ndjson" | "application/ndjson" | "application/jsonl", _) => Self::Ndjson,
            ("text/csv", Some(columns)) => Self::Csv(columns),
            (_, Some(_)) => return refused("Send application/x-ndjson or text/csv, in UTF-8"),
            (_, None) => return refused("Send application/x-ndjson, one JSON object a line, in UTF-8"),
        };
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            match (name.trim().to_ascii_lowercase().as_str(), value.trim().trim_matches('"')) {
                ("charset", charset) if !["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8)) => {
                    return refused("Send the file in UTF-8");
                }
                ("header", "absent") => return refused("Send the names of the columns in the first line"),
                _ => {}
            }
        }
        match payload::is_plain(req) {
            true => Ok(format),
            false => refused("Send the file without a content coding"),
        }
    }
}

/// Writes the body to a file of its own before anything is looked at or any transaction opens.
pub async fn spool(body: web::Payload, limit: u64) -> Result<File, ApiError> {
    let spooled = tokio::time::timeout(SPOOL_WAIT, write(body, limit)).await;
    spooled.map_err(|_| ApiError::new(Code::Timeout))?
}

async fn write(mut body: web::Payload, limit: u64) -> Result<File, ApiError> {
    let full = |cause: std::io::Error| {
        tracing::error!(%cause, "an import could not be spooled");
        ApiError::new(Code::Unavailable)
    };
    let mut file = tempfile::tempfile().map_err(full)?;
    let mut size = 0u64;
    while let Some(chunk) = payload::next(&mut body).await? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(ApiError::new(Code::TooLarge).detail(format!("An import has at most {limit} bytes")));
        }
        file = web::block(move || file.write_all(&chunk).map(|()| file))
            .await
            .map_err(|_| ApiError::new(Code::Internal))?
            .map_err(full)?;
    }
    Ok(file)
}

/// A row of a file.
pub struct Row<'a> {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its JSON, or why there is none.
    pub json: Result<&'a [u8], Fault>,
    /// From a pointer into the JSON to one into the row as it was written.
    pub place: &'a dyn Fn(&str) -> String,
}

/// What ends the reading of a file.
pub enum Ended {
    /// These faults, on this line.
    Faulty(u64, Vec<Fault>),
    /// What else there is to answer.
    Refused(ApiError),
}

impl Ended {
    fn unreadable(cause: std::io::Error) -> Self {
        tracing::error!(%cause, "a spooled import cannot be read");
        Self::Refused(ApiError::new(Code::Unavailable))
    }

    fn one(line: u64, fault: Fault) -> Self {
        Self::Faulty(line, vec![fault])
    }
}

/// Calls `each` for every row that is not blank. A byte order mark is skipped.
pub fn for_each_row(
    file: &mut File,
    format: Format,
    each: impl FnMut(Row<'_>) -> Result<(), ApiError>,
) -> Result<(), Ended> {
    file.rewind().map_err(Ended::unreadable)?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let start = reader.fill_buf().map_err(Ended::unreadable)?;
    if matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..]) {
        return Err(Ended::one(1, Fault::new("", Rule::Format, "the file is in UTF-16: save it as UTF-8")));
    }
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    match format {
        Format::Ndjson => for_each_line(reader, each),
        Format::Csv(columns) => for_each_record(reader, columns, each),
    }
}

fn for_each_line(mut reader: impl BufRead, mut each: impl FnMut(Row<'_>) -> Result<(), ApiError>) -> Result<(), Ended> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = Read::take(&mut reader, MAX_LINE + 1).read_until(b'\n', &mut bytes).map_err(Ended::unreadable)?;
        if read == 0 {
            break;
        }
        if read as u64 > MAX_LINE {
            let detail = format!("a line has at most {MAX_LINE} bytes");
            return Err(Ended::one(line, Fault::new("", Rule::Length, detail)));
        }
        let text = bytes.trim_ascii();
        if !text.is_empty() {
            let utf8 = std::str::from_utf8(text).map(str::as_bytes);
            let json = utf8.map_err(|_| Fault::new("", Rule::Format, "must be UTF-8"));
            each(Row { line, json, place: &str::to_owned }).map_err(Ended::Refused)?;
        }
    }
    Ok(())
}

fn for_each_record(
    reader: impl Read,
    columns: Columns,
    mut each: impl FnMut(Row<'_>) -> Result<(), ApiError>,
) -> Result<(), Ended> {
    let ended = |ended| match ended {
        csv::Ended::Faulty(line, faults) => Ended::Faulty(line, faults),
        csv::Ended::Io(cause) => Ended::unreadable(cause),
    };
    let mut rows = csv::Rows::new(reader, columns, MAX_LINE).map_err(ended)?;
    while let Some(csv::Row { line, json }) = rows.next_row().map_err(ended)? {
        let json = json.as_deref().map_err(Clone::clone);
        each(Row { line, json, place: &|pointer| rows.place(pointer) }).map_err(Ended::Refused)?;
    }
    Ok(())
}
