-- Everything there is comes into the register, the newest first: it is what people ask for. Nobody is told of what
-- happened before. By itself and after the triggers, which have locked the routers out for a moment only.
INSERT INTO touched (envelope_id, news) SELECT id, false FROM envelope ORDER BY id DESC;
