//! What hooks know, and when they run: an entity of the tests' own whose rules look at the row as it is.

use async_graphql::{EmptySubscription, Enum, Request, Response, Schema, SimpleObject};

use diesel::{prelude::*, sql_query, sql_types as st};
use listing::{
    Act, Changes, Checks, Done, Draft, Editable, Entity, Field, Id, Identified, Instant, Loaders, Members,
    Merged, Named, Nothing, Offer, Queries, Relation, ResponseBudget, Root, RootType, Rule, Sight, Steps,
    Value, Work,
};
use serde_json::{Value as Json, json};
use tenancy::{ErrorCode, Failure, Permission, Scope, Session, UserError};
use uuid::Uuid;

use super::{Door, own_database};
use crate::harness::{Client, connect, superuser};

diesel::table! {
    jobs_to_do (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        name -> Text,
        state -> Text,
        used -> Integer,
        most -> Integer,
        changed_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

const TABLES: &str = "
    CREATE TABLE jobs_to_do (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid), id uuid NOT NULL,
        name text NOT NULL, state text NOT NULL DEFAULT 'OPEN', used integer NOT NULL, most integer NOT NULL,
        changed_by uuid, created_at timestamptz NOT NULL DEFAULT service_now(),
        updated_at timestamptz NOT NULL DEFAULT service_now(), created_by uuid DEFAULT acting_user(),
        revision integer NOT NULL DEFAULT 1, deleted_at timestamptz, PRIMARY KEY (organisation_id, id));
    SELECT protect_entity('jobs_to_do');
    CREATE TABLE hooks_run (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        number bigserial, what text NOT NULL, PRIMARY KEY (organisation_id, number));
    SELECT protect_tenant_table('hooks_run');
    GRANT INSERT ON hooks_run TO tessera_app;
    GRANT USAGE ON SEQUENCE hooks_run_number_seq TO tessera_app";

#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Started,
    Closed,
}

impl Steps for State {
    const ALLOWED: &'static [(Self, Self)] =
        &[(Self::Open, Self::Started), (Self::Started, Self::Closed), (Self::Open, Self::Closed)];
}

/// Something to do.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = jobs_to_do)]
#[graphql(complex)]
struct Job {
    id: Id<Job>,
    name: String,
    state: Named<State>,
    used: i32,
    most: i32,
    changed_by: Option<Id<Job>>,
    created_at: Instant,
    updated_at: Instant,
    revision: i32,
    deleted_at: Option<Instant>,
}

listing::related!(Job);

impl Identified for Job {
    const NAME: &'static str = "Job";
    const PREFIX: &'static str = "job";
}

impl Entity for Job {
    const ONE: &'static str = "job";
    const MANY: &'static str = "jobs";
    const TABLE: &'static str = "jobs_to_do";
    const OFFERS: &'static [Offer] = Offer::ALL;
    const READ: &'static [Permission] = &[Permission::ReadContacts];
    const FIELDS: &'static [Field] = &[
        Field::new("name", jobs_to_do::name).required(Rule::Line(50)),
        Field::choice::<State, _>("state", jobs_to_do::state),
        Field::new("used", jobs_to_do::used).or(Rule::Any, || 0.into()),
        Field::new("most", jobs_to_do::most).or(Rule::Any, || 10.into()),
        Field::id::<Job, _>("changedBy", jobs_to_do::changed_by),
        Field::expression::<st::Integer>("free", "{row}.most - {row}.used", "What is left."),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}

/// What else is known of a row.
#[derive(SimpleObject)]
struct Namesakes {
    /// How many others have its name.
    namesakes: i32,
}

async fn note(work: &Work<'_>, what: String) -> Result<(), Failure> {
    let query = sql_query("INSERT INTO hooks_run (what) VALUES ($1)").bind::<st::Text, _>(what);
    work.tx().execute(query).await.map(drop)
}

impl Editable for Job {
    const WRITE: Permission = Permission::WriteContacts;
    type Further = Namesakes;
    const READS_CURRENT: bool = true;

