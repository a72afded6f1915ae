-- Delays per airport and day.
-- segue: {mode: merge, key: [origin, day], tags: [reports]}
select
    origin, day,
    count(*) as flights,
    avg(dep_delay) as mean_delay,
    quantile_cont(dep_delay, 0.9) as delay_90,
    count(*) filter (dep_delay > 60) as over_an_hour
from departures
group by all
