//! HTTP around GraphQL: what is refused before anybody executes anything.

use serde_json::{Value, json};

use crate::harness::{Client, organisation};

/// Sends a body with these headers, and answers the status and the code of the first error.
async fn send(client: &Client, headers: &[(&str, &str)], body: String) -> (u16, Value) {
    let mut request = crate::harness::http().post(format!("{}/graphql", client.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (status, answer["errors"][0]["extensions"]["code"].clone())
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn ping() -> String {
    json!({ "query": "{ __typename }" }).to_string()
}

#[tokio::test]
async fn a_request_is_refused_for_its_form_before_it_is_executed() {
    let client = organisation().await;
    let accept = |media| [JSON, ("accept", media)];
    let refused = |status: u16| (status, json!("BAD_REQUEST"));
    assert_eq!(send(&client, &[JSON], ping()).await, (200, Value::Null));
    assert_eq!(
        send(&client, &[("content-type", "Application/JSON; charset=utf-8")], ping()).await,
        (200, Value::Null)
    );
    assert_eq!(send(&client, &[("content-type", "text/plain")], ping()).await, refused(415));
    assert_eq!(send(&client, &[], ping()).await, refused(415));
    let with = |name, value| [JSON, (name, value)];
    assert_eq!(send(&client, &with("content-encoding", "gzip"), ping()).await, refused(415));
    assert_eq!(send(&client, &with("content-encoding", "identity"), ping()).await, (200, Value::Null));
    let latin = [("content-type", "application/json; charset=iso-8859-1")];
    assert_eq!(send(&client, &latin, ping()).await, refused(415));
    assert_eq!(send(&client, &[JSON], format!("\u{feff}{}", ping())).await, (200, Value::Null));
    for body in [json!({}), json!({ "query": null }), json!({ "query": "{ __typename }", "variables": "{}" })]
    {
        assert_eq!(send(&client, &[JSON], body.to_string()).await, refused(400), "{body}");
        assert_eq!(
            send(&client, &accept("application/json"), body.to_string()).await,
            refused(400),
            "{body}"
        );
    }
    assert_eq!(send(&client, &accept("text/html"), ping()).await, refused(406));
    assert_eq!(send(&client, &[JSON], "{".to_owned()).await, refused(400));
    assert_eq!(
        send(&client, &[JSON], json!([{ "query": "{ __typename }" }]).to_string()).await,
        refused(400)
    );
    let nonsense = || json!({ "query": "{ nonsense }" }).to_string();
    assert_eq!(send(&client, &accept("application/graphql-response+json"), nonsense()).await, refused(400));
    assert_eq!(send(&client, &accept("application/json"), nonsense()).await, refused(200));
    let get = crate::harness::http()
        .get(format!("{}/graphql?query=%7B__typename%7D", client.url))
        .send()
        .await
        .unwrap();
    assert_eq!((get.status().as_u16(), get.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn who_is_not_logged_in_has_little_to_say() {
    let client = organisation().await;
    let long = json!({ "query": "{ __typename }", "variables": { "x": "x".repeat(70_000) } }).to_string();
    assert_eq!(send(&client, &[JSON], long.clone()).await, (413, json!("BAD_REQUEST")));
    let bearer = format!("Bearer {}", client.access_token.as_ref().unwrap());
    assert_eq!(send(&client, &[JSON, ("authorization", &bearer)], long).await, (200, Value::Null));
}

#[tokio::test]
async fn two_tokens_in_one_request_are_none() {
    let (one, two) = (organisation().await, organisation().await);
    let bearer = |client: &Client| format!("Bearer {}", client.access_token.as_ref().unwrap());
    let (first, second) = (bearer(&one), bearer(&two));
    let headers = [JSON, ("authorization", first.as_str()), ("authorization", second.as_str())];
    assert_eq!(send(&one, &headers, ping()).await, (401, json!("UNAUTHENTICATED")));
}

#[tokio::test]
async fn an_answer_names_its_request() {
    let client = organisation().await;
    let ask = |id: &'static str| {
        let request = crate::harness::http().post(format!("{}/graphql", client.url));
        request.header(JSON.0, JSON.1).header("x-request-id", id).body(ping()).send()
    };
    let named = |response: reqwest::Response| response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(named(ask("monday-1").await.unwrap()), "monday-1");
    for odd in ["it's", "a b", "'; DROP TABLE contacts --"] {
        assert_ne!(named(ask(odd).await.unwrap()), odd);
    }
}

#[tokio::test]
async fn documents_that_grow_beyond_their_text_are_refused_at_once() {
    let client = organisation().await;
    let doubling: String =
        (0..30).map(|at| format!("fragment f{at} on Query {{ ...f{0} ...f{0} }} ", at + 1)).collect();
    let wide =
        format!("{{ {} }} fragment f on Query {{ {} }}", "...f ".repeat(3000), "a: __typename ".repeat(3000));
    let nested = "interfaces { possibleTypes { ".repeat(7);
    let queries = [
        format!("{{ ...f0 }} {doubling} fragment f30 on Query {{ __typename }}"),
        wide,
        format!("{{ __type(name: \"Contact\") {{ {nested} name {} }} }}", "} ".repeat(14)),
        (0..11)
            .map(|at| format!("a{at}: logOut {{ userErrors {{ code }} }} "))
            .fold("mutation { ".to_owned(), |all, one| all + &one)
            + "}",
    ];
    for query in queries {
        assert_eq!(client.run(&query, json!({})).await.errors(), ["COST_EXCEEDED"], "{query:.80}");
    }
}
