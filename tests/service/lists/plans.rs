//! How PostgreSQL answers lists where there are many rows of many organisations.

use serde_json::{Value, json};

use super::explained::Explained;
use crate::{
    door::eventually,
    harness::{Client, superuser},
};

const ORGANISATIONS: usize = 10;
const CONTACTS: usize = 2000;
const COMPANIES: usize = 100;
const PEOPLE_EACH: usize = (CONTACTS - COMPANIES) / COMPANIES;
const COUNTRIES: usize = 50;
/// A page, and the row more that tells whether there is more.
const PAGE: usize = 20 + 1;
/// PostgreSQL makes a plan for any values after five for certain ones, if that is no worse.
const TIMES: usize = 8;

/// Contacts of many organisations, those of this client among them.
async fn fill(explained: &Explained, client: &Client) {
    let ours = client.organisation_id();
    let id = |number: &str| format!("md5(organisation || ' ' || {number})::uuid");
    let (own, company) = (id("number"), id(&format!("(number % {COMPANIES} + 1)")));
    // As a replica: without the triggers, which would write as much audit. And with a commit that waits
    // for its log: VACUUM marks no page as visible to all whose rows' commit is not flushed yet.
    let sql = format!(
        "SET synchronous_commit = on;
         SET session_replication_role = replica;
         INSERT INTO contacts (organisation_id, id, kind, company_id, name, addresses, tags, created_at)
         SELECT organisation, {own}, CASE WHEN number > {COMPANIES} THEN 'PERSON' ELSE 'COMPANY' END,
             CASE WHEN number > {COMPANIES} THEN {company} END, 'name ' || number * 7919 % {CONTACTS},
             jsonb_build_array(jsonb_build_object('country', 'country ' || number % {COUNTRIES})),
             ARRAY['tag ' || number % 7], now() - number * interval '1 minute'
         FROM (SELECT '{ours}'::uuid UNION ALL
               SELECT gen_random_uuid() FROM generate_series(2, {ORGANISATIONS})) AS every (organisation),
             generate_series(1, {CONTACTS}) AS number;
         SET session_replication_role = DEFAULT;
         ALTER TABLE contacts SET (autovacuum_enabled = false)"
    );
    superuser(explained.addresses.database()).await.batch_execute(&sql).await.unwrap();
}

/// A request, and how many rows its statements may look at in one place.
struct Shape {
    query: &'static str,
    variables: Value,
    most: usize,
}

const BY_NAME: &str = "query ($after: String) { contacts(first: 20, after: $after, \
    orderBy: [{ name: ASC }]) { nodes { name } pageInfo { endCursor } } }";

async fn shapes(client: &Client) -> Vec<Shape> {
    let first = client.run(BY_NAME, json!({})).await;
    let cursor = first.at("/data/contacts/pageInfo/endCursor");
    let companies = "{ contacts(first: 1, where: { kind: { eq: COMPANY } }) { nodes { id } } }";
    let company = client.run(companies, json!({})).await.at("/data/contacts/nodes/0/id").clone();
    let shape = |most, query| Shape { query, variables: json!({}), most };
    vec![
        shape(PAGE, "{ contacts(first: 20) { nodes { name company { name } } } }"),
        Shape { query: BY_NAME, variables: json!({ "after": cursor }), most: PAGE },
        shape(
            CONTACTS / COUNTRIES,
            "{ contacts(first: 20, where: { country: { eq: \"country 3\" } }) \
             { totalCount nodes { name company { name } } } }",
        ),
        // All people of each company: tags have no index.
        shape(
            10 * PEOPLE_EACH,
            "{ contacts(first: 10, where: { kind: { eq: COMPANY } }) { nodes { name \
             people(first: 5, where: { tags: { has: \"tag 1\" } }) { totalCount nodes { name } } } } }",
        ),
        Shape {
            query: "query ($company: ID) { contacts(first: 20, where: { company: { id: { eq: $company } } }) \
                { totalCount nodes { name } } }",
            variables: json!({ "company": company }),
            most: PEOPLE_EACH,
        },
        // Few rows are deleted; those that are not are not looked at.
        shape(PAGE, "{ contacts(first: 20, deleted: ONLY) { nodes { name } } }"),
        // What no index answers looks at the organisation's own rows, and at no others.
        shape(CONTACTS, "{ contacts(first: 20, orderBy: [{ company: { name: ASC } }]) { nodes { name } } }"),
    ]
}

