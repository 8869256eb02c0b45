DROP TRIGGER forget ON organisations;
DROP FUNCTION organisation_today();
DROP FUNCTION stored_time_zone();
