//! The life of an entity decides what stands in its table, and what the service may do with it.

use listing::Life;

use super::catalogue;

/// What a table has of these: columns, and privileges of the service's role.
const TRAITS: &str = "
    SELECT array_agg(name ORDER BY name) FROM (
        SELECT attname::text AS name FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND NOT attisdropped AND attname IN ('deleted_at', 'revision', 'updated_at')
        UNION ALL
        SELECT privilege FROM unnest(ARRAY['SELECT', 'UPDATE']) AS privilege
        WHERE has_any_column_privilege('tessera_app', $1, privilege)
    ) AS traits";

#[tokio::test]
async fn columns_and_grants_of_an_entity_are_those_of_its_life() {
    let catalogue = catalogue().await;
    let entities = [events::ENTITIES, domain_identity::ENTITIES, domain_crm::ENTITIES].concat();
    let mut wrong = vec![];
    for entity in entities {
        let expected: &[&str] = match entity.life() {
            Life::Deletable => &["SELECT", "UPDATE", "deleted_at", "revision", "updated_at"],
            Life::Kept => &["SELECT", "UPDATE", "revision", "updated_at"],
            Life::AppendOnly => &["SELECT"],
        };
        let row = catalogue.query_one(TRAITS, &[&entity.table()]).await.unwrap();
        let mut found: Vec<String> = row.get(0);
        found.sort();
        if found != expected {
            wrong.push((entity.name, found));
        }
    }
    assert_eq!(wrong, []);
}
