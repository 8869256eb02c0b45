//! Products: exact amounts, and a margin that nobody gives.

use serde_json::{Value, json};

use crate::harness::{Answer, Client, organisation};

const PRODUCT: &str = "id name category ourCost clientPrice margin unit active revision deletedAt";

async fn mutate(client: &Client, verb: &str, input: Value) -> Answer {
    let capital = verb[..1].to_uppercase() + &verb[1..];
    let query = format!(
        "mutation ($input: {capital}ProductInput!) {{ {verb}Product(input: $input) {{ \
         product {{ {PRODUCT} }} userErrors {{ code message field }} }} }}"
    );
    client.mutate(&query, input).await
}

async fn created(client: &Client, input: Value) -> Value {
    mutate(client, "create", input).await.ok("/data/createProduct")["product"].clone()
}

/// The products of a list with these arguments, by name.
async fn names(client: &Client, arguments: &str) -> Vec<String> {
    let answer = client.run(&format!("{{ products({arguments}) {{ nodes {{ name }} }} }}"), json!({})).await;
    let nodes = answer.ok("/data/products/nodes").as_array().unwrap().clone();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_product_of_which_only_the_name_is_known_costs_nothing_and_is_sold() {
    let client = organisation().await;
    let product = created(&client, json!({ "name": " Consulting " })).await;
    let expected = json!({
        "id": product["id"], "name": "Consulting", "category": null, "ourCost": "0", "clientPrice": "0",
        "margin": "0", "unit": null, "active": true, "revision": 1, "deletedAt": null,
    });
    assert_eq!(product, expected);
    let nulls = json!({ "name": "Nulls", "ourCost": null, "active": null, "category": " " });
    let product = created(&client, nulls).await;
    assert_eq!(
        (&product["ourCost"], &product["active"], &product["category"]),
        (&json!("0"), &json!(true), &json!(null))
    );
}

#[tokio::test]
async fn amounts_are_exact_and_the_margin_is_their_difference() {
    let client = organisation().await;
    let cases = [
        // In floating point each of these would be off.
        (json!("0.1"), json!("0.3"), "0.2"),
        (json!("0.2"), json!("0.3"), "0.1"),
        (json!("0.0001"), json!("999999999.9999"), "999999999.9998"),
        (json!("999999999.9999"), json!("0"), "-999999999.9999"),
        (json!("16.1"), json!("16.10"), "0.00"),
        (json!(5), json!("7.50"), "2.50"),
        (json!("0007"), json!(999_999_999), "999999992"),
        (json!("-0"), json!("+1.50"), "1.50"),
    ];
    for (cost, price, margin) in cases {
        let input = json!({ "name": "Exact", "ourCost": cost, "clientPrice": price });
        let product = created(&client, input.clone()).await;
        assert_eq!(product["margin"], margin, "{input}");
        let query = format!("query ($id: ID!) {{ product(id: $id) {{ {PRODUCT} }} }}");
        let read = client.run(&query, json!({ "id": product["id"] })).await;
        assert_eq!(*read.ok("/data/product"), product, "written and read are the same");
    }
}

#[tokio::test]
async fn what_is_no_amount_is_refused_where_it_stands() {
    let client = organisation().await;
    let product = created(&client, json!({ "name": "Kept", "ourCost": "1" })).await;
    let amounts = [
        json!("1000000000"),
        json!("0.00001"),
        json!("-0.0001"),
        json!(-1),
        json!("1e3"),
        json!("NaN"),
        json!(""),
        json!("1,5"),
        json!(" 1"),
        json!(1.5),
        json!(1e20),
        json!(true),
        json!("9".repeat(61)),
        json!({}),
        json!(["1", "2"]),
    ];
    for amount in amounts {
        for field in ["ourCost", "clientPrice"] {
            // What is not even text or a number is no value of this type at all.
            if !amount.is_string() && !amount.is_number() {
                let answer = mutate(&client, "create", json!({ "name": "Wrong", field: amount })).await;
                assert_eq!(
                    answer.errors(),
                    [format!("BAD_REQUEST variables.input.product.{field}")],
                    "{amount}"
                );
                continue;
            }
            let expected = [format!("INVALID {field}")];
            let answer = mutate(&client, "create", json!({ "name": "Wrong", field: amount })).await;
            let at_row = [format!("INVALID product.{field}")];
            assert_eq!(answer.user_errors("/data/createProduct"), at_row, "{amount}");
            assert_eq!(*answer.at("/data/createProduct/product"), Value::Null);
            let change = json!({ "id": product["id"], "expectedRevision": 1, field: amount });
            let answer = mutate(&client, "update", change).await;
            assert_eq!(answer.user_errors("/data/updateProduct"), expected, "{amount}");
        }
    }
    assert_eq!(names(&client, "first: 9").await, ["Kept"]);
}

#[tokio::test]
async fn a_number_with_a_point_is_told_how_to_be_exact() {
    let client = organisation().await;
    for literal in ["1.5", "1e2", "0.0", "-1.5"] {
        let query = format!(
            "mutation {{ createProduct(input: {{ product: {{ name: \"Float\", ourCost: {literal} }} }}) {{ userErrors {{ message field code }} }} }}"
        );
        let answer = client.run(&query, json!({})).await;
        assert_eq!(answer.user_errors("/data/createProduct"), ["INVALID product.ourCost"]);
        let message = answer.at("/data/createProduct/userErrors/0/message").as_str().unwrap();
        assert!(message.contains("\"12.50\"") && message.contains("not exact"), "{message}");
    }
    let answer = client.run("{ products(where: { margin: { gt: 1.5 } }) { nodes { id } } }", json!({})).await;
    assert_eq!(answer.errors(), ["BAD_REQUEST where.margin.gt"]);
}

#[tokio::test]
async fn the_margin_is_computed_and_never_given() {
    let client = organisation().await;
    let product = created(&client, json!({ "name": "Hour", "ourCost": "60", "clientPrice": "90.50" })).await;
    assert_eq!(product["margin"], "30.50");
    let answer = mutate(&client, "create", json!({ "name": "Own", "margin": "5" })).await;
    assert_eq!((answer.errors().len(), answer.body.get("data")), (1, None), "{}", answer.body);
    let change = json!({ "id": product["id"], "expectedRevision": 1, "ourCost": "100" });
    let changed = mutate(&client, "update", change).await;
    assert_eq!(changed.ok("/data/updateProduct")["product"]["margin"], "-9.50");
}

#[tokio::test]
async fn amounts_are_ordered_and_compared_as_numbers() {
    let client = organisation().await;
    for (name, price) in
        [("nine", "9"), ("ten", "10"), ("half", "0.50"), ("hundred", "100.0"), ("also ten", "10.000")]
    {
        created(&client, json!({ "name": name, "clientPrice": price })).await;
    }
    let order = "orderBy: [{ clientPrice: DESC }, { name: ASC }]";
    assert_eq!(names(&client, order).await, ["hundred", "also ten", "ten", "nine", "half"]);
    for (filter, expected) in [
        ("eq: \"10.0\"", vec!["also ten", "ten"]),
        ("gt: 9", vec!["hundred", "also ten", "ten"]),
        ("in: [\"0.5\", 100]", vec!["hundred", "half"]),
        ("gte: \"0.5\", lt: \"9.0001\"", vec!["nine", "half"]),
    ] {
        let arguments = format!("{order}, where: {{ clientPrice: {{ {filter} }} }}");
        assert_eq!(names(&client, &arguments).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_product_lives_and_dies_as_a_contact_does() {
    let client = organisation().await;
    let product = created(&client, json!({ "name": "Hour", "unit": "hour", "category": "Time" })).await;
    let with = |revision: i32, more: Value| {
        let mut input = json!({ "id": product["id"], "expectedRevision": revision });
        more.as_object().unwrap().iter().for_each(|(field, value)| input[field] = value.clone());
        input
    };
    let change = with(1, json!({ "active": false, "unit": null }));
    let changed =
        mutate(&client, "update", change.clone()).await.ok("/data/updateProduct")["product"].clone();
    assert_eq!(
        (&changed["active"], &changed["unit"], &changed["category"]),
        (&json!(false), &json!(null), &json!("Time"))
    );
    let stale = mutate(&client, "update", change).await;
    assert_eq!(stale.user_errors("/data/updateProduct"), ["CONFLICT expectedRevision"]);
    assert_eq!(stale.at("/data/updateProduct/product/revision"), 2);
    for field in ["name", "ourCost", "clientPrice", "active"] {
        let answer = mutate(&client, "update", with(2, json!({ field: null }))).await;
        assert_eq!(answer.user_errors("/data/updateProduct"), [format!("INVALID {field}")]);
    }
    let deleted = mutate(&client, "delete", with(2, json!({}))).await;
    assert!(deleted.ok("/data/deleteProduct")["product"]["deletedAt"].is_string());
    assert_eq!(names(&client, "first: 9").await, [""; 0]);
    let gone = mutate(&client, "update", with(3, json!({ "name": "Gone" }))).await;
    assert_eq!(gone.user_errors("/data/updateProduct"), ["NOT_FOUND id"]);
    mutate(&client, "restore", with(3, json!({}))).await.ok("/data/restoreProduct");
    assert_eq!(names(&client, "where: { active: { eq: false } }").await, ["Hour"]);
}

#[tokio::test]
async fn deleted_products_are_listed_where_the_list_asks_for_them() {
    let client = organisation().await;
    created(&client, json!({ "name": "Kept" })).await;
    let gone = created(&client, json!({ "name": "Gone" })).await;
    let input = json!({ "id": gone["id"], "expectedRevision": 1 });
    mutate(&client, "delete", input).await.ok("/data/deleteProduct");
    let order = "orderBy: [{ name: ASC }]";
    for (arguments, expected) in [
        ("deleted: ONLY", vec!["Gone"]),
        ("deleted: INCLUDE", vec!["Gone", "Kept"]),
        ("deleted: EXCLUDE", vec!["Kept"]),
        ("deleted: INCLUDE, where: { deletedAt: { isNull: false } }", vec!["Gone"]),
        ("deleted: ONLY, where: { deletedAt: { isNull: true } }", vec![]),
        // A filter alone brings no deleted row to light.
        ("where: { deletedAt: { isNull: false } }", vec![]),
    ] {
        assert_eq!(names(&client, &format!("{order}, {arguments}")).await, expected, "{arguments}");
    }
    let query = "query ($id: ID!) { plain: product(id: $id) { name } any: product(id: $id, deleted: INCLUDE) { name } \
                 only: product(id: $id, deleted: ONLY) { name } \
                 figures: productsAggregate(deleted: ONLY) { count } all: productsAggregate(deleted: INCLUDE) { count } }";
    let answer = client.run(query, json!({ "id": gone["id"] })).await;
    let expected = json!({
        "plain": null, "any": { "name": "Gone" }, "only": { "name": "Gone" },
        "figures": [{ "count": 1 }], "all": [{ "count": 2 }],
    });
    assert_eq!(*answer.ok("/data"), expected);
}

#[tokio::test]
async fn a_field_whose_variable_is_not_given_stays() {
    let client = organisation().await;
    let product = created(&client, json!({ "name": "Hour", "unit": "hour", "category": "Time" })).await;
    let query = "mutation ($id: ID!, $unit: String, $category: String) { updateProduct(input: \
                 { id: $id, expectedRevision: 1, unit: $unit, category: $category }) \
                 { product { unit category } userErrors { code } } }";
    let answer = client.run(query, json!({ "id": product["id"], "category": null })).await;
    let changed = &answer.ok("/data/updateProduct")["product"];
    assert_eq!(*changed, json!({ "unit": "hour", "category": null }));
}

#[tokio::test]
async fn a_wish_with_a_key_makes_one_product() {
    let client = organisation().await;
    let input = json!({ "name": "Hour", "clientPrice": "90", "idempotencyKey": "k" });
    let first = created(&client, input.clone()).await;
    assert_eq!(created(&client, input).await, first);
    let other = json!({ "name": "Hour", "clientPrice": "91", "idempotencyKey": "k" });
    let answer = mutate(&client, "create", other).await;
    assert_eq!(answer.user_errors("/data/createProduct"), ["CONFLICT idempotencyKey"]);
    assert_eq!(names(&client, "first: 9").await, ["Hour"]);
}
