DROP TABLE idempotency_keys, audit_entries;
DROP FUNCTION protect_entity, protect_tenant_table, touch_row, write_audit, acting_user, service_now;
