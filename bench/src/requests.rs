//! What a request costs before it is executed or refused, without a server: everything that the
//! gateway does between the body of a request and the execution library.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use async_graphql::parser::parse_query;
use request::{Document, Model, Parameters, Refused};
use serde_json::{Value, json};
use tests::hostile;

/// The most CPU time that a request may take before it is executed or refused.
const MOST: Duration = Duration::from_millis(100);

/// Prints the cost of each hostile request, and of the coercion of a usual one.
pub(crate) fn run() -> Result<()> {
    let model = gateway::model().map_err(|error| anyhow!(error))?;
    println!("hostile requests: the best of five, from the body to the execution library\n");
    let mut slowest = Duration::ZERO;
    for request in hostile::requests() {
        let body = request.body();
        let (took, outcome) = best(5, || request::prepare(&model, body.as_bytes()));
        slowest = slowest.max(took);
        let outcome = match outcome {
            Ok(_) => "accepted".to_owned(),
            Err(Refused(problems)) => {
                let first = problems.first();
                let limit = first.and_then(|problem| problem.exceeded).map(|exceeded| exceeded.limit.name);
                let message = first.map(|problem| problem.message.chars().take(70).collect());
                limit.map(str::to_owned).or(message).unwrap_or_default()
            }
        };
        println!("{:>9.2} ms {:>8} bytes  {:<45} {outcome}", millis(took), body.len(), request.name);
    }
    println!("\nslowest {:.1} ms; at most {:.0} ms are wanted", millis(slowest), millis(MOST));
    coercion(&model)
}

/// A usual mutation with an input of forty fields: its coercion beside the JSON parser's own work
/// on the same variables.
fn coercion(model: &Model) -> Result<()> {
    const MUTATION: &str =
        "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }";
    let address =
        json!({ "street": "Main St 1", "postalCode": "1010", "city": "Vienna", "country": "Austria" });
    let contact = json!({
        "kind": "PERSON", "name": "Ada", "notes": "x", "birthday": "1815-12-10", "tags": ["a", "b", "c"],
        "emails": [{ "address": "a@example.org", "label": "work" }, { "address": "b@example.org", "label": "home" }],
        "phones": [{ "number": "+43 1", "label": "work" }, { "number": "+43 2", "label": "home" }],
        "addresses": vec![address; 4], "customFields": { "a": 1, "b": 2 },
    });
    let input = json!({ "contact": contact });
    let body = json!({ "query": MUTATION, "variables": { "input": input } }).to_string();
    let variables = json!({ "input": input }).to_string();
    let document = Document::parse(model, MUTATION).map_err(|refused| anyhow!("{refused:?}"))?;
    let operation = document.operation(None).map_err(|refused| anyhow!("{refused:?}"))?;
    let rounds = 20_000;
    let parsed = each(rounds, || serde_json::from_str::<async_graphql::Variables>(&variables).is_ok());
    let read = each(rounds, || Parameters::from_json(body.as_bytes()).is_ok());
    let both = each(rounds, || {
        Parameters::from_json(body.as_bytes())
            .is_ok_and(|read| operation.prepare(model, read.variables).is_ok())
    });
    let empty = Document::parse(model, "mutation { logOut { userErrors { code } } }")
        .map_err(|refused| anyhow!("{refused:?}"))?;
    let empty = empty.operation(None).map_err(|refused| anyhow!("{refused:?}"))?;
    let clone = each(rounds, || empty.prepare(model, Default::default()).is_ok());
    println!("\nan input of {} values", count(&input));
    println!("  the library's parse of its variables      {:>6.2} us", micros(parsed));
    println!("  our parse of the whole body, values counted {:>4.2} us", micros(read));
    println!("  coercion, and the document made ready     {:>6.2} us", micros(both.saturating_sub(read)));
    println!("  the same of a mutation without variables  {:>6.2} us", micros(clone));
    let query = "query Contacts($first: Int, $w: ContactFilter) { contacts(first: $first, where: $w) { totalCount nodes { id name kind company { id name } } pageInfo { hasNextPage endCursor } } }";
    let ours = each(2_000, || Document::parse(model, query).is_ok());
    let theirs = each(2_000, || parse_query(query).is_ok());
    println!("a usual query, never seen before");
    println!("  parsed, bounded, validated and compiled   {:>6.2} us", micros(ours));
    println!("  parsed by the library alone               {:>6.2} us", micros(theirs));
    Ok(())
}

fn best<T>(times: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut timed = || {
        let begun = Instant::now();
        let done = work();
        (begun.elapsed(), done)
    };
    let first = timed();
    (1..times).map(|_| timed()).fold(first, |best, next| if next.0 < best.0 { next } else { best })
}

/// The mean time of so many runs.
fn each(times: u32, mut work: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    let done = (0..times).filter(|_| std::hint::black_box(work())).count();
    assert!(done > 0, "the work fails");
    begun.elapsed() / times
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