    fn check(draft: &Draft, checks: &mut Checks) {
        let (Some(Value::Integer(used)), Some(Value::Integer(most))) =
            (draft.value(jobs_to_do::used), draft.value(jobs_to_do::most))
        else {
            return checks.invalid("used", "The values are not known.");
        };
        if used > most {
            checks.invalid("used", format!("{used} are more than {most}."));
        }
    }

    fn may_change(_: &Session, current: &Self) -> Result<(), Failure> {
        let error = UserError::new(ErrorCode::NotAllowed, "id", "It is closed.");
        let error = error.with_details(json!({ "reason": "CLOSED" }));
        if current.state.0 == State::Closed { Err(Failure::User(vec![error])) } else { Ok(()) }
    }

    async fn complete(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
        for draft in drafts {
            let what = if draft.is_new() { "new" } else { "change" };
            note(work, format!("complete {what}")).await?;
            draft.set(jobs_to_do::changed_by, work.session().user()?.user_id);
        }
        Ok(())
    }

    async fn created(work: &Work<'_>, made: &[Self]) -> Result<(), Failure> {
        note(work, format!("created {}", made.len())).await
    }

    async fn changed(work: &Work<'_>, before: &Self, after: &Self) -> Result<(), Failure> {
        note(work, format!("changed {} to {}", before.name, after.name)).await
    }

    async fn further(work: &Work<'_>, row: &Self) -> Result<Option<Namesakes>, Failure> {
        let others = jobs_to_do::name.eq(row.name.clone()).and(jobs_to_do::id.ne(row.id.uuid()));
        let query = jobs_to_do::table.filter(others.and(work.seen::<Job>())).count();
        let count: i64 = work.tx().row(query).await?.unwrap_or_default();
        Ok(Some(Namesakes { namesakes: count.try_into().unwrap() }))
    }

    async fn deleting(work: &Work<'_>, row: &Self) -> Result<(), Failure> {
        note(work, format!("deleting {}", row.name)).await?;
        let message = "It is in use.";
        if row.used > 0 { Err(Failure::user(ErrorCode::NotAllowed, "id", message)) } else { Ok(()) }
    }

    async fn deleted(work: &Work<'_>, row: &Self) -> Result<(), Failure> {
        note(work, format!("deleted {}", row.deleted_at.is_some())).await
    }

    async fn restoring(work: &Work<'_>, row: &Self) -> Result<(), Failure> {
        note(work, format!("restoring {}", row.deleted_at.is_some())).await
    }

    async fn restored(work: &Work<'_>, row: &Self) -> Result<(), Failure> {
        note(work, format!("restored {}", row.deleted_at.is_none())).await
    }
}

/// Closes a job.
struct Close;

impl Act for Close {
    type Row = Job;
    type Input = Nothing;
    type Further = Namesakes;
    const NAME: &'static str = "closeJob";
    const ABOUT: &'static str = "Closes a job.";
    const NEEDS: Permission = Permission::WriteContacts;
    const PAST: Option<&'static str> = Some("closed");
    const LOCKS_PARENTS: bool = true;

    async fn lock_parents(work: &Work<'_>, row: &Job) -> Result<(), Failure> {
        note(work, format!("before the lock of {}", row.name)).await
    }

    async fn run(work: &Work<'_>, row: Job, _: Nothing) -> Result<Done<Job, Namesakes>, Failure> {
        let state = row.state.0.step(State::Closed)?;
        let row = work.save(&row, Changes::default().set(jobs_to_do::state, state.name())).await?;
        Ok(Done::with(row).details(json!({ "early": true })).further(Namesakes { namesakes: 7 }))
    }
}

struct Query;
struct Mutation;

impl RootType for Query {
    const NAME: &'static str = "Query";
    const ABOUT: &'static str = "Queries.";

    fn members() -> Members {
        Members::default().with(Queries::<Job>::default())
    }
}

impl RootType for Mutation {
    const NAME: &'static str = "Mutation";
    const ABOUT: &'static str = "Mutations.";

    fn members() -> Members {
        Members::default().mutations::<Job>().act::<Close>()
    }
}

