REVOKE DELETE ON idempotency_keys FROM tessera_app;
DROP TABLE webhook_deliveries, webhook_secrets, webhook_endpoints, schedules, dead_letters, jobs, events;
