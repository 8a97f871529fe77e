with gone as (
    select r.id, r.worker, r.crashes + 1 >= :max_crashes as hopeless,
           exists (select 1 from step s where s.run_id = r.id and s.effect
                   and s.state = any(:perhaps_done)) as perhaps_done
    from run r
    where r.state = 'running' and r.lease_until < clock_timestamp()
    order by r.lease_until
    limit :limit
    for update of r skip locked
), moved as (
    update run r
    set state = case when not gone.hopeless then 'queued' when gone.perhaps_done then 'parked' else 'failed' end,
        run_at = clock_timestamp(), lease_until = null, worker = null, published_at = null,
        crashes = r.crashes + 1,
        error = case when gone.hopeless then jsonb_build_object(
            'class', 'WorkerLost', 'code', null, 'message',
            'its worker died ' || r.crashes + 1 || ' times; look at the worker log before retrying it') end,
        finished_at = case when gone.hopeless and not gone.perhaps_done then clock_timestamp() end
    from gone where r.id = gone.id
    returning r.id, r.state, r.fence, r.organization_id
), parked as (
    update step s set state = 'parked' from moved
    where s.run_id = moved.id and s.effect and moved.state = 'parked' and s.state = any(:in_doubt)
), logged as (
    insert into run_event (run_id, at, move, state, fence, worker, detail)
    select moved.id, clock_timestamp(),
           case moved.state when 'queued' then 'rescue' when 'parked' then 'rescue_park' else 'rescue_fail' end,
           moved.state, moved.fence, gone.worker, jsonb_build_object('lease_of', gone.worker)
    from moved join gone on gone.id = moved.id
)
select id, state from moved
