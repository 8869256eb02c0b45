WITH due AS (
    SELECT organisation_id, id, run_at FROM jobs
    WHERE run_at <= service_now() AND (NULL::uuid IS NULL OR organisation_id = NULL)
      AND organisation_id <> ALL ('{}'::uuid[])
      AND (sequence_key IS NULL OR NOT EXISTS (
          SELECT FROM jobs earlier
          WHERE earlier.organisation_id = jobs.organisation_id
            AND earlier.sequence_key = jobs.sequence_key AND earlier.place < jobs.place))
    ORDER BY run_at LIMIT 1000
), fair AS (
    SELECT organisation_id, id FROM (
        SELECT *, row_number() OVER (PARTITION BY organisation_id ORDER BY run_at) AS turn FROM due
    ) AS ranked
    WHERE turn <= 8 ORDER BY turn, run_at LIMIT 32
), free AS (
    SELECT jobs.organisation_id, jobs.id FROM jobs JOIN fair USING (organisation_id, id)
    WHERE run_at <= service_now()
    FOR UPDATE OF jobs SKIP LOCKED
)
UPDATE jobs SET run_at = service_now() + interval '60 seconds', lease = gen_random_uuid(), attempts = attempts + 1
FROM free WHERE jobs.organisation_id = free.organisation_id AND jobs.id = free.id
RETURNING jobs.organisation_id, jobs.id, jobs.kind, jobs.payload, jobs.lease, jobs.attempts, jobs.request_id;
