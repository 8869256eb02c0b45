//! Webhooks: events as HTTP requests to addresses that an organisation names.