/// Filters through relations, whose statements look at each of the organisation's rows once, at most,
/// and at no others; also where PostgreSQL knows nothing of the table yet.
const THROUGH_RELATIONS: [&str; 6] = [
    "{ contacts(first: 20, where: { people: { some: { name: { eq: \"name 77\" } } } }) \
     { totalCount nodes { name } } }",
    "{ contacts(first: 20, where: { people: { count: { gt: 3 } } }) { nodes { name } } }",
    "{ contacts(first: 20, where: { people: { count: { lt: 30 } } }) { nodes { name } } }",
    "{ contacts(first: 20, where: { people: { every: { country: { eq: \"x\" } } } }) { nodes { name } } }",
    "{ contacts(first: 20, where: { company: { name: { startsWith: \"name 1\" } } }) \
     { totalCount nodes { name } } }",
    "{ contacts(first: 20, where: { people: { some: { company: { people: { none: { country: { eq: \"x\" } } } } } } }) \
     { totalCount nodes { name } } }",
];

/// What dashboards count, from an index alone: the rows lie on as many pages as there are rows.
const COUNTED: [&str; 3] = [
    "{ contactsAggregate(groupBy: { country: true, createdAt: { bucket: MONTH } }) { key { country createdAt } count } }",
    "{ contactsAggregate(where: { kind: { eq: PERSON } }) { count } }",
    "{ contactsAggregate(where: { kind: { eq: PERSON }, country: { eq: \"country 3\" } }) { count } }",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_by_index_and_ask_for_the_organisation_once() {
    let explained = Explained::start("list_plans").await;
    let client = explained.client.signed_up().await;
    fill(&explained, &client).await;
    let through_relations =
        THROUGH_RELATIONS.map(|query| Shape { query, variables: json!({}), most: CONTACTS });
    for shape in &through_relations {
        check(&explained, &client, shape).await;
    }
    let superuser = superuser(explained.addresses.database()).await;
    // A transaction that is open meanwhile keeps VACUUM from marking pages as visible to all.
    eventually("all pages are marked as visible to all", async || {
        superuser.batch_execute("VACUUM ANALYZE contacts").await.unwrap();
        let visible = "SELECT relallvisible >= relpages FROM pg_class WHERE oid = 'contacts'::regclass";
        superuser.query_one(visible, &[]).await.unwrap().get(0)
    })
    .await;
    for shape in shapes(&client).await.iter().chain(&through_relations) {
        check(&explained, &client, shape).await;
    }
    for query in COUNTED {
        explained.take();
        client.run(query, json!({})).await.ok("/data/contactsAggregate");
        for plan in explained.take() {
            let text = plan.json.to_string();
            assert!(text.contains("\"Index Only Scan\""), "{query}\n{:#}", plan.json);
            assert!(
                !text.contains("\"Index Scan\"") && !text.contains("\"Bitmap Heap Scan\""),
                "{query}\n{:#}",
                plan.json
            );
        }
    }
}

async fn check(explained: &Explained, client: &Client, shape: &Shape) {
    explained.take();
    for _ in 0..TIMES {
        client.run(shape.query, shape.variables.clone()).await.ok("/data");
    }
    let plans = explained.take();
    assert!(plans.len() >= TIMES, "{}", shape.query);
    for plan in plans {
        let mut seen = Seen::default();
        seen.look(&plan.json["Plan"]);
        let about = || format!("{}\n{:#}", shape.query, plan.json);
        assert_eq!(seen.faults, [""; 0], "{}", about());
        assert!(seen.settings > 0, "nobody asked for the organisation: {}", about());
        assert!(seen.most <= shape.most, "{} rows: {}", seen.most, about());
    }
}

/// What was found in a plan.
#[derive(Default)]
struct Seen {
    faults: Vec<String>,
    /// How many nodes ask for the setting.
    settings: usize,
    /// How many rows a node found, those included that it then left out.
    most: usize,
}

impl Seen {
    fn look(&mut self, node: &Value) {
        let mut own = node.clone();
        let below = own.as_object_mut().unwrap().remove("Plans");
        let text = |name: &str| node[name].as_str().unwrap_or_default();
        let number = |name: &str| node[name].as_f64().unwrap_or_default();
        match text("Node Type") {
            "Seq Scan" if text("Relation Name") == "contacts" => {
                self.faults.push("this reads all contacts of everybody".to_owned());
            }
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan"
                if !["organisation_id = ", "organisations.id = "]
                    .iter()
                    .any(|tenant| text("Index Cond").contains(tenant)) =>
            {
                self.faults.push(format!("an index without the organisation: {own}"));
            }
            _ => {}
        }
        if own.to_string().contains("current_setting") {
            self.settings += 1;
            if text("Parent Relationship") != "InitPlan" || number("Actual Loops") > 1.0 {
                self.faults.push(format!("this asks for the setting again and again: {own}"));
            }
        }
        let left_out = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        let rows = (number("Actual Rows") + left_out) * number("Actual Loops");
        self.most = self.most.max(format!("{rows:.0}").parse().unwrap());
        for node in below.iter().flat_map(|below| below.as_array().unwrap()) {
            self.look(node);
        }
    }
}
