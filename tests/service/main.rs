//! Service tests: every one goes through the real server and a real PostgreSQL, and makes an
//! organisation of its own.

mod contacts;
mod harness;
mod schema;
