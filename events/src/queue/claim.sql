WITH RECURSIVE tenant AS (
    (SELECT organisation_id FROM jobs WHERE $1::uuid IS NULL OR organisation_id = $1
     ORDER BY organisation_id LIMIT 1)
    UNION ALL
    SELECT (SELECT jobs.organisation_id FROM jobs WHERE jobs.organisation_id > tenant.organisation_id
            ORDER BY jobs.organisation_id LIMIT 1)
    FROM tenant WHERE tenant.organisation_id IS NOT NULL AND $1::uuid IS NULL
), due AS (
    SELECT job.organisation_id, job.id, job.run_at, job.turn + coalesce(running.count, 0) AS turn
    FROM tenant LEFT JOIN unnest($2::uuid[], $3::bigint[]) AS running (organisation_id, count) USING (organisation_id)
    CROSS JOIN LATERAL (
        SELECT organisation_id, id, run_at, row_number() OVER (ORDER BY run_at) AS turn FROM (
            SELECT organisation_id, id, run_at FROM jobs
            WHERE jobs.organisation_id = tenant.organisation_id AND run_at <= service_now()
              AND kind = ANY ($4::text[])
              AND (sequence_key IS NULL OR NOT EXISTS (
                  SELECT FROM jobs earlier
                  WHERE earlier.organisation_id = jobs.organisation_id
                    AND earlier.sequence_key = jobs.sequence_key AND earlier.place < jobs.place))
            ORDER BY run_at LIMIT greatest($5 - coalesce(running.count, 0), 0)
        ) AS first
    ) AS job
    ORDER BY turn, run_at LIMIT $6
), free AS (
    SELECT jobs.organisation_id, jobs.id FROM jobs JOIN due USING (organisation_id, id)
    WHERE jobs.run_at <= service_now()
    FOR UPDATE OF jobs SKIP LOCKED
)
UPDATE jobs SET run_at = service_now() + $7, lease = gen_random_uuid(), attempts = attempts + 1
FROM free WHERE jobs.organisation_id = free.organisation_id AND jobs.id = free.id
RETURNING jobs.organisation_id, jobs.id, jobs.kind, jobs.payload, jobs.lease, jobs.attempts, jobs.request_id
