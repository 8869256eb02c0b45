//! The demo organisations: two, to show that tenants are isolated.

use std::net::{Ipv4Addr, SocketAddr};

use chrono::TimeDelta;
use domain_crm::{Contact, Product};
use domain_identity::{SignUpInput, TokenKeys, sign_up};
use listing::{CsvColumn, ImportInput, Many, import};
use tenancy::{Addresses, Clock, ErrorCode, Failure, Limits, RequestId, Scope, Settings};

use crate::{Service, configuration::Mail};

/// E-mail, password and organisation of each demo log-in.
pub(crate) const LOG_INS: [(&str, &str, &str); 2] = [
    ("ada@harbour.example", "harbour-demo", "Harbour Trading"),
    ("ben@orchard.example", "orchard-demo", "Orchard Supplies"),
];

const CUSTOMERS: &str = include_str!("../../demo/customers.csv");
const GROWERS: &str = include_str!("../../demo/growers.csv");
const PRODUCTS: &str = include_str!("../../demo/products.csv");
const PRODUCE: &str = include_str!("../../demo/produce.csv");

/// How long ago the first rows were added.
const SPREAD: TimeDelta = TimeDelta::days(730);

/// Columns of a CSV file, and the fields they are imported into.
type Columns = &'static [(&'static str, &'static str)];

const ADDRESS: [(&str, &str); 6] = [
    ("phone", "phones"),
    ("address", "street"),
    ("postal_code", "postalCode"),
    ("city", "city"),
    ("region", "region"),
    ("country", "country"),
];
const COMPANIES: &[(&str, &str)] = &[("company_name", "name")];
const PEOPLE: &[(&str, &str)] =
    &[("contact_name", "name"), ("company_name", "company"), ("contact_title", "notes")];
const CATALOGUE: Columns = &[("product", "name"), ("cost", "ourCost"), ("price", "clientPrice")];

/// Loads the demo without serving the database.
pub(crate) async fn load_into(addresses: &Addresses) -> Result<(), String> {
    // Tokens signed with this key are used in this process only.
    let keys = TokenKeys::random();
    // Loading the demo sends no mail.
    let mail = Mail { smtp_url: None, mail_from: None, public_url: None };
    let mail = mail.settings(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None)?;
    let service =
        Service::open(addresses, &Limits::default(), keys, Clock::system(), &mail, Settings::default()).await;
    load(&service.map_err(|error| error.to_string())?).await
}

/// Loads the demo, unless it exists.
pub(crate) async fn load(service: &Service) -> Result<(), String> {
    let [harbour, orchard] = LOG_INS;
    load_one(service, "harbour", harbour, ["Ada", "Harbour"], [CUSTOMERS, PRODUCTS]).await?;
    load_one(service, "orchard", orchard, ["Ben", "Orchard"], [GROWERS, PRODUCE]).await
}

async fn load_one(
    service: &Service,
    slug: &str,
    (email, password, organisation): (&str, &str, &str),
    [first, last]: [&str; 2],
    [customers, products]: [&str; 2],
) -> Result<(), String> {
    let request_id = RequestId::new();
    let input = SignUpInput {
        organisation_name: organisation.to_owned(),
        slug: Some(slug.to_owned()),
        email: email.to_owned(),
        password: password.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
    };
    let admin = match sign_up(&service.identity, &request_id, input).await {
        Ok(admin) => admin,
        Err(Failure::User(errors)) if errors.iter().any(|error| error.code == ErrorCode::AlreadyExists) => {
            return Ok(());
        }
        Err(failure) => return Err(failed(&failure)),
    };
    let scope = service.scope_of(&admin.access_token, request_id).await;
    let scope = scope.map_err(|failure| failed(&failure))?;
    // Customers are imported twice: first the companies, then their employees.
    for columns in [COMPANIES, PEOPLE] {
        let columns: Vec<_> = columns.iter().chain(&ADDRESS).copied().collect();
        for (scope, customer) in spread(&scope, customers) {
            made(import::<Contact>(&scope, csv(&customer, columns.iter().copied())).await)?;
        }
    }
    for (scope, product) in spread(&scope, products) {
        made(import::<Product>(&scope, csv(&product, CATALOGUE.iter().copied())).await)?;
    }
    Ok(())
}

/// Each row of a CSV as one of its own, with a scope whose clock runs behind: so rows are spread over
/// [`SPREAD`], and figures by month have something to show.
fn spread(scope: &Scope, text: &str) -> Vec<(Scope, String)> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let rows: Vec<&str> = lines.collect();
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX).max(1);
    let earlier = (1..=count).rev().map(|place| scope.at(scope.clock().behind(SPREAD / count * place)));
    earlier.zip(rows).map(|(scope, row)| (scope, format!("{header}\n{row}\n"))).collect()
}

fn csv(text: &str, columns: impl Iterator<Item = (&'static str, &'static str)>) -> ImportInput {
    let column =
        |(column, field): (&str, &str)| CsvColumn { column: column.into(), field: Some(field.into()) };
    ImportInput { csv: text.to_owned(), columns: columns.map(column).collect(), ..ImportInput::default() }
}

fn made<E>(many: Result<Many<E>, Failure>) -> Result<(), String> {
    let many = many.map_err(|failure| failed(&failure))?;
    match many.row_errors.first() {
        Some(error) => Err(format!("the demo data has a mistake: {error:?}")),
        None => Ok(()),
    }
}

fn failed(failure: &Failure) -> String {
    format!("the demo data could not be loaded: {failure:?}")
}
