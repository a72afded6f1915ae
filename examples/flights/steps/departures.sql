-- Flights that took off, with times that can be compared.
-- segue: {tags: [core]}
select
    carrier, flight, tailnum, origin, dest, distance,
    time_hour as hour_at,
    time_hour + to_minutes(minute) as scheduled_at,
    make_date(year, month, day) as day,
    dep_delay, arr_delay,
    air_time as air_minutes
from flights
where dep_time is not null
