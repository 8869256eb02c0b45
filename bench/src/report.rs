//! The numbers as a table for people and as JSON for programs.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{case::Case, floor::ListForm, options::Options, rounds::Round, statistics::Spread, target::Side};

/// All that is printed.
pub(crate) struct Report<'a> {
    options: &'a Options,
    rounds: &'a [Round],
    cases: Vec<Summary>,
    memory: Memory,
}

/// Peaks, in MiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    /// The service's while organisations signed up one by one, which hashes their passwords.
    pub(crate) sign_up: f64,
    /// The service's under load, with what was left of that.
    pub(crate) service: f64,
    /// The floor's.
    pub(crate) floor: f64,
}

struct Summary {
    case: Case,
    sides: [(Side, Figures); 2],
    /// Together, service over floor, of the rounds that followed each other.
    ratio: Spread,
}

struct Figures {
    requests_per_second: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    server_us: Spread,
    postgres_us: Spread,
    together_us: Spread,
}

impl<'a> Report<'a> {
    /// Sums the rounds up.
    pub(crate) fn new(options: &'a Options, rounds: &'a [Round], memory: Memory) -> Self {
        Self {
            options,
            rounds,
            cases: options.cases().into_iter().map(|case| Summary::new(case, rounds)).collect(),
            memory,
        }
    }
}

impl Summary {
    fn new(case: Case, rounds: &[Round]) -> Self {
        let of = |side| rounds.iter().filter(move |round| round.case == case && round.side == side);
        let pairs = of(Side::Service).zip(of(Side::Floor));
        Self {
            case,
            sides: [Side::Service, Side::Floor].map(|side| (side, Figures::of(&of(side)))),
            ratio: Spread::of(pairs.map(|(service, floor)| service.together_us / floor.together_us)),
        }
    }
}

impl Figures {
    fn of<'a>(rounds: &(impl Iterator<Item = &'a Round> + Clone)) -> Self {
        let spread = |figure: fn(&Round) -> f64| Spread::of(rounds.clone().map(figure));
        Self {
            requests_per_second: spread(|round| round.requests_per_second),
            p50_ms: spread(|round| round.p50_ms),
            p99_ms: spread(|round| round.p99_ms),
            server_us: spread(|round| round.server_us),
            postgres_us: spread(|round| round.postgres_us),
            together_us: spread(|round| round.together_us),
        }
    }
}

/// The table. Writing to a `String` cannot fail.
pub(crate) fn text(report: &Report) -> String {
    let options = report.options;
    let list = match options.floor_list {
        ListForm::Json => "JSON built in SQL",
        ListForm::Rows => "rows",
    };
    let mut text = format!(
        "\n{} connections, {} workers in the service, {} rounds of {} s, {} organisations of {} contacts; \
         PostgreSQL does not wait for the disk (fsync off); \
         the floor makes lists from {}\n\
         medians of the rounds, (min-max); processor time in microseconds per request\n\n",
        options.connections,
        options.workers,
        options.rounds,
        options.seconds,
        options.organisations,
        options.contacts,
        list
    );
    let _ = writeln!(
        text,
        "{:<8}{:<9}{:>9}{:>9}{:>9}{:>9}{:>12}{:>22}{:>22}",
        "case", "", "req/s", "p50 ms", "p99 ms", "server", "PostgreSQL", "together", "times the floor"
    );
    for summary in &report.cases {
        for (side, figures) in &summary.sides {
            let (case, ratio) = match side {
                Side::Service => (summary.case.name(), with_spread(&summary.ratio, 2)),
                Side::Floor => ("", String::new()),
            };
            let line = format!(
                "{:<8}{:<9}{:>9.0}{:>9.2}{:>9.2}{:>9.0}{:>12.0}{:>22}{:>22}",
                case,
                side.name(),
                figures.requests_per_second.median,
                figures.p50_ms.median,
                figures.p99_ms.median,
                figures.server_us.median,
                figures.postgres_us.median,
                with_spread(&figures.together_us, 0),
                ratio
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    let Memory { sign_up, service, floor } = report.memory;
    let _ = writeln!(
        text,
        "\npeak memory in MiB: service {service:.0} ({sign_up:.0} at sign-up), floor {floor:.0}"
    );
    text
}

fn with_spread(spread: &Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
}

/// The same with every round.
pub(crate) fn json(report: &Report) -> Value {
    let options = report.options;
    let cases: Vec<Value> = report
        .cases
        .iter()
        .map(|summary| {
            let mut case = json!({ "case": summary.case, "times_the_floor": summary.ratio });
            if let Some(fields) = case.as_object_mut() {
                fields
                    .extend(summary.sides.iter().map(|(side, figures)| (side.name().into(), figures.json())));
            }
            case
        })
        .collect();
    json!({
        "connections": options.connections,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "organisations": options.organisations,
        "contacts": options.contacts,
        "seed": options.seed,
        "floor_list": options.floor_list,
        "fsync": false,
        "peak_memory_mib": report.memory,
        "cases": cases,
        "each_round": report.rounds,
    })
}

impl Figures {
    fn json(&self) -> Value {
        json!({
            "requests_per_second": self.requests_per_second,
            "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms,
            "server_us": self.server_us,
            "postgres_us": self.postgres_us,
            "together_us": self.together_us,
        })
    }
}
