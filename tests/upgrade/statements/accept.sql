insert into run (id, organization_id, kind, name, connection_id, parent_id, input, input_hash, idempotency_key,
                 queue, priority, effect, alike, channel, recipient, max_retries, run_at, expires_at, state,
                 published_at)
select d.id, d.organization_id, d.kind, d.name, d.connection_id, d.parent_id, d.input::jsonb, d.input_hash,
       d.idempotency_key, d.queue, d.priority, d.effect, d.alike, d.channel, d.recipient, d.max_retries,
       coalesce(d.run_at, now()), d.expires_at,
       case when d.run_at > now() then 'scheduled' else 'queued' end,
       case when :published and not coalesce(d.run_at > now(), false) then now() end
from unnest(cast(:id as uuid[]), cast(:organization_id as text[]), cast(:kind as text[]), cast(:name as text[]),
            cast(:connection_id as uuid[]), cast(:parent_id as uuid[]), cast(:input as text[]),
            cast(:input_hash as text[]), cast(:idempotency_key as text[]), cast(:queue as text[]),
            cast(:priority as smallint[]), cast(:effect as text[]), cast(:alike as text[]),
            cast(:channel as text[]), cast(:recipient as text[]), cast(:max_retries as int[]),
            cast(:run_at as timestamptz[]), cast(:expires_at as timestamptz[]))
     as d(id, organization_id, kind, name, connection_id, parent_id, input, input_hash, idempotency_key, queue,
          priority, effect, alike, channel, recipient, max_retries, run_at, expires_at)
on conflict do nothing
returning id, state
