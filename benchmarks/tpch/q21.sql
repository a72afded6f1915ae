-- Suppliers who alone kept an order waiting.
select s_name, count(*) as numwait
from supplier
join lineitem as l on s_suppkey = l.l_suppkey
join orders on o_orderkey = l.l_orderkey
join nation on s_nationkey = n_nationkey
where o_orderstatus = 'F'
  and l.l_receiptdate > l.l_commitdate
  and n_name = 'SAUDI ARABIA'
  and exists (
      select 1 from lineitem as o
      where o.l_orderkey = l.l_orderkey and o.l_suppkey <> l.l_suppkey
  )
  and not exists (
      select 1 from lineitem as o
      where o.l_orderkey = l.l_orderkey and o.l_suppkey <> l.l_suppkey
        and o.l_receiptdate > o.l_commitdate
  )
group by s_name
order by numwait desc, s_name
limit 100
