-- The warmest moment of each freezer of each shop.
select _node as shop, freezer, count(*) as readings, max(celsius) as celsius, arg_max(measured, celsius) as measured
from plausible
group by all
order by all
