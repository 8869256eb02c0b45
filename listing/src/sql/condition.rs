//! Which rows a statement is about, as plain data; `render` writes it as SQL.

use std::sync::Arc;

use uuid::Uuid;

use crate::{kind::Parts, sql::list::List, value::Value};

/// A condition on the rows of one table, erased: plain data that renders as SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All of these hold; true if there are none.
    All(Vec<Condition>),
    /// One of these holds; false if there are none.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// The term compares so with this value. An empty one compares with nothing, and differs from
    /// everything.
    Is(Term, Comparison, Value),
    /// The term has one of these names of an enum. They are written into the statement, so that partial
    /// indexes serve it whatever the plan.
    Named(Term, Comparison, &'static str),
    /// The term has one of these values.
    OneOf(Term, List),
    /// The term is empty.
    Empty(Term),
    /// The text of the term matches this pattern, whatever the case of its letters.
    Like(Term, String),
    /// The row contains each word of this text, whatever the case and the accents.
    Matches(String),
    /// The list or the JSON of the term contains all of this.
    Contains(Term, Value),
    /// The list of texts of the term has one of these.
    Overlaps(Term, Vec<String>),
    /// One of the parts in the JSON of the term meets a condition, whose columns are the part's fields.
    Part(Term, Parts, Box<Condition>),
    /// A related row is there and meets a condition.
    Related(Path, Box<Condition>),
    /// So many related rows are there.
    Counted(Path, Comparison, i64),
    /// The row belongs to the parent in a statement for many parents.
    OfParent(Link),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Different, or one of them empty.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

/// From the rows of one table to those of another: where our column equals theirs, or where a row of a
/// table between them names both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub(crate) table: Table,
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) between: Option<Between>,
}

/// A table between two others, whose rows hold an id of each: which user has which role. Nothing of it
/// is deleted softly, and its own sight does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Between {
    pub(crate) table: &'static str,
    /// Its column with our id.
    pub(crate) ours: &'static str,
    /// Its column with their id.
    pub(crate) theirs: &'static str,
}

/// How a row belongs to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// By its column with the parent's id.
    Column(&'static str),
    /// By a table between them.
    Between(Between),
}

/// A value of a row, as SQL computes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// What stands in a column.
    Column(&'static str),
    /// An expression over the row's columns, in which `{row}` is the name of its table.
    Expression(&'static str),
    /// The id in a column; empty where the row that it refers to may not be seen.
    Reference(&'static str, Table),
    /// How many related rows there are that meet a condition.
    Count(Box<Path>, Box<Condition>),
}

/// The rows of a table that a statement reaches. Only `render` reads its name, and with it always
/// writes which rows are left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    pub(in crate::sql) name: &'static str,
    pub(in crate::sql) rows: Rows,
    pub(in crate::sql) sight: Arc<Sight>,
    /// Which of the deleted rows are seen.
    pub(in crate::sql) deleted_sight: Arc<Sight>,
}

/// Which of its rows a statement reaches, by their deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::sql) enum Rows {
    /// Those that are not deleted.
    Live,
    /// Those that are deleted.
    Deleted,
    /// Both.
    All,
    /// All: nothing of the table is ever deleted.
    Kept,
}

/// Which rows of an entity a session sees. What it does not see it cannot tell from what does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// All of the organisation.
    All,
    /// None.
    None,
    /// Those to which one of these ways leads.
    Ways(Vec<SeenBy>),
}

/// One way by which a session comes to see rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SeenBy {
    /// By the row's own columns: few rows for each session.
    Own(Condition),
    /// By the row's own columns: perhaps most rows.
    Most(Condition),
    /// By rows of a table that joins: watchers of a ticket. Few for each session.
    Through {
        /// The table that joins. Its own sight does not matter here.
        table: Table,
        /// Its column with the id of the row.
        row: &'static str,
        /// What its rows must meet.
        condition: Condition,
    },
    /// By the row that a column refers to: a session that sees the ticket sees its tasks. Apart, because
    /// they are looked for in different ways: those few to which narrow ways lead, and all others.
    With {
        /// To the rows that are seen by narrow ways.
        few: Option<Path>,
        /// To those that are seen by others.
        most: Option<Path>,
    },
}

impl SeenBy {
    /// Whether it leads to few rows for each session.
    fn is_narrow(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Through { .. } | Self::With { most: None, .. })
    }

    /// Whether rows of other tables decide it.
    fn depends_on_others(&self) -> bool {
        match self {
            Self::Own(condition) | Self::Most(condition) => condition.depends_on_others(),
            Self::Through { .. } | Self::With { .. } => true,
        }
    }

    /// By the row of `table` whose id stands in a column.
    pub(crate) fn with(column: &'static str, table: &Table) -> Self {
        let path = |sight| {
            let table = Table { sight: Arc::new(sight), ..table.clone() };
            Some(Path { table, ours: column, theirs: "id", between: None })
        };
        let (few, most) = match &*table.sight {
            Sight::All => (None, path(Sight::All)),
            Sight::None => (None, None),
            Sight::Ways(ways) => {
                let (few, most): (Vec<_>, Vec<_>) = ways.iter().cloned().partition(Self::is_narrow);
                let path = |ways: Vec<Self>| if ways.is_empty() { None } else { path(Sight::Ways(ways)) };
                (path(few), path(most))
            }
        };
        Self::With { few, most }
    }
}

