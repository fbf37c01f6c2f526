-- What operators say about single days, before the holidays that the axis knows; see axis/core/workdays.py.
CREATE TABLE workday_override (
    day     date    PRIMARY KEY,
    working boolean NOT NULL,
    why     text    NOT NULL CHECK (why <> '')
);
