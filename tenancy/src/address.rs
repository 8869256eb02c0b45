use thiserror::Error;
use url::Url;

/// The URLs of PostgreSQL, one for each of the service's three roles.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// A member of `tessera_app`, for all tenant work.
    pub app: Url,
    /// A member of `tessera_system`, for log-in and creating organisations.
    pub system: Url,
    /// The owner of the tables, for migrations only.
    pub owner: Url,
}

/// An invalid URL.
#[derive(Debug, Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("{variable} is not an URL such as postgres://user:password@host:5432/database: {reason}")]
    NotAnUrl {
        /// The environment variable that holds it.
        variable: &'static str,
        /// The error of the parser.
        reason: String,
    },
    /// A URL that lacks a part.
    #[error("{variable} must start with postgres:// and name a user and a database")]
    Incomplete {
        /// The environment variable that holds it.
        variable: &'static str,
    },
}

impl Addresses {
    /// Parses `DATABASE_URL`, `DATABASE_SYSTEM_URL` and `DATABASE_OWNER_URL`.
    ///
    /// The last two default to the first, with `_system` and `_owner` appended to the user name.
    ///
    /// # Errors
    /// Not a PostgreSQL URL with a user and a database.
    pub fn parse(app: &str, system: Option<&str>, owner: Option<&str>) -> Result<Self, AddressError> {
        let app = parse("DATABASE_URL", app)?;
        let derived = |variable, suffix| {
            let mut url = app.clone();
            url.set_username(&format!("{}{suffix}", app.username()))
                .map_err(|()| AddressError::Incomplete { variable })?;
            Ok(url)
        };
        Ok(Self {
            system: match system {
                Some(given) => parse("DATABASE_SYSTEM_URL", given)?,
                None => derived("DATABASE_SYSTEM_URL", "_system")?,
            },
            owner: match owner {
                Some(given) => parse("DATABASE_OWNER_URL", given)?,
                None => derived("DATABASE_OWNER_URL", "_owner")?,
            },
            app,
        })
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        self.app.path().trim_start_matches('/')
    }
}

fn parse(variable: &'static str, given: &str) -> Result<Url, AddressError> {
    let url =
        Url::parse(given).map_err(|error| AddressError::NotAnUrl { variable, reason: error.to_string() })?;
    let postgres = matches!(url.scheme(), "postgres" | "postgresql");
    if !postgres || url.username().is_empty() || url.path().len() < 2 {
        return Err(AddressError::Incomplete { variable });
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_roles_follow_from_the_first() {
        let addresses = Addresses::parse("postgres://gateway:s@host:1/tessera", None, None).unwrap();
        assert_eq!(addresses.system.as_str(), "postgres://gateway_system:s@host:1/tessera");
        assert_eq!(addresses.owner.as_str(), "postgres://gateway_owner:s@host:1/tessera");
        assert_eq!(addresses.database(), "tessera");
    }

    #[test]
    fn an_address_without_user_or_database_is_refused() {
        for given in ["postgres://host/tessera", "postgres://gateway@host", "http://a@b/c", "nonsense"] {
            assert!(Addresses::parse(given, None, None).is_err(), "{given}");
        }
    }
}
