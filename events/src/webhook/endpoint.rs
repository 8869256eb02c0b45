use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, SimpleObject};

use diesel::prelude::*;
use listing::{
    Checks, Draft, Editable, Entity, Field, Id, Identified, Instant, Nothing, Offer, Outcome, Relation, Rule,
    Sight, Value, Work, scope,
};
use tenancy::{ErrorCode, Failure, Permission, Session};
use uuid::Uuid;

use super::{MAX_URL, Secret, WebhookDelivery, WebhookSecret, check_url, store};
use crate::tables::{webhook_deliveries, webhook_endpoints};

const MAX_DESCRIPTION: usize = 255;
const MAX_KIND: usize = 100;
/// The maximum number of endpoints per organisation: each event creates a delivery for each of them.
const MAX_ENDPOINTS: i64 = 50;

/// A URL that receives events as HTTP requests, signed as the Standard Webhooks specification
/// (<https://www.standardwebhooks.com>) defines.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = webhook_endpoints)]
#[graphql(complex)]
pub struct WebhookEndpoint {
    /// The id of the endpoint.
    pub id: Id<WebhookEndpoint>,
    /// The URL that requests are posted to: https and a public address. With `cargo run`, also http
    /// and addresses of this machine.
    pub(crate) url: String,
    /// A description for your own use.
    pub(crate) description: Option<String>,
    /// The events to send: `contact.created`, `contact.*` for all events of contacts, `*` for all
    /// events of the organisation, including those of webhook endpoints.
    pub(crate) event_kinds: Vec<String>,
    /// Whether events are sent. Pending deliveries of a disabled endpoint fail at their next attempt.
    /// The service disables an endpoint that responds with 410, or whose attempts have all failed for
    /// five days.
    pub(crate) active: bool,
    /// When the current series of failed attempts began; null after a success, and after the endpoint
    /// was enabled.
    pub(crate) failing_since: Option<Instant>,
    /// When the endpoint was created.
    pub created_at: Instant,
    /// When the endpoint was last changed.
    pub updated_at: Instant,
    /// The revision number, which every change increments; pass it as `expectedRevision`.
    pub revision: i32,
    /// When the record was deleted; null if it is not deleted.
    pub deleted_at: Option<Instant>,
}

listing::related!(WebhookEndpoint {
    /// The secrets that sign its requests: the current one first, then rotated ones that have not
    /// expired.
    async fn secrets(&self, ctx: &Context<'_>) -> Outcome<Vec<WebhookSecret>> {
        let secrets = async {
            let scope = scope(ctx)?;
            scope.require(Permission::WriteWebhooks)?;
            store::secrets(scope, self.id.uuid()).await
        };
        secrets.await.into()
    }
});

impl Identified for WebhookEndpoint {
    const NAME: &'static str = "WebhookEndpoint";
    const PREFIX: &'static str = "webhook_endpoint";
}

impl Entity for WebhookEndpoint {
    const ONE: &'static str = "webhookEndpoint";
    const MANY: &'static str = "webhookEndpoints";
    const TABLE: &'static str = "webhook_endpoints";
    const OFFERS: &'static [Offer] = Offer::ONE_BY_ONE;
    const READ: &'static [Permission] = &[Permission::ReadWebhooks];
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
        "The deliveries to this endpoint.",
    )];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}

impl Editable for WebhookEndpoint {
    const WRITE: Permission = Permission::WriteWebhooks;
    type Further = Nothing;

    fn check(draft: &Draft, checks: &mut Checks) {
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

    async fn complete(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
        let reach = work.setting().copied().unwrap_or_default();
        for draft in drafts.iter_mut() {
            // The rule of the field reports a URL that is too long.
            let url = draft.text(webhook_endpoints::url).filter(|url| url.chars().count() <= MAX_URL);
            if let Some(Err(error)) = url.map(|url| check_url(url, reach)) {
                draft.wrong(ErrorCode::Invalid, "url", error.to_string());
            }
        }
        if let Some(known) = work.setting::<EventKinds>() {
            for draft in drafts.iter_mut() {
                known.check(draft);
            }
        }
        let known: Vec<Uuid> = drafts.iter().map(Draft::id).collect();
        let others = store::count_others(work.tx(), known).await?;
        for (place, draft) in
            (others + 1..).zip(drafts.iter_mut()).filter(|(place, _)| *place > MAX_ENDPOINTS)
        {
            draft.wrong(ErrorCode::LimitReached, "", too_many(place));
        }
        // Enabling an endpoint resets the series of failures: otherwise the first failure would disable it
        // again at once.
        for draft in drafts {
            if draft.get(webhook_endpoints::active) == Some(&Value::Boolean(true)) {
                draft.set(webhook_endpoints::failing_since, Value::Null);
            }
        }
        Ok(())
    }

    async fn created(work: &Work<'_>, made: &[Self]) -> Result<(), Failure> {
        let ids: Vec<Uuid> = made.iter().map(Entity::id).collect();
        store::insert_secrets(work.tx(), ids.into_iter().map(|id| (id, Secret::random()))).await
    }

    async fn restored(work: &Work<'_>, _: &Self) -> Result<(), Failure> {
        let now = store::count_others(work.tx(), vec![]).await?;
        if now > MAX_ENDPOINTS {
            return Err(Failure::user(ErrorCode::LimitReached, "id", too_many(now)));
        }
        Ok(())
    }
}

/// The kinds of events that the service publishes, as a setting of it.
#[derive(Clone, Debug)]
pub struct EventKinds(pub Arc<BTreeSet<String>>);

impl EventKinds {
    /// Says INVALID of kinds and patterns to which no event will ever belong.
    fn check(&self, draft: &mut Draft) {
        let Some(Value::Texts(asked)) = draft.get(webhook_endpoints::event_kinds).cloned() else { return };
        for (number, kind) in asked.iter().enumerate().filter(|(_, kind)| !self.is_published(kind)) {
            let entity = kind.split('.').next().unwrap_or_default();
            let of_entity = self.0.iter().filter(|known| known.split('.').next() == Some(entity));
            let like_it: Vec<&str> = of_entity.map(String::as_str).collect();
            let all = || self.0.iter().map(String::as_str).collect::<Vec<_>>();
            let known = if like_it.is_empty() { all() } else { like_it };
            let message = format!("There is no event {kind:?}; there are {}.", known.join(", "));
            draft.wrong(ErrorCode::Invalid, &format!("eventKinds.{number}"), message);
        }
    }

    fn is_published(&self, kind: &str) -> bool {
        match kind.strip_suffix('*') {
            Some(start) => self.0.iter().any(|known| known.starts_with(start)),
            None => self.0.contains(kind),
        }
    }
}

fn too_many(place: i64) -> String {
    format!("An organisation has at most {MAX_ENDPOINTS} endpoints; this would be number {place}.")
}

/// Whether the text is a kind of event, or a pattern for several kinds.
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
