"""The directory's contents: Vietnam's level-1 organisations, and the import of anybody's lists.

load()                                              # schemas.Organisation records of vietnam.csv
plan = clean(read_rows(path), valid_from=moment)    # what to put, what was repeated, what was refused and why
"""

from axis.catalogue.cleaning import ImportPlan, RefusedRow, RepeatedRow, clean
from axis.catalogue.rows import Row, read_rows
from axis.catalogue.vietnam import CATALOGUE_START, load

__all__ = ["CATALOGUE_START", "ImportPlan", "RefusedRow", "RepeatedRow", "Row", "clean", "load", "read_rows"]
