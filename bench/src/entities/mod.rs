//! What entities cost that a request has nothing to do with: forty-four are put beside those that there
//! are, and the schema, the start and one small request are measured with and without them.

mod generated;

use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use gateway::{Mutation, Query, SchemaOf};
use listing::{Members, RootType};
use tenancy::{Role, Scope};
use uuid::Uuid;

use crate::{
    flow::with_cluster,
    options::InProcess,
    statistics::Spread,
    within::{Known, Within, each},
};

/// The request whose cost must not depend on how many entities there are.
const REQUEST: &str = "{ contacts(first: 1) { nodes { id name } } }";

/// What explorers ask of a schema.
const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } directives { name args { ...I } } types { \
    kind name description fields(includeDeprecated: true) { name description args { ...I } type { ...T } } \
    inputFields { ...I } interfaces { ...T } enumValues(includeDeprecated: true) { name description } possibleTypes { ...T } } } } \
    fragment I on __InputValue { name description defaultValue type { ...T } } \
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// How often what takes long is repeated; the best counts.
const BEST_OF: usize = 3;

/// The queries of today's entities and of the generated ones.
struct MoreQueries;

impl RootType for MoreQueries {
    const NAME: &'static str = Query::NAME;
    const ABOUT: &'static str = Query::ABOUT;

    fn members() -> Members {
        Query::members().and(generated::queries())
    }
}

/// Their mutations.
struct MoreMutations;

impl RootType for MoreMutations {
    const NAME: &'static str = Mutation::NAME;
    const ABOUT: &'static str = Mutation::ABOUT;

    fn members() -> Members {
        Mutation::members().and(generated::mutations())
    }
}

/// What a schema costs before the first request.
struct Schema<Q: RootType, M: RootType> {
    known: Known<Q, M>,
    types: usize,
    sdl_bytes: usize,
    build_ms: f64,
    model_ms: f64,
    introspection_bytes: usize,
    introspection_ms: f64,
}

/// Measures and prints.
pub(crate) async fn run(options: InProcess) -> Result<()> {
    with_cluster(async |_, cluster| {
        let within = Within::open(cluster).await?;
        let user = Uuid::now_v7();
        within.load(1000, user, 1).await?;
        let scope = within.scope(user, vec![Role::Admin], &[]);
        let (now, more) = (
            Schema::<Query, Mutation>::measure(&scope).await?,
            Schema::<MoreQueries, MoreMutations>::measure(&scope).await?,
        );
        let count = gateway::entities().count();
        println!(
            "{:<38}{:>14}{:>14}",
            "",
            format!("{count} entities"),
            format!("{} entities", count + generated::COUNT)
        );
        for (what, one, other) in [
            ("types", number(now.types)?, number(more.types)?),
            ("SDL, KB", number(now.sdl_bytes)? / 1e3, number(more.sdl_bytes)? / 1e3),
            ("building the schema, ms", now.build_ms, more.build_ms),
            ("building the model, ms", now.model_ms, more.model_ms),
            (
                "introspection, KB",
                number(now.introspection_bytes)? / 1e3,
                number(more.introspection_bytes)? / 1e3,
            ),
            ("introspection, ms", now.introspection_ms, more.introspection_ms),
        ] {
            println!("{what:<38}{one:>14.1}{other:>14.1}");
        }
        let (mut one, mut other, mut times) = (vec![], vec![], vec![]);
        for _ in 0..options.rounds {
            let few =
                each(within.postmaster, options.seconds, async || now.known.ask(&scope).await.map(drop))
                    .await?;
            let many =
                each(within.postmaster, options.seconds, async || more.known.ask(&scope).await.map(drop))
                    .await?;
            one.push(few);
            other.push(many);
            times.push(many / few);
        }
        let [one, other, times] = [one, other, times].map(Spread::of);
        println!("{:<38}{:>14.1}{:>14.1}", "contacts(first: 1), us", one.median, other.median);
        println!(
            "\ntimes {:.2} ({:.2}-{:.2} in {} rounds); at most 1.1 are wanted",
            times.median, times.min, times.max, options.rounds
        );
        Ok(())
    })
    .await
}

impl<Q: RootType, M: RootType> Schema<Q, M> {
    async fn measure(scope: &Scope) -> Result<Self> {
        let (schema, build_ms) = best(|| Ok(gateway::build::<Q, M>(None)))?;
        let (model, model_ms) = best(|| gateway::model_of(&schema).map_err(|error| anyhow!(error)))?;
        let sdl = gateway::sdl_of(&schema);
        let kinds = ["type ", "input ", "enum ", "scalar ", "interface ", "union "];
        let types = sdl.lines().filter(|line| kinds.iter().any(|kind| line.starts_with(kind))).count();
        let (introspection_bytes, introspection_ms) = introspected(&schema).await?;
        let known = Known::new(schema, model, REQUEST)?;
        known.ask(scope).await?;
        Ok(Self {
            known,
            types,
            sdl_bytes: sdl.len(),
            build_ms,
            model_ms,
            introspection_bytes,
            introspection_ms,
        })
    }
}

/// The length of what an explorer is answered, and how long that took.
async fn introspected<Q: RootType, M: RootType>(schema: &SchemaOf<Q, M>) -> Result<(usize, f64)> {
    let begun = Instant::now();
    let response = schema.execute(INTROSPECTION).await;
    anyhow::ensure!(response.errors.is_empty(), "{:?}", response.errors);
    let bytes = listing::to_json(&response.data)?.len();
    Ok((bytes, begun.elapsed().as_secs_f64() * 1e3))
}

/// The best of some times, in milliseconds, and what was made.
fn best<T>(make: impl Fn() -> Result<T>) -> Result<(T, f64)> {
    let timed = || {
        let begun = Instant::now();
        let made = make()?;
        Ok::<_, anyhow::Error>((made, begun.elapsed().as_secs_f64() * 1e3))
    };
    let all = (0..BEST_OF).map(|_| timed()).collect::<Result<Vec<_>>>()?;
    all.into_iter().min_by(|one, other| one.1.total_cmp(&other.1)).context("nothing was made")
}

fn number(count: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(count)?))
}
