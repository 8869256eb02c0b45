//! What tests and measurements share; the tests themselves are in `service/`.

pub mod hostile;
