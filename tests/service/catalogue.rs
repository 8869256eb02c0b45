//! What PostgreSQL's own catalogue says about the tables: walked, so that every new table is
//! checked without a new test.

mod audit;
mod lives;
mod openings;

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use expect_test::expect_file;
use tokio_postgres::Client;

use crate::harness::{server, superuser};

/// Tables that belong to no organisation.
const WITHOUT_TENANT: &[(&str, &str)] = &[
    ("accounts", "a person may be a user of several organisations"),
    ("organisations", "its rows are the organisations; their policy compares the id"),
    ("schedules", "a date that is the same for all; its jobs are made for each"),
];
/// Foreign keys of tenant tables that do not start with the tenant.
const FOREIGN_KEYS_WITHOUT_TENANT: &[(&str, &str)] = &[
    ("mailed_tokens_account_fk", "accounts have no tenant"),
    ("users_account_fk", "accounts have no tenant"),
];
/// Indexes of tenant tables that do not start with the tenant.
const INDEXES_WITHOUT_TENANT: &[(&str, &str)] = &[
    ("users_of_account", "log-in asks for all users of an account, wherever they are"),
    ("events_undispatched", "the outbox is emptied for all organisations at once"),
    ("events_since", "the live fan-out reads what is new of all organisations at once"),
];
/// Constraints that no user can run into.
const WITHOUT_MESSAGE: &[(&str, &str)] = &[
    ("audit_entries_action_check", "only write_audit() writes the column"),
    ("webhook_deliveries_event_key", "the dispatcher makes each once"),
    ("jobs_unique_key", "a job that waits already is not made again"),
];
/// Tables that the code never reads or writes by itself.
const WITHOUT_TABLE_MACRO: &[(&str, &str)] = &[("audit_entries", "written by a trigger; not read yet")];

/// The tables that the rules hold for, and the columns that their audit triggers name, as the first
/// CTEs of a query. Partitions have rules of their own: [`openings::PARTITIONS`].
const TABLES: &str = "WITH tables AS (
    SELECT c.oid, c.relname::text AS name, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'organisation_id' AND NOT attisdropped) AS tenant,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'revision' AND NOT attisdropped) AS entity
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> '__diesel_schema_migrations'
), marks AS (
    SELECT tgrelid, coalesce(nullif(args[1], ''), '{}')::text[] AS redacted, coalesce(nullif(args[2], ''), '{}')::text[] AS untracked
    FROM pg_trigger CROSS JOIN LATERAL string_to_array(encode(tgargs, 'escape'), '\\000') AS args
    WHERE tgfoid = 'write_audit'::regproc
)";

async fn catalogue() -> Client {
    superuser(server().addresses.database()).await
}

