//! The SQL of each kind of statement, as snapshots: `UPDATE_EXPECT=1 cargo test -p listing` accepts a
//! change of them. Whether PostgreSQL answers them right and fast, the service tests say.

use diesel::{
    QueryResult,
    dsl::sql,
    pg::{Pg, PgQueryBuilder},
    query_builder::{AstPass, QueryBuilder, QueryFragment},
    sql_types::Integer,
};
use expect_test::{Expect, expect};
use uuid::Uuid;

use super::{
    change::{Insert, SoftDelete, Update},
    condition::{Comparison, Condition, Path, Table},
    keyset::KeysetBound,
    list::List,
    order::{Direction, Key, Via},
    select::{Count, CountPerParent, Find, Join, PerParent, Select},
    statement::Statement,
    values::Render,
};
use crate::{field::Shape, kind::Kind, value::Value};

struct Rendered<R>(R);

impl<R: Render> QueryFragment<Pg> for Rendered<R> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.render(out)
    }
}

impl Render for Statement {
    fn render<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.write(&*COLUMNS, out)
    }
}

static COLUMNS: std::sync::LazyLock<diesel::expression::SqlLiteral<Integer>> =
    std::sync::LazyLock::new(|| sql("columns"));

fn is(statement: impl Render, expected: &Expect) {
    let mut out = PgQueryBuilder::default();
    Rendered(statement).to_sql(&mut out, &Pg).unwrap();
    expected.assert_eq(&out.finish());
}

const ID: Shape = Shape { name: "id", column: "id", kind: Kind::Id("contact"), nullable: false };
const NAME: Shape = Shape { name: "name", column: "name", kind: Kind::Text, nullable: false };
const CITY: Shape = Shape { name: "city", column: "city", kind: Kind::Text, nullable: true };

fn contacts() -> Table {
    Table::live("contacts")
}

fn company() -> Path {
    Path { table: contacts(), ours: "company_id", theirs: "id" }
}

fn people() -> Path {
    Path { table: contacts(), ours: "id", theirs: "company_id" }
}

fn via_company() -> Via {
    Via { relation: "company", target: "Contact", path: company() }
}

fn key(shape: Shape, direction: Direction) -> Key {
    Key { shape, via: None, direction }
}

/// The first page of contacts by name.
fn page() -> Select {
    Select {
        table: contacts(),
        columns: vec![ID, NAME],
        filter: vec![],
        bounds: vec![],
        order: vec![key(NAME, Direction::Asc), Key::id(Direction::Asc)],
        reversed: false,
        limit: Some(51),
        joins: vec![],
        total: false,
    }
}

fn city(name: &str) -> Condition {
    Condition::Is("city", Comparison::Eq, name.into())
}

fn filtered(condition: Condition) -> Count {
    Count { table: contacts(), filter: vec![condition] }
}

#[test]
fn a_page() {
    is(
        page(),
        &expect![[
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51"#
        ]],
    );
}

#[test]
fn a_page_with_deleted_rows() {
    is(
        Select { table: contacts().with_deleted(), ..page() },
        &expect![[
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51"#
        ]],
    );
}

#[test]
fn the_last_page_and_its_total() {
    is(
        Select { reversed: true, total: true, filter: vec![city("Graz")], ..page() },
        &expect![[
            r#"SELECT page.*, (SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" = $1) FROM (SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" = $2 ORDER BY "contacts"."name" DESC, "contacts"."id" DESC LIMIT 51) AS page ORDER BY "page"."name" DESC, "page"."id" DESC"#
        ]],
    );
}

#[test]
fn a_page_by_a_related_field_with_related_columns() {
    let order = vec![
        Key { shape: CITY, via: Some(via_company()), direction: Direction::Desc },
        Key::id(Direction::Desc),
    ];
    let joins = vec![Join { via: via_company(), shapes: vec![NAME] }];
    is(
        Select { order, joins, ..page() },
        &expect![[
            r#"SELECT page.*, "via_company"."id", "via_company"."name" FROM (SELECT "contacts"."id", "contacts"."name", "via_company"."city" AS "key0" FROM "contacts" LEFT JOIN "contacts" AS "via_company" ON "via_company"."id" = "contacts"."company_id" AND "via_company"."deleted_at" IS NULL WHERE "contacts"."deleted_at" IS NULL ORDER BY "via_company"."city" DESC NULLS FIRST, "contacts"."id" DESC LIMIT 51) AS page LEFT JOIN "contacts" AS "via_company" ON "via_company"."id" = "page"."company_id" AND "via_company"."deleted_at" IS NULL ORDER BY "page"."key0" DESC NULLS FIRST, "page"."id" DESC"#
        ]],
    );
}

#[test]
fn a_page_after_a_row_is_one_comparison_where_no_key_is_null() {
    let after = vec!["Ada".into(), Value::Uuid(Uuid::nil())];
    let bounds = vec![KeysetBound::new(page().order, after, false)];
    is(
        Select { bounds, ..page() },
        &expect![[
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."name", "contacts"."id") > ($1, $2) ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51"#
        ]],
    );
}

#[test]
fn a_page_before_a_row_whose_key_is_null() {
    let order = vec![key(CITY, Direction::Desc), Key::id(Direction::Desc)];
    let before = vec![Value::Null, Value::Uuid(Uuid::nil())];
    let bounds = vec![KeysetBound::new(order.clone(), before, true)];
    is(
        Select { bounds, order, reversed: true, filter: vec![city("Graz")], ..page() },
        &expect![[
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" = $1 AND ((FALSE) OR ("contacts"."city" IS NULL AND ("contacts"."id" > $2))) ORDER BY "contacts"."city" ASC NULLS LAST, "contacts"."id" ASC LIMIT 51"#
        ]],
    );
}

