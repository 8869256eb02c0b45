//! Who may not read something cannot find it out by asking for what depends on it.
//!
//! No role of today reads an entity without also reading what it is related to, so these ask through
//! an entity of their own: everybody may read it, but not everything that it points at.

use async_graphql::{
    EmptyMutation, EmptySubscription, MergedObject, Request, Response, Schema, SimpleObject,
};

use diesel::prelude::*;
use domain_crm::Contact;
use domain_identity::User;
use listing::{Entity, Field, Id, Identified, Instant, Loaders, Queries, Relation, ResponseBudget, Sight};
use serde_json::{Value, json};
use tenancy::{Failure, Permission, Refusal, Role, Scope, Session};
use uuid::Uuid;

use super::{Door, proxy::Proxy};
use crate::harness::{Client, organisation, server};

diesel::table! {
    contacts (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        name -> Text,
        company_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
    }
}

/// A contact, as everybody may see it.
#[derive(Queryable, Selectable, SimpleObject, Clone)]
#[diesel(table_name = contacts)]
#[graphql(complex)]
struct Note {
    id: Id<Note>,
    name: String,
    created_at: Instant,
    #[graphql(skip)]
    company_id: Option<Uuid>,
    #[graphql(skip)]
    created_by: Option<Uuid>,
}

listing::related!(Note);

impl Identified for Note {
    const NAME: &'static str = "Note";
    const PREFIX: &'static str = "note";
}

impl Entity for Note {
    const ONE: &'static str = "note";
    const MANY: &'static str = "notes";
    const TABLE: &'static str = "contacts";
    const READ: &'static [Permission] = &[Permission::OwnAccount];
    const FIELDS: &'static [Field] = &[Field::new("name", contacts::name)];
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::one::<User, _>(
            "createdBy",
            contacts::created_by,
            |it: &Self| it.created_by,
            "Who added it.",
        ),
        Relation::one::<Contact, _>(
            "company",
            contacts::company_id,
            |it: &Self| it.company_id,
            "Its company.",
        ),
        Relation::many::<Contact, _>("people", contacts::company_id, "Its people."),
    ];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        0
    }
}

#[derive(MergedObject, Default)]
struct Query(Queries<Note>, Queries<Contact>, Queries<User>);

async fn ask(scope: &Scope, query: &str) -> Response {
    let schema = Schema::new(Query::default(), EmptyMutation, EmptySubscription);
    let request = Request::new(query).data(scope.clone()).data(Loaders::default());
    schema.execute(request.data(ResponseBudget::new(false))).await
}

/// The refusals in an answer.
/// What was answered, as it would be sent.
fn data(answer: &Response) -> Value {
    serde_json::from_slice(&listing::to_json(&answer.data).unwrap()).unwrap()
}

fn refusals(answer: &Response) -> Vec<Refusal> {
    let refusal = |error: &async_graphql::ServerError| match error.source::<Failure>() {
        Some(Failure::Refused(refusal)) => refusal.clone(),
        other => panic!("{} {other:?}", error.message),
    };
    answer.errors.iter().map(refusal).collect()
}

/// An organisation with a company and one of its people, and an ear at its database.
async fn overheard() -> (Client, Proxy, Door) {
    let client = organisation().await;
    let company = client.create_contact(json!({ "name": "Alfreds" })).await;
    client.create_contact(json!({ "kind": "PERSON", "name": "Maria", "companyId": company["id"] })).await;
    let proxy = Proxy::before(&server().addresses).await;
    let door = Door::open(&proxy.addresses, 1).await;
    (client, proxy, door)
}

/// Lists that depend on a user or on another contact, if only on whether there is one.
const THROUGH_A_RELATION: &[&str] = &[
    "where: { createdBy: { email: { startsWith: \"a\" } } }",
    "where: { createdBy: {} }",
    "where: { not: { createdBy: { active: { eq: false } } } }",
    "where: { or: [{ name: { eq: \"x\" } }, { and: [{ createdBy: { name: { gt: \"m\" } } }] }] }",
    "where: { company: { email: { isNull: true } } }",
    "where: { people: { some: {} } }",
    "where: { people: { none: { name: { eq: \"x\" } } } }",
    "where: { people: { every: { name: { eq: \"x\" } } } }",
    "where: { people: { count: { gt: 0 } } }",
    "orderBy: [{ name: ASC }, { createdBy: { name: ASC } }]",
    "orderBy: [{ company: { name: DESC } }]",
];

#[tokio::test]
async fn what_may_not_be_read_can_be_neither_filtered_nor_ordered_by() {
    let (client, proxy, door) = overheard().await;
    let (user, admin) = (door.scope_as(&client, Role::User), door.scope(&client));
    let plain = ask(&user, "{ notes(orderBy: [{ name: ASC }]) { nodes { name } totalCount } }").await;
    let expected =
        json!({ "notes": { "nodes": [{ "name": "Alfreds" }, { "name": "Maria" }], "totalCount": 2 } });
    assert_eq!(data(&plain), expected, "{:?}", plain.errors);
    for arguments in THROUGH_A_RELATION {
        for selection in ["nodes { name }", "totalCount"] {
            let query = format!("{{ notes({arguments}) {{ {selection} }} }}");
            proxy.forget();
            assert_eq!(refusals(&ask(&user, &query).await), [Refusal::Forbidden], "{query}");
            assert!(proxy.turns().is_empty(), "{query}: {:?}", proxy.turns());
            assert_eq!(refusals(&ask(&admin, &query).await), [], "{query}");
        }
    }
}

#[tokio::test]
async fn a_list_below_another_gives_nothing_away_either() {
    let (client, _proxy, door) = overheard().await;
    // Reads contacts and users, but no products: nothing below a contact is closed to them.
    let (user, ticket_admin) =
        (door.scope_as(&client, Role::User), door.scope_as(&client, Role::TicketAdmin));
    let query = "{ notes { nodes { name createdBy { name } company { name } people { nodes { name } } } } }";
    let answer = ask(&user, query).await;
    // Two rows with a user, one with a company, and two lists of people.
    assert_eq!(refusals(&answer), vec![Refusal::Forbidden; 5]);
    let bare = |name| json!({ "name": name, "createdBy": null, "company": null, "people": null });
    let expected = json!({ "notes": { "nodes": [bare("Maria"), bare("Alfreds")] } });
    assert_eq!(data(&answer), expected);
    assert_eq!(refusals(&ask(&ticket_admin, query).await), []);
}
