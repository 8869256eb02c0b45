//! Search: what is found, by whom, and where.

mod everywhere;

use serde_json::{Value, json};
use tenancy::Permission;
use url::Url;

use crate::harness::{Client, organisation, server, superuser};

/// The names of the contacts that a text finds, in order.
async fn found(client: &Client, text: &str) -> Vec<String> {
    let query =
        "query ($text: String) { contacts(search: $text, orderBy: [{ name: ASC }]) { nodes { name } } }";
    let answer = client.run(query, json!({ "text": text })).await;
    names(answer.ok("/data/contacts/nodes"))
}

fn names(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

async fn contact(client: &Client, name: &str, more: Value) -> Value {
    let mut input = json!({ "kind": "COMPANY", "name": name });
    more.as_object().unwrap().iter().for_each(|(field, value)| input[field] = value.clone());
    client.create_contact(input).await
}

#[tokio::test]
async fn a_search_is_blind_to_case_and_accents() {
    let client = organisation().await;
    for name in ["Zoë Ångström", "Łódź Æther", "Hauptstraße", "Plain", "ΟΔΟΣ", "Acme™ №5"] {
        contact(&client, name, json!({})).await;
    }
    for (text, expected) in [
        ("zoe", "Zoë Ångström"),
        ("ZOE", "Zoë Ångström"),
        ("Zoe\u{308}", "Zoë Ångström"),
        ("angstrom", "Zoë Ångström"),
        // The sign of the unit, and the letter with its ring apart.
        ("\u{212b}ngstro\u{308}m", "Zoë Ångström"),
        ("A\u{30a}NGSTRÖM", "Zoë Ångström"),
        ("lodz", "Łódź Æther"),
        ("AETHER", "Łódź Æther"),
        ("STRASSE", "Hauptstraße"),
        ("straße", "Hauptstraße"),
        ("οδος", "ΟΔΟΣ"),
        ("οδοσ", "ΟΔΟΣ"),
        // Full width, and with a soft hyphen in it.
        ("ＰＬＡＩＮ", "Plain"),
        ("Pla\u{ad}in", "Plain"),
        // One character that decomposes into several with capitals.
        ("acmetm NO5", "Acme™ №5"),
    ] {
        assert_eq!(found(&client, text).await, [expected], "{text}");
    }
    assert_eq!(found(&client, "zo e").await, ["Zoë Ångström"], "short words narrow, too");
    assert_eq!(found(&client, "zoo").await, [""; 0]);
    // A ligature of eighteen letters, two hundred times: hundreds of words once it is decomposed.
    assert_eq!(found(&client, &"\u{fdfa}".repeat(200)).await, [""; 0]);
}

#[tokio::test]
async fn each_word_must_occur_somewhere_in_any_order() {
    let client = organisation().await;
    contact(&client, "Ada Lovelace", json!({ "tags": ["VIP", "press list"], "notes": "met in London" }))
        .await;
    contact(&client, "Ada Other", json!({ "tags": ["press list"] })).await;
    for (text, expected) in [
        ("ada", vec!["Ada Lovelace", "Ada Other"]),
        ("lovelace ada", vec!["Ada Lovelace"]),
        ("  OVELA\tlond ", vec!["Ada Lovelace"]),
        ("vip ada london", vec!["Ada Lovelace"]),
        ("ada paris", vec![]),
        ("pr l", vec!["Ada Lovelace", "Ada Other"]),
        ("vi", vec!["Ada Lovelace"]),
        ("x", vec![]),
        // Nothing is searched for.
        ("", vec!["Ada Lovelace", "Ada Other"]),
        (" \u{a0}\t", vec!["Ada Lovelace", "Ada Other"]),
    ] {
        assert_eq!(found(&client, text).await, expected, "{text:?}");
    }
}

#[tokio::test]
async fn contacts_are_found_by_all_that_tells_them_apart() {
    let client = organisation().await;
    let notes = format!("{}end {}", "n ".repeat(497), "beyond");
    let all = json!({
        "emails": [{ "address": "first@mail.example" }, { "address": "second@post.example" }],
        "phones": [{ "number": "+43 (660) 123-45 67" }],
        "addresses": [
            { "street": "Ringstraße 7", "postalCode": "A-1010", "city": "Wien", "region": "Döbling", "country": "Austria" },
            { "city": "Graz" },
        ],
        "tags": ["supplier"], "notes": notes,
    });
    contact(&client, "Full", all).await;
    contact(&client, "Empty", json!({})).await;
    for text in [
        "full",
        "first@mail",
        "second@post.example",
        "+43 (660)",
        "123-45",
        "+436601234567",
        "6601234567",
        "ringstrasse 7",
        "a-1010",
        "wien",
        "dobling",
        "austria",
        "graz",
        "supplier",
        "end",
    ] {
        assert_eq!(found(&client, text).await, ["Full"], "{text}");
    }
    // Neither the notes behind the thousandth character, nor keys and marks of JSON.
    for text in ["beyond", "postalCode", "address\":", "[{"] {
        assert_eq!(found(&client, text).await, [""; 0], "{text}");
    }
    // A change is found at once.
    let change =
        "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
    let id = client.run("{ contacts(search: \"full\") { nodes { id } } }", json!({})).await;
    let input =
        json!({ "id": id.at("/data/contacts/nodes/0/id"), "expectedRevision": 1, "tags": ["client"] });
    client.mutate(change, input).await.ok("/data/updateContact");
    assert_eq!(found(&client, "supplier").await, [""; 0]);
    assert_eq!(found(&client, "client full").await, ["Full"]);
}

#[tokio::test]
async fn wildcards_and_backslashes_are_themselves() {
    let client = organisation().await;
    for name in
        ["100% wool", "snake_case", "back\\slash", "plain 1000 wool", "snakeXcase", "quote'd \"x\" {a,b}"]
    {
        contact(&client, name, json!({})).await;
    }
    for (text, expected) in [
        ("100%", "100% wool"),
        ("%", "100% wool"),
        ("\u{ff05}", "100% wool"),
        ("snake_c", "snake_case"),
        ("_", "snake_case"),
        ("back\\", "back\\slash"),
        ("\\s", "back\\slash"),
        ("quote'd", "quote'd \"x\" {a,b}"),
        ("\"x\"", "quote'd \"x\" {a,b}"),
        ("{a,b}", "quote'd \"x\" {a,b}"),
    ] {
        assert_eq!(found(&client, text).await, [expected], "{text}");
    }
    for text in ["%%", "__", "\\\\", "s%e", "wool%"] {
        assert_eq!(found(&client, text).await, [""; 0], "{text}");
    }
}

#[tokio::test]
async fn a_search_has_limits_and_only_where_there_is_one() {
    let client = organisation().await;
    let list = "query ($text: String) { contacts(search: $text) { totalCount } }";
    let figures = "query ($text: String) { contactsAggregate(search: $text) { count } }";
    let all = "query ($text: String!) { search(text: $text) { id } }";
    let words = |number| "w ".repeat(number);
    for (text, refused) in [
        ("x".repeat(200), false),
        ("ü".repeat(200), false),
        ("x".repeat(201), true),
        (words(10), false),
        (words(11), true),
        ("a\0b".to_owned(), true),
    ] {
        for (query, field) in [(list, "search"), (figures, "search"), (all, "text")] {
            let answer = client.run(query, json!({ "text": text })).await;
            let expected = if refused { vec![format!("BAD_REQUEST {field}")] } else { vec![] };
            assert_eq!(answer.errors(), expected, "{query} {text:?}");
        }
    }
    assert_eq!(client.run(all, json!({ "text": "  " })).await.errors(), ["BAD_REQUEST text"]);
    let none = client.run(list, json!({ "text": null })).await;
    assert_eq!(*none.ok("/data/contacts/totalCount"), 0);
    // An entity without a search has no such argument, neither as a list nor as a CSV.
    assert_eq!(client.run("{ users(search: \"x\") { totalCount } }", json!({})).await.body.get("data"), None);
    assert_eq!(csv(&client, "users", "x").await.0, 400);
    assert_eq!(csv(&client, "contacts", &words(11)).await.0, 400);
}

/// Status and lines of an export that keeps to what a text finds.
async fn csv(client: &Client, list: &str, text: &str) -> (u16, Vec<String>) {
    let asked = [("search", text), ("columns", "name"), ("orderBy", "[{\"name\":\"ASC\"}]")];
    let url = Url::parse_with_params(&format!("{}/export/{list}.csv", client.url), asked).unwrap();
    let request = crate::harness::http().get(url).bearer_auth(client.access_token.clone().unwrap());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap().lines().skip(1).map(str::to_owned).collect())
}

