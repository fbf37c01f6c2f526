-- One role for each service (axis/store/grants.py). Making partitions takes the owner of the tables, and the relay does
-- it daily: this function does it for the relay, for these tables and a year at most, and nothing else. Its search path
-- is fixed, or whoever calls it could put tables of his own in the way.
CREATE FUNCTION axis_keep_partitions(parent text, first date, months integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    key text := CASE parent
        WHEN 'envelope' THEN 'id'
        WHEN 'delivery' THEN 'envelope_id'
        WHEN 'attachment' THEN 'envelope_id'
        WHEN 'notice' THEN 'id'
        WHEN 'status_event' THEN 'id'
    END;
BEGIN
    IF key IS NULL OR months NOT BETWEEN 1 AND 12 THEN
        RAISE EXCEPTION 'no partitions of % for % months', parent, months USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY SELECT axis_ensure_partitions(parent, key, first, months);
END
$$;

REVOKE EXECUTE ON FUNCTION axis_keep_partitions(text, date, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION axis_ensure_partitions(text, text, date, integer) FROM PUBLIC;
