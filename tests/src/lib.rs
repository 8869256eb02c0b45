//! Only tests: see `service/`.