impl Table {
    /// The rows of this table that are not deleted and that `sight` shows.
    pub(crate) fn live(name: &'static str, sight: Sight, deleted_sight: Sight) -> Self {
        let (sight, deleted_sight) = (Arc::new(sight), Arc::new(deleted_sight));
        Self { name, rows: Rows::Live, sight, deleted_sight }
    }

    /// The rows that `sight` shows, of a table of which nothing is deleted.
    pub(crate) fn kept(name: &'static str, sight: Sight) -> Self {
        Self { name, rows: Rows::Kept, sight: Arc::new(sight), deleted_sight: Arc::new(Sight::None) }
    }

    /// The same table with its deleted rows.
    pub(crate) fn with_deleted(self) -> Self {
        match self.rows {
            Rows::Kept => self,
            _ => Self { rows: Rows::All, ..self },
        }
    }

    /// The deleted rows of the same table alone.
    pub(crate) fn only_deleted(self) -> Self {
        Self { rows: Rows::Deleted, ..self }
    }

    /// Whether the session sees few of its rows.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(&*self.sight, Sight::Ways(ways) if ways.iter().all(SeenBy::is_narrow))
    }

    /// Whether rows of other tables decide which rows are seen. A change then locks the row first, and
    /// asks again whether it is seen: what was true before the wait may not be any more.
    pub(crate) fn depends_on_others(&self) -> bool {
        let depends = |sight: &Sight| match sight {
            Sight::All | Sight::None => false,
            Sight::Ways(ways) => ways.iter().any(SeenBy::depends_on_others),
        };
        match self.rows {
            Rows::Live | Rows::Kept => depends(&self.sight),
            Rows::Deleted => depends(&self.deleted_sight),
            Rows::All => depends(&self.sight) || depends(&self.deleted_sight),
        }
    }
}

impl Term {
    /// The column, if it is nothing else.
    pub(crate) fn column(&self) -> Option<&'static str> {
        if let Self::Column(column) = self { Some(column) } else { None }
    }
}

impl Comparison {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " IS DISTINCT FROM ",
            Self::Gt => " > ",
            Self::Gte => " >= ",
            Self::Lt => " < ",
            Self::Lte => " <= ",
        }
    }

    pub(in crate::sql) fn holds(self, one: i64, other: i64) -> bool {
        match self {
            Self::Eq => one == other,
            Self::Ne => one != other,
            Self::Gt => one > other,
            Self::Gte => one >= other,
            Self::Lt => one < other,
            Self::Lte => one <= other,
        }
    }
}

impl Condition {
    /// The row has this id.
    pub(crate) fn id(id: Uuid) -> Self {
        Self::Is(ID, Comparison::Eq, Value::Uuid(id))
    }

    /// The row has this revision.
    pub(crate) fn revision(revision: i32) -> Self {
        Self::Is(Term::Column("revision"), Comparison::Eq, Value::Integer(revision))
    }

    /// The row has one of these ids.
    pub(crate) fn ids(ids: Vec<Uuid>) -> Self {
        match ids.as_slice() {
            [id] => Self::id(*id),
            _ => Self::OneOf(ID, List::Uuids(ids)),
        }
    }

    /// Whether it may look beyond the row's own columns; an expression counts as such.
    fn depends_on_others(&self) -> bool {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().any(Self::depends_on_others),
            Self::Not(condition) => condition.depends_on_others(),
            Self::Is(term, ..)
            | Self::Named(term, ..)
            | Self::OneOf(term, _)
            | Self::Empty(term)
            | Self::Like(term, _)
            | Self::Contains(term, _)
            | Self::Overlaps(term, _)
            | Self::Part(term, ..) => term.column().is_none(),
            Self::Matches(_) => false,
            Self::Related(..) | Self::Counted(..) | Self::OfParent(_) => true,
        }
    }

    /// What this says of the row's id, said of a column that holds it. None if it says nothing.
    pub(crate) fn of_id_in(&self, column: &'static str) -> Option<Self> {
        match self {
            Self::All(all) => all.iter().find_map(|condition| condition.of_id_in(column)),
            Self::Is(Term::Column("id"), Comparison::Eq, id) => {
                Some(Self::Is(Term::Column(column), Comparison::Eq, id.clone()))
            }
            Self::OneOf(Term::Column("id"), ids) => Some(Self::OneOf(Term::Column(column), ids.clone())),
            _ => None,
        }
    }
}

/// The row's own id.
const ID: Term = Term::Column("id");
