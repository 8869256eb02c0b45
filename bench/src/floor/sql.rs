//! The floor's statements. Those that build JSON give one row with one value.

use crate::reach;

pub(super) const BY_ID: &str = "SELECT row_to_json(c) FROM (
    SELECT id, name, email, phone, country FROM contacts WHERE id = $1 AND deleted_at IS NULL) c";

/// The cheapest of seven ways to build it in SQL: one `json_agg` turns rows within rows into JSON
/// at once, and a sub-select is cheaper here than the join with its memo.
pub(super) const NEWEST: &str = r#"SELECT json_agg(n) FROM (
    SELECT c.id, c.name, c.email, c.created_at AS "createdAt", (
        SELECT x FROM (
            SELECT k.id, k.name, k.email FROM contacts k
            WHERE k.organisation_id = c.organisation_id AND k.id = c.company_id AND k.deleted_at IS NULL
        ) x
    ) AS company
    FROM contacts c WHERE c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 20) n"#;

/// Counting and sorting what one scan has found takes a third less than a count beside a page
/// from the index.
pub(super) const FILTERED: &str = r#"SELECT row_to_json(p) FROM (
    SELECT coalesce(max(total), 0) AS "totalCount",
        coalesce(json_agg((SELECT x FROM (SELECT id, name, country) x)), '[]') AS nodes
    FROM (
        SELECT id, name, country, count(*) OVER () AS total FROM contacts
        WHERE country = $1 AND kind = $2 AND deleted_at IS NULL ORDER BY name, id LIMIT 20
    ) n) p"#;

/// Other ways to build its JSON took as long: nearly all of it is grouping.
pub(super) const GROUPED: &str = r#"SELECT json_agg(g) FROM (
    SELECT (SELECT k FROM (SELECT country, month AS "createdAt") k) AS key, count FROM (
        SELECT country, date_trunc('month', created_at, 'Europe/Vienna') AS month, count(*) FROM contacts
        WHERE deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 200
    ) r) g"#;

/// A little cheaper than a lateral join of aggregates.
pub(super) const NESTED: &str = r#"SELECT json_agg(n) FROM (
    SELECT c.id, c.name, (SELECT x FROM (SELECT array(
        SELECT q FROM (
            SELECT p.id, p.name, p.email, p.created_at AS "createdAt" FROM contacts p
            WHERE p.organisation_id = c.organisation_id AND p.company_id = c.id AND p.deleted_at IS NULL
            ORDER BY p.created_at DESC, p.id DESC LIMIT 5
        ) q
    ) AS nodes) x) AS people
    FROM contacts c WHERE c.kind = 'COMPANY' AND c.deleted_at IS NULL ORDER BY c.name, c.id LIMIT 10) n"#;

/// The newest contacts that a user has added, and how many there are.
pub(super) const MINE: &str = r#"SELECT row_to_json(p) FROM (
    SELECT (SELECT count(*) FROM contacts WHERE created_by = $1 AND deleted_at IS NULL) AS "totalCount",
        coalesce(json_agg((SELECT x FROM (SELECT id, name, email, created_at AS "createdAt") x)), '[]') AS nodes
    FROM (
        SELECT id, name, email, created_at FROM contacts
        WHERE created_by = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 20
    ) n) p"#;

/// A new contact.
pub(super) fn create() -> String {
    format!(
        "INSERT INTO contacts (id, kind, name, {}) VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING (SELECT row_to_json(r) FROM (
            SELECT contacts.id, contacts.name, contacts.email, contacts.revision) r)",
        reach::COLUMNS
    )
}

/// What says that a contact was made.
pub(super) const PUBLISH: &str = "INSERT INTO events (id, kind, entity, entity_id, details)
    VALUES ($1, 'contact.created', 'contact', $2, '{}')";
