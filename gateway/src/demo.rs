//! The demo organisations: two, so that it can be seen that neither sees the other.

use domain_crm::Contact;
use domain_identity::{SignUpInput, TokenKeys, sign_up};
use listing::{ImportInput, import};
use tenancy::{Addresses, Clock, ErrorCode, Failure, Limits, RequestId};

use crate::Service;

/// E-mail, password and organisation of each demo log-in.
pub(crate) const LOG_INS: [(&str, &str, &str); 2] = [
    ("ada@harbour.example", "harbour-demo", "Harbour Trading"),
    ("ben@orchard.example", "orchard-demo", "Orchard Supplies"),
];

const CUSTOMERS: &str = include_str!("../../demo/customers.csv");
const GROWERS: &str = include_str!("../../demo/growers.csv");

/// Each file twice: its companies, then the people who work there.
const IMPORTS: [&[(&str, &str)]; 2] = [
    &[("company_name", "name")],
    &[("contact_name", "name"), ("company_name", "company"), ("contact_title", "notes")],
];

/// Loads the demo into a database that nobody serves yet.
pub(crate) async fn load_into(addresses: &Addresses) -> Result<(), String> {
    // Tokens of this key leave the process no more than it does.
    let keys = TokenKeys::random();
    let service = Service::open(addresses, &Limits::default(), keys, Clock::system()).await;
    load(&service.map_err(|error| error.to_string())?).await
}

/// Loads the demo, unless it is there.
pub(crate) async fn load(service: &Service) -> Result<(), String> {
    let [harbour, orchard] = LOG_INS;
    load_one(service, "harbour", harbour, ["Ada", "Harbour"], CUSTOMERS).await?;
    load_one(service, "orchard", orchard, ["Ben", "Orchard"], GROWERS).await
}

async fn load_one(
    service: &Service,
    slug: &str,
    (email, password, organisation): (&str, &str, &str),
    [first, last]: [&str; 2],
    customers: &str,
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
    let session = service.identity.authenticate(&admin.access_token, &request_id).await;
    let scope = service.scope(session.map_err(|failure| failed(&failure))?, request_id);
    for columns in IMPORTS {
        let column = |(column, field): &(&str, &str)| listing::CsvColumn {
            column: (*column).into(),
            field: (*field).into(),
        };
        let input = ImportInput {
            csv: customers.to_owned(),
            columns: Some(columns.iter().map(column).collect()),
            dry_run: false,
            skip_invalid: false,
            idempotency_key: None,
        };
        import::<Contact>(&scope, input).await.map_err(|failure| failed(&failure))?;
    }
    Ok(())
}

fn failed(failure: &Failure) -> String {
    format!("the demo data could not be loaded: {failure:?}")
}
