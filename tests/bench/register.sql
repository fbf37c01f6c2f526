-- Fills the register with $1 documents over 100 days, as the registrar would have: 20 senders, three of 63 recipients
-- each. The newest 1,500 and one in 997 are open at their first recipient, one in 499 was refused. Undeliverable were
-- sixty, however many there are: a page of them has as many rows, and only what they are found among is more. Words: two
-- in every document, one in 2,000 of them, and one in seven documents.

-- name: documents
INSERT INTO register_document
    (envelope_id, sent_at, accepted_at, issued_on, recipients, open, sent_late, lane, action, sender, account, number,
     notation, kind, document_id, subject, signed_by, words)
SELECT (substr(replace(axis_id_floor(at)::text, '-', ''), 1, 12) || '7' || substr(noise, 1, 3) || '8'
        || substr(noise, 4, 15))::uuid,
       at, at, at::date, 3, CASE WHEN i > $1 - 1500 OR i % 997 = 0 THEN 1 ELSE 0 END, i % 101 = 0, lane, 'new', sender,
       sender, i::text, 'VPCP-TTĐT', 'Công văn', sender || ',2026/11/24,' || i || '/VPCP-TTĐT', 'Văn bản số ' || i, 't',
       array_to_tsvector(array_remove(ARRAY[
           'van', 'ban', 'so', i::text, 'tu' || i % 2000, 'hiem' || i / 7 || 'x', '/n:' || i, '/n:' || i || '/vpcp-ttdt',
           '/s:' || sender, '/a:' || sender, '/l:' || lane, CASE WHEN i % 101 = 0 THEN '/late' END,
           '/r:H' || 10 + i % 63, '/r:H' || 10 + (i * 7 + 1) % 63, '/r:H' || 10 + (i * 11 + 2) % 63,
           '/a:H' || 10 + i % 63, '/a:H' || 10 + (i * 7 + 1) % 63, '/a:H' || 10 + (i * 11 + 2) % 63], NULL))
FROM (SELECT i, now() - interval '100 days' * (($1 - i)::float / $1) AS at, md5(i::text) AS noise,
             'G' || 10 + i * 13 % 20 AS sender, CASE WHEN i % 10 = 0 THEN 'urgent' ELSE 'normal' END AS lane
      FROM generate_series(1, $1::bigint) AS i) AS made;

-- name: deliveries
INSERT INTO register_delivery
    (envelope_id, recipient, resolved, mailbox, transport, business, since, reason, arrive_by, accept_by, arrived_at,
     accepted_at, finished_at, ended)
SELECT DISTINCT ON (envelope_id, code) envelope_id, code, code, code,
       CASE WHEN waits THEN CASE WHEN i % 3 = 0 THEN 'held' ELSE 'routed' END
            WHEN lost THEN 'undeliverable' ELSE 'taken' END,
       CASE WHEN waits OR lost THEN NULL WHEN i % 499 = 0 THEN '02' ELSE '06' END,
       accepted_at, CASE WHEN lost THEN 'recipient/unknown' END, accepted_at + interval '4 hours',
       accepted_at + interval '1 day', CASE WHEN NOT waits THEN accepted_at END, CASE WHEN NOT waits THEN accepted_at END,
       CASE WHEN NOT waits THEN accepted_at END, NOT waits
FROM (SELECT envelope_id, accepted_at, number::bigint AS i, which = 1 AND open > 0 AS waits,
             number::bigint % greatest($1::bigint / 60, 1) = 0 AS lost,
             'H' || 10 + CASE which WHEN 1 THEN number::bigint WHEN 2 THEN number::bigint * 7 + 1
                                    ELSE number::bigint * 11 + 2 END % 63 AS code
      FROM register_document, generate_series(1, 3) AS which) AS made;

-- name: tallies
INSERT INTO tally
    (day, deliveries, documents, documents_late, side, code, lane, transport, business, reason, arrival, acceptance,
     finishing)
SELECT (document.accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, count(*), 0, 0, 'received', recipient, lane,
       transport, coalesce(business, ''), coalesce(reason, ''), CASE WHEN ended THEN 'on time' ELSE 'none' END, 'none',
       'none'
FROM register_delivery JOIN register_document AS document USING (envelope_id)
GROUP BY 1, recipient, lane, transport, business, reason, ended ORDER BY 1; -- day by day, as they are written

-- name: due
INSERT INTO register_due (day, open, clock, mailbox)
SELECT (arrive_by AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, count(*), 'arrival', mailbox
FROM register_delivery WHERE NOT ended GROUP BY 1, mailbox;

-- name: flow
INSERT INTO register_flow (minute, documents, deliveries, statuses)
SELECT date_trunc('minute', accepted_at), count(*), count(*) * 3, 0 FROM register_document GROUP BY 1 ORDER BY 1;
