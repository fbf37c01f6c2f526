"""`python -m axis.faults.skewed SECONDS router|tracker|relay`: a worker whose clock is so many seconds ahead.

The workers read the time in one place. It is replaced before anything else takes it from there.
"""

import datetime as dt
import importlib
import runpy
import sys


def main() -> None:
    """Put the clock wrong and become the worker."""
    wrong = dt.timedelta(seconds=float(sys.argv.pop(1)))
    # By name: the workers lie above this package, which must not need them.
    view = importlib.import_module("workers.view")

    def utc_now() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + wrong

    vars(view)["utc_now"] = utc_now
    runpy.run_module("workers", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