/// The first column of a query over [`TABLES`].
async fn column(catalogue: &Client, query: &str) -> Vec<String> {
    let rows = catalogue.query(&format!("{TABLES} {query}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What a query finds, without the names that are excused. An excuse that is not needed any more
/// is a finding too.
async fn except(catalogue: &Client, query: &str, excused: &[(&str, &str)]) -> Vec<String> {
    let found = column(catalogue, query).await;
    let subject = |finding: &String| finding.split(' ').next().unwrap().to_owned();
    let subjects: Vec<String> = found.iter().map(subject).collect();
    let stale = excused.iter().filter(|(name, _)| !subjects.iter().any(|subject| subject == name));
    let stale = stale.map(|(name, _)| format!("{name} needs no exception"));
    let findings = found.iter().filter(|finding| !excused.iter().any(|(name, _)| *name == subject(finding)));
    findings.cloned().chain(stale).collect()
}

const NONE: [&str; 0] = [];

/// One rule about tables, and what breaks it: each finding starts with the name it is about.
struct Rule {
    findings: &'static str,
    excused: &'static [(&'static str, &'static str)],
}

const OWNED_AND_SECURED: Rule = Rule {
    findings: "SELECT name || ' ' || reason FROM tables JOIN pg_roles owner ON owner.oid = relowner
        CROSS JOIN LATERAL (
            SELECT 'is owned by a superuser or one who bypasses row security: ' || rolname AS reason WHERE rolsuper OR rolbypassrls
            UNION ALL SELECT 'is owned by ' || rolname || ', a member of ' || grp
                FROM unnest('{tessera_app,tessera_system}'::text[]) grp WHERE pg_has_role(rolname, grp, 'MEMBER')
            UNION ALL SELECT 'is owned by ' || rolname || ', which the service can become: ' || member.rolname
                FROM pg_roles member
                WHERE NOT member.rolsuper AND member.oid <> owner.oid AND pg_has_role(member.oid, owner.oid, 'MEMBER')
                  AND (pg_has_role(member.oid, 'tessera_app', 'MEMBER') OR pg_has_role(member.oid, 'tessera_system', 'MEMBER'))
            UNION ALL SELECT 'has no row security' WHERE NOT relrowsecurity
            UNION ALL SELECT 'forces row security on its owner, which breaks migrations' WHERE relforcerowsecurity
        ) AS finding",
    excused: &[],
};

const WITH_TENANT: Rule =
    Rule { findings: "SELECT name FROM tables WHERE NOT tenant", excused: WITHOUT_TENANT };

const TENANT_COLUMN: Rule = Rule {
    findings: "SELECT name || ' has organisation_id ' || definition FROM tables
        CROSS JOIN LATERAL (
            SELECT format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                   || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') || attgenerated::text AS definition
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = tables.oid AND attname = 'organisation_id'
        ) AS tenant_column
        WHERE tenant AND definition <> $$uuid NOT NULL DEFAULT (current_setting('app.organisation_id'::text))::uuid$$",
    excused: &[],
};

const TENANT_POLICY: Rule = Rule {
    findings: "SELECT name || ' has not the policy own_organisation as protect_tenant_table() makes it' FROM tables
        WHERE tenant AND NOT EXISTS (
            SELECT FROM pg_policies
            WHERE schemaname = 'public' AND tablename = name AND policyname = 'own_organisation'
              AND permissive = 'PERMISSIVE' AND cmd = 'ALL' AND roles = '{tessera_app}' AND with_check = qual
              AND qual = $$(organisation_id = ( SELECT (current_setting('app.organisation_id'::text))::uuid AS current_setting))$$
        )",
    excused: &[],
};

const TENANT_KEY: Rule = Rule {
    findings:
        "SELECT name || ' has a primary key that does not start with organisation_id, or none' FROM tables
        WHERE tenant AND NOT EXISTS (
            SELECT FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
            WHERE conrelid = tables.oid AND contype = 'p' AND attname = 'organisation_id'
        )",
    excused: &[],
};

const TENANT_FOREIGN_KEYS: Rule = Rule {
    findings: "SELECT conname || ' of ' || own.name || ' does not start with organisation_id on both sides'
        FROM pg_constraint
        JOIN tables own ON own.oid = conrelid LEFT JOIN tables other ON other.oid = confrelid
        JOIN pg_attribute here ON here.attrelid = conrelid AND here.attnum = conkey[1]
        JOIN pg_attribute there ON there.attrelid = confrelid AND there.attnum = confkey[1]
        WHERE contype = 'f' AND (own.tenant OR other.tenant)
          AND NOT (here.attname = 'organisation_id'
                   AND (there.attname = 'organisation_id' OR confrelid = 'organisations'::regclass))",
    excused: FOREIGN_KEYS_WITHOUT_TENANT,
};

const TENANT_INDEXES: Rule = Rule {
    findings: "SELECT index.relname || ' of ' || name || ' does not start with organisation_id' FROM pg_index
        JOIN tables ON tables.oid = indrelid JOIN pg_class index ON index.oid = indexrelid
        LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE tenant AND attname IS DISTINCT FROM 'organisation_id'",
    excused: INDEXES_WITHOUT_TENANT,
};

const ENTITIES: Rule = Rule {
    findings: "SELECT name || ' has no trigger that counts its revisions' FROM tables
        WHERE entity AND NOT EXISTS (
            -- tgtype: BEFORE UPDATE FOR EACH ROW
            SELECT FROM pg_trigger WHERE tgrelid = tables.oid AND tgname = 'touch' AND tgenabled = 'O'
              AND tgtype = 19 AND tgfoid = 'touch_row'::regproc AND tgqual IS NULL
        )
        UNION ALL
        SELECT name || ' lacks ' || definition FROM tables
        CROSS JOIN unnest('{revision integer NOT NULL DEFAULT 1,created_at timestamp with time zone NOT NULL DEFAULT service_now(),updated_at timestamp with time zone NOT NULL DEFAULT service_now()}'::text[]) AS definition
        WHERE entity AND definition NOT IN (
            SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                   || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        )",
    excused: &[],
};

// A view without security_invoker reads as its owner, whom no policy holds; so do rules. Data of a
// materialized view or a foreign table knows no policies at all.
const NO_SIDE_DOORS: Rule = Rule {
    findings: "SELECT c.relname || ' is a view that reads with its owner''s rights' FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
          AND NOT coalesce('security_invoker=true' = ANY(c.reloptions) OR 'security_invoker=on' = ANY(c.reloptions), false)
        UNION ALL
        SELECT c.relname || ' is a materialized view or a foreign table' FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('m', 'f')
        UNION ALL
        SELECT r.rulename || ' is a rule on ' || c.relname FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        WHERE c.relnamespace = 'public'::regnamespace AND r.rulename <> '_RETURN'
        UNION ALL
        SELECT nspname || ' is a schema that nothing here looks at' FROM pg_namespace
        WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%'",
    excused: &[],
};

const RULES: &[Rule] = &[
    OWNED_AND_SECURED,
    WITH_TENANT,
    TENANT_COLUMN,
    TENANT_POLICY,
    TENANT_KEY,
    TENANT_FOREIGN_KEYS,
    TENANT_INDEXES,
    ENTITIES,
    NO_SIDE_DOORS,
    audit::AUDIT,
    audit::TRACKED,
    audit::UNTRACKED,
    audit::MARKED,
    audit::SECRETS,
    audit::PERSONAL,
    audit::COMMENTS,
    openings::PARTITIONS,
    openings::OTHER_POLICIES,
    openings::DEFINERS,
    openings::PINNED_DEFINERS,
    openings::CALLED_DEFINERS,
];

async fn holds(rule: &Rule) {
    assert_eq!(except(&catalogue().await, rule.findings, rule.excused).await, NONE);
}

#[tokio::test]
async fn every_table_belongs_to_a_plain_owner_and_has_row_security() {
    holds(&OWNED_AND_SECURED).await;
}

#[tokio::test]
async fn every_table_belongs_to_a_tenant() {
    holds(&WITH_TENANT).await;
}

#[tokio::test]
async fn every_tenant_column_is_filled_from_the_transaction() {
    holds(&TENANT_COLUMN).await;
}

#[tokio::test]
async fn every_tenant_table_shows_its_own_organisation_alone() {
    holds(&TENANT_POLICY).await;
}

#[tokio::test]
async fn every_key_of_a_tenant_table_starts_with_the_tenant() {
    holds(&TENANT_KEY).await;
    holds(&TENANT_FOREIGN_KEYS).await;
    holds(&TENANT_INDEXES).await;
}

#[tokio::test]
async fn every_entity_is_dated_and_counts_its_revisions() {
    holds(&ENTITIES).await;
}

#[tokio::test]
async fn nothing_reads_with_the_rights_of_the_owner() {
    holds(&NO_SIDE_DOORS).await;
}

/// What each [`Rule`] has to find wrong with it; made in a transaction that is rolled back.
const BROKEN: &str = "
    CREATE TABLE broken_plain (id uuid PRIMARY KEY);
    CREATE TABLE broken_tenant (
        organisation_id uuid DEFAULT (current_setting('app.organisation_id', true)::uuid),
        id uuid PRIMARY KEY,
        other_id uuid REFERENCES broken_tenant (id),
        revision bigint,
        CONSTRAINT broken_tenant_key UNIQUE (other_id)
    );
    CREATE POLICY own_organisation ON broken_tenant TO tessera_app
        USING (organisation_id = (SELECT current_setting('app.organisation_id', true)::uuid));
    CREATE POLICY broken_policy ON broken_tenant TO tessera_app USING (true);
    CREATE VIEW broken_view AS SELECT id FROM broken_tenant;
    CREATE MATERIALIZED VIEW broken_copy AS SELECT id FROM broken_tenant;
    CREATE RULE broken_rule AS ON DELETE TO broken_tenant DO INSTEAD NOTHING;
    CREATE FUNCTION broken_definer() RETURNS void LANGUAGE sql SECURITY DEFINER AS '';
    GRANT EXECUTE ON FUNCTION broken_definer() TO tessera_app;
    CREATE TABLE broken_marks (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        id uuid NOT NULL,
        phone text,
        secret_hash bytea,
        note text,
        balance numeric,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT service_now(),
        updated_at timestamptz NOT NULL DEFAULT service_now(),
        PRIMARY KEY (organisation_id, id)
    );
    SELECT track_changes('broken_marks', redacted => '{note}', untracked => '{balance}');
    ALTER TABLE broken_marks RENAME note TO remark;
    ALTER TABLE broken_marks ADD COLUMN added text;
    COMMENT ON COLUMN broken_marks.remark IS 'secret';
    CREATE TABLE broken_months (organisation_id uuid, created_at timestamptz) PARTITION BY RANGE (created_at);
    CREATE TABLE broken_month PARTITION OF broken_months DEFAULT;
    ALTER TABLE broken_month OWNER TO tessera_system;
    GRANT SELECT, UPDATE (created_at) ON broken_month TO tessera_app;
    CREATE POLICY broken_month_policy ON broken_month TO tessera_app USING (true)";

#[tokio::test]
async fn each_rule_finds_what_breaks_it() {
    let mut catalogue = catalogue().await;
    let transaction = catalogue.transaction().await.unwrap();
    transaction.batch_execute(BROKEN).await.unwrap();
    let mut found = String::new();
    for rule in RULES {
        let query = format!(
            "{TABLES}, found AS ({}) SELECT * FROM found WHERE found::text LIKE '%broken%' ORDER BY 1",
            rule.findings
        );
        let rows = transaction.query(&query, &[]).await.unwrap();
        assert!(!rows.is_empty(), "finds nothing: {}", rule.findings);
        rows.iter().for_each(|row| writeln!(found, "{}", row.get::<_, &str>(0)).unwrap());
    }
    transaction.rollback().await.unwrap();
    expect_file!["golden/broken.txt"].assert_eq(&found);
}

const GRANTS: &str = "
    SELECT kind || ' ' || object || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
           || ': ' || string_agg(privilege_type, ', ' ORDER BY privilege_type)
    FROM (
        SELECT 'database' AS kind, '(any)' AS object, datdba AS owner, coalesce(datacl, acldefault('d', datdba)) AS acl
        FROM pg_database WHERE datname = current_database()
        UNION ALL
        SELECT 'schema', nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
        FROM pg_namespace WHERE nspname = 'public'
        UNION ALL
        SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END, relname, relowner, coalesce(relacl, acldefault('r', relowner))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'column', relname || '.' || attname, relowner, attacl FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL
        UNION ALL
        SELECT 'function', proname || '(' || pg_get_function_identity_arguments(oid) || ')', proowner, coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
          -- Functions of extensions are many, and only the extension's version decides on them.
          AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
    ) AS object CROSS JOIN LATERAL aclexplode(acl)
    WHERE grantee <> owner
    GROUP BY kind, object, grantee ORDER BY kind, object, grantee = 0, grantee::regrole::text";

/// Who may do what with which object of a database.
pub(crate) async fn grants(catalogue: &Client) -> Vec<String> {
    column(catalogue, GRANTS).await
}

const POLICIES: &str = "
    SELECT tablename || ' ' || policyname || ': ' || permissive || ' ' || cmd || ' to ' || array_to_string(roles, ', ')
           || coalesce(E'\\n  using ' || qual, '') || coalesce(E'\\n  check ' || with_check, '')
    FROM pg_policies ORDER BY schemaname, tablename, policyname";

#[tokio::test]
async fn grants_are_the_golden_ones() {
    let grants = grants(&catalogue().await).await;
    expect_file!["golden/grants.txt"].assert_eq(&format!("{}\n", grants.join("\n")));
}

#[tokio::test]
async fn policies_are_the_golden_ones() {
    let policies = column(&catalogue().await, POLICIES).await;
    expect_file!["golden/policies.txt"].assert_eq(&format!("{}\n", policies.join("\n")));
}

// Primary keys are ids that we make, and NOT NULL is held by types: no user runs into those.
const CONSTRAINTS: &str = "
    SELECT conname::text FROM pg_constraint JOIN tables ON tables.oid = conrelid WHERE contype NOT IN ('p', 't', 'n')
    UNION
    SELECT index.relname::text FROM pg_index
    JOIN tables ON tables.oid = indrelid JOIN pg_class index ON index.oid = indexrelid
    WHERE indisunique AND NOT indisprimary
    ORDER BY 1";

#[tokio::test]
async fn every_constraint_says_something_to_the_user_and_every_message_has_its_constraint() {
    let real = except(&catalogue().await, CONSTRAINTS, WITHOUT_MESSAGE).await.into_iter();
    // Every entity has this one, and tenancy explains it once for all.
    let real: BTreeSet<String> = real.filter(|name| !name.ends_with(tenancy::CREATED_BY)).collect();
    let listed = || gateway::CONSTRAINTS.iter().flat_map(|domain| domain.iter());
    let named: BTreeSet<String> = listed().map(|constraint| constraint.name.to_owned()).collect();
    assert_eq!(real, named, "left: in the database; right: in gateway::CONSTRAINTS");
    assert_eq!(listed().count(), named.len(), "a constraint is listed twice");
    let empty = listed().filter(|constraint| constraint.message.is_empty()).map(|constraint| constraint.name);
    assert_eq!(empty.collect::<Vec<_>>(), NONE);
}

/// A table as `diesel::table!` describes it: `contacts (organisation_id, id)`, then
/// `id -> Uuid` and so on.
type Description = Vec<String>;

/// The types of PostgreSQL that our tables use, as diesel names them.
const TYPES: &[(&str, &str)] = &[
    ("bigint", "BigInt"),
    ("boolean", "Bool"),
    ("bytea", "Binary"),
    ("date", "Date"),
    ("double precision", "Double"),
    ("integer", "Integer"),
    ("interval", "Interval"),
    ("jsonb", "Jsonb"),
    ("numeric", "Numeric"),
    ("smallint", "SmallInt"),
    ("text", "Text"),
    ("timestamp with time zone", "Timestamptz"),
    ("time without time zone", "Time"),
    ("uuid", "Uuid"),
];

fn diesel_type(sql: &str, not_null: bool) -> String {
    let element = sql.strip_suffix("[]");
    let bare = element.unwrap_or(sql).split('(').next().unwrap();
    let known = TYPES.iter().find(|(name, _)| *name == bare);
    let (_, diesel) = known.unwrap_or_else(|| panic!("add the type {bare:?} to TYPES in catalogue.rs"));
    let plain = if element.is_some() { format!("Array<{diesel}>") } else { (*diesel).to_owned() };
    if not_null { plain } else { format!("Nullable<{plain}>") }
}

async fn real_tables() -> Vec<Description> {
    let query = format!(
        "{TABLES} SELECT name, (SELECT string_agg(attname, ', ' ORDER BY place) FROM pg_constraint
                   CROSS JOIN unnest(conkey) WITH ORDINALITY AS key (number, place)
                   JOIN pg_attribute ON attrelid = conrelid AND attnum = number
                   WHERE conrelid = tables.oid AND contype = 'p') AS key,
               array_agg(attname::text ORDER BY attnum) AS names,
               array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) AS types,
               array_agg(attnotnull ORDER BY attnum) AS required
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        GROUP BY tables.oid, name"
    );
    let describe = |row: &tokio_postgres::Row| {
        let (name, key): (&str, &str) = (row.get("name"), row.get("key"));
        let (names, types): (Vec<&str>, Vec<&str>) = (row.get("names"), row.get("types"));
        let required: Vec<bool> = row.get("required");
        let columns = names.iter().zip(types).zip(required);
        let columns =
            columns.map(|((name, sql), required)| format!("{name} -> {}", diesel_type(sql, required)));
        [format!("{name} ({key})")].into_iter().chain(columns).collect()
    };
    catalogue().await.query(&query, &[]).await.unwrap().iter().map(describe).collect()
}

/// Every `diesel::table!` of a source text, without attributes and comments.
fn described_tables(source: &str) -> Vec<Description> {
    let tables = source.split("diesel::table! {").skip(1);
    let tables = tables.map(|table| {
        let body = table.split("\n}").next().unwrap();
        let lines = body.lines().map(str::trim);
        let lines =
            lines.filter(|line| !(line.is_empty() || line.starts_with("//") || line.starts_with('#')));
        let lines = lines.map(|line| line.trim_end_matches([',', '{']).trim().to_owned());
        lines.filter(|line| line != "}").collect()
    });
    tables.collect()
}

/// The `src/tables.rs` of every crate.
fn sources() -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = fs::read_dir(workspace).unwrap().map(|entry| entry.unwrap().path().join("src/tables.rs"));
    let sources: Vec<String> = crates.filter_map(|path| fs::read_to_string(path).ok()).collect();
    assert!(sources.len() > 2, "there are no tables.rs where they should be");
    sources
}

