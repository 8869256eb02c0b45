//! What is asked: the cases, and what a single request of each is about.

use clap::ValueEnum;
use rand::{Rng, RngExt, seq::IndexedRandom};
use serde::Serialize;
use uuid::Uuid;

use crate::{load, target::Tenant};

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Case {
    /// One contact: what a request costs at least.
    ById,
    /// The 20 newest contacts, each with its company: the nested list.
    Newest,
    /// The first 20 persons of a country by name, and how many there are.
    Filtered,
    /// How many contacts were added in each month, country by country.
    Grouped,
    /// The first 10 companies by name, each with its 5 newest persons: a list in a list.
    Nested,
    /// A new company: what a change costs, with its audit row.
    Create,
}

/// What one request is about, before it is put into a server's words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    /// The contact of this id.
    Contact(Uuid),
    /// The newest contacts.
    Newest,
    /// The persons of this country.
    Persons(&'static str),
    /// The counts of months and countries.
    Counts,
    /// The companies with their persons.
    Companies,
    /// A new company of this number.
    NewCompany(u32),
}

impl Case {
    /// In the order they are measured: what adds rows comes last.
    pub(crate) const ALL: [Self; 6] =
        [Self::ById, Self::Newest, Self::Filtered, Self::Grouped, Self::Nested, Self::Create];

    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ById => "by_id",
            Self::Newest => "newest",
            Self::Filtered => "filtered",
            Self::Grouped => "grouped",
            Self::Nested => "nested",
            Self::Create => "create",
        }
    }

    /// Where the floor answers it.
    pub(crate) fn floor_path(self) -> &'static str {
        match self {
            Self::ById => "/by_id",
            Self::Newest => "/newest",
            Self::Filtered => "/filtered",
            Self::Grouped => "/grouped",
            Self::Nested => "/nested",
            Self::Create => "/create",
        }
    }

    /// A request of this kind by a user of the tenant.
    pub(crate) fn wish(self, tenant: &Tenant, random: &mut impl Rng) -> Wish {
        match self {
            Self::ById => Wish::Contact(tenant.contacts.choose(random).copied().unwrap_or_default()),
            Self::Newest => Wish::Newest,
            Self::Filtered => Wish::Persons(load::MAIN_COUNTRIES.choose(random).copied().unwrap_or_default()),
            Self::Grouped => Wish::Counts,
            Self::Nested => Wish::Companies,
            Self::Create => Wish::NewCompany(random.random()),
        }
    }
}

/// What a new company of this number is called.
pub(crate) fn company_name(number: u32) -> String {
    format!("Made {number}")
}
