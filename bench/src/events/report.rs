//! The numbers as a table for people; every round is in the JSON.

use std::fmt::Write;

use serde::Serialize;

use super::{
    cost::Cost,
    listeners::{self, Shape},
    mutation,
    options::EventsOptions,
    outbox, pgbench,
    publish::{self, Side},
};
use crate::statistics::Spread;

/// All that was measured, round by round.
#[derive(Default, Serialize)]
pub(crate) struct Measured {
    pub(crate) publish: Vec<publish::Turn>,
    pub(crate) mutation: Vec<mutation::Turn>,
    pub(crate) listeners: Vec<Received>,
    pub(crate) outbox: Vec<Done>,
}

/// A round of listeners.
#[derive(Serialize)]
pub(crate) struct Received {
    pub(crate) shape: Shape,
    pub(crate) service: listeners::Outcome,
    pub(crate) floor: listeners::Outcome,
}

/// A round of the outbox.
#[derive(Serialize)]
pub(crate) struct Done {
    pub(crate) service: outbox::Outcome,
    pub(crate) floor: Option<pgbench::Outcome>,
}

/// The table. Writing to a `String` cannot fail.
pub(crate) fn text(options: &EventsOptions, measured: &Measured) -> String {
    let mut text = format!(
        "\n{} rounds of {} s, {} events; PostgreSQL does not wait for the disk (fsync off)\n\
         medians of the rounds, (min-max); processor time in microseconds of each: process + PostgreSQL\n",
        options.rounds, options.seconds, options.events
    );
    publish(&mut text, measured);
    listeners(&mut text, &measured.listeners);
    outbox(&mut text, &measured.outbox);
    text
}

fn publish(text: &mut String, measured: &Measured) {
    if measured.publish.is_empty() {
        return;
    }
    let of = |side| {
        let turns = measured.publish.iter().filter(move |turn| turn.side == side);
        turns.map(|turn| turn.cost).collect::<Vec<_>>()
    };
    let _ = writeln!(text, "\npublishing");
    for side in Side::ALL {
        let silent = match side {
            Side::FloorSilent | Side::FloorPublished => of(Side::FloorSilent),
            _ => of(Side::Silent),
        };
        line(text, side.name(), &of(side), &silent);
    }
    // What the mutation would cost if it published nothing: what a write pays for publishing and for
    // being read is the same in it.
    let together = |side| of(side).iter().map(Cost::together_us).collect::<Vec<_>>();
    let (silent, published, read) = (together(Side::Silent), together(Side::Published), together(Side::Read));
    let rounds = measured.mutation.iter().zip(&silent).zip(published.iter().zip(&read));
    let rounds: Vec<_> = rounds
        .map(|((mutation, silent), (published, read))| {
            let base = mutation.reads_us - (read - silent);
            let ratios =
                [base + published - silent, mutation.reads_us, mutation.works_us].map(|us| us / base);
            (base, ratios)
        })
        .collect();
    let base = Spread::of(rounds.iter().map(|(base, _)| *base));
    let of =
        |pick: fn(&[f64; 3]) -> f64| with_spread(&Spread::of(rounds.iter().map(|(_, all)| pick(all))), 2);
    let _ = writeln!(text, "the whole mutation, without its event {} us (reckoned)", with_spread(&base, 0));
    let _ = writeln!(text, "  published {} times that", of(|[published, _, _]| *published));
    let _ = writeln!(text, "  and read {}", of(|[_, read, _]| *read));
    let _ = writeln!(text, "  and dispatched {}", of(|[_, _, dispatched]| *dispatched));
}

fn listeners(text: &mut String, rounds: &[Received]) {
    for shape in Shape::ALL {
        let of = |pick: fn(&Received) -> Cost| {
            rounds.iter().filter(|heard| heard.shape == shape).map(pick).collect::<Vec<_>>()
        };
        let service = of(|heard| heard.service.delivery);
        if service.is_empty() {
            continue;
        }
        let cold = rounds.iter().filter(|heard| heard.shape == shape).filter_map(|heard| heard.service.cold);
        let floor = of(|heard| heard.floor.delivery);
        let _ = writeln!(text, "\nlisteners, {}: each delivery", shape.name());
        line(text, "service", &service, &floor);
        line(text, "sessions forgotten", &cold.collect::<Vec<_>>(), &floor);
        line(text, "broadcast", &floor, &floor);
        let memory = |pick: fn(&Received) -> f64| {
            let all = rounds.iter().filter(|heard| heard.shape == shape).map(pick);
            with_spread(&Spread::of(all), 2)
        };
        let (service, floor) =
            (memory(|heard| heard.service.memory_kib), memory(|heard| heard.floor.memory_kib));
        let _ = writeln!(text, "memory of each listener in KiB: service {service}, broadcast {floor}");
    }
}

fn outbox(text: &mut String, rounds: &[Done]) {
    if rounds.is_empty() {
        return;
    }
    let service = |pick: fn(&outbox::Outcome) -> Cost| {
        rounds.iter().map(|round| pick(&round.service)).collect::<Vec<_>>()
    };
    let floor = |pick: fn(&pgbench::Outcome) -> Cost| {
        rounds.iter().filter_map(|round| round.floor.as_ref().map(pick)).collect::<Vec<_>>()
    };
    let _ = writeln!(text, "\nthe outbox: each event");
    line(text, "published", &service(|outcome| outcome.publish), &floor(|outcome| outcome.publish));
    line(text, "  by pgbench", &floor(|outcome| outcome.publish), &[]);
    line(text, "dispatched, done", &service(|outcome| outcome.work), &floor(|outcome| outcome.work));
    line(text, "  by pgbench", &floor(|outcome| outcome.work), &[]);
    let transactions = Spread::of(rounds.iter().map(|round| round.service.transactions));
    let _ = writeln!(
        text,
        "transactions that change something, for each event: {}",
        with_spread(&transactions, 2)
    );
}

/// One line, beside what it is compared with.
fn line(text: &mut String, name: &str, costs: &[Cost], beside: &[Cost]) {
    if costs.is_empty() {
        return;
    }
    let of = |pick: fn(&Cost) -> f64| Spread::of(costs.iter().map(pick));
    let ratios = costs.iter().zip(beside).map(|(one, other)| one.together_us() / other.together_us());
    let ratio = match beside {
        [] => "-".to_owned(),
        _ => with_spread(&Spread::of(ratios), 2),
    };
    let _ = writeln!(
        text,
        "{name:<20}{:>10.0}/s{:>10.2} +{:>9.2}{:>26}{:>28}",
        of(|cost| cost.per_second).median,
        of(|cost| cost.process_us).median,
        of(|cost| cost.postgres_us).median,
        with_spread(&of(Cost::together_us), 2),
        ratio
    );
}

fn with_spread(spread: &Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
}
