-- deliveries, search: what a business status was reported of, over or not. A delivery that was refused is open again while
-- a recall of it is not answered: the index of what is over missed it, so all that is open had to be looked through.
CREATE INDEX register_delivery_business ON register_delivery (business, envelope_id, recipient)
    WHERE business IS NOT NULL;
DROP INDEX register_delivery_ended;
