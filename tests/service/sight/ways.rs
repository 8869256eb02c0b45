//! Each way by which a session comes to see rows, alone and together, through lists, figures, relations
//! and writes.

mod entities;

use async_graphql::{EmptySubscription, MergedObject, Request, Schema};
use futures_util::TryStreamExt;
use listing::{ActMutation, Export, Loaders, Mutations, Queries, ResponseBudget, entity, id_text};
use serde_json::{Value, json};
use tenancy::{Addresses, Role, Scope};
use tokio_postgres::Client as Connection;
use uuid::Uuid;

use self::entities::{Close, TABLES, Task, Ticket};
use crate::{
    door::{Door, eventually, own_database},
    harness::{Client, superuser},
};

#[derive(MergedObject, Default)]
struct Query(Queries<Ticket>, Queries<Task>);

#[derive(MergedObject, Default)]
struct Mutation(Mutations<Ticket>, Mutations<Task>, ActMutation<Close>);

/// A database with tickets: what somebody has requested, what is open to all, what somebody watches and
/// what only admins see, each with a task of the same title.
struct Desk {
    door: Door,
    client: Client,
    behind: Connection,
    addresses: Addresses,
    requester: Uuid,
    watcher: Uuid,
    tickets: Vec<(&'static str, Uuid)>,
}

const TITLES: [&str; 4] = ["hidden", "open", "requested", "watched"];

impl Desk {
    async fn open(name: &str) -> Self {
        let (addresses, [client, _]) = own_database(name, ["Ada", "Ben"]).await;
        let behind = superuser(addresses.database()).await;
        behind.batch_execute(TABLES).await.unwrap();
        let door = Door::open(&addresses, 4).await;
        let tickets = TITLES.map(|title| (title, Uuid::now_v7())).to_vec();
        let (requester, watcher) = (Uuid::now_v7(), Uuid::now_v7());
        let desk = Self { door, client, behind, addresses, requester, watcher, tickets };
        let organisation = desk.client.organisation_id();
        let mut sql = format!(
            "SET app.organisation_id = '{organisation}'; SET app.user_id = '{}';",
            desk.client.user_id()
        );
        for (title, id) in &desk.tickets {
            sql += &format!(
                "INSERT INTO tickets (id, title) VALUES ('{id}', '{title}');
                 INSERT INTO tasks (id, title, ticket_id) VALUES (gen_random_uuid(), '{title}', '{id}');"
            );
        }
        let [hidden, open, requested, watched] = TITLES.map(|title| desk.ticket(title));
        sql += &format!(
            "UPDATE tickets SET requester_id = '{requester}' WHERE id = '{requested}';
             UPDATE tickets SET team = 'OPEN' WHERE id = '{open}';
             INSERT INTO ticket_watchers (ticket_id, user_id) VALUES ('{watched}', '{watcher}');
             UPDATE tickets SET parent_id = '{requested}', priority = 'URGENT' WHERE id IN ('{hidden}', '{open}');
             UPDATE tickets SET parent_id = '{hidden}', priority = 'MEDIUM', due_at = '2020-01-01' WHERE id = '{requested}';
             UPDATE tickets SET revision = 1"
        );
        desk.behind.batch_execute("SET session_replication_role = replica").await.unwrap();
        desk.behind.batch_execute(&sql).await.unwrap();
        desk
    }

    fn ticket(&self, title: &str) -> Uuid {
        self.tickets.iter().find(|(known, _)| *known == title).unwrap().1
    }

    /// A ticket's id as clients know it.
    fn id(&self, title: &str) -> String {
        id_text("ticket", self.ticket(title))
    }

    fn scope(&self, user: Uuid, role: Role) -> Scope {
        self.door.scope_of(self.client.organisation_id(), user, vec![role], vec![])
    }

    fn admin(&self) -> Scope {
        self.scope(self.client.user_id(), Role::Admin)
    }

    fn requester(&self) -> Scope {
        self.scope(self.requester, Role::User)
    }

