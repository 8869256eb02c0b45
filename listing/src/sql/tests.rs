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
    change::{Insert, SoftDelete, Update, Written},
    column::Column,
    condition::{Between, Comparison, Condition, Link, Path, SeenBy, Sight, Table, Term},
    keyset::KeysetBound,
    list::List,
    order::{Direction, Key, Via},
    select::{Candidates, Count, CountPerParent, Find, Join, PerParent, Select},
    statement::Statement,
    values::Render,
};
use crate::{
    kind::{Kind, PartField, Parts},
    value::Value,
};

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

const ID: Column =
    Column { name: "id", kind: Kind::Id("contact"), nullable: false, term: Term::Column("id") };
const NAME: Column = Column { name: "name", kind: Kind::Text, nullable: false, term: Term::Column("name") };
const CITY: Column = Column { name: "city", kind: Kind::Text, nullable: true, term: Term::Column("city") };

const WRITTEN_NAME: Written = Written { field: "name", column: "name", kind: Kind::Text };
const WRITTEN_CITY: Written = Written { field: "city", column: "city", kind: Kind::Text };

fn column(name: &'static str) -> Term {
    Term::Column(name)
}

fn contacts() -> Table {
    Table::live("contacts", Sight::All, Sight::All)
}

fn company() -> Path {
    Path { table: contacts(), ours: "company_id", theirs: "id", between: None }
}

fn people() -> Path {
    Path { table: contacts(), ours: "id", theirs: "company_id", between: None }
}

fn via_company() -> Via {
    Via { relation: "company", target: "Contact", path: company() }
}

fn key(column: Column, direction: Direction) -> Key {
    Key { column, via: None, direction }
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
    Condition::Is(column("city"), Comparison::Eq, name.into())
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
        Key { column: CITY, via: Some(via_company()), direction: Direction::Desc },
        Key::id(Direction::Desc),
    ];
    let joins = vec![Join { via: via_company(), columns: vec![NAME] }];
    is(
        Select { order, joins, ..page() },
        &expect![[
            r#"SELECT page.*, "via_company"."id", "via_company"."name" FROM (SELECT "contacts"."id", "contacts"."name", "via_company"."city" AS "key0" FROM "contacts" LEFT JOIN "contacts" AS "via_company" ON "via_company"."id" = "contacts"."company_id" AND "via_company"."deleted_at" IS NULL WHERE "contacts"."deleted_at" IS NULL ORDER BY "via_company"."city" DESC NULLS LAST, "contacts"."id" DESC LIMIT 51) AS page LEFT JOIN "contacts" AS "via_company" ON "via_company"."id" = "page"."company_id" AND "via_company"."deleted_at" IS NULL ORDER BY "page"."key0" DESC NULLS LAST, "page"."id" DESC"#
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
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" = $1 AND (("contacts"."city" IS NOT NULL) OR ("contacts"."city" IS NULL AND ("contacts"."id" > $2))) ORDER BY "contacts"."city" ASC NULLS FIRST, "contacts"."id" ASC LIMIT 51"#
        ]],
    );
}

#[test]
fn pages_and_counts_of_many_parents() {
    let parents = vec![Uuid::nil()];
    let filter = vec![Condition::OfParent(Link::Column("company_id"))];
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
fn parts_of_a_list() {
    const EMAILS: Parts = Parts {
        name: "EmailAddress",
        key: "address",
        fields: &[PartField::collated("address", "email_address"), PartField::text("label")],
    };
    let is_empty = Condition::Empty(Term::Column("label"));
    let condition = Condition::Part(Term::Column("emails"), EMAILS, Box::new(is_empty));
    is(
        filtered(Condition::Not(Box::new(condition))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND (EXISTS (SELECT FROM jsonb_to_recordset("contacts"."emails") AS part("address" text COLLATE "email_address", "label" text) WHERE "part"."label" IS NULL)) IS NOT TRUE"#
        ]],
    );
}

