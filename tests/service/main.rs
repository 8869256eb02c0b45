//! Service tests: every one goes through the real server and a real PostgreSQL, and makes an
//! organisation of its own.

mod architecture;
mod catalogue;
mod cluster;
mod contacts;
mod harness;
mod import;
mod isolation;
mod paging;
mod run;
mod schema;
