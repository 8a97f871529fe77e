select count(*) from (
    select 1 from run
    where state = any(:states) and run_at <= clock_timestamp()
          and published_at >= clock_timestamp() - make_interval(secs => :redispatch_s)
    limit :window) as published