#[test]
fn comparisons() {
    let compare = |comparison| filtered(Condition::Is(column("name"), comparison, "Ada".into()));
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
        filtered(Condition::Empty(column("city"))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."city" IS NULL"#
        ]],
    );
    is(
        filtered(Condition::Like(column("name"), "A%".to_owned())),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" COLLATE "C" ILIKE $1"#
        ]],
    );
}

#[test]
fn lists() {
    is(
        filtered(Condition::OneOf(column("name"), List::Texts(vec!["Ada".to_owned()]))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."name" = ANY($1)"#
        ]],
    );
    is(
        filtered(Condition::Contains(column("tags"), Value::Texts(vec!["a".to_owned()]))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."tags" @> $1"#
        ]],
    );
    is(
        filtered(Condition::Overlaps(column("tags"), vec!["a".to_owned()])),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."tags" && $1"#
        ]],
    );
}

#[test]
fn a_search() {
    let text = || "Zoë 50%".to_owned();
    is(
        Candidates { table: contacts(), text: text(), most: 9 },
        &expect!["SELECT search_ids('contacts', $1, 9)"],
    );
    is(
        Select { filter: vec![Condition::Matches(text())], ..page() },
        &expect![[
            r#"SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND COALESCE("contacts"."search" LIKE ALL ((SELECT search_patterns($1))::text[]), FALSE) ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51"#
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
        Statement::Find(Find { table: contacts(), conditions, lock: true }),
        &expect![[
            r#"SELECT columns FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."id" = $1 FOR NO KEY UPDATE"#
        ]],
    );
}

#[test]
fn changes() {
    let conditions = vec![Condition::id(Uuid::nil()), Condition::revision(3)];
    let rows = vec![(Uuid::nil(), vec![Some("Ada".into()), None]); 2];
    let insert = Insert { table: contacts(), columns: vec![WRITTEN_NAME, WRITTEN_CITY], rows };
    is(
        Statement::Insert(insert),
        &expect![[
            r#"INSERT INTO "contacts" (id, "name", "city") VALUES ($1, $2, DEFAULT), ($3, $4, DEFAULT) RETURNING columns"#
        ]],
    );
    let changes = vec![(WRITTEN_NAME, "Ada".into()), (WRITTEN_CITY, Value::Null)];
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

fn tickets(sight: Sight) -> Table {
    Table::live("tickets", sight, Sight::None)
}

/// Most tickets are unrestricted; of the others a session sees its own and those that it watches.
fn sight(broad: bool) -> Sight {
    let is = |name, value| Condition::Is(column(name), Comparison::Eq, value);
    let watched = SeenBy::Through {
        table: Table::kept("watchers", Sight::All),
        row: "ticket_id",
        condition: is("user_id", Value::Uuid(Uuid::nil())),
    };
    let most = SeenBy::Most(is("restricted", Value::Boolean(false)));
    let own = SeenBy::Own(is("requester_id", Value::Uuid(Uuid::nil())));
    let narrow = [own, watched.clone(), watched];
    Sight::ways(narrow.into_iter().chain(broad.then_some(most)))
}

fn seen(sight: Sight) -> Count {
    Count { table: tickets(sight), filter: vec![] }
}

#[test]
fn sight_of_none() {
    is(
        seen(Sight::None),
        &expect![[r#"SELECT count(*) FROM "tickets" WHERE "tickets"."deleted_at" IS NULL AND FALSE"#]],
    );
    is(
        seen(Sight::ways([])),
        &expect![[r#"SELECT count(*) FROM "tickets" WHERE "tickets"."deleted_at" IS NULL AND (FALSE)"#]],
    );
}

#[test]
fn sight_by_own_columns_and_by_tables_that_join() {
    is(
        seen(sight(true)),
        &expect![[
            r#"SELECT count(*) FROM "tickets" WHERE "tickets"."deleted_at" IS NULL AND ("tickets"."requester_id" = $1 OR "tickets"."restricted" = FALSE OR "tickets"."id" = ANY(ARRAY(SELECT "r1"."ticket_id" FROM "watchers" AS "r1" WHERE "r1"."user_id" = $2 UNION ALL SELECT "r1"."ticket_id" FROM "watchers" AS "r1" WHERE "r1"."user_id" = $3)))"#
        ]],
    );
}

fn tasks(parent: Sight) -> Count {
    let with = SeenBy::with("ticket_id", &tickets(parent));
    Count { table: Table::kept("tasks", Sight::ways([with])), filter: vec![] }
}

#[test]
fn sight_with_a_parent() {
    is(
        tasks(Sight::All),
        &expect![[
            r#"SELECT count(*) FROM "tasks" WHERE (EXISTS (SELECT FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND "r1"."id" = "tasks"."ticket_id"))"#
        ]],
    );
    is(tasks(Sight::None), &expect![[r#"SELECT count(*) FROM "tasks" WHERE (FALSE)"#]]);
    is(
        tasks(sight(false)),
        &expect![[
            r#"SELECT count(*) FROM "tasks" WHERE ("tasks"."ticket_id" = ANY(ARRAY(SELECT "r1"."id" FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."requester_id" = $1 OR "r1"."id" = ANY(ARRAY(SELECT "r2"."ticket_id" FROM "watchers" AS "r2" WHERE "r2"."user_id" = $2 UNION ALL SELECT "r2"."ticket_id" FROM "watchers" AS "r2" WHERE "r2"."user_id" = $3))))))"#
        ]],
    );
    is(
        tasks(sight(true)),
        &expect![[
            r#"SELECT count(*) FROM "tasks" WHERE ("tasks"."ticket_id" = ANY(ARRAY(SELECT "r1"."id" FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."requester_id" = $1 OR "r1"."id" = ANY(ARRAY(SELECT "r2"."ticket_id" FROM "watchers" AS "r2" WHERE "r2"."user_id" = $2 UNION ALL SELECT "r2"."ticket_id" FROM "watchers" AS "r2" WHERE "r2"."user_id" = $3))))) OR EXISTS (SELECT FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."restricted" = FALSE) AND "r1"."id" = "tasks"."ticket_id"))"#
        ]],
    );
}

#[test]
fn sight_of_deleted_rows() {
    is(
        Count { table: tickets(sight(true)).with_deleted(), filter: vec![] },
        &expect![[
            r#"SELECT count(*) FROM "tickets" WHERE (("tickets"."deleted_at" IS NULL AND ("tickets"."requester_id" = $1 OR "tickets"."restricted" = FALSE OR "tickets"."id" = ANY(ARRAY(SELECT "r1"."ticket_id" FROM "watchers" AS "r1" WHERE "r1"."user_id" = $2 UNION ALL SELECT "r1"."ticket_id" FROM "watchers" AS "r1" WHERE "r1"."user_id" = $3)))) OR ("tickets"."deleted_at" IS NOT NULL AND FALSE))"#
        ]],
    );
}

#[test]
fn sight_in_joins_conditions_and_changes() {
    let own = || Sight::ways([SeenBy::Own(city("Graz"))]);
    let path = || Path { table: tickets(own()), ours: "ticket_id", theirs: "id", between: None };
    is(
        filtered(Condition::Related(path(), Box::new(city("Linz")))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."ticket_id" IN (SELECT "r1"."id" FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."city" = $1) AND "r1"."city" = $2)) IS TRUE"#
        ]],
    );
    let via = || Via { relation: "ticket", target: "Ticket", path: path() };
    let joins = vec![Join { via: via(), columns: vec![NAME] }];
    is(
        Select { joins, ..page() },
        &expect![[
            r#"SELECT page.*, "via_ticket"."id", "via_ticket"."name" FROM (SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51) AS page LEFT JOIN "tickets" AS "via_ticket" ON "via_ticket"."id" = "page"."ticket_id" AND "via_ticket"."deleted_at" IS NULL AND ("via_ticket"."city" = $1) ORDER BY "page"."name" ASC, "page"."id" ASC"#
        ]],
    );
    let conditions = vec![Condition::id(Uuid::nil())];
    let update = Update { table: tickets(own()), conditions, changes: vec![(WRITTEN_NAME, "a".into())] };
    is(
        Statement::Update(update),
        &expect![[
            r#"UPDATE "tickets" SET updated_at = updated_at, "name" = $1 WHERE "tickets"."deleted_at" IS NULL AND ("tickets"."city" = $2) AND "tickets"."id" = $3 RETURNING columns"#
        ]],
    );
}

#[test]
fn computed_columns() {
    let of = |name, term| Column { name, kind: Kind::Integer, nullable: false, term };
    let path = Path { table: tickets(Sight::All), ours: "id", theirs: "contact_id", between: None };
    let columns = vec![
        of("overdue", Term::Expression("{row}.due_at < service_now()")),
        of("companyId", Term::Reference("company_id", tickets(Sight::ways([SeenBy::Own(city("Graz"))])))),
        of("openTickets", Term::Count(Box::new(path), Box::new(city("Linz")))),
    ];
    let order = vec![key(columns[0].clone(), Direction::Asc), Key::id(Direction::Asc)];
    is(
        Select { columns, order, total: true, ..page() },
        &expect![[
            r#"SELECT page.*, (SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL) FROM (SELECT ("contacts".due_at < service_now()) AS "overdue", (SELECT "r1"."id" FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND ("r1"."city" = $1) AND "r1"."id" = "contacts"."company_id") AS "companyId", (SELECT count(*)::integer FROM "tickets" AS "r1" WHERE "r1"."deleted_at" IS NULL AND "r1"."contact_id" = "contacts"."id" AND "r1"."city" = $2) AS "openTickets" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL ORDER BY ("contacts".due_at < service_now()) ASC, "contacts"."id" ASC LIMIT 51) AS page ORDER BY "page"."overdue" ASC, "page"."id" ASC"#
        ]],
    );
}

#[test]
fn choices_and_booleans_are_literals() {
    is(
        filtered(Condition::Named(column("kind"), Comparison::Ne, "PERSON")),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."kind" IS DISTINCT FROM 'PERSON'"#
        ]],
    );
    is(
        filtered(Condition::Is(column("active"), Comparison::Eq, true.into())),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."active" = TRUE"#
        ]],
    );
}

/// Contacts have lists, and lists contacts.
const BETWEEN: Between = Between { table: "list_members", ours: "list_id", theirs: "contact_id" };

#[test]
fn many_to_many() {
    let filter = vec![Condition::OfParent(Link::Between(BETWEEN))];
    let select = Select { filter, ..page() };
    is(
        PerParent { parents: vec![Uuid::nil()], select },
        &expect![[
            r#"SELECT child.*, parent.id FROM unnest($1) AS parent(id) CROSS JOIN LATERAL (SELECT "contacts"."id", "contacts"."name" FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND "contacts"."id" = ANY(ARRAY(SELECT "contact_id" FROM "list_members" WHERE "list_id" = "parent"."id")) ORDER BY "contacts"."name" ASC, "contacts"."id" ASC LIMIT 51) AS child"#
        ]],
    );
    let path = || Path { table: contacts(), ours: "id", theirs: "id", between: Some(BETWEEN) };
    is(
        filtered(Condition::Related(path(), Box::new(city("Graz")))),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."id" IN (SELECT "list_id" FROM "list_members" WHERE "contact_id" IN (SELECT "r1"."id" FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL AND "r1"."city" = $1))) IS TRUE"#
        ]],
    );
    is(
        filtered(Condition::Counted(path(), Comparison::Gte, 2)),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND ("contacts"."id" IN (SELECT "list_id" FROM "list_members" WHERE "contact_id" IN (SELECT "r1"."id" FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL) GROUP BY "list_id" HAVING count(*) >= $1)) IS TRUE"#
        ]],
    );
    let term = Term::Count(Box::new(path()), Box::new(city("Graz")));
    is(
        filtered(Condition::Is(term, Comparison::Eq, 0.into())),
        &expect![[
            r#"SELECT count(*) FROM "contacts" WHERE "contacts"."deleted_at" IS NULL AND (SELECT count(*)::integer FROM "contacts" AS "r1" WHERE "r1"."deleted_at" IS NULL AND "r1"."id" = ANY(ARRAY(SELECT "contact_id" FROM "list_members" WHERE "list_id" = "contacts"."id")) AND "r1"."city" = $1) = $2"#
        ]],
    );
}
