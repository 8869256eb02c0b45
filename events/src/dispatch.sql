WITH batch AS (
    SELECT organisation_id, id, position, kind, entity, entity_id, details, user_id, request_id, created_at
    FROM events
    WHERE NOT dispatched AND (SELECT pg_try_advisory_xact_lock($1))
    ORDER BY position LIMIT $2 FOR UPDATE
), deliveries AS (
    INSERT INTO webhook_deliveries (organisation_id, endpoint_id, event_id, event_kind, created_at)
    SELECT batch.organisation_id, endpoint.id, batch.id, batch.kind, batch.created_at
    FROM batch JOIN webhook_endpoints endpoint USING (organisation_id)
    WHERE endpoint.active AND endpoint.deleted_at IS NULL
      AND CASE WHEN batch.kind = 'webhook_endpoint.pinged' THEN endpoint.id = batch.entity_id
          ELSE endpoint.event_kinds && ARRAY['*', batch.kind, batch.entity || '.*'] END
    RETURNING organisation_id, id, endpoint_id, event_id
), webhook_jobs AS (
    INSERT INTO jobs (organisation_id, id, kind, payload, summary, sequence_key, place, request_id, run_at)
    SELECT organisation_id, deliveries.id, $3, jsonb_build_object('deliveryId', deliveries.id),
           batch.kind || ' for a webhook', deliveries.endpoint_id || ' ' || batch.entity_id, batch.position,
           batch.request_id,
           greatest(batch.created_at, (
               SELECT run_at FROM jobs head
               WHERE head.organisation_id = batch.organisation_id AND head.lease IS NULL
                 AND head.sequence_key = deliveries.endpoint_id || ' ' || batch.entity_id
               ORDER BY place LIMIT 1))
    FROM deliveries JOIN batch USING (organisation_id) WHERE batch.id = deliveries.event_id
    RETURNING 1
), subscriber_jobs AS (
    INSERT INTO jobs (organisation_id, kind, payload, summary, sequence_key, place, request_id, run_at)
    SELECT organisation_id, subscriber.kind,
           jsonb_build_object('id', batch.id, 'kind', batch.kind, 'entity', entity, 'entityId', entity_id,
                              'details', details, 'userId', user_id, 'createdAt', created_at),
           batch.kind || ' for ' || subscriber.kind, subscriber.kind || ' ' || entity_id, position, request_id,
           created_at
    FROM batch CROSS JOIN LATERAL (
        SELECT DISTINCT subscribed.kind FROM unnest($4::text[], $5::text[]) AS subscribed (kind, pattern)
        WHERE subscribed.pattern IN (batch.kind, batch.entity || '.*')
    ) AS subscriber
    RETURNING 1
), marked AS (
    UPDATE events SET dispatched = true FROM batch
    WHERE events.organisation_id = batch.organisation_id AND events.id = batch.id
    RETURNING 1
)
SELECT (SELECT count(*) FROM marked) AS events,
       (SELECT count(*) FROM webhook_jobs) + (SELECT count(*) FROM subscriber_jobs) AS jobs
