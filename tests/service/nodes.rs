//! A row is the same whichever way it is asked for.

use serde_json::{Value, json};

use crate::harness::{generate::Schema, organisation, rows::Rows};

#[tokio::test]
async fn every_plain_field_is_the_same_in_a_list_by_id_and_as_a_node() {
    let schema = Schema::served();
    let client = organisation().await;
    let rows = Rows::of(&client).await;
    let mut wrong = vec![];
    for entity in gateway::entities() {
        let (name, one, many) = (entity.name, entity.one, entity.many);
        let id = &rows.row(name).id;
        for field in schema.plain_fields(name) {
            let query = format!(
                "query ($id: ID!) {{ list: {many}(where: {{ id: {{ eq: $id }} }}) {{ nodes {{ {field} }} }}
                     one: {one}(id: $id) {{ {field} }} node(id: $id) {{ ... on {name} {{ {field} }} }}
                     edges: {many}(where: {{ id: {{ eq: $id }} }}) {{ edges {{ node {{ {field} }} }} }} }}"
            );
            let answer = client.run(&query, json!({ "id": id })).await;
            let data = answer.ok("/data");
            let in_list = data.pointer("/list/nodes/0").cloned().unwrap_or_default();
            let others = [&data["one"], &data["node"], &data["edges"]["edges"][0]["node"]];
            if !in_list.is_object() || others.iter().any(|other| **other != in_list) {
                wrong.push(format!("{name}.{field}: {data}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn rows_of_tests_have_a_value_in_most_fields_that_are_compared() {
    let schema = Schema::served();
    let client = organisation().await;
    let rows = Rows::of(&client).await;
    for entity in gateway::entities() {
        let fields = schema.plain_fields(entity.name);
        let query = format!("query ($id: ID!) {{ {}(id: $id) {{ {} }} }}", entity.one, fields.join(" "));
        let answer = client.run(&query, json!({ "id": rows.row(entity.name).id })).await;
        let row: &Value = answer.ok(&format!("/data/{}", entity.one));
        let given = row.as_object().unwrap().values().filter(|value| !value.is_null()).count();
        assert!(
            2 * given >= fields.len(),
            "{} has values in {given} of {} fields: {row}",
            entity.name,
            fields.len()
        );
    }
}
