with o as (
    select * from unnest(cast(:id as uuid[]), cast(:fence as int[]), cast(:move as text[]),
                         cast(:state as text[]), cast(:effect as text[]), cast(:delay_s as float8[]),
                         cast(:output as text[]), cast(:provider_id as text[]), cast(:error as text[]),
                         cast(:detail as text[]), cast(:burns as bool[]))
         as t(id, fence, move, state, effect, delay_s, output, provider_id, error, detail, burns)
), moved as (
    update run r
    set state = case when r.cancel_requested and o.state in ('retrying', 'waiting', 'queued')
                          and case when r.effect is not null then o.effect = 'planned'
                                   else not exists (select 1 from step s where s.run_id = r.id and s.effect
                                                    and s.state = any(:perhaps_done)) end
                     then 'cancelled' else o.state end,
        run_at = case when o.delay_s is null then r.run_at
                      else clock_timestamp() + make_interval(secs => o.delay_s) end,
        lease_until = null, worker = null, published_at = null,
        attempts = r.attempts - case when o.burns then 0 else 1 end,
        output = coalesce(o.output::jsonb, r.output), provider_id = coalesce(o.provider_id, r.provider_id),
        error = o.error::jsonb,
        finished_at = case when o.state = any(:final) then clock_timestamp() end
    from o
    where r.id = o.id and r.fence = o.fence and r.state = 'running'
    returning r.id, r.state, r.fence, r.effect
), effects as (
    update step s
    set state = case when moved.state = 'cancelled' then 'refused' else o.effect end,
        provider_id = coalesce(o.provider_id, s.provider_id),
        sent_by = case when o.effect = 'unknown' and s.state = 'sending' and o.move = 'back_off'
                       then least(s.sent_by, clock_timestamp()) else s.sent_by end
    from o join moved on moved.id = o.id
    where s.run_id = o.id and s.name = moved.effect and o.effect is not null
), logged as (
    insert into run_event (run_id, at, move, state, fence, worker, detail)
    select moved.id, clock_timestamp(), o.move, moved.state, moved.fence, :worker,
           coalesce(o.detail::jsonb, o.error::jsonb)
    from moved join o on o.id = moved.id
)
select id, state from moved
