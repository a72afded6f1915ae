-- National market share of one type of part, by year.
with sales as (
    select year(o_orderdate) as o_year, l_extendedprice * (1 - l_discount) as volume,
           s.n_name as nation
    from part
    join lineitem on p_partkey = l_partkey
    join supplier on s_suppkey = l_suppkey
    join orders on l_orderkey = o_orderkey
    join customer on o_custkey = c_custkey
    join nation as c on c_nationkey = c.n_nationkey
    join region on c.n_regionkey = r_regionkey
    join nation as s on s_nationkey = s.n_nationkey
    where r_name = 'AMERICA'
      and o_orderdate between date '1995-01-01' and date '1996-12-31'
      and p_type = 'ECONOMY ANODIZED STEEL'
)
select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share
from sales
group by o_year
order by o_year