#[test]
fn pages_and_counts_of_many_parents() {
    let parents = vec![Uuid::nil()];
    let filter = vec![Condition::OfParent("company_id")];
    let select = Select { filter: filter.clone(), ..page() };
    is(
        PerParent { parents: parents.clone(), select },
        &expect![[
            r#"SELECT child.*, parent.id FROM unnest($1) AS parent(id) CROSS JOIN LATERAL (SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."company_id" = parent.id ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51) AS child"#
        ]],
    );
    is(
        CountPerParent { parents, table: contacts(), filter },
        &expect![[
            r#"SELECT parent.id, total.count FROM unnest($1) AS parent(id) CROSS JOIN LATERAL (SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."company_id" = parent.id) AS total"#
        ]],
    );
}

#[test]
fn comparisons() {
    let compare = |comparison| filtered(Condition::Is("name", comparison, "Ada".into()));
    is(
        compare(Comparison::Eq),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" = $1"#
        ]],
    );
    is(
        compare(Comparison::Ne),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" IS DISTINCT FROM $1"#
        ]],
    );
    is(
        filtered(Condition::Empty("city")),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" IS NULL"#
        ]],
    );
    is(
        filtered(Condition::Like("name", "A%".to_owned())),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" ILIKE $1"#
        ]],
    );
}

#[test]
fn lists() {
    is(
        filtered(Condition::OneOf("name", List::Texts(vec!["Ada".to_owned()]))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" = ANY($1)"#
        ]],
    );
    is(
        filtered(Condition::Contains("tags", Value::Texts(vec!["a".to_owned()]))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."tags" @> $1"#
        ]],
    );
    is(
        filtered(Condition::Overlaps("tags", vec!["a".to_owned()])),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."tags" && $1"#
        ]],
    );
}

#[test]
fn junctions() {
    let both = || vec![city("Graz"), city("Linz")];
    let not = Condition::Not(Box::new(Condition::Any(both())));
    is(
        filtered(Condition::All(vec![not, Condition::All(both())])),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ((("contacts"."city" = $1 OR "contacts"."city" = $2)) IS NOT TRUE AND ("contacts"."city" = $3 AND "contacts"."city" = $4))"#
        ]],
    );
    is(
        filtered(Condition::All(vec![Condition::All(vec![]), Condition::Any(vec![])])),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND (TRUE AND FALSE)"#
        ]],
    );
}

#[test]
fn related_rows() {
    let inner = Condition::Related(people(), Box::new(city("Graz")));
    is(
        filtered(Condition::Related(company(), Box::new(inner))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."company_id" IN (SELECT "r1"."id" FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."id" IN (SELECT "r2"."company_id" FROM "contacts" AS "r2" WHERE "r2"."deleted_at" IS NULL AND "r2"."city" = $1)) IS TRUE)) IS TRUE"#
        ]],
    );
    is(
        filtered(Condition::Counted(people(), Comparison::Gte, 2)),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."id" IN (SELECT "r1"."company_id" FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL GROUP BY "r1"."company_id" HAVING count(*) >= $1)) IS TRUE"#
        ]],
    );
    is(
        filtered(Condition::Counted(people(), Comparison::Lt, 2)),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND NOT ("contacts"."id" IN (SELECT "r1"."company_id" FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL GROUP BY "r1"."company_id" HAVING NOT count(*) < $1)) IS TRUE"#
        ]],
    );
}

#[test]
fn whole_rows() {
    let conditions = vec![Condition::id(Uuid::nil())];
    is(
        Statement::Find(Find { table: contacts(), conditions }),
        &expect![[
            r#"SELECT columns FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."id" = $1"#
        ]],
    );
}

#[test]
fn changes() {
    let conditions = vec![Condition::id(Uuid::nil()), Condition::revision(3)];
    let rows = vec![(Uuid::nil(), vec![Some("Ada".into()), None]); 2];
    let insert = Insert { table: contacts(), shapes: vec![NAME, CITY], rows };
    is(
        Statement::Insert(insert),
        &expect![[
            r#"INSERT INTO "contacts" (id, "name", "city") VALUES ($1, $2, DEFAULT), ($3, $4, DEFAULT) RETURNING columns"#
        ]],
    );
    let changes = vec![(NAME, "Ada".into()), (CITY, Value::Null)];
    let update = Update { table: contacts(), conditions: conditions.clone(), changes };
    is(
        Statement::Update(update),
        &expect![[
            r#"UPDATE "contacts" SET updated_at = updated_at, "name" = $1, "city" = $2 WHERE "contacts"."deleted_at" IS NULL AND "contacts"."id" = $3 AND "contacts"."revision" = $4 RETURNING columns"#
        ]],
    );
    let delete = SoftDelete { table: contacts(), conditions, deleted: true };
    let restore = SoftDelete { table: contacts().only_deleted(), deleted: false, ..delete.clone() };
    is(
        Statement::SoftDelete(delete),
        &expect![[
            r#"UPDATE "contacts" SET deleted_at = service_now() WHERE "contacts"."deleted_at" IS NULL AND "contacts"."id" = $1 AND "contacts"."revision" = $2 RETURNING columns"#
        ]],
    );
    is(
        Statement::SoftDelete(restore),
        &expect![[
            r#"UPDATE "contacts" SET deleted_at = NULL WHERE "contacts"."deleted_at" IS NOT NULL AND "contacts"."id" = $1 AND "contacts"."revision" = $2 RETURNING columns"#
        ]],
    );
}
