//! What spreadsheets write: other separators, marks, line ends, quotes and commas.

use serde_json::{Value, json};

use super::import;
use crate::harness::{Client, organisation};

/// Line, column and message of each row error.
fn errors(payload: &Value) -> Vec<(u64, Option<&str>, &str)> {
    let errors = payload["rowErrors"].as_array().unwrap().iter();
    let told = errors.map(|error| {
        (error["line"].as_u64().unwrap(), error["column"].as_str(), error["message"].as_str().unwrap())
    });
    told.collect()
}

async fn names(client: &Client) -> Vec<Value> {
    let query = "{ contacts(orderBy: [{ name: ASC }]) { nodes { name notes emails { address } } } }";
    client.run(query, json!({})).await.ok("/data/contacts/nodes").as_array().unwrap().clone()
}

#[tokio::test]
async fn a_spreadsheets_file_is_read_as_it_is() {
    let client = organisation().await;
    let csv = "\u{feff}NAME;Notes;E-mail\r\n\"Ada, Ltd\";\"two\r\nlines; \"\"quoted\"\"\";ada@x.example\r\n;;\r\n\r\nBen;;\r\n";
    let columns = json!([{ "column": "e-mail", "field": "EMAILS" }]);
    let answer = import(&client, json!({ "csv": csv, "columns": columns })).await;
    assert_eq!(errors(answer.ok("/data/importContacts")), []);
    let expected = [
        json!({ "name": "Ada, Ltd", "notes": "two\r\nlines; \"quoted\"", "emails": [{ "address": "ada@x.example" }] }),
        json!({ "name": "Ben", "notes": null, "emails": [] }),
    ];
    assert_eq!(names(&client).await, expected);
}

#[tokio::test]
async fn the_separator_is_found_told_by_the_file_or_given() {
    for (csv, separator) in [
        ("name\tnotes\nAda\ta,b;c\n", None),
        ("sep=;\nname;notes\nAda;a,b;\n", None),
        ("name;notes,x\nAda;a\n", Some("SEMICOLON")),
        ("name,notes;x\nAda,a\n", Some("COMMA")),
    ] {
        let client = organisation().await;
        let answer =
            import(&client, json!({ "csv": csv, "separator": separator, "skipInvalid": true })).await;
        assert_eq!(errors(answer.ok("/data/importContacts")), [], "{csv:?}");
        assert_eq!(names(&client).await[0]["name"], "Ada", "{csv:?}");
    }
}

#[tokio::test]
async fn a_stray_quote_is_an_error_of_its_row() {
    let client = organisation().await;
    let csv = "name,notes\nA,\"oops\nB,x\nC,\"y\nD,z";
    let answer = import(&client, json!({ "csv": csv, "skipInvalid": true })).await;
    let payload = answer.ok("/data/importContacts");
    let lines: Vec<_> = errors(payload).iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [2, 4]);
    assert!(errors(payload)[0].2.contains("quote"), "{payload}");
    let kept: Vec<_> = names(&client).await.iter().map(|contact| contact["name"].clone()).collect();
    assert_eq!(kept, ["B", "D"]);
}

#[tokio::test]
async fn a_decimal_comma_and_a_cell_too_many_are_told_in_sentences() {
    let client = organisation().await;
    let query = "mutation ($input: ImportProductsInput!) { importProducts(input: $input) { \
                 products { name } rowErrors { index line column message } userErrors { code } } }";
    let csv = "name;clientPrice\nTea;4,50\nMilk;4.50\nBread;1.234,50\nSalt;1;2\nOil;3;;\n";
    let answer = client.mutate(query, json!({ "csv": csv, "skipInvalid": true })).await;
    let payload = answer.ok("/data/importProducts");
    let decimal = "This is not a decimal number such as 1234.50: write a point before the decimals, and nothing between \
                   thousands.";
    let cells = "This row has 3 cells; the row of names has 2.";
    assert_eq!(
        errors(payload),
        [(2, Some("clientPrice"), decimal), (4, Some("clientPrice"), decimal), (5, None, cells)]
    );
    assert_eq!(payload["rowErrors"][2]["index"], 3);
    assert_eq!(payload["products"], json!([{ "name": "Milk" }, { "name": "Oil" }]));
}

#[tokio::test]
async fn a_list_of_another_form_is_told_which_fields_there_are() {
    let client = organisation().await;
    for cell in [r#"[{""adress"": ""a@x.example""}]"#, r#"[{""address"": 1}]"#, "[1]"] {
        let csv = format!("name,emails\nAda,\"{cell}\"\n");
        let answer = import(&client, json!({ "csv": csv })).await;
        let message = "Give a JSON list of objects with these fields: address, label.";
        assert_eq!(errors(answer.ok("/data/importContacts")), [(2, Some("emails"), message)], "{cell}");
    }
}

#[tokio::test]
async fn a_column_can_be_ignored_and_numbers_keep_their_digits() {
    let client = organisation().await;
    let csv = "name,email,customFields\nAda,nonsense,\"{\"\"a\"\": 1.10}\"\nBen,,\"{\"\"a\"\": 12345678901234567890123}\"\n";
    let columns = json!([{ "column": "EMAIL", "field": null }]);
    let answer = import(&client, json!({ "csv": csv, "columns": columns, "skipInvalid": true })).await;
    let payload = answer.ok("/data/importContacts");
    assert_eq!(payload["ignoredColumns"], json!(["email"]));
    let message = "The number 12345678901234567890123 would lose digits: write it as text, in quotes.";
    assert_eq!(errors(payload), [(3, Some("customFields"), message)]);
}
