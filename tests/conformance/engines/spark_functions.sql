-- Functions that take some care to mean on Spark what they mean in DuckDB, a query a line.
select try_cast(i as tinyint) a, try_cast(b as int) b, try_cast(f as int) c, try_cast(d as int) d, try_cast(o as int) e, try_cast(r as bigint) g, try_cast(ul as bigint) h from t
select try_cast(f as float) a, try_cast(b as double) b, try_cast(d as decimal(4,1)) c, try_cast(f as decimal(5,2)) e, try_cast(i as decimal(4,1)) g from t
select try_cast(ts as date) a, try_cast(day as timestamp) b, try_cast(i as varchar) c, try_cast(null as int) d from t
select sum(try_cast(n as int)) a, coalesce(try_cast(n as double), -1) b from t group by n
select regexp_matches(s, '^[aB]') a, regexp_replace(s, '[a-z]', '#') b, regexp_replace(s, '[a-z]', '#', 'g') c, regexp_extract(s, '([A-Z]) ?(.*)', 2) d from t
select regexp_extract(s, '([A-Z]) ?(.*)') d, regexp_extract(s, 'zzz') e, regexp_extract(s, '(q)|(a)', 1) f from t
select regexp_extract_all('a1b22', '\d+') a, regexp_extract_all('a1b22', '([a-z])(\d+)', 2) b, regexp_extract_all('x', '\d') c, regexp_extract_all(s, '[a-z]') d from t
select regexp_replace('aabbaa', 'a+?', '-') a, regexp_replace('aabbaa', 'a+?', '-', 'g') b, regexp_replace('2020-01-02', '(\d+)-(\d+)-(\d+)', '\3.\2.\1') c, regexp_replace('a$b', '\$', '$$x', 'g') d, regexp_replace('abc', 'b', '[\0]') e, regexp_replace('abc', 'b', '[\0]', 'g') f
select regexp_replace(s, 'a|ab', 'X') a, regexp_replace('abcab', 'ab|a', 'X', 'g') b, regexp_replace('xaax', '(a)(a)?', '<\1\2>', 'g') c, regexp_extract('ab', '(a)|(b)', 2) d from t
select s similar to '(a|B).*' a from t
select regexp_extract('k=v; z=1', '(\w+)=(\w+)', 1) a, regexp_replace('  x  ', '^\s+|\s+$', '', 'g') b, regexp_replace('Ünï', '[^\x00-\x7F]', '?', 'g') c
select split_part('a-b-c', '-', 2) a, split_part('a-b-c', '-', 9) b, split_part('a-b-c', '-', -1) c, split_part(s, ' ', 1) d from t
select string_split('a,b,,c', ',') a, str_split('', ',') b, string_split('a.b|c', '.') c, string_split(s, ' ') d from t
select concat_ws('-', s, null, g) a, concat_ws(', ', i, d) b from t
select translate('abcab', 'ab', 'x') a, translate(s, 'aB', 'bb') b from t
select hex('ab') e, md5('aß') f, sha256(s) g from t
select date_part('year', ts) a, extract(epoch from ts) b, extract(week from day) c, extract(dow from day) d, datepart('millisecond', ts) e, date_part('epoch', day) f, date_part('microseconds', tz) g, date_part('isoyear', day) h from t
select epoch(ts) a, epoch_ms(ts) b, epoch_us(tz) c, epoch_ms(day) d, to_timestamp(0) e, to_timestamp(i) f from t
select isoyear(day) a, millisecond(ts) b, microsecond(ts) c from t
select last_day(day) a, monthname(day) b, dayname(ts) c, last_day(ts) d from t
select date_add(day, interval 3 day) a, ts + interval (i % 5) day b, day + to_days(y::int) c, ts - interval (y) hour d, tz + interval (y) minute e, day - interval (2) month f from t where i < 100
select strptime('2020-01-02 03:04', '%Y-%m-%d %H:%M') a, try_strptime('x', '%Y') b, strptime('02.01.2020', '%d.%m.%Y') c, try_strptime('2021-02-30', '%Y-%m-%d') d, strptime('20200102T030405', '%Y%m%dT%H%M%S') e, try_strptime(s, '%Y-%m-%d') f from t
select strptime(strftime(ts, '%Y-%m-%d'), '%Y-%m-%d') a from t
select ts at time zone 'Europe/Brussels' a, tz at time zone 'America/New_York' b, (ts at time zone 'UTC') at time zone 'Asia/Kolkata' c from t
select timestamp '2021-10-31 02:30:00' at time zone 'Europe/Brussels' a, timestamp '2021-03-28 02:30:00' at time zone 'Europe/Brussels' b, timestamptz '2021-10-31 00:30:00+00' at time zone 'Europe/Brussels' c, timestamp '2021-10-31 03:30:00' at time zone 'Europe/Brussels' d, timestamp '2021-10-31 01:30:00' at time zone 'Europe/Brussels' e
select time_bucket(interval 1 day, ts) a, time_bucket(interval 15 minutes, ts) b, time_bucket(interval 7 hours, tz) c, time_bucket(interval '2 weeks', ts) d from t
select strftime(ts, '%a %b %d %j %H:%M:%S.%f %p %I %y') a, strftime(ts, '%-d/%-m/%Y %A %B %%') b, strftime(day, 'Tag %d o''clock %-H %-I %-M %-S') c, strftime(tz, '%Y-%m-%dT%H:%M:%S') d from t
select i & 1 a, i | 2 b, xor(i, 3) c, 16 >> 2 f, b & i g, y & 3 h, (i & 1) + 1 k, b >> 3 l from t
select sign(i) a, sign(d) b, sign(-y) c from t where y > -100
select arg_max(s, i) a, arg_min(s, i) b, max_by(s, i) c, arg_max(n, f) d, arg_min(g, day) e from t
select g, arg_max(i, "odd name") a, arg_max(s, "odd name") filter (where o) b from t group by g
select bit_and(y) a, bit_or(y) b, bit_xor(i) c, bit_and(b) d from t
select first(i order by "odd name") a, last(i order by "odd name") b, first(s order by i desc) c from t
select g, first(i order by "odd name") a, last(s order by f, "odd name") b from t group by g
select list(distinct y order by y) a, string_agg(distinct g, '-' order by g) b, list(distinct s order by s desc) c from t
select i, last_value(i ignore nulls) over (order by "odd name") c, first_value(g ignore nulls) over (order by "odd name" desc) d, lag(i ignore nulls) over (order by "odd name") e, nth_value(i, 2) over (order by "odd name") f, lead(s, 2 ignore nulls) over (order by "odd name") h from t
select ts, count(*) over (order by ts range between interval 1 day preceding and current row) a, sum(y) over (order by tz range between interval 3 hours preceding and interval 1 hour following) b from t
select li[1] a, li[-1] b, len(li) c, list_contains(li, 1) d, li[2] e, list_reverse(li) f, list_max(li) g, list_min(li) h, array_length(li) k, li[-2] l from t
select list_contains(li, 1::bigint) d, list_contains(li, 7::bigint) e, list_contains(li, null::bigint) f from t
select i, unnest(li) a from t
select unnest(string_split('a,b', ',')) a, 1 b
select u, count(*) from (select unnest(li) u from t) group by u
select i, x from t, unnest(li) as u(x)
select t.i, x + 1 y from t cross join unnest(t.li) as u(x) where x > 0
select x, count(*) n from t, unnest(string_split(s, ' ')) as u(x) group by x
select t.i, x.h from t, lateral (select h from v where v.i = t.i) x
select i, g from t union all by name select g, h from v
select 1 a, 2 b union all by name select 3 b, 4 c
select i, g from t union by name select i, g from v order by i, g
select g, i from v union by name (select i, G from t union all by name select h as i from v)
select epoch_ms(ts) b, epoch_ms(tz) c from t
select a, b + 1 c from (select date_part('year', ts) a, epoch_us(ts) b from t) where a > 2000
select u + 1 a from (select unnest(li) u from t)
select x + 1 a from (select list_max(li) x from t)
select upper(p) a, length(p) b from (select split_part(s, ' ', 1) p from t)
select sum(m) a from (select arg_max(i, "odd name") m, g from t group by g)
select try_cast(p as int) + 1 from (select string_split('1,2', ',')[2] p)
select a + interval 1 day b from (select time_bucket(interval 1 day, ts) a from t)
select round(covar_pop(i, y), 6) b, round(covar_samp(i, d), 4) c from t where i < 100
select li[0] a, li[1] b from t
select make_date(2021, 2, 30) a
select s like 'a\%' a, s like '%\' b, s not like '\_' c, s like '$_ %' escape '$' d, s like 'B\ c' escape '\' e, s ilike 'b$ %' escape '$' f, s not like '$_' escape '$' g, 'a%b\c' like 'a\%b\\_' escape '\' h, 'a%b\c' like 'a%\c' i, 'a_' like 'a#_' escape '#' j, 'ab' like 'a#_' escape '#' k from t
select day in ('2021-02-28', '2020-01-31') a, ts in ('2021-02-28', '2024-02-29 12:00:00') b, tz not in ('2021-02-28 00:00:00') c, i in ('1', '7') d from t
select mp['a'] a, mp['b'] b, mp['zz'] c, mp[g] d, mp['a'] + 1 e from maps
