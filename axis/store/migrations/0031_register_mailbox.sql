-- What an agency's number counts goes by its mailbox; a search goes by codes. To have a list show what a number counts,
-- the filter of recipients also takes a mailbox, which is none of the codes below it: 'H37' (the code and all below
-- it, as addressed, resolved, or the mailbox), '=H37' (that mailbox), 'H37.05=H37' (both).
CREATE OR REPLACE FUNCTION axis_register_fits(
    delivery register_delivery, sender_account text, account text, recipient text, transport text, business text,
    reason text, late text, at timestamptz, open boolean
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ($3 IS NULL OR $2 = $3 OR ($1).mailbox = $3)
       AND ($4 IS NULL OR (strpos($4, '=') = 0 OR ($1).mailbox = split_part($4, '=', 2))
            AND (starts_with($4, '=')
                 OR ($1).recipient = split_part($4, '=', 1) OR starts_with(($1).recipient, split_part($4, '=', 1) || '.')
                 OR ($1).resolved = split_part($4, '=', 1) OR starts_with(($1).resolved, split_part($4, '=', 1) || '.')
                 OR ($1).mailbox = split_part($4, '=', 1) OR starts_with(($1).mailbox, split_part($4, '=', 1) || '.')))
       AND ($5 IS NULL OR ($1).transport = $5)
       AND ($6 IS NULL OR ($1).business = $6)
       AND ($7 IS NULL OR ($1).reason = $7)
       AND ($8 IS NULL OR (NOT ($1).ended AND CASE $8
            WHEN 'arrival' THEN ($1).arrived_at IS NULL AND ($1).arrive_by < $9
            WHEN 'acceptance' THEN ($1).accepted_at IS NULL AND ($1).accept_by < $9
            WHEN 'finishing' THEN ($1).finished_at IS NULL AND ($1).finish_by < $9
            ELSE false END))
       AND ($10 IS NULL OR ($1).ended <> $10)
$$;
