-- name: add
-- The clock is read when the row is ours: `now()` is older when we have waited for another worker, and the level would
-- run out twice for that time. A clock that was set back adds nothing. Sorted, so that two workers never wait for each other.
INSERT INTO quota_level AS old (account, meter, level, per_second, at)
SELECT account, meter, amount, per_second, clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::double precision[], $4::double precision[])
    AS new (account, meter, amount, per_second)
ORDER BY account, meter
ON CONFLICT (account, meter) DO UPDATE
SET level = greatest(
                0, old.level - excluded.per_second * greatest(0, extract(epoch FROM clock_timestamp() - old.at))
            ) + excluded.level,
    per_second = excluded.per_second,
    at = clock_timestamp()
RETURNING account, meter, level;
