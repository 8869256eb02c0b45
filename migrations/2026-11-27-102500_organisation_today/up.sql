-- The organisation's date at the transaction's clock.

-- The organisation's time zone as its row has it, for transactions that were not told: those of
-- background jobs. A function of its own, because PostgreSQL only inlines a function without a
-- sub-select, as organisation_today() must be.
CREATE FUNCTION stored_time_zone() RETURNS text LANGUAGE sql STABLE
    RETURN (SELECT time_zone FROM organisations WHERE id = current_setting('app.organisation_id')::uuid);
GRANT EXECUTE ON FUNCTION stored_time_zone() TO tessera_app, tessera_system;

CREATE FUNCTION organisation_today() RETURNS date LANGUAGE sql STABLE
    RETURN (service_now() AT TIME ZONE coalesce(nullif(current_setting('app.time_zone', true), ''), stored_time_zone()))::date;
GRANT EXECUTE ON FUNCTION organisation_today() TO tessera_app, tessera_system;

-- Gateways remember the time zone with the session.
CREATE TRIGGER forget AFTER UPDATE OF time_zone ON organisations FOR EACH ROW EXECUTE FUNCTION forget_session();
