//! The service's parts in this process, for what no gateway of ours offers: other entities, and sessions
//! with grants that no role has.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use async_graphql::{Request, Response};
use gateway::SchemaOf;
use listing::RootType;
use request::{Document, Model, Operation};
use tenancy::{
    Addresses, Clock, Database, Grant, Limits, Permission, RequestId, Role, Scope, Session, SystemDoor,
    UserSession,
};
use tokio::runtime::Builder;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{cluster::PrivateCluster, measure::Used, options::InProcess, statistics::Spread};

/// Runs a measurement on as many threads as the measured service has.
pub(crate) fn block_on(measurement: impl Future<Output = Result<()>>) -> Result<()> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no runtime")?
        .block_on(measurement)
}

/// An open database with one organisation, and who may use it.
pub(crate) struct Within {
    pub(crate) admin: Client,
    pub(crate) addresses: Addresses,
    pub(crate) organisation: Uuid,
    pub(crate) postmaster: u32,
    database: Database,
    door: SystemDoor,
}

impl Within {
    /// Makes the database and its organisation.
    pub(crate) async fn open(cluster: &PrivateCluster) -> Result<Self> {
        let environment = cluster.environment();
        let of =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, url)| url.as_str());
        let url = of("DATABASE_URL").context("the cluster has no address")?;
        let addresses = Addresses::parse(url, None, None)?;
        let superuser = of("DATABASE_ADMIN_URL").context("the cluster has no administrator")?;
        tenancy::provision(&superuser.parse()?, &addresses).await?;
        tenancy::migrate(&addresses.owner).await?;
        let (admin, connection) = tokio_postgres::connect(&cluster.admin_url(), NoTls).await?;
        tokio::spawn(connection);
        let organisation = Uuid::now_v7();
        let made = "INSERT INTO organisations (id, slug, name) VALUES ($1, 'bench', 'Bench')";
        admin.batch_execute("SET session_replication_role = replica").await?;
        admin.execute(made, &[&organisation]).await?;
        let limits = Limits::default();
        let opened = Database::open(
            &addresses,
            &limits,
            gateway::CONSTRAINTS,
            Clock::system(),
            tenancy::Settings::default(),
        );
        let (database, door) = Box::pin(opened).await?;
        let postmaster = cluster.postmaster().await?;
        Ok(Self { admin, addresses, organisation, postmaster, database, door })
    }

    /// So many contacts, of which every `n`-th was added by this user and the others by another.
    pub(crate) async fn load(&self, contacts: i32, user: Uuid, every: i32) -> Result<()> {
        let insert = "INSERT INTO contacts (organisation_id, id, kind, name, emails, created_at, updated_at, created_by)
            SELECT $1::uuid, gen_random_uuid(), 'COMPANY', 'Company ' || n,
                jsonb_build_array(jsonb_build_object('address', 'office@company' || n || '.example')), at, at,
                CASE WHEN n % $4::integer = 0 THEN $2::uuid ELSE $5::uuid END
            FROM generate_series(1, $3::integer) n,
                LATERAL (SELECT now() - interval '730 days' + n * interval '5 minutes' AS at) t ORDER BY at";
        let other = Uuid::now_v7();
        self.admin.execute(insert, &[&self.organisation, &user, &contacts, &every, &other]).await?;
        self.settle().await
    }

    /// What statements leave clean, no round has to clean up.
    pub(crate) async fn settle(&self) -> Result<()> {
        for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            self.admin.batch_execute(statement).await?;
        }
        Ok(())
    }

    /// The way of a user with these roles and grants.
    pub(crate) fn scope(&self, user_id: Uuid, roles: Vec<Role>, permissions: &[Permission]) -> Scope {
        let grant = |permission: &Permission| Grant { permission: *permission, until: None };
        let user = UserSession {
            organisation_id: self.organisation,
            user_id,
            login_session_id: Uuid::now_v7(),
            roles,
            grants: permissions.iter().map(grant).collect(),
            time_zone: Some(chrono_tz::Europe::Vienna),
        };
        Scope::new(self.database.clone(), Session::of_user(&self.door, Arc::new(user)), RequestId::new())
    }
}

/// One document of a schema, as the gateway executes it once it knows the document.
pub(crate) struct Known<Q: RootType, M: RootType> {
    schema: SchemaOf<Q, M>,
    model: Model,
    document: Document,
}

impl<Q: RootType, M: RootType> Known<Q, M> {
    pub(crate) fn new(schema: SchemaOf<Q, M>, model: Model, document: &str) -> Result<Self> {
        let document = Document::parse(&model, document).map_err(|refused| anyhow!("{refused:?}"))?;
        Ok(Self { schema, model, document })
    }

    /// The answer, as JSON.
    pub(crate) async fn ask(&self, scope: &Scope) -> Result<Vec<u8>> {
        let operation: &Operation =
            self.document.operation(None).map_err(|refused| anyhow!("{refused:?}"))?;
        let prepared = operation.prepare(&self.model, Default::default());
        let prepared = prepared.map_err(|refused| anyhow!("{refused:?}"))?;
        let mut request = Request::new("")
            .variables(prepared.variables)
            .data(listing::Loaders::default())
            .data(listing::ResponseBudget::new(prepared.repeats))
            .data(scope.clone());
        request.set_parsed_query(prepared.document);
        let mut response: Response = self.schema.execute(request).await;
        prepared.plan.complete(&mut response);
        ensure!(response.errors.is_empty(), "{:?}", response.errors);
        Ok(listing::to_json(&response.data)?)
    }
}

/// The processor time of this process and of PostgreSQL that each answer takes, in microseconds.
pub(crate) async fn each(postmaster: u32, seconds: u64, ask: impl AsyncFn() -> Result<()>) -> Result<f64> {
    // So that plans, caches and connections are warm.
    ask().await?;
    let before = Used::by(std::process::id(), postmaster)?;
    let (begun, mut count) = (tokio::time::Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(seconds) {
        ask().await?;
        count += 1;
    }
    let after = Used::by(std::process::id(), postmaster)?;
    let used = (after.server - before.server) + (after.postgres - before.postgres);
    Ok(used.as_secs_f64() * 1e6 / f64::from(count))
}

/// Measures a request in turns with the same by hand, and prints both and how many times one is the other.
pub(crate) async fn beside(
    options: InProcess,
    postmaster: u32,
    ours: impl AsyncFn() -> Result<()>,
    by_hand: impl AsyncFn() -> Result<()>,
) -> Result<()> {
    let (mut costs, mut floors, mut times) = (vec![], vec![], vec![]);
    for _ in 0..options.rounds {
        let cost = each(postmaster, options.seconds, &ours).await?;
        let floor = each(postmaster, options.seconds, &by_hand).await?;
        costs.push(cost);
        floors.push(floor);
        times.push(cost / floor);
    }
    let [cost, floor, times] = [costs, floors, times].map(Spread::of);
    println!("  service  {:>9.0} ({:.0}-{:.0})", cost.median, cost.min, cost.max);
    println!("  by hand  {:>9.0} ({:.0}-{:.0})", floor.median, floor.min, floor.max);
    println!("  times    {:>9.2} ({:.2}-{:.2}); at most 2 are wanted", times.median, times.min, times.max);
    Ok(())
}