struct Jobs {
    client: Client,
    scope: Scope,
    database: String,
}

impl Jobs {
    async fn open(name: &str) -> Self {
        let (addresses, [client, _]) = own_database(name, ["A", "B"]).await;
        connect(addresses.owner.as_str()).await.batch_execute(TABLES).await.unwrap();
        let scope = Door::open(&addresses, 2).await.scope(&client);
        Self { client, scope, database: addresses.database().to_owned() }
    }

    async fn run(&self, document: &str) -> Json {
        type Roots = (Root<Merged<Query>>, Root<Merged<Mutation>>);
        let (query, mutation) = Roots::default();
        let schema = Schema::new(query, mutation, EmptySubscription);
        let request = Request::new(document).data(self.scope.clone()).data(Loaders::default());
        let answer: Response = schema.execute(request.data(ResponseBudget::new(false))).await;
        assert!(answer.errors.is_empty(), "{document} {:?}", answer.errors);
        serde_json::from_slice(&listing::to_json(&answer.data).unwrap()).unwrap()
    }

    /// Carries a mutation out, and answers its payload.
    async fn mutate(&self, mutation: &str, selection: &str) -> Json {
        let document =
            format!("mutation {{ it: {mutation} {{ {selection} userErrors {{ code field details }} }} }}");
        self.run(&document).await["it"].clone()
    }

    /// What hooks have noted since the last time.
    async fn noted(&self) -> Vec<String> {
        let superuser = superuser(&self.database).await;
        let rows = superuser.query("DELETE FROM hooks_run RETURNING number, what", &[]).await.unwrap();
        let mut rows: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        rows.sort();
        rows.into_iter().map(|(_, what)| what).collect()
    }
}

