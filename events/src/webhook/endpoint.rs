// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, Context, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::{
    Changeable, Checks, Draft, Editable, Entity, Field, Id, Identified, Outcome, Related, Relation, Rule,
    Value, scope,
};
use tenancy::{ErrorCode, Failure, Permission, Tx};
use uuid::Uuid;

use super::{MAX_URL, Reach, Secret, WebhookDelivery, check_url, store};
use crate::tables::{webhook_deliveries, webhook_endpoints};

const MAX_DESCRIPTION: usize = 255;
const MAX_KIND: usize = 100;
/// How many endpoints an organisation has: each event is written down once for each of them.
const MAX_ENDPOINTS: i64 = 50;

/// An address outside that is told of events by HTTP requests, signed after the Standard Webhooks
/// specification (<https://www.standardwebhooks.com>).
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = webhook_endpoints)]
#[graphql(complex)]
pub struct WebhookEndpoint {
    /// The id.
    pub id: Id<WebhookEndpoint>,
    /// Where the requests are sent, by POST: a public address, by https; with `cargo run` also this
    /// machine itself, by http.
    pub(crate) url: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Which events it is told of: `contact.created`, `contact.*` for all of contacts, `*` for all of
    /// the organisation, those of webhook endpoints included.
    pub(crate) event_kinds: Vec<String>,
    /// Whether it is told of events; what waits for one that is switched off is given up when its time
    /// comes. Switched off by itself when it answers 410, or when every
    /// attempt has failed for five days.
    pub(crate) active: bool,
    /// Since when every attempt has failed; null while they succeed, and when it is switched on.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts the changes; give it as `expectedRevision`.
    pub revision: i32,
    /// When it was deleted. Deleted ones are answered only where a list's filter asks for `deletedAt`.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What requests to a webhook endpoint are signed with.
#[derive(Queryable, SimpleObject, Clone)]
pub(crate) struct WebhookSecret {
    /// The secret, as libraries for Standard Webhooks take it: `whsec_…`.
    pub(crate) secret: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it still signs beside its successor; null for the current one.
    expires_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl WebhookEndpoint {
    /// What its requests are signed with: the current secret first, then those that still sign for a
    /// while after a rotation.
    async fn secrets(&self, ctx: &Context<'_>) -> Outcome<Vec<WebhookSecret>> {
        let secrets = async {
            let scope = scope(ctx)?;
            scope.require(Permission::WriteWebhooks)?;
            store::secrets(scope, self.id.uuid()).await
        };
        secrets.await.into()
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn related(&self) -> Related<'_, WebhookEndpoint> {
        Related(self)
    }
}

impl Identified for WebhookEndpoint {
    const NAME: &'static str = "WebhookEndpoint";
    const PREFIX: &'static str = "webhook_endpoint";
}

impl Entity for WebhookEndpoint {
    const ONE: &'static str = "webhookEndpoint";
    const MANY: &'static str = "webhookEndpoints";
    const TABLE: &'static str = "webhook_endpoints";
    const READ: Permission = Permission::ReadWebhooks;
    const FIELDS: &'static [Field] = &[
        Field::new("url", webhook_endpoints::url).required(Rule::Line(MAX_URL)),
        Field::new("description", webhook_endpoints::description).optional(Rule::Line(MAX_DESCRIPTION)),
        Field::new("eventKinds", webhook_endpoints::event_kinds).required(Rule::Labels(MAX_KIND)),
        Field::new("active", webhook_endpoints::active).or(Rule::Any, || true.into()),
        Field::new("failingSince", webhook_endpoints::failing_since),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[Relation::many::<WebhookDelivery, _>(
        "deliveries",
        webhook_deliveries::endpoint_id,
        "What it was told, and what became of that.",
    )];

    fn id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Changeable for WebhookEndpoint {
    const WRITE: Permission = Permission::WriteWebhooks;
}

impl Editable for WebhookEndpoint {
    fn check(draft: &Draft, checks: &mut Checks) {
        // What is too long as it stands is the field's own rule.
        let url = draft.text(webhook_endpoints::url).filter(|url| url.chars().count() <= MAX_URL);
        if let Some(Err(error)) = url.map(|url| check_url(url, Reach::allowed())) {
            checks.invalid("url", error.to_string());
        }
        if let Some(Value::Texts(kinds)) = draft.get(webhook_endpoints::event_kinds) {
            if kinds.is_empty() {
                checks.invalid("eventKinds", "Name the kinds of events, or `*` for all.");
            }
            for (number, kind) in kinds.iter().enumerate().filter(|(_, kind)| !is_kind(kind)) {
                let message =
                    format!("{kind:?} is not a kind of event: give `contact.created`, `contact.*` or `*`.");
                checks.invalid(&format!("eventKinds.{number}"), message);
            }
        }
    }

    async fn complete(tx: &Tx, drafts: &mut [Draft]) -> Result<(), Failure> {
        let known: Vec<Uuid> = drafts.iter().map(Draft::id).collect();
        let others = store::count_others(tx, known).await?;
        for (place, draft) in
            (others + 1..).zip(drafts.iter_mut()).filter(|(place, _)| *place > MAX_ENDPOINTS)
        {
            let message = format!(
                "An organisation has at most {MAX_ENDPOINTS} endpoints; this would be number {place}."
            );
            draft.wrong(ErrorCode::LimitReached, "", message);
        }
        // Who is switched on again starts anew: the first failure would else switch it off at once.
        for draft in drafts {
            if draft.get(webhook_endpoints::active) == Some(&Value::Boolean(true)) {
                draft.set(webhook_endpoints::failing_since, Value::Null);
            }
        }
        Ok(())
    }

    async fn created(tx: &Tx, made: &[Self]) -> Result<(), Failure> {
        let ids: Vec<Uuid> = made.iter().map(Entity::id).collect();
        store::insert_secrets(tx, ids.into_iter().map(|id| (id, Secret::random()))).await
    }
}

/// Whether this has the form of a kind of event, or of all of an entity's.
fn is_kind(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text == "*"
        || text
            .split_once('.')
            .is_some_and(|(entity, verb)| is_word(entity) && (verb == "*" || is_word(verb)))
}

#[cfg(test)]
mod tests {
    use super::is_kind;

    #[test]
    fn a_kind_is_an_entity_and_a_verb_or_a_star() {
        for kind in ["contact.created", "contact.*", "webhook_endpoint.deleted", "*"] {
            assert!(is_kind(kind), "{kind}");
        }
        for kind in
            ["", "contact", "contact.", ".created", "**", "*.created", "Contact.created", "a.b.c", "a. b"]
        {
            assert!(!is_kind(kind), "{kind}");
        }
    }
}
