-- Minimum cost supplier: who sells a part most cheaply in a region.
with offers as (
    select p_partkey, p_mfgr, ps_supplycost, s_acctbal, s_name, n_name, s_address, s_phone, s_comment
    from part
    join partsupp on p_partkey = ps_partkey
    join supplier on s_suppkey = ps_suppkey
    join nation on s_nationkey = n_nationkey
    join region on n_regionkey = r_regionkey
    where p_size = 15 and p_type like '%BRASS' and r_name = 'EUROPE'
)
select s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
from offers as o
where ps_supplycost = (select min(ps_supplycost) from offers as i where i.p_partkey = o.p_partkey)
order by s_acctbal desc, n_name, s_name, p_partkey
limit 100
