-- How long deliveries took, for averages: how many arrived, were accepted and were finished, and after how many seconds
-- in all from their document's acceptance by the axis. Time on the clock, nights and days off too.
ALTER TABLE tally
    ADD COLUMN arrived          bigint NOT NULL DEFAULT 0,
    ADD COLUMN arrived_seconds  bigint NOT NULL DEFAULT 0,
    ADD COLUMN accepted         bigint NOT NULL DEFAULT 0,
    ADD COLUMN accepted_seconds bigint NOT NULL DEFAULT 0,
    ADD COLUMN finished         bigint NOT NULL DEFAULT 0,
    ADD COLUMN finished_seconds bigint NOT NULL DEFAULT 0;

-- Of what is registered already: the registrar takes away what a delivery was before it adds what it is, so nothing may
-- be missing.
UPDATE tally
SET arrived = counted.arrived, arrived_seconds = counted.arrived_seconds, accepted = counted.accepted,
    accepted_seconds = counted.accepted_seconds, finished = counted.finished,
    finished_seconds = counted.finished_seconds
FROM (SELECT side, (since AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day,
             CASE side WHEN 'sent' THEN sender ELSE recipient END AS code, lane, transport, coalesce(business, '') AS business,
             coalesce(reason, '') AS reason,
             CASE WHEN arrived_at <= arrive_by THEN 'on time' WHEN arrived_at > arrive_by THEN 'late' ELSE 'none' END
                 AS arrival,
             CASE WHEN accepted_at <= accept_by THEN 'on time' WHEN accepted_at > accept_by THEN 'late' ELSE 'none' END
                 AS acceptance,
             CASE WHEN finished_at <= finish_by THEN 'on time' WHEN finished_at > finish_by THEN 'late' ELSE 'none' END
                 AS finishing,
             count(arrived_at) AS arrived, count(accepted_at) AS accepted, count(finished_at) AS finished,
             coalesce(sum(greatest(0, floor(extract(epoch FROM arrived_at - since)))), 0) AS arrived_seconds,
             coalesce(sum(greatest(0, floor(extract(epoch FROM accepted_at - since)))), 0) AS accepted_seconds,
             coalesce(sum(greatest(0, floor(extract(epoch FROM finished_at - since)))), 0) AS finished_seconds
      FROM (SELECT document.accepted_at AS since, sender, lane, delivery.recipient, transport, business, reason,
                   arrive_by, accept_by, finish_by, arrived_at, delivery.accepted_at, finished_at
            FROM register_document AS document JOIN register_delivery AS delivery USING (envelope_id)) AS registered
           CROSS JOIN (VALUES ('sent'), ('received')) AS both_sides (side)
      WHERE num_nonnulls(arrived_at, accepted_at, finished_at) > 0
      GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) AS counted
WHERE tally.side = counted.side AND tally.day = counted.day AND tally.code = counted.code AND tally.lane = counted.lane
  AND tally.transport = counted.transport AND tally.business = counted.business AND tally.reason = counted.reason
  AND tally.arrival = counted.arrival AND tally.acceptance = counted.acceptance
  AND tally.finishing = counted.finishing;
