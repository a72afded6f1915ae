-- Flights that never took off.
select
    carrier, flight, tailnum, origin, dest,
    time_hour + to_minutes(minute) as scheduled_at
from flights
where dep_time is null