/// What a search finds in every place that takes one.
async fn everywhere(client: &Client, text: &str) -> Value {
    let query = "query ($text: String!) { \
        contacts(search: $text, orderBy: [{ name: ASC }]) { totalCount nodes { name } } \
        contactsAggregate(search: $text) { count } \
        company: contacts(where: { name: { eq: \"Holding\" } }) { nodes { \
            people(search: $text, orderBy: [{ name: ASC }]) { totalCount nodes { name } } } } \
        search(text: $text) { ... on Contact { name } ... on Product { name } } }";
    let answer = client.run(query, json!({ "text": text })).await;
    let data = answer.ok("/data");
    let mut all = names(&data["search"]);
    all.sort();
    let people = &data["company"]["nodes"][0]["people"];
    json!({
        "list": names(&data["contacts"]["nodes"]),
        "total": data["contacts"]["totalCount"],
        "figures": data["contactsAggregate"][0]["count"],
        "people": if people.is_null() { json!(null) } else { json!([people["totalCount"], names(&people["nodes"])]) },
        "search": all,
        "csv": csv(client, "contacts", text).await.1,
    })
}

#[tokio::test]
async fn every_place_finds_the_same_and_no_more_than_the_session_sees() {
    let client = organisation().await;
    let holding = contact(&client, "Holding", json!({ "tags": ["needle"] })).await;
    let person = |name: &str, notes: &str| json!({ "kind": "PERSON", "name": name, "companyId": holding["id"], "notes": notes });
    client.create_contact(person("Anna", "needle")).await;
    client.create_contact(person("Bert", "hay")).await;
    let gone = client.create_contact(person("Gone", "needle")).await;
    let delete =
        "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { userErrors { code } } }";
    client.mutate(delete, json!({ "id": gone["id"], "expectedRevision": 1 })).await.ok("/data/deleteContact");
    let product = "mutation { createProduct(input: { product: { name: \"Needle\" } }) { product { id } userErrors { code } } }";
    client.run(product, json!({})).await.ok("/data/createProduct");
    let all = json!({
        "list": ["Anna", "Holding"], "total": 2, "figures": 2, "people": [1, ["Anna"]],
        "search": ["Anna", "Holding", "Needle"], "csv": ["Anna", "Holding"],
    });
    assert_eq!(everywhere(&client, "NEEDLE").await, all);

    // Somebody who sees only contacts of their own.
    let own = client.granted(&[Permission::ReadOwnContacts, Permission::WriteContacts]).await;
    let nothing = json!({
        "list": [], "total": 0, "figures": 0, "people": null, "search": [], "csv": [],
    });
    assert_eq!(everywhere(&own, "needle").await, nothing);
    let mine = contact(&own, "Mine", json!({ "tags": ["needle"] })).await;
    assert!(mine["id"].is_string());
    let just_mine = json!({
        "list": ["Mine"], "total": 1, "figures": 1, "people": null, "search": ["Mine"], "csv": ["Mine"],
    });
    assert_eq!(everywhere(&own, "needle").await, just_mine);
    assert_eq!(everywhere(&own, "n").await, just_mine, "a word without trigrams");

    // Another organisation.
    let stranger = organisation().await;
    assert_eq!(everywhere(&stranger, "needle").await, nothing);
    // Deleted rows are found where the list asks for them.
    let deleted = "{ contacts(search: \"needle\", deleted: ONLY) { nodes { name } } }";
    assert_eq!(names(client.run(deleted, json!({})).await.ok("/data/contacts/nodes")), ["Gone"]);
    assert_eq!(names(own.run(deleted, json!({})).await.ok("/data/contacts/nodes")), [""; 0]);
}

