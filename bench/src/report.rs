//! The numbers as a table for people and as JSON for programs.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value, json};

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
    /// The peer's, if there is one.
    pub(crate) peer: Option<f64>,
}

struct Summary {
    case: Case,
    sides: Vec<(Side, Figures)>,
}

#[derive(Serialize)]
struct Figures {
    requests_per_second: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    server_us: Spread,
    postgres_us: Spread,
    together_us: Spread,
    /// Together, over the floor's of the rounds beside it.
    times_the_floor: Option<Spread>,
    /// The peer's together, over the service's of the rounds beside it.
    times_the_service: Option<Spread>,
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
        let measured = Side::ALL.into_iter().filter(|side| of(*side).next().is_some());
        let figures = |side| {
            let over = |other| ratio(of(side), of(other));
            let times_the_floor = if side == Side::Floor { None } else { over(Side::Floor) };
            let times_the_service = if side == Side::Postgraphile { over(Side::Service) } else { None };
            Figures { times_the_floor, times_the_service, ..Figures::of(&of(side)) }
        };
        Self { case, sides: measured.map(|side| (side, figures(side))).collect() }
    }
}

fn ratio<'a>(one: impl Iterator<Item = &'a Round>, other: impl Iterator<Item = &'a Round>) -> Option<Spread> {
    let ratios: Vec<f64> = one.zip(other).map(|(one, other)| one.together_us / other.together_us).collect();
    (!ratios.is_empty()).then(|| Spread::of(ratios))
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
            times_the_floor: None,
            times_the_service: None,
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
        "{:<9}{:<13}{:>8}{:>9}{:>9}{:>8}{:>12}{:>18}{:>19}{:>21}",
        "case",
        "",
        "req/s",
        "p50 ms",
        "p99 ms",
        "server",
        "PostgreSQL",
        "together",
        "times the floor",
        "times the service"
    );
    for summary in &report.cases {
        let mut name = summary.case.name();
        for (side, figures) in &summary.sides {
            let _ = writeln!(text, "{name:<9}{:<13}{}", side.name(), line(figures));
            name = "";
        }
    }
    let Memory { sign_up, service, floor, peer } = report.memory;
    let peer = peer.map(|peer| format!(", {} {peer:.0}", Side::Postgraphile.name())).unwrap_or_default();
    let _ = writeln!(
        text,
        "\npeak memory in MiB: service {service:.0} ({sign_up:.0} at sign-up), floor {floor:.0}{peer}"
    );
    text
}

fn line(figures: &Figures) -> String {
    let ratio = |ratio: &Option<Spread>| ratio.as_ref().map_or("-".to_owned(), |ratio| with_spread(ratio, 2));
    format!(
        "{:>8.0}{:>9.2}{:>9.2}{:>8.0}{:>12.0}{:>18}{:>19}{:>21}",
        figures.requests_per_second.median,
        figures.p50_ms.median,
        figures.p99_ms.median,
        figures.server_us.median,
        figures.postgres_us.median,
        with_spread(&figures.together_us, 0),
        ratio(&figures.times_the_floor),
        ratio(&figures.times_the_service)
    )
}

fn with_spread(spread: &Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
}

/// The same with every round.
pub(crate) fn json(report: &Report) -> Value {
    let options = report.options;
    let case = |summary: &Summary| {
        let sides = summary.sides.iter().map(|(side, figures)| (side.name().to_owned(), json!(figures)));
        let named = [("case".to_owned(), json!(summary.case))];
        named.into_iter().chain(sides).collect::<Map<String, Value>>()
    };
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
        "cases": report.cases.iter().map(case).collect::<Vec<_>>(),
        "each_round": report.rounds,
    })
}
