-- People are shown since when a delivery is held, and of one that was, from when to when: that time is not charged to
-- its recipient. Of a delivery that was held several times it is the last one.
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
       CASE WHEN delivery.state IN ('held', 'withdrawn') OR delivery.published_at IS NOT NULL
            THEN delivery.placed_at END AS held_since,
       delivery.published_at AS released_at
FROM delivery JOIN envelope ON envelope.id = delivery.envelope_id;