#[tokio::test]
async fn what_rows_are_found_by_is_not_audited() {
    let client = organisation().await;
    let made = contact(&client, "Zoë", json!({})).await;
    let change =
        "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
    let input = json!({ "id": made["id"], "expectedRevision": 1, "name": "Ångström" });
    client.mutate(change, input).await.ok("/data/updateContact");
    let audit = "SELECT count(*) FILTER (WHERE after ? 'search' OR before ? 'search'), count(*) FILTER (WHERE after ? 'name') \
                 FROM audit_entries WHERE organisation_id = $1::text::uuid AND entity = 'contacts'";
    let row = superuser(server().addresses.database()).await;
    let row = row.query_one(audit, &[&client.organisation_id().to_string()]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 2));
}

#[tokio::test]
async fn a_search_goes_with_filters_orders_and_pages() {
    let client = organisation().await;
    for (name, city) in
        [("ann 1", "Wien"), ("ann 2", "Graz"), ("ann 3", "Wien"), ("bob", "Wien"), ("ann 4", "Wien")]
    {
        contact(&client, name, json!({ "addresses": [{ "city": city }] })).await;
    }
    let query = "query ($after: String) { contacts(search: \"ann\", where: { city: { eq: \"Wien\" } }, first: 2, \
                 after: $after, orderBy: [{ name: DESC }]) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } }";
    let first = client.run(query, json!({})).await;
    assert_eq!(names(first.ok("/data/contacts/nodes")), ["ann 4", "ann 3"]);
    assert_eq!(
        (first.at("/data/contacts/totalCount"), first.at("/data/contacts/pageInfo/hasNextPage")),
        (&json!(3), &json!(true))
    );
    let after = first.at("/data/contacts/pageInfo/endCursor");
    let second = client.run(query, json!({ "after": after })).await;
    assert_eq!(names(second.ok("/data/contacts/nodes")), ["ann 1"]);
    assert_eq!(second.at("/data/contacts/pageInfo/hasNextPage"), &json!(false));
    let groups = "{ contactsAggregate(search: \"ann\", groupBy: { city: true }, orderBy: [{ count: DESC }]) { key { city } count } }";
    let expected =
        json!([{ "key": { "city": "Wien" }, "count": 3 }, { "key": { "city": "Graz" }, "count": 1 }]);
    assert_eq!(*client.run(groups, json!({})).await.ok("/data/contactsAggregate"), expected);
}
