//! What was measured, as a table for people and as JSON for programs.

use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::load::Figures;
use crate::product::Imported;
use crate::recall::Recall;
use crate::sync::{Sync, Transfer};
use crate::waiting::Waiting;
use crate::{CROWD, Cli, Work};

/// A work's figures, bare and product.
#[derive(Serialize)]
pub struct Compared {
    /// Different requests.
    pub queries: usize,
    /// An answer's length on average, head included.
    pub bytes: usize,
    /// The bare handler's.
    pub bare: Figures,
    /// The product's.
    pub product: Figures,
}

impl Compared {
    fn ratio(&self) -> f64 {
        self.bare.cpu_microseconds / self.product.cpu_microseconds
    }
}

/// Everything that was measured.
pub struct Report {
    people: usize,
    notes: usize,
    seed: u64,
    connections: usize,
    seconds: u64,
    runs: u64,
    /// The directory's import.
    pub import: Option<Imported>,
    /// From start to ready with all data.
    pub ready_seconds: f64,
    /// MiB when ready.
    pub resident_at_start: f64,
    /// MiB after all works.
    pub resident_after: f64,
    /// W1 to W5.
    pub works: Vec<(Work, Compared)>,
    /// W1 over many more connections.
    pub crowd: Option<Compared>,
    /// W3's recall.
    pub recall: Option<Recall>,
    /// W6.
    pub sync: Option<Sync>,
    /// Many phones that wait.
    pub waiting: Option<Waiting>,
}

fn name(work: Work) -> &'static str {
    match work {
        Work::W1 => "W1 contact by id",
        Work::W2 => "W2 family name prefix, 20 rows",
        Work::W2Once => "the same, each request once",
        Work::W3 => "W3 name with a typo, each once",
        Work::W4 => "W4 50 notes, one language",
        Work::W5 => "W5 conditional GET, 304",
        Work::W6 => "W6 sync",
        Work::Wait => "phones that wait",
        Work::Token => "public note by id, with a token",
        Work::NoToken => "the same, without a token",
    }
}

fn machine() -> (String, usize) {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (model.map_or("unknown", |(_, model)| model).to_owned(), cores)
}

impl Report {
    /// An empty one of a run with these options.
    pub fn of(cli: &Cli) -> Self {
        Self {
            people: cli.people,
            notes: cli.notes,
            seed: cli.seed,
            connections: cli.connections,
            seconds: cli.seconds,
            runs: cli.runs,
            import: None,
            ready_seconds: 0.0,
            resident_at_start: 0.0,
            resident_after: 0.0,
            works: Vec::new(),
            crowd: None,
            recall: None,
            sync: None,
            waiting: None,
        }
    }

    /// The table.
    pub fn print(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let (cpu, cores) = machine();
        writeln!(
            out,
            "{} people, {} notes in six languages (seed {}); {cpu}, {cores} cores",
            self.people, self.notes, self.seed
        )?;
        writeln!(
            out,
            "{} connections, median of {} runs of {} s; token, tags and JSON log (to /dev/null) on; CPU is the server's",
            self.connections, self.runs, self.seconds
        )?;
        if !self.works.is_empty() {
            writeln!(out, "\n{:54}|{:^35}|{:^35}|", "", "bare", "product")?;
            let columns = "     req/s  CPU µs   p50 µs   p99 µs |".repeat(2);
            writeln!(out, "{:32}{:>9}{:>12} |{columns} ratio", "", "requests", "bytes each")?;
        }
        for (work, compared) in &self.works {
            line(&mut out, name(*work), compared)?;
        }
        if let Some(crowd) = &self.crowd {
            line(&mut out, &format!("W1 over {CROWD} connections"), crowd)?;
        }
        if let Some(recall) = &self.recall {
            print_recall(&mut out, recall)?;
        }
        if let Some(sync) = &self.sync {
            print_sync(&mut out, sync)?;
        }
        if let Some(waiting) = &self.waiting {
            print_waiting(&mut out, waiting)?;
        }
        if let Some(import) = &self.import {
            writeln!(
                out,
                "\nimport of {} rows: {:.1} s to the commit, {:.1} s to searchable; at most {:.0} MiB resident",
                import.rows, import.committed_seconds, import.searchable_seconds, import.peak_mib
            )?;
        }
        writeln!(
            out,
            "start to ready: {:.2} s; resident: {:.0} MiB when ready, {:.0} MiB after the reads",
            self.ready_seconds, self.resident_at_start, self.resident_after
        )?;
        Ok(())
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let (cpu, cores) = machine();
        let of = |compared: &Compared| {
            json!({
                "queries": compared.queries, "bytes": compared.bytes, "ratio": compared.ratio(),
                "microseconds": compared.product.cpu_microseconds, "bare_microseconds": compared.bare.cpu_microseconds,
                "p99_microseconds": compared.product.p99_microseconds, "bare": compared.bare, "product": compared.product,
            })
        };
        let mut works: serde_json::Map<String, Value> =
            self.works.iter().map(|(work, compared)| (format!("{work:?}"), of(compared))).collect();
        if let Some(crowd) = &self.crowd {
            works.insert(format!("W1_at_{CROWD}"), of(crowd));
        }
        if let (Some(recall), Some(Value::Object(w3))) = (&self.recall, works.get_mut("W3")) {
            let by_script = recall.by_script.iter().map(|(script, share)| (script.clone(), share.value().into()));
            let by_script: serde_json::Map<String, Value> = by_script.collect();
            w3.insert("recall".to_owned(), recall.whole_name.value().into());
            w3.insert("recall_by_script".to_owned(), by_script.into());
            w3.insert("recall_counts".to_owned(), json!(recall));
        }
        if let Some(sync) = &self.sync {
            works.insert("W6".to_owned(), json!(sync));
        }
        if let Some(waiting) = &self.waiting {
            works.insert("Wait".to_owned(), json!(waiting));
        }
        json!({
            "machine": {"cpu": cpu, "cores": cores},
            "options": {
                "people": self.people, "notes": self.notes, "seed": self.seed, "connections": self.connections,
                "seconds": self.seconds, "runs": self.runs,
            },
            "works": works,
            "import": self.import,
            "start_to_ready_seconds": self.ready_seconds,
            "resident_mib": {"ready": self.resident_at_start, "end": self.resident_after},
        })
    }
}

