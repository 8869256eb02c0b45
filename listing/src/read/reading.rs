//! The reading of filters, orders and groups: where a value stands, and how much has been read.

use async_graphql::{Name, Value as GraphQLValue, indexmap::IndexMap};
use chrono::{DateTime, Utc};
use tenancy::{Failure, Scope, Session};

use crate::{any::AnyEntity, sql::column::Column};

/// How deep a filter nests at most.
const MAX_DEPTH: usize = 20;
/// How many conditions a filter has at most.
pub(crate) const MAX_CONDITIONS: usize = 200;
/// How many values a list in a filter has at most.
const MAX_LIST: usize = 1000;
/// How many values all lists of a filter have together: each nested list keeps its filter.
const MAX_VALUES: usize = 2000;
/// How many relations to many stand in one another at most: nobody understands more.
const MAX_MANY: usize = 3;
/// How often a filter asks for related rows at most: each time is a pass over a table, and its ids
/// are kept in memory meanwhile.
const MAX_RELATED: usize = 20;

/// Where a filter is being read, and how much of it has been.
pub(crate) struct Reading<'s> {
    scope: &'s Scope,
    path: Vec<String>,
    conditions: usize,
    values: usize,
    many: usize,
    related: usize,
}

impl<'s> Reading<'s> {
    /// At the argument of this name, on behalf of this session.
    pub(crate) fn new(scope: &'s Scope, argument: &str) -> Self {
        Self { scope, path: vec![argument.to_owned()], conditions: 0, values: 0, many: 0, related: 0 }
    }

    pub(crate) fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::bad_request(&self.path.join("."), message)
    }

    /// Reads what stands under a name.
    pub(crate) fn under<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.path.len() > MAX_DEPTH {
            return Err(self.wrong(format!("A filter nests at most {MAX_DEPTH} levels deep.")));
        }
        self.path.push(name.to_owned());
        let outcome = read(self);
        self.path.pop();
        outcome
    }

    /// Passes if the session may read such entities: a filter must not say what a list does not show.
    pub(crate) fn require(&self, entity: &AnyEntity) -> Result<(), Failure> {
        entity.require(self.scope)
    }

    /// The session on whose behalf is read.
    pub(crate) fn session(&self) -> &Session {
        self.scope.session()
    }

    /// The time, as the service's clock tells it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.scope.clock().now()
    }

    /// The field of that name as the session may see it; nothing if there is none.
    ///
    /// # Errors
    /// FORBIDDEN if it counts rows that the session may not read.
    pub(crate) fn column(&self, entity: &'static AnyEntity, name: &str) -> Result<Option<Column>, Failure> {
        let Some(field) = entity.field(name) else { return Ok(None) };
        if let Some(counted) = entity.counts(field) {
            self.require(counted)?;
        }
        Ok(entity.column(self.session(), name))
    }

    /// Counts a condition.
    pub(crate) fn count(&mut self) -> Result<(), Failure> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.wrong(format!("A filter has at most {MAX_CONDITIONS} conditions.")));
        }
        Ok(())
    }

    /// Counts a condition on related rows.
    pub(crate) fn count_related(&mut self) -> Result<(), Failure> {
        self.related += 1;
        if self.related > MAX_RELATED {
            return Err(self.wrong(format!("A filter asks for related rows at most {MAX_RELATED} times.")));
        }
        self.count()
    }

    /// Counts the values of a list.
    pub(crate) fn list(&mut self, length: usize) -> Result<(), Failure> {
        self.values = self.values.saturating_add(length);
        if length > MAX_LIST {
            return Err(self.wrong(format!("This list has at most {MAX_LIST} values.")));
        }
        if self.values > MAX_VALUES {
            return Err(
                self.wrong(format!("All lists of a filter have at most {MAX_VALUES} values together."))
            );
        }
        Ok(())
    }

    /// Reads conditions on the rows of a relation to many.
    pub(crate) fn through_many<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.many == MAX_MANY {
            let message = format!("Ask through at most {MAX_MANY} relations to many in one another.");
            return Err(self.wrong(message));
        }
        self.many += 1;
        let outcome = read(self);
        self.many -= 1;
        outcome
    }

    /// The fields of an input object; those that are null are left out.
    pub(crate) fn object(&self, given: GraphQLValue) -> Result<IndexMap<Name, GraphQLValue>, Failure> {
        let GraphQLValue::Object(mut object) = given else {
            return Err(self.wrong("This is not an object."));
        };
        object.retain(|_, value| *value != GraphQLValue::Null);
        Ok(object)
    }
}
