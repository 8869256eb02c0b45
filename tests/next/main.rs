//! Asks a small schema what happens to the neighbours of a field that fails, and to an object of
//! which only the gateway's mark is left: with resolvers that hand their errors to the library,
//! and with `listing`'s own `Root`, which notes them. Built on two versions of the library; both must
//! answer the second way alike. Run by hand:
//!
//! ```sh
//! cd tests/next
//! diff <(cargo run -q -p version-7 -- noted) <(cargo run -q -p version-8 -- noted) && echo alike
//! ```

#[path = "../../listing/src/root.rs"]
mod root;

use async_graphql::{EmptySubscription, Object, ObjectType, Schema, SimpleObject};

use self::root::Root;

/// Failed fields beside others, and objects of which only a mark or nothing is left.
const DOCUMENTS: [&str; 4] = [
    "{ good { id } bad { id } }",
    "mutation { good { id } bad { id } }",
    "{ good { __tessera_object: __typename } }",
    "{ good { ... @include(if: false) { id } __tessera_object: __typename } }",
];

#[derive(SimpleObject)]
struct Row {
    id: i32,
}

#[derive(Default)]
struct Queries;

#[Object]
impl Queries {
    async fn good(&self) -> Option<Row> {
        Some(Row { id: 1 })
    }

    async fn bad(&self) -> async_graphql::Result<Option<Row>> {
        Err("failed".into())
    }
}

#[derive(Default)]
struct Mutations;

#[Object]
impl Mutations {
    async fn good(&self) -> Option<Row> {
        Some(Row { id: 1 })
    }

    async fn bad(&self) -> async_graphql::Result<Option<Row>> {
        Err("failed".into())
    }
}

async fn answer<Q, M>(query: Q, mutation: M, document: &str) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
{
    let response = Schema::new(query, mutation, EmptySubscription).execute(document).await;
    let errors: Vec<_> =
        response.errors.iter().map(|error| format!("{} at {:?}", error.message, error.path)).collect();
    format!("{} {errors:?}", serde_json::to_string(&response.data).unwrap())
}

fn main() {
    let noted = std::env::args().any(|argument| argument == "noted");
    futures_executor::block_on(async {
        for document in DOCUMENTS {
            let answer = if noted {
                answer(Root::<Queries>::default(), Root::<Mutations>::default(), document).await
            } else {
                answer(Queries, Mutations, document).await
            };
            println!("{document}\n    {answer}");
        }
    });
}
