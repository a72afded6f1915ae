-- What Spark's SQL has no words for, a query a line: DuckDB computes it on Spark's workers.
-- numbers
select exp(f) a, ln(abs(f) + 1) b, log10(abs(i) + 1) c, log2(abs(f) + 1) d, sin(r) e, pow(i, 2) g, i ** 2 h from t where f < 100
select d % 1.5 a, greatest(i, f) b, greatest(s, g) c, least(day, ts) d, greatest(i, 1.5) e, coalesce(r, f) f, nullif(r, 1.5) g, case when o then i else f end h from t
select u + 1 a, u * u b, ul % 7 c, u::varchar d, -u::int e, exp(ul) f from t
select r * 0.1 a, r in (0.1, 2) b, r::varchar c, f::varchar d from t
select r::decimal(5, 2) from t
select i << 2 a, i ^ 2 b, y // 2.0 c, y % 2.5 d, @y e from t where i between 0 and 10
select bit_count(i) a, i::bit::varchar b, gamma(f) c, cbrt(f) d, degrees(f) e, atan2(f, 2) g, even(f) h, trunc(f) k, factorial(3) l, gcd(i, 4) m from t
select i::hugeint + 1 a, n::hugeint b from t where n = '1'
-- texts
select format('{}-{}', s, i) a, printf('%d', i) b, levenshtein(s, g) c, to_base64(encode(s)) d, url_encode(s) e from t
select s like g a, left(s, y) b, s[1] c, s[1:2] d, s[-1] e, repeat(s, 2) f from t where y > 0
select regexp_replace(s, 'a*', '-') a, regexp_extract(s, '(\w)(.*)', ['x', 'y']) b, regexp_split_to_array(s, ' ') c from t
select hash(i) a, bar(y, 0, 100) b, strip_accents(s) c, unicode(s) d, ascii(s) e, chr(65 + y % 5) f, jaro_winkler_similarity(s, 'abc') g, jaro_winkler_similarity(s, 'abc', 0.9) h, sha1(s) k from t where y > 0
select i, 'it''s {x} \ü' || printf('%d', i) a, "odd name" ** 2 b from t
-- times
select tm + interval 1 hour a, tm < time '00:00:01' b, hour(tm) c, tm::varchar d, du::varchar e, du + du f, du * 2 g from t
select strftime(ts, '%c %G-%V') a, date_diff('week', day, ts) b, date_sub('month', day, date '2024-01-01') c, day + interval (y) week d from t
select ts::timestamp_s a, ts::timestamp_ms b, time '10:00:00' c, make_time(1, 2, 3.5) d, epoch_ns(ts) e, ts::timestamp_ns f from t
select tz::varchar a, strftime(tz, '%c %Z') b, timezone('Asia/Tokyo', tz) c, (y || ' days')::interval d from t
-- lists, structs, maps
select list_sum(li) a, list_sort(li, 'desc') b, list_sort(li, 'desc', 'nulls last') c, list_distinct(li) d, list_transform(li, lambda x: x + 1) e, list_filter(li, lambda x: x > 1) f from t
select list_transform(li, lambda x: x + i) a, list_filter(li, lambda x, n: x > n) b, list_reduce(li, lambda a, b: a + b) c, [x + 1 for x in li if x is not null] d from t where len(li) > 0 and i < 100
select list_transform([1, 2], lambda x: list_transform(li, lambda y: y + x)) a from t
select [i, y] a, {'k': li, 'u': u} b, map {'a': tm} c, struct_pack(x := u, y := tm) d, {'a': exp(y), 'b': i} e from t
select li = li a, li < [5] b, st = st c, st.a ** 2 d, st['a'] e, li[i] f, li[1:2] g from t
select mp['a'] ** 2 a, map_keys(mp) b, cardinality(mp) c, map_values(mp) d from maps
-- JSON
select json_object('a', i, 'b', s) a, to_json(st) b, json_valid(s) c, json_type('{"a": 1}', 'a') d from t
select json_extract('{"a": 5}', '$.a') a, '{"a": 5}'::json ->> 'a' b, ('{"a": 5}'::json -> 'a')::int c, '{"a.b": 2}' -> 'a.b' d, '{"a": [5]}' ->> '$.a[0]' e, json_extract_string('{"a": {"b": [1, 2]}}', '$.a.b[1]') f from t
select j ->> 'a' a, j -> 'a' b, (j ->> 'a')::int c, j.a d, (j -> 'a')::varchar e from (select '{"a": "x"}'::json j from t where i < 0) where g is null
select j ->> 'a' a, j -> 'a' b, j.a c, (j -> 'a')::varchar d from (select json_object('a', s) j from t)
select k, count(*) from (select json_object('a', g) ->> 'a' k from t) group by k
-- casts that may fail
select try_cast(s as utinyint) a, try_cast(n as time) b, try_cast(n as json) c, try_cast(n as hugeint) d, try(n::uuid)::varchar e from t
select n::uuid::varchar a from t
select ln(i) a from t
select case when n = '1' then n::utinyint else 7 end a, coalesce(g, n::uuid::varchar) b, if(i > 0, ln(i), null) c from t where g is not null
select i from t where i = 1 and n::utinyint = 1
select i from t where i <> 1 or n::utinyint = 1
select i from t where i = -7 and list_aggregate([n::utinyint], 'sum') > 0
select (n || '-x')::uuid::varchar a from t where i > 2147483647
select list_sum([b, b]) a from t where b < 5
select list_sum([b, b]) a from t
select g::enum('y', 'x') a, count(*) from t group by a
-- places
select sum(exp(y)) a, g, string_agg(printf('%d', i), ',' order by i) b, list(exp(y) order by i) c, count(*) filter (where pow(y, 2) > 1) d from t group by g
select exp(sum(y)) a, pow(sum(y) filter (where o), 2) b, round(avg(pow(y, 2)), 3) c, sum(y) ** 2 + count(*) d, list_sum(list(i order by i)) e, format('{}', count(*)) f from t group by g
select exp(y + 1.5) a, count(*) n from t group by exp(y + 1.5)
select exp(y + 1) b, y + 1 c from t where y < 100 group by y + 1
select printf('%s', g) a, count(*) n from t group by all order by all
select printf('%s', g) a, count(*) n from t group by 1 having printf('%s', g) <> 'x'
select printf('%s', g) a, i, count(*) n from t group by rollup (printf('%s', g), i)
select printf('%s', g) a, count(*) n from t group by grouping sets ((printf('%s', g)), ())
select i from t where list_sum(li) = 1
select i from t order by pow(y, 2), i
select i as k from t order by printf('%d', k) desc
select distinct printf('%s', g) a from t
select i, row_number() over (partition by printf('%s', g) order by pow(y, 2), i) r from t
select exp(y) a, sum(exp(y)) over (order by "odd name" rows between 1 preceding and current row) b, sum(y) over (order by "odd name") ** 2 c from t
select i from t qualify row_number() over (partition by g order by pow(y, 2), i) = 1
select t.i, v.h from t join v on exp(t.y) < v.h
select t.i, v.h from t join v on printf('%d', t.i) = printf('%d', v.i)
select t.i, v.h from t join v on levenshtein(t.s, v.g) < 3
select i from t semi join v on printf('%d', t.i) = printf('%d', v.i)
select i from t where printf('%d', i) in (select printf('%d', i) from v)
select i, (select max(printf('%d', h)) from v where v.g = t.g) m, exp((select max(h) from v)) n from t
select printf('%d', i) a from t union all select printf('%d', h) from v
select printf('%d', i) a from t except select printf('%d', i) from v
select printf('%d', i) a from t union all by name select g b, printf('%d', h) a from v
with c as (select pow(y, 2) p, li from t), d as (select p, list_sum(li) q from c) select p + 1, q + p, exp(q) from d
select sum(x) a, upper(min(p)) b from (select list_sum(li) x, format('{}', i) p from t)
select q.p, count(*) from (select printf('%s', g) p, i from t) q join v on q.p = v.g group by q.p
select x, printf('%d', x) p from t, unnest(li) as u(x)
select x from t, unnest(list_transform(li, lambda q: q * 2)) as u(x)
select unnest(list_sort(li)) a from t
select exp(1) a, log10(1000) b, pi() c, 'ab'[1] d, e from (select 2 ** 10 e)
select exp(y) from empty