const JOB: &str = "job { id name state used free revision changedBy }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_know_the_session_the_row_and_whether_it_is_new() {
    let jobs = Jobs::open("hooks").await;
    let made = jobs
        .mutate("createJob(input: { job: { name: \"One\", used: 4 } })", &format!("{JOB} namesakes"))
        .await;
    let job = &made["job"];
    assert_eq!((&job["free"], &job["state"], &made["namesakes"]), (&json!(6), &json!("OPEN"), &json!(0)));
    let user = jobs.client.log_in["user"]["id"].as_str().unwrap().replace("user_", "job_");
    assert_eq!(job["changedBy"], user);
    assert_eq!(jobs.noted().await, ["complete new", "created 1"]);
    let id = job["id"].as_str().unwrap();
    let of = |revision: i32| format!("id: \"{id}\", expectedRevision: {revision}");

    // A rule across fields sees the value that is given, and else that of the row.
    let wrong = jobs.mutate(&format!("updateJob(input: {{ {}, most: 3 }})", of(1)), JOB).await;
    assert_eq!(wrong["userErrors"], json!([{ "code": "INVALID", "field": ["used"], "details": null }]));
    let right = jobs.mutate(&format!("updateJob(input: {{ {}, most: 4, name: \"Two\" }})", of(1)), JOB).await;
    assert_eq!((&right["userErrors"], &right["job"]["free"]), (&json!([]), &json!(0)));
    assert_eq!(jobs.noted().await, ["complete change", "changed One to Two"]);

    // A stale change meets no hook.
    let stale = jobs.mutate(&format!("updateJob(input: {{ {}, most: 1 }})", of(1)), JOB).await;
    assert_eq!((&stale["userErrors"][0]["code"], &stale["job"]["revision"]), (&json!("CONFLICT"), &json!(2)));
    assert_eq!(jobs.noted().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_and_a_restoration_have_hooks_before_and_after() {
    let jobs = Jobs::open("hooks_deleted").await;
    let made = jobs.mutate("createJob(input: { job: { name: \"One\", used: 1 } })", JOB).await;
    let id = made["job"]["id"].as_str().unwrap().to_owned();
    let of = |revision: i32| format!("id: \"{id}\", expectedRevision: {revision}");
    jobs.noted().await;
    // What a hook refuses is rolled back with all that it wrote.
    let refused = jobs.mutate(&format!("deleteJob(input: {{ {} }})", of(1)), JOB).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_ALLOWED");
    assert_eq!(jobs.noted().await, [""; 0]);
    jobs.mutate(&format!("updateJob(input: {{ {}, used: 0 }})", of(1)), JOB).await;
    jobs.noted().await;
    let deleted = jobs.mutate(&format!("deleteJob(input: {{ {} }})", of(2)), JOB).await;
    assert_eq!(deleted["userErrors"], json!([]));
    assert_eq!(jobs.noted().await, ["deleting One", "deleted true"]);
    let restored = jobs.mutate(&format!("restoreJob(input: {{ {} }})", of(3)), JOB).await;
    assert_eq!(restored["userErrors"], json!([]));
    assert_eq!(jobs.noted().await, ["restoring true", "restored true"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_what_a_hook_refuses_is_undone_and_the_others_are_done() {
    let jobs = Jobs::open("hooks_several").await;
    let mut rows = vec![];
    for (name, used) in [("One", 1), ("Two", 0)] {
        let made = jobs
            .mutate(&format!("createJob(input: {{ job: {{ name: \"{name}\", used: {used} }} }})"), JOB)
            .await;
        let id = made["job"]["id"].as_str().unwrap().to_owned();
        rows.push(format!("{{ id: \"{id}\", expectedRevision: 1 }}"));
    }
    jobs.noted().await;
    let delete = format!("deleteJobs(input: {{ jobs: [{}], skipInvalid: true }})", rows.join(" "));
    let done = jobs.mutate(&delete, "deletedCount validCount jobs { name } rowErrors { index code }").await;
    let errors = json!([{ "index": 0, "code": "NOT_ALLOWED" }]);
    assert_eq!((&done["jobs"], &done["rowErrors"]), (&json!([{ "name": "Two" }]), &errors));
    assert_eq!((&done["deletedCount"], &done["validCount"]), (&json!(1), &json!(1)));
    assert_eq!(jobs.noted().await, ["deleting Two", "deleted true"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_goes_from_state_to_state_and_closes_the_row_to_changes() {
    let jobs = Jobs::open("hooks_acts").await;
    let made = jobs.mutate("createJob(input: { job: { name: \"One\" } })", JOB).await;
    let id = made["job"]["id"].as_str().unwrap().to_owned();
    jobs.noted().await;
    let close = format!("closeJob(input: {{ id: \"{id}\", idempotencyKey: \"k\" }})");
    let selection = format!("{JOB} namesakes __typename");
    let closed = jobs.mutate(&close, &selection).await;
    assert_eq!((&closed["job"]["state"], &closed["namesakes"]), (&json!("CLOSED"), &json!(7)));
    assert_eq!(closed["__typename"], "CloseJobPayload");
    assert_eq!(jobs.noted().await, ["before the lock of One"]);
    // A repetition answers the row, and no further fields.
    let again = jobs.mutate(&close, &selection).await;
    assert_eq!((&again["job"], &again["namesakes"]), (&closed["job"], &Json::Null));
    // Once closed, it cannot be closed again, nor changed.
    let twice = jobs.mutate(&format!("closeJob(input: {{ id: \"{id}\" }})"), JOB).await;
    let details = json!({ "from": "CLOSED", "to": "CLOSED", "allowed": [] });
    let error = json!([{ "code": "INVALID_TRANSITION", "field": ["id"], "details": details }]);
    assert_eq!(twice["userErrors"], error);
    let update = format!("updateJob(input: {{ id: \"{id}\", expectedRevision: 2, name: \"Two\" }})");
    let refused = jobs.mutate(&update, JOB).await;
    assert_eq!(refused["userErrors"][0]["details"], json!({ "reason": "CLOSED" }));
    let events = superuser(&jobs.database).await;
    let query = "SELECT kind || ' ' || details::text FROM events WHERE entity = 'job' ORDER BY position";
    let rows = events.query(query, &[]).await.unwrap();
    let kinds: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(kinds, ["job.created {}", "job.closed {\"early\": true}"]);
}