fn name_of(table: &Description) -> &str {
    table[0].split(' ').next().unwrap()
}

#[tokio::test]
async fn diesel_sees_every_table_as_it_is() {
    let real = real_tables().await;
    let described: Vec<Description> = sources().iter().flat_map(|source| described_tables(source)).collect();
    for table in &described {
        let twin = real.iter().find(|real| name_of(real) == name_of(table));
        assert_eq!(Some(table), twin, "left: table!, right: the database");
    }
    let uncovered =
        real.iter().map(name_of).filter(|name| !described.iter().any(|table| name_of(table) == *name));
    let excused: BTreeSet<_> = WITHOUT_TABLE_MACRO.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        uncovered.collect::<BTreeSet<_>>(),
        excused,
        "left: tables without table!, right: WITHOUT_TABLE_MACRO"
    );
}

#[test]
fn table_macros_are_read_with_keys_types_and_order() {
    let source = "//! x\n\ndiesel::table! {\n    /// Things.\n    things (organisation_id, id) {\n        organisation_id -> Uuid,\n        #[max_length = 5]\n        id -> Nullable<Array<Text>>,\n    }\n}\n\ndiesel::table! {\n    others (id) {\n        id -> Uuid,\n    }\n}\n";
    let things = ["things (organisation_id, id)", "organisation_id -> Uuid", "id -> Nullable<Array<Text>>"];
    assert_eq!(described_tables(source), [things.to_vec(), vec!["others (id)", "id -> Uuid"]]);
    assert_eq!(diesel_type("text[]", false), "Nullable<Array<Text>>");
    assert_eq!(diesel_type("numeric(12,2)", true), "Numeric");
}
