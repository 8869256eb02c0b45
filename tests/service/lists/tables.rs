//! What the schema says of entities, said a second time: the tests hold the service to this and not
//! to its own table of fields.

use std::fmt::{self, Debug, Formatter};

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Choice(&'static [&'static str]),
    Integer,
    Decimal,
    Boolean,
    Instant,
    Date,
    Id,
    Texts,
    /// Several names of an enum.
    Choices(&'static [&'static str]),
    Json,
    /// Objects of this type, each known by the value under this key.
    Parts(&'static Part),
}

/// What an entity has several of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// The input that filters them.
    pub(super) filter: &'static str,
    pub(super) fields: &'static [&'static str],
}

/// An entity.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) fields: &'static [(&'static str, Kind)],
    pub(super) to_one: &'static [&'static Relation],
    pub(super) to_many: &'static [&'static Relation],
}

/// A relation. `holder` is the field that holds the id, on the side that has one.
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) holder: &'static str,
    pub(super) target: &'static Table,
}

// Entities are related in circles, so only their names are shown.
impl Debug for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Debug for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

use super::fixture::ROLES;
use Kind::{Boolean, Choice, Choices, Date, Decimal, Id, Instant, Integer, Json, Parts, Text, Texts};

static EMAIL: Part =
    Part { name: "EmailAddress", filter: "EmailAddressListFilter", fields: &["address", "label"] };
static PHONE: Part =
    Part { name: "PhoneNumber", filter: "PhoneNumberListFilter", fields: &["number", "label"] };
static ADDRESS: Part = Part {
    name: "PostalAddress",
    filter: "PostalAddressListFilter",
    fields: &["street", "postalCode", "city", "region", "country", "label"],
};

/// No field of the schema: the row remembers who made it, and clients see the relation alone.
pub(super) const CREATOR: &str = "createdById";
static CREATED_BY: Relation = Relation { name: "createdBy", holder: CREATOR, target: &USERS };
static COMPANY: Relation = Relation { name: "company", holder: "companyId", target: &CONTACTS };
static PEOPLE: Relation = Relation { name: "people", holder: "companyId", target: &CONTACTS };

pub(super) static CONTACTS: Table = Table {
    name: "Contact",
    one: "contact",
    many: "contacts",
    fields: &[
        ("id", Id),
        ("kind", Choice(&["COMPANY", "PERSON"])),
        ("name", Text),
        ("companyId", Id),
        ("email", Text),
        ("phone", Text),
        ("city", Text),
        ("country", Text),
        ("emails", Parts(&EMAIL)),
        ("phones", Parts(&PHONE)),
        ("addresses", Parts(&ADDRESS)),
        ("birthday", Date),
        ("tags", Texts),
        ("customFields", Json),
        ("notes", Text),
        ("externalId", Text),
        ("createdAt", Instant),
        ("updatedAt", Instant),
        ("revision", Integer),
        ("createdById", Id),
        ("deletedAt", Instant),
    ],
    to_one: &[&COMPANY, &CREATED_BY],
    to_many: &[&PEOPLE],
};

pub(super) static PRODUCTS: Table = Table {
    name: "Product",
    one: "product",
    many: "products",
    fields: &[
        ("id", Id),
        ("name", Text),
        ("category", Text),
        ("ourCost", Decimal),
        ("clientPrice", Decimal),
        ("margin", Decimal),
        ("unit", Text),
        ("active", Boolean),
        ("externalId", Text),
        ("createdAt", Instant),
        ("updatedAt", Instant),
        ("revision", Integer),
        ("createdById", Id),
        ("deletedAt", Instant),
    ],
    to_one: &[&CREATED_BY],
    to_many: &[],
};

pub(super) static USERS: Table = Table {
    name: "User",
    one: "user",
    many: "users",
    fields: &[
        ("id", Id),
        ("name", Text),
        ("firstName", Text),
        ("lastName", Text),
        ("email", Text),
        ("roles", Choices(ROLES)),
        ("active", Boolean),
        ("createdAt", Instant),
        ("updatedAt", Instant),
        ("revision", Integer),
        ("createdById", Id),
        ("deletedAt", Instant),
    ],
    to_one: &[&CREATED_BY],
    to_many: &[],
};

impl Kind {
    /// Whether lists can be ordered by it.
    pub(super) fn is_ordered(self) -> bool {
        !matches!(self, Texts | Choices(_) | Json | Parts(_))
    }

    /// What the schema calls the input of its operators, and which these are.
    pub(super) fn operators(self) -> (&'static str, &'static [&'static str]) {
        const ORDERED: &[&str] = &["eq", "ne", "in", "notIn", "gt", "gte", "lt", "lte", "isNull"];
        const NAME: &[&str] = &["eq", "ne", "in", "notIn", "isNull"];
        const LIST: &[&str] = &["has", "hasAny", "hasAll", "isEmpty"];
        match self {
            Text => (
                "StringFilter",
                &[
                    "eq",
                    "ne",
                    "in",
                    "notIn",
                    "contains",
                    "eqIgnoreCase",
                    "startsWith",
                    "endsWith",
                    "gt",
                    "gte",
                    "lt",
                    "lte",
                    "isNull",
                ],
            ),
            Choice(_) => ("ContactKindFilter", NAME),
            Id => ("IDFilter", NAME),
            Integer => ("IntFilter", ORDERED),
            Decimal => ("DecimalFilter", ORDERED),
            Instant => ("DateTimeFilter", ORDERED),
            Date => ("DateFilter", ORDERED),
            Boolean => ("BooleanFilter", &["eq", "isNull"]),
            Texts => ("StringListFilter", LIST),
            Parts(part) => (part.filter, &["some", "none", "isEmpty"]),
            Choices(_) => ("RoleListFilter", LIST),
            Json => ("JSONFilter", &["contains"]),
        }
    }
}

impl Table {
    pub(super) fn kind(&self, field: &str) -> Option<Kind> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, kind)| *kind)
    }

    pub(super) fn to_one(&self, name: &str) -> Option<&'static Relation> {
        self.to_one.iter().find(|relation| relation.name == name).copied()
    }

    pub(super) fn to_many(&self, name: &str) -> Option<&'static Relation> {
        self.to_many.iter().find(|relation| relation.name == name).copied()
    }
}
