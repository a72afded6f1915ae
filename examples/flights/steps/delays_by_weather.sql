-- What rain, wind and fog do to departures.
-- segue: {tags: [reports]}
select
    case
        when visibility_miles < 1 then 'fog'
        when rain_inches > 0.1 then 'heavy rain'
        when rain_inches > 0 then 'light rain'
        when wind_mph > 25 then 'strong wind'
        when visibility_miles is null then 'not known'
        else 'fair'
    end as conditions,
    count(*) as flights,
    avg(dep_delay) as mean_delay,
    avg((dep_delay > 60)::int) as share_over_an_hour
from conditions
group by all
order by mean_delay desc
