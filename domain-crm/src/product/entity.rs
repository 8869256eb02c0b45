use async_graphql::SimpleObject;

use diesel::prelude::*;
use domain_identity::created_by;
use listing::{Decimal, Entity, Field, Id, Identified, Instant, Offer, Relation, Rule, Sight, Value};
use tenancy::{Permission, Session};
use uuid::Uuid;

use crate::tables::products;

const MAX_NAME: usize = 255;
const MAX_CATEGORY: usize = 100;
const MAX_EXTERNAL_ID: usize = 255;
const MAX_UNIT: usize = 50;
/// Amounts up to a billion, in hundredths of a cent.
const AMOUNT: Rule = Rule::Amount(9, 4);

/// Something the organisation sells. Amounts are in the organisation's currency.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = products)]
#[graphql(complex)]
pub struct Product {
    /// The ID.
    pub id: Id<Product>,
    /// The name.
    pub name: String,
    /// The category that it is listed under.
    pub category: Option<String>,
    /// What one unit costs the organisation.
    pub our_cost: Decimal,
    /// What a client pays for one unit.
    pub client_price: Decimal,
    /// What remains of the price: `clientPrice` less `ourCost`.
    pub margin: Decimal,
    /// The unit that is sold: `hour`, `service`, `piece`.
    pub unit: Option<String>,
    /// Whether it is still sold.
    pub active: bool,
    /// The ID in the system that the record comes from. An import finds the record again by it.
    pub external_id: Option<String>,
    /// When the record was created.
    pub created_at: Instant,
    /// When the record was last changed.
    pub updated_at: Instant,
    #[graphql(skip)]
    pub(crate) created_by: Option<Uuid>,
    /// Counts the changes. Send it as `expectedRevision` with the next change.
    pub revision: i32,
    /// When the record was deleted; null if it is not deleted.
    pub deleted_at: Option<Instant>,
}

listing::related!(Product);

impl Identified for Product {
    const NAME: &'static str = "Product";
    const PREFIX: &'static str = "product";
}

impl Entity for Product {
    const ONE: &'static str = "product";
    const MANY: &'static str = "products";
    const TABLE: &'static str = "products";
    const OFFERS: &'static [Offer] = Offer::ALL;
    const SEARCHABLE: bool = true;
    const READ: &'static [Permission] = &[Permission::ReadProducts];
    const FIELDS: &'static [Field] = &[
        Field::new("name", products::name).required(Rule::Line(MAX_NAME)),
        Field::new("category", products::category).optional(Rule::Line(MAX_CATEGORY)),
        Field::new("ourCost", products::our_cost).or(AMOUNT, zero),
        Field::new("clientPrice", products::client_price).or(AMOUNT, zero),
        Field::new("margin", products::margin),
        Field::new("unit", products::unit).optional(Rule::Line(MAX_UNIT)),
        Field::new("active", products::active).or(Rule::Any, || true.into()),
        Field::new("externalId", products::external_id).optional(Rule::Line(MAX_EXTERNAL_ID)),
    ];
    const RELATIONS: &'static [Relation<Self>] =
        &[created_by(products::created_by, |it: &Self| it.created_by)];

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

fn zero() -> Value {
    Value::Decimal(Decimal::default())
}
