//! An entity without its type: a description as plain data, and the two functions that need the type.

use std::fmt;

use async_graphql::{Context, ServerResult, Value as GraphQLValue};
use futures_util::future::BoxFuture;
use tenancy::{Failure, Permission, Scope, Session};
use uuid::Uuid;

use crate::{
    field::{Field, Shape, Source},
    kind::Kind,
    life::Life,
    offer::Offer,
    read::selection::ResolverFields,
    sql::{
        column::Column,
        condition::{Link, Path, Sight, Table, Term},
        order::Via,
        values::Values,
    },
};

/// An entity without its type.
#[derive(Debug)]
pub struct AnyEntity {
    /// The GraphQL type: `Contact`.
    pub name: &'static str,
    /// What its ids start with: `contact`.
    pub prefix: &'static str,
    /// The field that holds one: `contact`.
    pub one: &'static str,
    /// The field that holds a list: `contacts`.
    pub many: &'static str,
    /// The table: `contacts`.
    pub(crate) table: &'static str,
    /// A session that holds one of these may read it.
    pub(crate) read: &'static [Permission],
    /// Which rows such a session sees.
    pub(crate) sight: fn(&Session) -> Sight,
    pub(crate) deleted_sight: fn(&Session) -> Sight,
    pub(crate) life: Life,
    pub(crate) offers: &'static [Offer],
    /// Whether its table has the column `search`.
    pub(crate) searchable: bool,
    pub(crate) id: Field,
    /// Its own fields, without those that every entity has.
    pub(crate) own: &'static [Field],
    /// The relation at this place. A function, because relations may lead back to the entity.
    pub(crate) relation_at: fn(usize) -> Option<&'static AnyRelation>,
    pub(crate) resolvers: Resolvers,
}

/// What needs the entity's own resolvers, and so its type.
#[derive(Clone, Copy)]
pub(crate) struct Resolvers {
    /// Resolves the row with this id using the current selection; null if it does not exist.
    pub(crate) one: for<'c> fn(&'c Context<'c>, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    /// Resolves fields that are neither columns nor relations, for each of these rows.
    pub(crate) fields: ResolveFields,
}

type ResolveFields = for<'r, 'c> fn(
    &'r Context<'c>,
    &'r Scope,
    &'r [Values],
    &'r [ResolverFields<'c>],
) -> BoxFuture<'r, Result<Vec<ResolvedRows>, Failure>>;

/// What resolvers answered for one [`ResolverFields`], row by row and field by field; nothing for
/// what failed, which has been noted.
pub(crate) type ResolvedRows = Vec<Vec<Option<GraphQLValue>>>;

/// A relation without the type it starts from.
#[derive(Debug)]
pub(crate) struct AnyRelation {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) target: &'static AnyEntity,
    pub(crate) way: Way,
    /// The field with the id of a relation to one, where it is not among the entity's own.
    pub(crate) id: Option<Field>,
    /// What a column of the row that is referred to must hold.
    pub(crate) refers_only_to: Option<(&'static str, &'static str)>,
}

/// A relation by a column, as the tables have it.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRelation {
    /// The field of the relation.
    pub name: &'static str,
    /// What it leads to.
    pub target: &'static AnyEntity,
    /// Whether it leads to several.
    pub is_many: bool,
    /// The column with the other's id: of the entity's own table, or of the target's if that has several.
    pub column: &'static str,
}

/// How to get to the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Our column holds the id of the one other.
    One { column: &'static str },
    /// They belong to us.
    Many { link: Link },
}

impl AnyEntity {
    /// Its fields: the id, its own, the ids of its relations, and those that every entity ends with.
    pub(crate) fn fields(&'static self) -> impl Iterator<Item = &'static Field> {
        let of_relations = self.relations().filter_map(|relation| relation.id.as_ref());
        std::iter::once(&self.id).chain(self.own).chain(of_relations).chain(self.life.fields())
    }

    /// The field of that name.
    pub(crate) fn field(&'static self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.shape.name == name)
    }

    /// Its table.
    pub fn table(&self) -> &'static str {
        self.table
    }

    /// What becomes of its rows.
    pub fn life(&self) -> Life {
        self.life
    }

    /// Whether it offers this.
    pub fn offers(&self, offer: Offer) -> bool {
        self.offers.contains(&offer)
    }

    /// Whether its list can be searched.
    pub fn is_searchable(&self) -> bool {
        self.searchable
    }

