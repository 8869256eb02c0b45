-- What a repetition answers beside the rows: counts, and errors of single rows.
ALTER TABLE idempotency_keys ADD COLUMN outcome jsonb;
