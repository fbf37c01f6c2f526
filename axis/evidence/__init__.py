"""Evidence about revocation: fetched in the background, judged by `axis.trust`, kept in the store."""

from axis.evidence.enrolling import Admission, Admitted
from axis.evidence.fetching import Fetch, Fetcher, NotFetched, fetching
from axis.evidence.refreshing import Refresher, Swept

__all__ = ["Admission", "Admitted", "Fetch", "Fetcher", "NotFetched", "Refresher", "Swept", "fetching"]
