"""Vietnam's ministries, central bodies and provinces, with the closures and successors of 2025.

The data is `vietnam.csv`; SOURCES.md beside it says where each part comes from and how sure it is.
"""

import datetime as dt
from functools import cache
from importlib import resources

from axis.catalogue.cleaning import clean
from axis.catalogue.rows import rows_of_csv
from axis.core.workdays import VIETNAM_TIME
from axis.errors import Misconfigured
from schemas.directory import Organisation

CATALOGUE_START = dt.datetime(2016, 4, 1, tzinfo=VIETNAM_TIME).astimezone(
    dt.UTC
)  # Circular 10/2016/TT-BTTTT introduced the codes


@cache
def load() -> tuple[Organisation, ...]:
    """Return the records of `vietnam.csv`, by code and then by time.

    Raises:
        Misconfigured: when the file that came with the program was damaged.
    """
    text = resources.files("axis.catalogue").joinpath("vietnam.csv").read_text(encoding="utf-8")
    plan = clean(rows_of_csv(text), valid_from=CATALOGUE_START)
    if plan.refused or plan.repeated:
        raise Misconfigured(f"vietnam.csv is damaged: {[*plan.refused, *plan.repeated][:3]}")
    return plan.accepted
