//! The mutations that entities have from their tables of fields, as far as they offer them.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, Scope, retried};

use crate::{
    any::AnyEntity,
    context::scope,
    csv,
    members::Members,
    offer::Offer,
    registry::{self, MetaTypeId, Output, Registry},
    typed::entity,
    write::{
        bulk::{self, Step},
        change::{self, allowed},
        describe,
        editable::Editable,
        input::Input,
        many::{self, Many, ManyPayload},
        payload::{self, Changed, Nothing, Payload},
        work::Work,
    },
};

/// The mutations that an entity offers, to be put into a domain's mutations.
pub struct Mutations<E>(PhantomData<fn() -> E>);

impl<E> Default for Mutations<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl Members {
    /// These, and the mutations that an entity offers.
    #[must_use]
    pub fn mutations<E: Editable>(self) -> Self {
        let offered = |verb: &Verb| entity::<E>().offers(verb.offer()) && *verb != Verb::Import;
        let published = Verb::ALL.into_iter().filter(offered);
        let members = self.with(Mutations::<E>::default());
        published.fold(members, |members, verb| members.publishing(E::PREFIX, verb.past()))
    }
}

/// What a mutation does to one row or to several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Update,
    Delete,
    Restore,
    Import,
}

impl Verb {
    const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Delete, Self::Restore, Self::Import];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Import => "import",
        }
    }

    /// What it has done.
    fn past(self) -> &'static str {
        match self {
            Self::Create | Self::Import => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
            Self::Restore => "restored",
        }
    }

    fn offer(self) -> Offer {
        match self {
            Self::Create => Offer::Create,
            Self::Update => Offer::Update,
            Self::Delete => Offer::Delete,
            Self::Restore => Offer::Restore,
            Self::Import => Offer::Import,
        }
    }

    /// `createContact`, if the entity offers it.
    fn of_one(self, entity: &AnyEntity) -> Option<String> {
        let offered = self != Self::Import && entity.offers(self.offer());
        offered.then(|| format!("{}{}", self.name(), entity.name))
    }

    /// `createContacts`, if the entity offers it.
    fn of_many(self, entity: &AnyEntity) -> Option<String> {
        let offered = entity.offers(self.offer()) && (self == Self::Import || entity.offers(Offer::Many));
        offered.then(|| format!("{}{}", self.name(), entity.plural()))
    }

    fn about(self, entity: &AnyEntity) -> String {
        let one = entity.one;
        match self {
            Self::Create | Self::Import => format!("Adds a {one}."),
            Self::Update => format!("Changes the given fields of a {one}."),
            Self::Delete if entity.offers(Offer::Restore) => format!("Deletes a {one}; it can be restored."),
            Self::Delete => format!("Deletes a {one}."),
            Self::Restore => format!("Restores a deleted {one}."),
        }
    }
}

/// A mutation of an entity: the verb, and whether it takes several rows.
fn mutation(entity: &AnyEntity, name: &str) -> Option<(Verb, bool)> {
    Verb::ALL.into_iter().find_map(|verb| {
        let one = verb.of_one(entity).filter(|one| one == name).map(|_| (verb, false));
        one.or_else(|| verb.of_many(entity).filter(|many| many == name).map(|_| (verb, true)))
    })
}

fn describe_one<E: Editable>(verb: Verb, name: &str, registry: &mut Registry) -> Output {
    let entity = entity::<E>();
    let input = match verb {
        Verb::Create | Verb::Import => describe::create(entity, registry),
        Verb::Update => describe::update(entity, name, registry),
        Verb::Delete | Verb::Restore => describe::revision(name, registry),
    };
    let payload = match verb {
        Verb::Create | Verb::Update => payload::describe::<E::Further>(name, entity, registry),
        _ => payload::describe::<Nothing>(name, entity, registry),
    };
    let input = registry::input("input", &format!("{input}!"), "The input.");
    registry::output(name, &payload, &verb.about(entity), vec![input])
}

fn describe_many<E: Editable>(verb: Verb, name: &str, registry: &mut Registry) -> Output {
    let entity = entity::<E>();
    let (input, about) = match verb {
        Verb::Import => {
            let columns = bulk::csv_columns::<E>();
            (csv::input::describe(entity, &columns, registry), describe::about_import(entity, E::NATURAL_KEY))
        }
        verb => {
            let row = match verb {
                Verb::Create => describe::new_row(entity, registry),
                Verb::Update => describe::update(entity, &format!("update{}", entity.name), registry),
                _ => describe::revision_row(registry),
            };
            let about = format!("As `{}{}`, for several rows at once.", verb.name(), entity.name);
            (describe::many(entity, name, &row, registry), about)
        }
    };
    let payload = many::describe(name, verb.past(), verb == Verb::Import, entity, registry);
    let input = registry::input("input", &format!("{input}!"), "The input.");
    registry::output(name, &payload, &about, vec![input])
}

impl<E: Editable> OutputType for Mutations<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Mutations", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            E::create_type_info(registry);
            let entity = entity::<E>();
            let mut fields: Vec<Output> = vec![];
            for verb in Verb::ALL {
                fields.extend(verb.of_one(entity).map(|name| describe_one::<E>(verb, &name, registry)));
                fields.extend(verb.of_many(entity).map(|name| describe_many::<E>(verb, &name, registry)));
            }
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

/// Carries a mutation of one row out.
async fn one<E: Editable>(
    scope: &Scope,
    verb: Verb,
    name: &str,
    mut input: Input,
) -> Result<(Option<Changed<E>>, Option<E::Further>), Failure> {
    let step = match verb {
        Verb::Create | Verb::Import => {
            let made = change::create::<E>(scope, name, input).await?;
            return Ok((made.row.map(Changed::Done), made.further));
        }
        Verb::Update => {
            let (changed, further) = change::update(scope, input).await?;
            return Ok((Some(changed), further));
        }
        verb => verb,
    };
    allowed::<E>(scope)?;
    let (id, revision) = (input.id::<E>()?, input.revision()?.unwrap_or_default());
    let changed = scope.write(E::WRITE, |tx| async move {
        let work = Work::new(scope, &tx);
        match step {
            Verb::Restore => change::restore(&work, id, revision).await,
            _ => change::delete(&work, id, revision).await,
        }
    });
    Ok((Some(changed.await?), None))
}

/// Carries a mutation of several rows out.
async fn many<E: Editable>(scope: &Scope, verb: Verb, name: &str, input: Input) -> Result<Many<E>, Failure> {
    match verb {
        Verb::Create => bulk::create::<E>(scope, name, input).await,
        Verb::Import => bulk::import_input::<E>(scope, name, input).await,
        Verb::Update => bulk::step::<E>(scope, name, input, Step::Update).await,
        Verb::Delete => bulk::step::<E>(scope, name, input, Step::Delete).await,
        Verb::Restore => bulk::step::<E>(scope, name, input, Step::Restore).await,
    }
}

impl<E: Editable> ContainerType for Mutations<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let Some((verb, is_many)) = mutation(entity::<E>(), name) else { return Ok(None) };
        let input = Input::of(ctx);
        if !is_many {
            let outcome = async {
                let scope = scope(ctx)?;
                retried(|| one::<E>(scope, verb, name, input.clone())).await
            };
            return Payload::<E, E::Further>::answer(Payload::of(name, outcome.await), ctx).await;
        }
        let outcome = async {
            let scope = scope(ctx)?;
            retried(|| many::<E>(scope, verb, name, input.clone())).await
        };
        ManyPayload::answer(name, outcome.await, ctx).await
    }
}

impl<E: Editable> ObjectType for Mutations<E> {}
