with due as (
    select r.id, r.effect, r.alike, r.connection_id, r.fence,
           exists (select 1 from opt_out o where o.organization_id = r.organization_id
                   and o.channel = r.channel and o.address = r.recipient) as opted_out
    from run r
    where r.id = any(cast(:ids as uuid[])) and r.state = any(:sources) and r.run_at <= clock_timestamp()
    order by r.id
    for update of r
), held as (
    select s.run_id, s.state, s.first_sent_at, s.sent_by
    from step s join due on due.id = s.run_id and due.effect = s.name
    for update of s
), fresh as (
    insert into step (run_id, name, effect, state, connection_id, alike, first_sent_at, sent_by, fence)
    select due.id, due.effect, true, 'sending', due.connection_id, due.alike, clock_timestamp(),
           clock_timestamp() + make_interval(secs => :lease_s), due.fence + 1
    from due where due.effect is not null and not exists (select 1 from held where held.run_id = due.id)
    order by due.id
    on conflict do nothing
    returning run_id
), moved as (
    update run r
    set state = 'running', fence = r.fence + 1, attempts = r.attempts + 1, worker = :worker,
        lease_until = clock_timestamp() + make_interval(secs => :lease_s)
    from due
    where r.id = due.id and (due.effect is null or due.id in (select run_id from fresh)
                             or due.id in (select run_id from held))
    returning r.id, r.organization_id, r.name, r.connection_id, r.input, r.fence, r.attempts, r.max_retries,
              r.effect, r.cancel_requested, coalesce(r.expires_at <= clock_timestamp(), false) as expired,
              due.opted_out
), planned_again as (
    update step s
    set state = 'sending', fence = moved.fence, first_sent_at = clock_timestamp(),
        sent_by = clock_timestamp() + make_interval(secs => :lease_s)
    from moved join held on held.run_id = moved.id
    where s.run_id = moved.id and s.name = moved.effect and s.state = 'planned'
), logged as (
    insert into run_event (run_id, at, move, state, fence, worker)
    select id, clock_timestamp(), 'claim', 'running', fence, :worker from moved
)
select moved.*, held.state as effect_before, held.first_sent_at, held.sent_by, clock_timestamp() as now
from moved left join held on held.run_id = moved.id
