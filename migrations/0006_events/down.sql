REVOKE SELECT, DELETE ON idempotency_keys FROM tessera_system;
DROP POLICY all_rows ON idempotency_keys;
DROP TABLE webhook_deliveries, webhook_secrets, webhook_endpoints, schedules, dead_letters, jobs, events;
