-- Every airline on one line: flown, cancelled, late, and where it is going.
-- segue: {tags: [reports]}
select
    a.name as airline,
    t.flights as flown,
    coalesce(c.cancelled, 0) as cancelled,
    t.mean_delay,
    t.trend_per_month
from airlines a
join carrier_trends t using (carrier)
left join (select carrier, count(*) as cancelled from cancelled group by all) c using (carrier)
order by t.mean_delay
