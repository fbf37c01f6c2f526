-- Only what was tried after a hold was held. What was put into a mailbox again (`axis mailbox rebuild`) has a mark of its
-- own too, and was shown as held since it came and released, with that time taken off its recipient's deadlines. And what
-- is held once more is not released, as it was before: that time was not taken off.
CREATE OR REPLACE VIEW delivery_state AS
SELECT delivery.envelope_id,
       delivery.recipient,
       delivery.position,
       delivery.resolved,
       delivery.mailbox,
       CASE WHEN delivery.state = 'routed' AND coalesce(delivery.published_at, envelope.published_at) IS NOT NULL
            THEN 'delivered' ELSE delivery.state END AS state,
       CASE WHEN delivery.state = 'routed'
            THEN coalesce(delivery.published_at, envelope.published_at) END AS delivered_at,
       delivery.reason,
       delivery.detail,
       delivery.via,
       delivery.last_status,
       delivery.last_status_at,
       CASE WHEN delivery.state IN ('held', 'withdrawn') OR (delivery.published_at IS NOT NULL AND delivery.tried)
            THEN delivery.placed_at END AS held_since,
       CASE WHEN delivery.tried AND delivery.state <> 'held' THEN delivery.published_at END AS released_at
FROM delivery JOIN envelope ON envelope.id = delivery.envelope_id;
