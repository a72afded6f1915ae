-- Each departure with the weather of its hour and what is known of the plane.
-- segue: {mode: view}
select
    d.*,
    w.temperature, w.wind_mph, w.rain_inches, w.visibility_miles,
    p.manufacturer, p.seats,
    year(d.day) - p.year as plane_age
from departures d
left join weather_hours w on w.origin = d.origin and w.hour_at = d.hour_at
left join planes p on p.tailnum = d.tailnum