    fn watcher(&self) -> Scope {
        self.scope(self.watcher, Role::User)
    }
}

/// What is answered without an error.
async fn ask(scope: &Scope, document: &str) -> Value {
    let schema = Schema::new(Query::default(), Mutation::default(), EmptySubscription);
    let request = Request::new(document).data(scope.clone()).data(Loaders::default());
    let answer = schema.execute(request.data(ResponseBudget::new(false))).await;
    assert!(answer.errors.is_empty(), "{document}: {:?}", answer.errors);
    serde_json::from_slice(&listing::to_json(&answer.data).unwrap()).unwrap()
}

/// The titles in a list.
fn titles(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_way_shows_its_rows_and_what_is_seen_with_them_through_every_door() {
    let desk = Desk::open("sight_ways").await;
    let stranger = desk.scope(Uuid::now_v7(), Role::User);
    for (who, scope, seen) in [
        ("admin", desk.admin(), &TITLES[..]),
        ("requester", desk.requester(), &["open", "requested"]),
        ("watcher", desk.watcher(), &["open", "watched"]),
        ("stranger", stranger, &["open"]),
    ] {
        let order = "orderBy: [{ title: ASC }]";
        let document = format!(
            "{{ tickets({order}) {{ totalCount nodes {{ title tasks {{ totalCount nodes {{ title ticket {{ title }} }} }} }} }}
                tasks({order}) {{ totalCount nodes {{ title ticketId ticket {{ id title }} }} }}
                ticketsAggregate {{ count }} tasksAggregate {{ count }}
                byTicket: tasksAggregate(groupBy: {{ ticket: {{ title: true }} }}) {{ key {{ ticket {{ title }} }} }}
                some: tickets({order}, where: {{ tasks: {{ some: {{}} }} }}) {{ nodes {{ title }} }}
                of: tasks({order}, where: {{ ticket: {{ title: {{ ne: \"\" }} }} }}) {{ nodes {{ title }} }}
                ordered: tasks(orderBy: [{{ ticket: {{ title: ASC }} }}]) {{ nodes {{ title }} }} }}"
        );
        let answer = ask(&scope, &document).await;
        for list in ["tickets", "tasks", "some", "of", "ordered"] {
            assert_eq!(titles(&answer[list]), seen, "{who}: {list}");
        }
        for count in [
            "/tickets/totalCount",
            "/tasks/totalCount",
            "/ticketsAggregate/0/count",
            "/tasksAggregate/0/count",
        ] {
            assert_eq!(*answer.pointer(count).unwrap(), seen.len(), "{who}: {count}");
        }
        assert_eq!(answer["byTicket"].as_array().unwrap().len(), seen.len(), "{who}");
        for ticket in answer["tickets"]["nodes"].as_array().unwrap() {
            let title = &ticket["title"];
            let tasks =
                json!({ "totalCount": 1, "nodes": [{ "title": title, "ticket": { "title": title } }] });
            assert_eq!(ticket["tasks"], tasks, "{who}");
        }
        for title in TITLES {
            let one = ask(
                &scope,
                &format!(
                    "{{ ticket(id: \"{}\") {{ title tasks {{ nodes {{ title }} }} }} }}",
                    desk.id(title)
                ),
            )
            .await;
            let expected = json!({ "title": title, "tasks": { "nodes": [{ "title": title }] } });
            assert_eq!(
                one["ticket"],
                if seen.contains(&title) { expected } else { Value::Null },
                "{who}: {title}"
            );
            let task = format!(
                "mutation {{ createTask(input: {{ task: {{ title: \"new\", ticketId: \"{}\" }} }}) {{ task {{ title }} userErrors {{ code }} }} }}",
                desk.id(title)
            );
            let made = ask(&scope, &task).await["createTask"].clone();
            let codes = if seen.contains(&title) { json!([]) } else { json!([{ "code": "NOT_FOUND" }]) };
            assert_eq!(made["userErrors"], codes, "{who}: a task of {title}");
        }
        desk.behind.batch_execute("DELETE FROM tasks WHERE title = 'new'").await.unwrap();
    }
}

#[tokio::test]
async fn the_id_of_an_unseen_row_is_seen_nowhere() {
    let desk = Desk::open("sight_masked").await;
    let (hidden, requested) = (desk.id("hidden"), desk.id("requested"));
    let this = format!("id: {{ eq: \"{requested}\" }}");
    let document = format!(
        "{{ list: tickets(where: {{ {this} }}) {{ nodes {{ parentId parent {{ id }} }} }}
            one: ticket(id: \"{requested}\") {{ parentId parent {{ id }} }}
            empty: tickets(where: {{ {this}, parentId: {{ isNull: true }} }}) {{ totalCount }}
            equal: tickets(where: {{ {this}, parentId: {{ eq: \"{hidden}\" }} }}) {{ totalCount }}
            among: tickets(where: {{ {this}, parentId: {{ in: [\"{hidden}\"] }} }}) {{ totalCount }}
            other: tickets(where: {{ {this}, parentId: {{ ne: \"{hidden}\" }} }}) {{ totalCount }}
            related: tickets(where: {{ {this}, parent: {{}} }}) {{ totalCount }}
            groups: ticketsAggregate(where: {{ {this} }}, groupBy: {{ parentId: true }}) {{ key {{ parentId }} count }}
            ordered: tickets(where: {{ {this} }}, orderBy: [{{ parentId: ASC }}]) {{ nodes {{ parentId }} }} }}"
    );
    let export = async |scope: Scope| {
        let filter = async_graphql::Value::from_json(json!({ "id": { "eq": requested } })).unwrap();
        let columns = Some(vec!["parentId".to_owned(), "parent.title".to_owned()]);
        let rows = entity::<Ticket>()
            .export(Export { filter: Some(filter), columns, ..Export::default() }, move || {
                std::future::ready(Ok(scope.clone()))
            });
        String::from_utf8(rows.try_concat().await.unwrap()).unwrap()
    };
    let seen = json!({ "parentId": hidden, "parent": { "id": hidden } });
    let unseen = json!({ "parentId": null, "parent": null });
    for (who, scope, shown, [set, unset], line) in [
        ("admin", desk.admin(), seen, [1, 0], format!("{hidden},hidden")),
        ("requester", desk.requester(), unseen, [0, 1], ",".to_owned()),
    ] {
        let answer = ask(&scope, &document).await;
        let id = &shown["parentId"];
        let expected = json!({
            "list": { "nodes": [shown] }, "one": shown,
            "empty": { "totalCount": unset }, "equal": { "totalCount": set }, "among": { "totalCount": set },
            "other": { "totalCount": unset }, "related": { "totalCount": set },
            "groups": [{ "key": { "parentId": id }, "count": 1 }], "ordered": { "nodes": [{ "parentId": id }] },
        });
        assert_eq!(answer, expected, "{who}");
        assert_eq!(export(scope).await.lines().last(), Some(line.as_str()), "{who}");
    }
}

#[tokio::test]
async fn an_order_by_a_masked_id_does_not_tell_which_rows_have_one() {
    let desk = Desk::open("sight_order").await;
    desk.behind.batch_execute("UPDATE tickets SET parent_id = NULL WHERE title = 'open'").await.unwrap();
    for order in ["ASC", "DESC_NULLS_FIRST"] {
        let document = format!(
            "{{ tickets(orderBy: [{{ parentId: {order} }}, {{ title: ASC }}]) {{ nodes {{ title }} }} }}"
        );
        assert_eq!(
            titles(&ask(&desk.requester(), &document).await["tickets"]),
            ["open", "requested"],
            "{order}"
        );
    }
}

#[tokio::test]
async fn related_rows_are_counted_as_far_as_they_are_seen() {
    let desk = Desk::open("sight_counts").await;
    let requested = desk.id("requested");
    let document = format!(
        "{{ one: ticket(id: \"{requested}\") {{ partCount urgentPartCount parts {{ totalCount }} }}
            list: tickets(where: {{ id: {{ eq: \"{requested}\" }} }}) {{ nodes {{ partCount urgentPartCount }} }}
            two: tickets(where: {{ partCount: {{ gte: 2 }} }}) {{ nodes {{ title }} }}
            first: tickets(orderBy: [{{ partCount: DESC }}, {{ title: ASC }}], first: 1) {{ nodes {{ title partCount }} }}
            groups: ticketsAggregate(where: {{ id: {{ eq: \"{requested}\" }} }}) {{ sum {{ partCount }} }} }}"
    );
    for (who, scope, count) in [("admin", desk.admin(), 2), ("requester", desk.requester(), 1)] {
        let expected = json!({
            "one": { "partCount": count, "urgentPartCount": count, "parts": { "totalCount": count } },
            "list": { "nodes": [{ "partCount": count, "urgentPartCount": count }] },
            "two": { "nodes": if count == 2 { json!([{ "title": "requested" }]) } else { json!([]) } },
            "first": { "nodes": [{ "title": "requested", "partCount": count }] },
            "groups": [{ "sum": { "partCount": count.to_string() } }],
        });
        assert_eq!(ask(&scope, &document).await, expected, "{who}");
    }
}

#[tokio::test]
async fn expressions_and_ranks_are_fields_like_any_other() {
    let desk = Desk::open("sight_computed").await;
    let document = "{ late: tickets(where: { overdue: { eq: true } }) { nodes { title overdue } }
                      ranks: tickets(orderBy: [{ priority: ASC }, { title: ASC }]) { nodes { title priority } }
                      urgent: tickets(where: { priority: { eq: URGENT } }) { totalCount }
                      groups: ticketsAggregate(groupBy: { overdue: true }) { key { overdue } count } }";
    let answer = ask(&desk.admin(), document).await;
    assert_eq!(answer["late"], json!({ "nodes": [{ "title": "requested", "overdue": true }] }));
    assert_eq!(titles(&answer["ranks"]), ["watched", "requested", "hidden", "open"]);
    assert_eq!(answer["urgent"]["totalCount"], 2);
    let groups =
        json!([{ "key": { "overdue": false }, "count": 3 }, { "key": { "overdue": true }, "count": 1 }]);
    assert_eq!(answer["groups"], groups);
    let one =
        ask(&desk.requester(), &format!("{{ ticket(id: \"{}\") {{ overdue }} }}", desk.id("requested")))
            .await;
    assert_eq!(one["ticket"]["overdue"], true);
}

/// Changes of a row that name it and its revision.
const CHANGES: &[&str] = &[
    "closeTicket(input: { ID }) { ticket { title } userErrors { code } }",
    "updateTicket(input: { ID, title: \"mine\" }) { ticket { title } userErrors { code } }",
    "deleteTicket(input: { ID }) { ticket { title } userErrors { code } }",
    "updateTickets(input: { tickets: [{ ID, title: \"mine\" }] }) { tickets { title } userErrors: rowErrors { code } }",
    "deleteTickets(input: { tickets: [{ ID }] }) { tickets { title } userErrors: rowErrors { code } }",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_waits_asks_again_whether_the_row_is_seen() {
    let desk = Desk::open("sight_lock").await;
    let watched = desk.ticket("watched");
    let state = async || {
        let row = format!("SELECT to_jsonb(t)::text FROM tickets t WHERE id = '{watched}'");
        desk.behind.query_one(&row, &[]).await.unwrap().get::<_, String>(0)
    };
    let before = state().await;
    // What is stale is answered as it is now, to whoever sees it then.
    for (change, revision) in CHANGES.iter().flat_map(|change| [(change, 1), (change, 9)]) {
        let id = format!("id: \"{}\", expectedRevision: {revision}", desk.id("watched"));
        let document = format!("mutation {{ answer: {} }}", change.replace("ID", &id));
        let other = superuser(desk.addresses.database()).await;
        other
            .batch_execute(&format!("BEGIN; SELECT FROM tickets WHERE id = '{watched}' FOR UPDATE"))
            .await
            .unwrap();
        let scope = desk.watcher();
        let waiting = tokio::spawn(async move { ask(&scope, &document).await });
        eventually("the change waits for the row", async || {
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            assert!(!waiting.is_finished(), "{change} has not waited");
            desk.behind.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 1
        })
        .await;
        other.batch_execute("DELETE FROM ticket_watchers; COMMIT").await.unwrap();
        let answer = waiting.await.unwrap();
        assert_eq!(answer["answer"]["userErrors"], json!([{ "code": "NOT_FOUND" }]), "{change}: {answer}");
        assert!(!answer.to_string().contains("watched"), "{change}: {answer}");
        assert_eq!(state().await, before, "{change}");
        let again = format!(
            "INSERT INTO ticket_watchers (organisation_id, ticket_id, user_id) VALUES ('{}', '{watched}', '{}')",
            desk.client.organisation_id(),
            desk.watcher
        );
        desk.behind.batch_execute(&again).await.unwrap();
    }
    // While it is watched, the same changes are made.
    let id = format!("id: \"{}\", expectedRevision: 1", desk.id("watched"));
    let made =
        ask(&desk.watcher(), &format!("mutation {{ answer: {} }}", CHANGES[1].replace("ID", &id))).await;
    assert_eq!(made["answer"], json!({ "ticket": { "title": "mine" }, "userErrors": [] }));
}

#[tokio::test]
async fn what_is_seen_with_a_row_is_gone_with_it() {
    let desk = Desk::open("sight_gone").await;
    let delete = format!(
        "mutation {{ deleteTicket(input: {{ id: \"{}\", expectedRevision: 1 }}) {{ userErrors {{ code }} }} }}",
        desk.id("open")
    );
    ask(&desk.admin(), &delete).await;
    for (scope, seen) in
        [(desk.requester(), &["requested"][..]), (desk.admin(), &["hidden", "requested", "watched"])]
    {
        let answer = ask(&scope, "{ tasks(orderBy: [{ title: ASC }]) { totalCount nodes { title } } }").await;
        assert_eq!(
            (titles(&answer["tasks"]), &answer["tasks"]["totalCount"]),
            (seen.to_vec(), &json!(seen.len()))
        );
    }
}
