-- Who keeps a session waiting for a lock; never what they run, which may hold values of rows.

-- name: blockers
select concat(
    'session ', p.pid, ' (',
    concat_ws(
        ', ',
        nullif(b.application_name, ''),
        b.state,
        'its transaction open since ' || to_char(b.xact_start, 'YYYY-MM-DD HH24:MI:SSOF')
    ),
    ')'
)
from pg_stat_activity as w
cross join lateral unnest(pg_blocking_pids(w.pid)) with ordinality as p (pid, place)
join pg_stat_activity as b on b.pid = p.pid
where w.pid = %s and w.wait_event_type = 'Lock'
order by p.place
limit 3
