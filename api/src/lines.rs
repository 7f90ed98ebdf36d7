//! The log's lines on their way out: put down by whoever has one, written together by a thread of their own.
//!
//! A request never waits for whoever reads the log. What is not read in time piles up to a bound, behind which
//! lines are left out, counted and told; the log's other lines have a wider bound than those of requests.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines are collected before they are written.
const COLLECT: Duration = Duration::from_millis(20);

/// How many bytes may wait where a request's line is the next, and where it is another.
const MOST: (usize, usize) = (4 << 20, 5 << 20);

/// A buffer that has grown beyond this is given back.
const USUAL: usize = 1 << 20;

/// How long the last lines may take when the program ends.
const PATIENCE: Duration = Duration::from_secs(5);

static LOG: OnceLock<Lines> = OnceLock::new();

/// Where the requests of this program write their lines; none before [`Lines::make_log`].
pub fn log() -> Option<&'static Lines> {
    LOG.get()
}

/// Lines that wait to be written.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    left_out: u64,
    ended: bool,
    /// The last line is written.
    done: bool,
}

/// Writes what waits until it is dropped, which ends when the last line is written.
pub struct Writing {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    /// Lines that are written to `out`.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<(Self, Writing)> {
        let lines = Self(Arc::default());
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn({
            let lines = lines.clone();
            move || lines.write_all_to(out)
        })?;
        Ok((lines.clone(), Writing { lines, thread: Some(thread) }))
    }

    /// Makes these the lines of [`log`]; once in a process.
    pub fn make_log(self) {
        let _ = LOG.set(self);
    }

    /// Puts down the line of a request, which may be left out.
    pub fn put_request(&self, line: &[u8]) {
        self.put(line, MOST.0);
    }

    fn put(&self, line: &[u8], most: usize) {
        let mut waiting = self.waiting();
        let is_first = waiting.bytes.is_empty() && waiting.left_out == 0;
        match waiting.bytes.len() + line.len() <= most {
            true => waiting.bytes.extend_from_slice(line),
            false => waiting.left_out += 1,
        }
        drop(waiting);
        if is_first {
            self.0.changed.notify_all();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        guard: MutexGuard<'a, Waiting>,
        holds: fn(&mut Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        self.0.changed.wait_while(guard, holds).unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let waiting = self.wait_while(self.waiting(), |w| w.bytes.is_empty() && w.left_out == 0 && !w.ended);
            let is_ending = waiting.ended;
            drop(waiting);
            if !is_ending {
                std::thread::sleep(COLLECT);
            }
            let mut waiting = self.waiting();
            std::mem::swap(&mut waiting.bytes, &mut batch);
            let (left_out, is_last) = (std::mem::take(&mut waiting.left_out), waiting.ended);
            drop(waiting);
            // Nobody can be told of a log that cannot be written.
            let _ = out.write_all(&batch);
            if left_out > 0 {
                let _ = writeln!(out, "{}", told(left_out));
            }
            let _ = out.flush();
            batch.clear();
            batch.shrink_to(USUAL);
            if is_last {
                self.waiting().done = true;
                self.0.changed.notify_all();
                return;
            }
        }
    }
}

/// The line that takes the place of those left out.
fn told(left_out: u64) -> serde_json::Value {
    serde_json::json!({
        "timestamp": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "level": "WARN",
        "fields": { "message": "lines of the log were left out: it is read too slowly", "lines": left_out },
        "target": module_path!(),
    })
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = OtherLine;

    fn make_writer(&'a self) -> OtherLine {
        OtherLine(self.clone())
    }
}

/// A line that is not a request's; it comes whole.
pub struct OtherLine(Lines);

impl Write for OtherLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line, MOST.1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.lines.waiting().ended = true;
        self.lines.0.changed.notify_all();
        let waited = self.lines.0.changed.wait_timeout_while(self.lines.waiting(), PATIENCE, |waiting| !waiting.done);
        let is_done = waited.is_ok_and(|(waiting, _)| waiting.done);
        if let Some(thread) = self.thread.take().filter(|_| is_done) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taken = Mutex<(bool, Vec<u8>)>;

    /// Takes nothing until it is let.
    #[derive(Clone, Default)]
    struct Slow(Arc<(Taken, Condvar)>);

    impl Slow {
        fn open(&self) {
            self.0.0.lock().unwrap().0 = true;
            self.0.1.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().1.clone()).unwrap()
        }
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.1.wait_while(self.0.0.lock().unwrap(), |(open, _)| !*open).unwrap();
            taken.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_and_in_order_before_the_end() {
        let slow = Slow::default();
        slow.open();
        let (lines, writing) = Lines::to(slow.clone()).unwrap();
        for n in 0..10_000 {
            lines.put_request(format!("{n}\n").as_bytes());
        }
        lines.make_writer().write_all(b"last\n").unwrap();
        drop(writing);
        let text = slow.text();
        assert_eq!(text.lines().count(), 10_001);
        assert!(text.lines().take(10_000).enumerate().all(|(n, line)| line == n.to_string()));
        assert!(text.ends_with("9999\nlast\n"));
    }

    #[test]
    fn nobody_waits_for_a_slow_reader_and_what_is_left_out_is_told() {
        let slow = Slow::default();
        let (lines, writing) = Lines::to(slow.clone()).unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        let fitting = 2 * MOST.0 / line.len();
        for _ in 0..fitting + 7 {
            lines.put_request(&line);
        }
        lines.make_writer().write_all(b"an error\n").unwrap();
        slow.open();
        drop(writing);
        let text = slow.text();
        assert!(text.contains("\nan error\n"), "requests leave room for what matters more");
        let told = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let left_out: u64 = told.map(|told| told["fields"]["lines"].as_u64().unwrap()).sum();
        let written = text.lines().filter(|line| line.starts_with('x')).count();
        assert_eq!(written as u64 + left_out, fitting as u64 + 7);
        assert!(left_out >= 7);
    }
}
