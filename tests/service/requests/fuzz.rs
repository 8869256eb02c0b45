//! Random documents: what happens to them before execution, and the form of their answers.

use std::{fs, io::Write, path::Path, process::Command};

use request::{Document, Model, Parameters, Refused};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};

use super::grammar::{Condition, Generated, Generator, Selection, Types, What};
use crate::{
    aggregates::rng::Rng,
    harness::{Client, organisation},
};

/// How many documents are tried; `FUZZ=100000` tries more.
fn many(usual: usize) -> usize {
    std::env::var("FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Prepares every operation of a valid document, as the gateway does: for each its name, and what
/// is wrong with its variables.
fn prepare(model: &Model, generated: &Generated, text: &str) -> Vec<Value> {
    let document = Document::parse(model, text).unwrap();
    let operations = generated.operations.iter().map(|operation| {
        let body = json!({ "query": text, "variables": generated.sent() }).to_string();
        let parameters = Parameters::from_json(body.as_bytes()).unwrap();
        let compiled = document.operation(operation.name.as_deref()).unwrap();
        let refused = match compiled.prepare(model, parameters.variables) {
            Ok(prepared) => {
                let left = format!("{:?}", prepared.document);
                assert!(!left.contains("Name(\"skip\")") && !left.contains("Name(\"include\")"), "{text}");
                None
            }
            Err(Refused(problems)) => Some(problems[0].message.clone()),
        };
        json!({ "name": operation.name, "refused": refused })
    });
    operations.collect()
}

/// graphql-js is the specification's own implementation: what it refuses must be refused here,
/// documents and values of variables. We refuse more: what exceeds a limit, a mutation in two
/// places, a custom scalar that is not text.
#[test]
fn random_documents_are_refused_where_graphql_js_refuses_them() {
    let mut rng = Rng::new();
    let model = gateway::model().unwrap();
    let (mut accepted, mut lines) = (0, String::new());
    let count = many(2_000);
    for number in 0..count {
        let mistakes = [0, 25, 60, 200][number % 4];
        let generated = Generator::new(&mut rng, mistakes).document(false);
        let text = generated.to_string();
        let refused =
            Document::parse(&model, &text).err().map(|Refused(problems)| problems[0].message.clone());
        let mut operations = vec![];
        if refused.is_none() {
            accepted += 1;
            operations = prepare(&model, &generated, &text);
        }
        let (variables, query) = (generated.sent(), text);
        lines +=
            &json!({ "query": query, "refused": refused, "variables": variables, "operations": operations })
                .to_string();
        lines.push('\n');
    }
    // Neither sort is rare.
    assert!(accepted > count / 5 && accepted < count * 4 / 5, "{accepted} of {count} are valid");
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    if !clients.join("node_modules/graphql").is_dir() {
        eprintln!("skipped: graphql-js is not installed (npm ci --prefix tests/clients)");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (schema, documents) = (folder.join("schema.graphql"), folder.join("documents.jsonl"));
    fs::write(&schema, gateway::sdl()).unwrap();
    fs::File::create(&documents).unwrap().write_all(lines.as_bytes()).unwrap();
    let compared =
        Command::new("node").arg(clients.join("validate.mjs")).args([schema, documents]).output().unwrap();
    let said = String::from_utf8_lossy(&compared.stdout);
    assert!(compared.status.success(), "{said}{}", String::from_utf8_lossy(&compared.stderr));
    eprintln!("{said}");
}

/// Every object of an answer has the keys that were asked of it, in the order of the document.
#[tokio::test]
async fn answers_have_the_form_that_the_document_asks_for() {
    let client = organisation().await;
    let company = client.create_contact(json!({ "kind": "COMPANY", "name": "Alfreds" })).await;
    let person = json!({ "kind": "PERSON", "name": "Maria", "companyId": company["id"] });
    let person = client.create_contact(person).await;
    let (user, organisation) = (&client.log_in["user"]["id"], &client.log_in["organisation"]["id"]);
    let ids = [&company["id"], &person["id"], user, organisation].map(|id| id.as_str().unwrap().to_owned());
    let mut rng = Rng::new();
    let mut answered = 0;
    for _ in 0..many(150) {
        let generated = Generator::new(&mut rng, 0).with_ids(&ids).document(true);
        let text = generated.to_string();
        for operation in &generated.operations {
            let answer = ask(&client, &text, operation.name.as_deref(), &generated.sent()).await;
            let answer: Answer = serde_json::from_str(&answer).unwrap();
            for error in &answer.errors {
                assert_ne!(error["extensions"]["code"], "INTERNAL", "{text} {error}");
            }
            let Some(data) = answer.data else {
                // What is generated without mistakes is valid; it may cost too much.
                let codes: Vec<_> = answer.errors.iter().map(|error| &error["extensions"]["code"]).collect();
                assert!(codes.iter().all(|code| **code == "COST_EXCEEDED"), "{text} {:?}", answer.errors);
                continue;
            };
            answered += 1;
            let form = Form { generated: &generated };
            let mut fields = vec![];
            form.collect("Query", &operation.set, &mut fields);
            form.check("Query", &fields, &data, &format!("{text} {}", generated.sent()));
        }
    }
    assert!(answered > 20, "{answered} documents were answered");
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Ordered>,
    #[serde(default)]
    errors: Vec<Value>,
}

async fn ask(client: &Client, text: &str, operation: Option<&str>, variables: &Value) -> String {
    let body = json!({ "query": text, "operationName": operation, "variables": variables });
    client.send(&body.to_string()).await.text
}

/// The form of answers, found from what was generated.
struct Form<'g> {
    generated: &'g Generated,
}

/// The fields that are asked for under one key.
type Fields<'g> = Vec<(String, Vec<&'g What>)>;

impl<'g> Form<'g> {
    /// The fields that are asked of an object of this type.
    fn collect(&self, ty: &str, set: &'g [Selection], fields: &mut Fields<'g>) {
        for selection in set {
            let asked = selection.condition.is_none_or(|(name, on)| {
                let holds = match on {
                    Condition::Fixed(holds) => holds,
                    Condition::Variable(number) => self.generated.condition(number).unwrap(),
                };
                holds == (name == "include")
            });
            match &selection.what {
                _ if !asked => {}
                What::Field { alias, name, .. } => {
                    let key = alias.as_ref().unwrap_or(name);
                    match fields.iter_mut().find(|(known, _)| known == key) {
                        Some((_, places)) => places.push(&selection.what),
                        None => fields.push((key.clone(), vec![&selection.what])),
                    }
                }
                What::Inline { on, set } => {
                    if on.as_ref().is_none_or(|on| applies(on, ty)) {
                        self.collect(ty, set, fields);
                    }
                }
                What::Spread(number) => {
                    let fragment = &self.generated.fragments[*number];
                    if applies(&fragment.on, ty) {
                        self.collect(ty, &fragment.set, fields);
                    }
                }
                What::Nowhere => {}
            }
        }
    }

    fn check(&self, ty: &str, fields: &Fields<'g>, value: &Ordered, about: &str) {
        match value {
            Ordered::List(items) => items.iter().for_each(|item| self.check(ty, fields, item, about)),
            Ordered::Object(object) => {
                let keys: Vec<_> = object.iter().map(|(key, _)| key).collect();
                let expected: Vec<_> = fields.iter().map(|(key, _)| key).collect();
                assert_eq!(keys, expected, "{ty}: {about}");
                for ((_, value), (_, places)) in object.iter().zip(fields) {
                    self.below(places, value, about);
                }
            }
            Ordered::Leaf => {}
        }
    }

    /// Checks what a field answered.
    fn below(&self, places: &[&'g What], value: &Ordered, about: &str) {
        let sets = places.iter().filter_map(|place| match place {
            What::Field { below: Some((answer, set)), .. } => Some((answer, set)),
            _ => None,
        });
        let sets: Vec<_> = sets.collect();
        let Some((answer, _)) = sets.first() else { return };
        let fields_of = |ty: &str| {
            let mut fields = vec![];
            sets.iter().for_each(|(_, set)| self.collect(ty, set, &mut fields));
            fields
        };
        match Types::served().possible(answer)[..] {
            [ty] => self.check(ty, &fields_of(ty), value, about),
            ref types => self.check_behind_interface(types, &fields_of, value, about),
        }
    }

    /// An object behind an interface does not say its type: its keys must be right for one.
    fn check_behind_interface(
        &self,
        types: &[&str],
        fields_of: &dyn Fn(&str) -> Fields<'g>,
        value: &Ordered,
        about: &str,
    ) {
        match value {
            Ordered::List(items) => {
                items.iter().for_each(|item| self.check_behind_interface(types, fields_of, item, about));
            }
            Ordered::Object(object) => {
                let keys: Vec<_> = object.iter().map(|(key, _)| key).collect();
                let has_keys =
                    |fields: &Fields<'_>| fields.iter().map(|(key, _)| key).eq(keys.iter().copied());
                let may_be =
                    types.iter().map(|ty| (*ty, fields_of(ty))).filter(|(_, fields)| has_keys(fields));
                let may_be: Vec<_> = may_be.collect();
                assert!(!may_be.is_empty(), "{keys:?} are no type's: {about}");
                if let [(ty, fields)] = &may_be[..] {
                    self.check(ty, fields, value, about);
                }
            }
            Ordered::Leaf => {}
        }
    }
}

fn applies(on: &str, ty: &str) -> bool {
    Types::served().possible(on).contains(&ty)
}

/// JSON that keeps the order of keys.
#[derive(Debug)]
enum Ordered {
    Object(Vec<(String, Ordered)>),
    List(Vec<Ordered>),
    Leaf,
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> de::Visitor<'de> for Reading {
    type Value = Ordered;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Ordered, E> {
        Ok(Ordered::Leaf)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Ordered::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<Ordered, A::Error> {
        let mut object = vec![];
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Ordered::Object(object))
    }
}
