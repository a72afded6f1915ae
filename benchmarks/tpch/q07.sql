-- Volume shipping between two nations, by year.
with shipping as (
    select s.n_name as supp_nation, c.n_name as cust_nation, year(l_shipdate) as l_year,
           l_extendedprice * (1 - l_discount) as volume
    from supplier
    join lineitem on s_suppkey = l_suppkey
    join orders on o_orderkey = l_orderkey
    join customer on c_custkey = o_custkey
    join nation as s on s_nationkey = s.n_nationkey
    join nation as c on c_nationkey = c.n_nationkey
    where ((s.n_name = 'FRANCE' and c.n_name = 'GERMANY')
        or (s.n_name = 'GERMANY' and c.n_name = 'FRANCE'))
      and l_shipdate between date '1995-01-01' and date '1996-12-31'
)
select supp_nation, cust_nation, l_year, sum(volume) as revenue
from shipping
group by supp_nation, cust_nation, l_year
order by supp_nation, cust_nation, l_year
