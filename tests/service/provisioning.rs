//! Roles, migrations, and the look at both before a single request is served.

use std::{collections::BTreeSet, fs, path::Path};

use chrono::NaiveDateTime;
use futures_util::future::join_all;
use tenancy::{Addresses, Clock, Database, Limits, OpenError, provision};
use tokio_postgres::Client;
use url::Url;

use crate::{
    catalogue::grants,
    harness::{connect, postgres, superuser},
};

/// A migrated database of a test's own.
async fn migrated(name: &str) -> Addresses {
    postgres().migrated_database(name).await
}

async fn open(addresses: &Addresses) -> Result<(), OpenError> {
    Database::open(
        addresses,
        &Limits::default(),
        gateway::CONSTRAINTS,
        Clock::system(),
        tenancy::Settings::default(),
    )
    .await
    .map(drop)
}

/// Asserts that the database is refused, in these words.
async fn assert_refused(addresses: &Addresses, words: &str) {
    let Err(error) = open(addresses).await else { panic!("not refused: {words}") };
    assert!(matches!(error, OpenError::Unsafe(_)), "{error:?}");
    assert!(error.to_string().contains(words), "{error} does not say {words:?}");
}

fn admin() -> Url {
    postgres().cluster.admin_url("postgres").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provisioning_and_migrating_again_changes_nothing() {
    let addresses = migrated("twice").await;
    provision(&admin(), &addresses).await.unwrap();
    assert_eq!(tenancy::migrate(&addresses.owner).await.unwrap(), [""; 0]);
    open(&addresses).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn provisioning_and_migrating_at_once_take_turns() {
    let addresses = postgres().empty_database("at_once").await;
    superuser("postgres").await.batch_execute("DROP DATABASE own_at_once WITH (FORCE)").await.unwrap();
    for provisioned in join_all((0..4).map(|_| provision_apart(addresses.clone()))).await {
        provisioned.unwrap();
    }
    let owners = std::iter::repeat_n(addresses.owner.clone(), 4);
    let migrating = owners.map(|owner| tokio::spawn(async move { tenancy::migrate(&owner).await.unwrap() }));
    let run: Vec<_> = join_all(migrating).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(run.iter().collect::<BTreeSet<_>>().len(), run.len(), "one ran twice: {run:?}");
    assert_eq!(run.len(), migrations().len());
    open(&addresses).await.unwrap();
}

async fn provision_apart(addresses: Addresses) -> Result<(), tenancy::ProvisionError> {
    tokio::spawn(async move { provision(&admin(), &addresses).await }).await.unwrap()
}

#[tokio::test]
async fn a_database_that_is_not_migrated_is_refused() {
    let addresses = postgres().empty_database("unmigrated").await;
    assert_refused(&addresses, "the database lacks the migration 0001; run `gateway migrate` first").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_older_than_the_program_is_refused() {
    let addresses = postgres().empty_database("behind").await;
    tenancy::migrate(&addresses.owner).await.unwrap();
    let superuser = superuser(addresses.database()).await;
    superuser.batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '0003'").await.unwrap();
    assert_refused(&addresses, "the database lacks the migration 0003; run `gateway migrate` first").await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_named() {
    let mut addresses = postgres().empty_database("unanswered").await;
    addresses.app.set_password(Some("wrong")).unwrap();
    let error = open(&addresses).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("wrong"), "{error}");
}

/// A role of a test's own in place of the one that provisioning made.
async fn with_role(addresses: &Addresses, name: &str, attributes: &str) -> Addresses {
    let (admin, password) = (superuser("postgres").await, postgres().cluster.password());
    let sql = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}' {attributes}");
    admin.batch_execute(&format!("DROP ROLE IF EXISTS {name}; {sql}")).await.unwrap();
    let mut addresses = addresses.clone();
    addresses.app.set_username(name).unwrap();
    addresses
}

async fn drop_role(name: &str) {
    superuser("postgres").await.batch_execute(&format!("DROP ROLE {name}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_row_security_would_not_hold_is_refused() {
    let addresses = migrated("bad_roles").await;
    let owner = addresses.owner.username();
    for (attributes, words) in [
        ("SUPERUSER IN ROLE tessera_app", "is a superuser, or may become one"),
        ("BYPASSRLS IN ROLE tessera_app", "can bypass row security"),
        ("CREATEROLE IN ROLE tessera_app", "may create roles, and so become any"),
        ("IN ROLE tessera_app, tessera_system", "is a member of tessera_system"),
        ("IN ROLE tessera_system", "is not a member of tessera_app"),
        ("", "is not a member of tessera_app"),
        (&format!("IN ROLE tessera_app, {owner}"), "owns the table "),
        ("NOINHERIT IN ROLE tessera_app, own_bypasser", "can bypass row security"),
    ] {
        let bypasser = "DROP ROLE IF EXISTS own_bad_role; DROP ROLE IF EXISTS own_bypasser; \
                        CREATE ROLE own_bypasser NOLOGIN BYPASSRLS";
        superuser("postgres").await.batch_execute(bypasser).await.unwrap();
        let bad = with_role(&addresses, "own_bad_role", attributes).await;
        assert_refused(&bad, words).await;
        assert_refused(&bad, "the role own_bad_role ").await;
        drop_role("own_bad_role").await;
    }
    drop_role("own_bypasser").await;
    let good = with_role(&addresses, "own_good_role", "IN ROLE tessera_app").await;
    open(&good).await.unwrap();
    drop_role("own_good_role").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_role_is_looked_at_as_closely() {
    let addresses = migrated("bad_system_role").await;
    let exchanged = Addresses { system: addresses.app.clone(), ..addresses.clone() };
    assert_refused(&exchanged, "is not a member of tessera_system").await;
    let exchanged = Addresses { app: addresses.system.clone(), ..addresses.clone() };
    assert_refused(&exchanged, "is not a member of tessera_app").await;
    let owner = Addresses { system: addresses.owner.clone(), ..addresses.clone() };
    assert_refused(&owner, "owns the table ").await;
    open(&addresses).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_owns_one_tenant_table_is_refused() {
    let addresses = migrated("owned_table").await;
    let bad = with_role(&addresses, "own_table_owner", "IN ROLE tessera_app").await;
    let (admin, owner) = (superuser(addresses.database()).await, addresses.owner.username());
    admin.batch_execute("ALTER TABLE contacts OWNER TO own_table_owner").await.unwrap();
    assert_refused(&bad, "the role own_table_owner owns the table contacts").await;
    admin.batch_execute(&format!("ALTER TABLE contacts OWNER TO {owner}")).await.unwrap();
    open(&bad).await.unwrap();
    drop_role("own_table_owner").await;
}

/// What a policy of contacts must say.
const OWN: &str = "organisation_id = (SELECT current_setting('app.organisation_id')::uuid)";

/// Policies that contacts must not have in the place of its own.
fn weak_policies() -> [String; 5] {
    let weak = |rest: &str| format!("CREATE POLICY own_organisation ON contacts TO {rest}");
    [
        String::new(),
        weak("tessera_app USING (true)"),
        weak(&format!("tessera_app USING ({OWN} OR true)")),
        weak(&format!("tessera_app USING ({OWN}) WITH CHECK (true)")),
        weak(&format!("PUBLIC USING ({OWN})")),
    ]
}

/// What takes the protection away, what brings it back, and in what words it is refused.
const HOLES: [[&str; 3]; 14] = [
    [
        "ALTER TABLE contacts DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE contacts ENABLE ROW LEVEL SECURITY",
        "the table contacts has no row security",
    ],
    [
        "CREATE POLICY extra ON contacts TO tessera_app USING (true)",
        "DROP POLICY extra ON contacts",
        "the table contacts has the policy extra for {tessera_app} beside its own",
    ],
    [
        "CREATE POLICY extra ON contacts FOR SELECT USING (true)",
        "DROP POLICY extra ON contacts",
        "the table contacts has the policy extra for {public} beside its own",
    ],
    [
        "CREATE POLICY extra ON organisations TO tessera_app USING (true)",
        "DROP POLICY extra ON organisations",
        "the table organisations has the policy extra for {tessera_app} beside its own",
    ],
    [
        "CREATE POLICY extra ON accounts TO tessera_app USING (true)",
        "DROP POLICY extra ON accounts",
        "the table accounts has the policy extra for {tessera_app} beside its own",
    ],
    [
        "CREATE TABLE extra (organisation_id uuid, id uuid)",
        "DROP TABLE extra",
        "the table extra has no row security",
    ],
    ["CREATE TABLE extra (id uuid)", "DROP TABLE extra", "the table extra has no row security"],
    // Both would be read as their owner, whom row security does not hold.
    ["CREATE VIEW extra AS SELECT * FROM contacts", "DROP VIEW extra", "the table extra has no row security"],
    [
        "CREATE MATERIALIZED VIEW extra AS SELECT * FROM contacts",
        "DROP MATERIALIZED VIEW extra",
        "the table extra has no row security",
    ],
    [
        "GRANT TRUNCATE ON contacts TO tessera_app",
        "REVOKE TRUNCATE ON contacts FROM tessera_app",
        "the table contacts may be truncated by ",
    ],
    [
        "GRANT SELECT ON audit_entries_default TO tessera_app",
        "REVOKE SELECT ON audit_entries_default FROM tessera_app",
        "the table audit_entries_default is a partition that ",
    ],
    [
        "GRANT UPDATE (action) ON audit_entries_default TO tessera_system",
        "REVOKE UPDATE (action) ON audit_entries_default FROM tessera_system",
        "the table audit_entries_default is a partition that ",
    ],
    [
        "ALTER TABLE audit_entries_default DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE audit_entries_default ENABLE ROW LEVEL SECURITY",
        "the table audit_entries_default has no row security",
    ],
    [
        "CREATE POLICY own_organisation ON audit_entries_default TO tessera_app USING (true)",
        "DROP POLICY own_organisation ON audit_entries_default",
        "the table audit_entries_default has the policy own_organisation for {tessera_app} beside its own",
    ],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_would_show_one_tenants_rows_to_another_is_refused() {
    let addresses = migrated("holes").await;
    let owner = connect(addresses.owner.as_str()).await;
    for [spoil, mend, words] in HOLES {
        owner.batch_execute(spoil).await.unwrap_or_else(|error| panic!("{spoil}: {error:?}"));
        assert_refused(&addresses, words).await;
        owner.batch_execute(mend).await.unwrap_or_else(|error| panic!("{mend}: {error:?}"));
        open(&addresses).await.unwrap_or_else(|error| panic!("after {mend}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_table_with_a_weak_policy_is_refused() {
    let addresses = migrated("weak_policies").await;
    let owner = connect(addresses.owner.as_str()).await;
    let drop = "DROP POLICY IF EXISTS own_organisation ON contacts";
    let right =
        format!("CREATE POLICY own_organisation ON contacts TO tessera_app USING ({OWN}) WITH CHECK ({OWN})");
    let words = "the table contacts lacks the policy own_organisation for tessera_app";
    for weak in weak_policies() {
        owner
            .batch_execute(&format!("{drop}; {weak}"))
            .await
            .unwrap_or_else(|error| panic!("{weak}: {error:?}"));
        assert_refused(&addresses, words).await;
        owner.batch_execute(&format!("{drop}; {right}")).await.unwrap();
        open(&addresses).await.unwrap_or_else(|error| panic!("after {weak}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_for_a_group_that_the_service_cannot_become_is_accepted() {
    let addresses = migrated("further_group").await;
    let admin = superuser(addresses.database()).await;
    let app = addresses.app.username();
    admin.batch_execute("DROP ROLE IF EXISTS own_partner; CREATE ROLE own_partner NOLOGIN").await.unwrap();
    admin.batch_execute("CREATE POLICY partner ON accounts TO own_partner USING (true)").await.unwrap();
    open(&addresses).await.unwrap();
    admin.batch_execute(&format!("GRANT own_partner TO {app}")).await.unwrap();
    assert_refused(&addresses, "the table accounts has the policy partner for {own_partner} beside its own")
        .await;
    admin.batch_execute("DROP POLICY partner ON accounts; DROP ROLE own_partner").await.unwrap();
    open(&addresses).await.unwrap();
}

/// What later migrations will need for search.
const EXTENSIONS: [&str; 2] = ["btree_gist", "unaccent"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_owner_makes_extensions_which_change_no_grant_of_ours() {
    let addresses = migrated("extensions").await;
    let (owner, behind) = (connect(addresses.owner.as_str()).await, superuser(addresses.database()).await);
    let before = grants(&behind).await;
    // In a transaction, as a migration.
    let create = EXTENSIONS.map(|name| format!("CREATE EXTENSION {name}")).join("; ");
    owner.batch_execute(&format!("BEGIN; {create}; COMMIT")).await.unwrap();
    assert_eq!(grants(&behind).await, before);
    open(&addresses).await.unwrap();
    let index = "CREATE INDEX ON contacts USING gin (organisation_id, name gin_trgm_ops)";
    owner.batch_execute(index).await.unwrap();
    let app = connect(addresses.app.as_str()).await;
    let row =
        app.query_one("SELECT similarity('Müller', 'Muller') > 0, unaccent('Müller')", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, "Muller"));
    let drop = format!("DROP EXTENSION {} CASCADE", EXTENSIONS.join(", "));
    owner.batch_execute(&drop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_organisations_that_all_may_read_is_refused() {
    let addresses = migrated("open_organisations").await;
    let owner = connect(addresses.owner.as_str()).await;
    let open_to_all = "ALTER POLICY own_organisation ON organisations USING (true)";
    owner.batch_execute(open_to_all).await.unwrap();
    assert_refused(&addresses, "the table organisations lacks the policy own_organisation for tessera_app")
        .await;
}

#[tokio::test]
async fn a_superuser_is_not_made_one_of_the_services_roles() {
    let mut addresses = postgres().empty_database("crowned").await;
    addresses.owner.set_username("postgres").unwrap();
    let refusal = provision(&admin(), &addresses).await.unwrap_err();
    assert!(refusal.to_string().contains("postgres is a superuser"), "{refusal}");
}

/// The SQL of every migration, in order: its name, up and down.
fn migrations() -> Vec<[String; 3]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let name = |folder: &Path| folder.file_name().unwrap().to_string_lossy().into_owned();
    folders.iter().map(|folder| [name(folder), read(folder, "up.sql"), read(folder, "down.sql")]).collect()
}

/// The version of a migration, as diesel reads it from the folder's name.
fn version_of(folder: &str) -> String {
    folder.split('_').next().unwrap().replace('-', "")
}

/// What is wrong with the names of the folders of migrations. diesel keeps migrations by version: of
/// two with the same version it runs one.
fn misnamed(folders: &[&str]) -> Vec<String> {
    let mut findings = vec![];
    let mut versions = BTreeSet::new();
    for folder in folders {
        let (number, name) = folder.split_once('_').unwrap_or((folder, ""));
        let is_old =
            number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()) && number <= "0008";
        let date = number.len() == "2026-11-27-101500".len();
        let is_dated = date && NaiveDateTime::parse_from_str(number, "%Y-%m-%d-%H%M%S").is_ok();
        if name.is_empty() || !(is_old || is_dated) {
            findings.push(format!("{folder} is not named by date and time"));
        }
        if !versions.insert(version_of(folder)) {
            findings.push(format!("{folder} has the version of another"));
        }
    }
    findings
}

#[test]
fn every_migration_has_a_version_of_its_own_by_date_and_time() {
    let migrations = migrations();
    let folders: Vec<&str> = migrations.iter().map(|[folder, ..]| folder.as_str()).collect();
    assert_eq!(misnamed(&folders), [""; 0]);
    let versions: Vec<String> = folders.iter().map(|folder| version_of(folder)).collect();
    assert!(versions.is_sorted(), "not in the order of their folders: {versions:?}");
}

#[test]
fn a_migration_with_a_wrong_name_or_the_version_of_another_is_found() {
    for (folders, finding) in [
        (["0008_contacts_counted", "0009_next"], "0009_next is not named by date and time"),
        (
            ["0008_contacts_counted", "2026-13-01-101500_next"],
            "2026-13-01-101500_next is not named by date and time",
        ),
        (
            ["0008_contacts_counted", "2026-11-27-1015_next"],
            "2026-11-27-1015_next is not named by date and time",
        ),
        (["0008_contacts_counted", "2026-11-27-101500"], "2026-11-27-101500 is not named by date and time"),
        (["2026-11-27-101500_a", "2026-11-27-101500_b"], "2026-11-27-101500_b has the version of another"),
        (["0008_contacts_counted", "0008_other"], "0008_other has the version of another"),
    ] {
        assert_eq!(misnamed(&folders), [finding]);
    }
    assert_eq!(misnamed(&["0008_contacts_counted", "2026-11-27-101500_small_audit"]), [""; 0]);
}

/// Rows of two organisations, as far as there are tables for them.
async fn fill(owner: &Client) {
    for organisation in ["00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"] {
        let sql = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{organisation}';
             INSERT INTO accounts (id, email, password_hash)
                 VALUES ('{organisation}', '{organisation}@example.org', 'none');
             INSERT INTO organisations (id, slug, name) VALUES ('{organisation}', '{organisation}', 'Test');
             INSERT INTO users (id, account_id, name, email)
                 VALUES ('{organisation}', '{organisation}', 'Ada', '{organisation}@example.org');
             INSERT INTO contacts (id, kind, name, created_by)
                 VALUES ('{organisation}', 'COMPANY', 'Acme', '{organisation}');
             INSERT INTO contacts (id, kind, name, company_id)
                 VALUES (gen_random_uuid(), 'PERSON', 'Ben', '{organisation}'); COMMIT"
        );
        owner.batch_execute(&sql).await.unwrap();
    }
}

/// The tables and their rows' number, that every later migration meets.
const FILLED_BY: &str = "0003_contacts";

async fn climb(owner: &Client) {
    // As diesel keeps its list.
    let list = "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY)";
    owner.batch_execute(list).await.unwrap();
    for [name, up, _] in migrations() {
        // Each in a transaction of its own and without a tenant, as the service's own migrating does.
        let version = version_of(&name);
        let noted = format!("INSERT INTO __diesel_schema_migrations VALUES ('{version}')");
        let migration = format!("BEGIN; {up}; {noted}; COMMIT");
        owner.batch_execute(&migration).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        if name == FILLED_BY {
            fill(owner).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_migration_runs_up_and_down_and_up_again_on_filled_tables_as_a_plain_owner() {
    let addresses = postgres().empty_database("steps").await;
    let owner = connect(addresses.owner.as_str()).await;
    let plain = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user";
    assert!(!owner.query_one(plain, &[]).await.unwrap().get::<_, bool>(0));
    climb(&owner).await;
    open(&addresses).await.unwrap();
    for [name, _, down] in migrations().into_iter().rev() {
        owner.batch_execute(&down).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    owner.batch_execute("DROP TABLE __diesel_schema_migrations").await.unwrap();
    let left = "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
                UNION ALL
                SELECT coalesce(string_agg(proname, ' '), '') FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
    let left: Vec<String> = owner.query(left, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(left, ["", ""], "what no down.sql removes");
    climb(&owner).await;
    open(&addresses).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_keeps_its_entries_when_it_gets_its_partitions_and_when_it_loses_them() {
    let addresses = postgres().empty_database("audit_kept").await;
    let owner = connect(addresses.owner.as_str()).await;
    let migrations = migrations();
    let small = migrations.iter().position(|[name, ..]| name.ends_with("_small_audit")).unwrap();
    for [name, up, _] in &migrations[..small] {
        owner.batch_execute(up).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    fill(&owner).await;
    owner.batch_execute("UPDATE contacts SET notes = 'changed'").await.unwrap();
    // Of months long ago, too, in a time zone of the session's own.
    let age = "SET TIME ZONE 'Asia/Tokyo';
               UPDATE audit_entries SET created_at = '2001-12-31T23:59:59Z' WHERE entity = 'users';
               UPDATE audit_entries SET created_at = now() - interval '3 months' WHERE entity = 'organisations'";
    owner.batch_execute(age).await.unwrap();
    let entries = async || {
        let sql = "SELECT concat_ws(' ', organisation_id, id, created_at, user_id, request_id, entity, entity_id, action, before, after)
                   FROM audit_entries ORDER BY id";
        let rows = owner.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let before = entries().await;
    assert_eq!(before.len(), 12);
    let [_, up, down] = &migrations[small];
    owner.batch_execute(&format!("BEGIN; {up}; COMMIT")).await.unwrap();
    assert_eq!(entries().await, before);
    let misplaced = "SELECT count(*) FROM audit_entries_default";
    assert_eq!(owner.query_one(misplaced, &[]).await.unwrap().get::<_, i64>(0), 0);
    let aged = "SELECT DISTINCT tableoid::regclass::text FROM audit_entries WHERE entity = 'users'";
    assert_eq!(owner.query_one(aged, &[]).await.unwrap().get::<_, String>(0), "audit_entries_2001_12");
    owner.batch_execute(&format!("BEGIN; {down}; COMMIT")).await.unwrap();
    assert_eq!(entries().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_backfills_and_links_the_rows_of_all_tenants_without_naming_one() {
    let addresses = migrated("backfill").await;
    fill(&connect(addresses.owner.as_str()).await).await;
    let owner = connect(addresses.owner.as_str()).await;
    let count = async |sql: &str| owner.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!(owner.execute("UPDATE contacts SET notes = 'backfilled'", &[]).await.unwrap(), 4);
    assert_eq!(
        count("SELECT count(*) FROM audit_entries WHERE action = 'UPDATE' AND entity = 'contacts'").await,
        4
    );
    let link = "ALTER TABLE contacts ADD COLUMN owner_id uuid;
                UPDATE contacts SET owner_id = created_by;
                ALTER TABLE contacts ADD CONSTRAINT contacts_owner_fk
                    FOREIGN KEY (organisation_id, owner_id) REFERENCES users (organisation_id, id)";
    owner.batch_execute(link).await.unwrap();
    // The key is checked for the rows that are there: one that points into the void is refused.
    let unlink = "ALTER TABLE contacts DROP CONSTRAINT contacts_owner_fk;
                  UPDATE contacts SET owner_id = gen_random_uuid() WHERE kind = 'PERSON'";
    owner.batch_execute(unlink).await.unwrap();
    let error = owner.batch_execute(link.rsplit_once("UPDATE").unwrap().1.split_once(';').unwrap().1).await;
    assert_eq!(error.unwrap_err().code().map(|code| code.code().to_owned()).as_deref(), Some("23503"));
}
