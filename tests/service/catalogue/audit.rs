//! What the audit records of which column, and which columns hold personal data.

use expect_test::expect_file;

use super::{Rule, catalogue, column, holds};

/// Tenant tables whose changes are not audited.
const WITHOUT_AUDIT: &[(&str, &str)] = &[
    ("audit_entries", "it is the audit"),
    ("idempotency_keys", "it says nothing that the audited change it stands for does not say"),
    ("events", "say what happened; the audit says what was changed"),
    ("jobs", "come and go with everything that happens"),
    ("dead_letters", "are written by the service; who replays them is seen in what that does"),
    ("webhook_secrets", "are secrets; their endpoints are audited"),
    ("webhook_deliveries", "are a log themselves"),
    ("refresh_tokens", "rotate all the time; their login_sessions are audited"),
];
/// Columns of audited tables that change neither the revision nor the audit: `ledgers.balance`.
const UNTRACKED_COLUMNS: &[(&str, &str)] = &[];
/// Columns with the name of personal data that hold none.
const NOT_PERSONAL: &[(&str, &str)] = &[];

pub(super) const AUDIT: Rule = Rule {
    findings: "SELECT name || ' has no trigger that writes its audit' FROM tables
        WHERE (tenant OR entity) AND NOT EXISTS (
            -- tgtype: AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW
            SELECT FROM pg_trigger WHERE tgrelid = tables.oid AND tgname = 'audit' AND tgenabled = 'O'
              AND tgtype = 29 AND tgfoid = 'write_audit'::regproc AND tgqual IS NULL
        )",
    excused: WITHOUT_AUDIT,
};

// A trigger with a list of columns does not fire for a column that was added later.
pub(super) const TRACKED: Rule = Rule {
    findings:
        "SELECT name || '.' || attname || ' is not untracked, and the trigger ' || tgname || ' ignores it'
        FROM tables
        JOIN pg_trigger ON tgrelid = tables.oid AND tgfoid IN ('write_audit'::regproc, 'touch_row'::regproc)
        JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        LEFT JOIN marks ON marks.tgrelid = tables.oid
        WHERE tgattr::text <> '' AND attnum <> ALL (tgattr::smallint[])
          AND attname <> ALL (coalesce(untracked, '{}'))",
    excused: &[],
};

pub(super) const UNTRACKED: Rule = Rule {
    findings: "SELECT name || '.' || unnest(untracked) || ' changes neither revision nor audit'
        FROM tables JOIN marks ON tgrelid = tables.oid",
    excused: UNTRACKED_COLUMNS,
};

// The triggers know these columns by their names alone.
pub(super) const MARKED: Rule = Rule {
    findings: "SELECT name || '.' || marked || ' is named by the trigger audit and does not exist'
        FROM tables JOIN marks ON tgrelid = tables.oid CROSS JOIN unnest(redacted || untracked) AS marked
        WHERE NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = tables.oid AND attname = marked AND NOT attisdropped
        )",
    excused: &[],
};

pub(super) const SECRETS: Rule = Rule {
    findings: "SELECT name || '.' || attname || ' is a secret that the audit does not redact'
        FROM tables JOIN marks ON tgrelid = tables.oid
        JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        WHERE attname ~ '(secret|password|token|hash)(_|$)' AND attname !~ '_(at|id)$' AND attname <> ALL (redacted)",
    excused: &[],
};

pub(super) const PERSONAL: Rule = Rule {
    findings: "SELECT name || '.' || attname || ' is not marked as personal'
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        WHERE attname ~ '^(first_name|last_name|emails?|phones?|address(es)?|birthday)$'
          AND col_description(attrelid, attnum) IS DISTINCT FROM 'personal'",
    excused: NOT_PERSONAL,
};

pub(super) const COMMENTS: Rule = Rule {
    findings: "SELECT name || '.' || attname || ' has a comment without a meaning: ' || description
        FROM tables JOIN pg_attribute ON attrelid = tables.oid
        JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = tables.oid AND objsubid = attnum
        WHERE description <> 'personal'",
    excused: &[],
};

#[tokio::test]
async fn every_change_of_a_tenant_table_is_audited() {
    holds(&AUDIT).await;
    holds(&TRACKED).await;
    holds(&UNTRACKED).await;
}

#[tokio::test]
async fn the_audit_redacts_secrets_and_names_no_column_that_does_not_exist() {
    holds(&MARKED).await;
    holds(&SECRETS).await;
}

const MARKED_PERSONAL: &str = "
    SELECT name || '.' || attname FROM tables JOIN pg_attribute ON attrelid = tables.oid
    WHERE attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) = 'personal' ORDER BY 1";

#[tokio::test]
async fn personal_columns_are_the_golden_ones_and_none_is_forgotten() {
    holds(&PERSONAL).await;
    holds(&COMMENTS).await;
    let marked = column(&catalogue().await, MARKED_PERSONAL).await;
    expect_file!["../golden/personal.txt"].assert_eq(&format!("{}\n", marked.join("\n")));
}