fn line(out: &mut impl Write, name: &str, compared: &Compared) -> std::io::Result<()> {
    write!(out, "{name:32}{:>9}{:>12} |", compared.queries, compared.bytes)?;
    for figures in [compared.bare, compared.product] {
        let Figures { requests_per_second, cpu_microseconds, p50_microseconds, p99_microseconds } = figures;
        write!(out, "{requests_per_second:>10.0}{cpu_microseconds:>8.1}{p50_microseconds:>9}{p99_microseconds:>9} |")?;
    }
    writeln!(out, "{:>6.2}", compared.ratio())
}

fn print_recall(out: &mut impl Write, recall: &Recall) -> std::io::Result<()> {
    writeln!(
        out,
        "\nW3 recall@20, Latin, Arabic, Cyrillic and Chinese: {:.3} of whole names, {:.3} of family names",
        recall.whole_name.value(),
        recall.family_name.value()
    )?;
    for (what, shares) in [
        ("by error", &recall.by_edit),
        ("whole name by script", &recall.by_script),
        ("family name by script", &recall.family_by_script),
    ] {
        let shares: Vec<String> = shares.iter().map(|(name, share)| format!("{name} {:.3}", share.value())).collect();
        writeln!(out, "  {what}: {}", shares.join(", "))?;
    }
    Ok(())
}

fn print_waiting(out: &mut impl Write, waiting: &Waiting) -> std::io::Result<()> {
    let Waiting { connections, open_kib, waiting_kib, .. } = waiting;
    let Waiting { first_milliseconds, last_milliseconds, cpu_microseconds, resident_afterwards, .. } = waiting;
    writeln!(
        out,
        "\n{connections} phones that wait for one change: {open_kib:.1} KiB each when connected, {waiting_kib:.1} KiB \
         when waiting;\n  after the commit was answered: the first told after {first_milliseconds:.0} ms, the last after \
         {last_milliseconds:.0} ms; {cpu_microseconds:.0} µs of CPU each; {resident_afterwards:.0} MiB resident when all \
         have gone"
    )
}

fn print_sync(out: &mut impl Write, sync: &Sync) -> std::io::Result<()> {
    writeln!(out, "\nW6 first sync of the directory in English: {} objects, {} request(s)", sync.objects, sync.pages)?;
    print_transfers(out, &sync.first)?;
    let columns = &sync.columns;
    writeln!(
        out,
        "W6 the same by column, {} requests; base made in {:.1} s, with brotli in {:.1} s ({:.1} s of CPU); resident {:.0} MiB before, {:.0} MiB after",
        columns.pages,
        columns.base_seconds,
        columns.brotli_seconds,
        columns.cpu_seconds,
        columns.resident_before,
        columns.resident_after
    )?;
    print_transfers(out, &columns.first)?;
    let figures = sync.delta_figures;
    writeln!(
        out,
        "W6 delta after one change: {:.0} µs of CPU, p50 {} µs, p99 {} µs over one connection",
        figures.cpu_microseconds, figures.p50_microseconds, figures.p99_microseconds
    )?;
    print_transfers(out, &sync.delta)
}

fn print_transfers(out: &mut impl Write, transfers: &[Transfer]) -> std::io::Result<()> {
    for transfer in transfers {
        writeln!(
            out,
            "  {:9}{:>12} bytes {:>10.1} ms of CPU {:>10.1} ms to the last byte{}",
            transfer.asked,
            transfer.bytes,
            transfer.cpu_milliseconds,
            transfer.milliseconds,
            if transfer.answered == transfer.asked {
                String::new()
            } else {
                format!(" (answered as {})", transfer.answered)
            }
        )?;
    }
    Ok(())
}