    /// Its relations.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &'static AnyRelation> {
        (0..).map_while(self.relation_at)
    }

    /// Its relations by a column, as the tables have them.
    pub fn column_relations(&self) -> impl Iterator<Item = ColumnRelation> {
        self.relations().filter_map(|relation| {
            let (is_many, column) = match relation.way {
                Way::One { column } => (false, column),
                Way::Many { link: Link::Column(column) } => (true, column),
                Way::Many { link: Link::Between(_) } => return None,
            };
            Some(ColumnRelation { name: relation.name, target: relation.target, is_many, column })
        })
    }

    /// The relation of that name.
    pub(crate) fn relation(&self, name: &str) -> Option<&'static AnyRelation> {
        self.relations().find(|relation| relation.name == name)
    }

    /// The field of that name as this session may see it.
    pub(crate) fn column(&'static self, session: &Session, name: &str) -> Option<Column> {
        let field = self.field(name)?;
        let Shape { name, source, kind, nullable } = field.shape;
        let term = match source {
            Source::Column(column) => match self.reference(column) {
                // The id of a row that may not be seen is not seen either.
                Some(target) if !target.shows_all(session) => {
                    return Some(Column {
                        name,
                        kind,
                        nullable: true,
                        term: Term::Reference(column, target.rows(session)),
                    });
                }
                _ => Term::Column(column),
            },
            Source::Expression(expression) => Term::Expression(expression),
            Source::Count(relation, condition) => {
                let relation = self.relation(relation)?;
                Term::Count(Box::new(relation.path(session)), Box::new((condition.0)()))
            }
        };
        Some(Column { name, kind, nullable, term })
    }

    /// What a list is ordered by for the field of that name.
    pub(crate) fn sort_column(&'static self, session: &Session, name: &str) -> Option<Column> {
        let field = self.field(name).filter(|field| field.shape.kind.is_ordered())?;
        let column = self.column(session, name)?;
        Some(match field.sorted_by {
            Some(Shape { source: Source::Column(sorted_by), kind, nullable, .. }) => {
                Column { term: Term::Column(sorted_by), kind, nullable, ..column }
            }
            _ => column,
        })
    }

    /// What must also be held to read the field of that name: what it counts.
    pub(crate) fn counts(&self, field: &Field) -> Option<&'static Self> {
        match field.shape.source {
            Source::Count(relation, _) => self.relation(relation).map(|relation| relation.target),
            _ => None,
        }
    }

    /// The entity that this column refers to.
    fn reference(&self, column: &str) -> Option<&'static Self> {
        let refers =
            |relation: &&AnyRelation| matches!(relation.way, Way::One { column: own } if own == column);
        self.relations().find(refers).map(|relation| relation.target)
    }

    /// Passes if the session may read such rows at all.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN.
    pub(crate) fn require(&self, scope: &Scope) -> Result<(), Failure> {
        scope.require_any(self.read)
    }

    /// Its relations to one.
    pub(crate) fn relations_to_one(&self) -> impl Iterator<Item = &'static AnyRelation> {
        self.relations().filter(|relation| matches!(relation.way, Way::One { .. }))
    }

    /// Its rows that the session sees, and that are not deleted.
    pub(crate) fn rows(&self, session: &Session) -> Table {
        let may_read = session.holds_any(self.read);
        let seen = |sight: fn(&Session) -> Sight| if may_read { sight(session) } else { Sight::None };
        match self.life {
            Life::Deletable => Table::live(self.table, seen(self.sight), seen(self.deleted_sight)),
            Life::Kept | Life::AppendOnly => Table::kept(self.table, seen(self.sight)),
        }
    }

    /// All rows of the organisation, for rules that must know of them. What they say must not tell rows
    /// that the session does not see from rows that do not exist.
    pub(crate) fn all_rows(&self) -> Table {
        match self.life {
            Life::Deletable => Table::live(self.table, Sight::All, Sight::All).with_deleted(),
            Life::Kept | Life::AppendOnly => Table::kept(self.table, Sight::All),
        }
    }

    /// Whether the session sees all rows of the organisation, deleted ones included.
    pub(crate) fn shows_all(&self, session: &Session) -> bool {
        let all = |sight: fn(&Session) -> Sight| sight(session) == Sight::All;
        session.holds_any(self.read)
            && all(self.sight)
            && (!self.life.is_deletable() || all(self.deleted_sight))
    }

    /// As type names spell several: `Contacts`.
    pub(crate) fn plural(&self) -> String {
        capital(self.many)
    }
}

impl AnyRelation {
    /// How the table of a relation to one is joined.
    pub(crate) fn via(&self, session: &Session) -> Option<Via> {
        let Way::One { .. } = self.way else { return None };
        Some(Via { relation: self.name, target: self.target.name, path: self.path(session) })
    }

    /// The way to its rows that the session sees.
    pub(crate) fn path(&self, session: &Session) -> Path {
        let (ours, theirs, between) = match self.way {
            Way::One { column } => (column, "id", None),
            Way::Many { link: Link::Column(column) } => ("id", column, None),
            Way::Many { link: Link::Between(between) } => ("id", "id", Some(between)),
        };
        Path { table: self.target.rows(session), ours, theirs, between }
    }

    /// The column of a relation to one, if the field holds it.
    pub(crate) fn id_column_of(&self, field: &Field) -> Option<&'static str> {
        match self.way {
            Way::One { column } if field.shape.column() == Some(column) => Some(column),
            _ => None,
        }
    }

    /// The column of a relation to one, by which its row is found; it is not shown.
    pub(crate) fn id_column(&self, column: &'static str) -> Column {
        let term = Term::Column(column);
        Column { name: self.name, kind: Kind::Id(self.target.prefix), nullable: true, term }
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolvers")
    }
}

/// With a capital at the front: as types are called.
pub(crate) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
