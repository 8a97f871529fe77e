with picked as (
    select id from run
    where state = any(:states) and run_at <= clock_timestamp()
          and (published_at is null or published_at < clock_timestamp() - make_interval(secs => :redispatch_s))
    order by priority, run_at, id
    limit :limit
    for update skip locked
)
update run r set published_at = clock_timestamp()
from picked where r.id = picked.id
returning r.id, r.queue, r.name, r.connection_id
