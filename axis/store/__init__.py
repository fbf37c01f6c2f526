"""The PostgreSQL seam: everything the axis remembers. `seam.py` says what it promises."""

from axis.core.tracked import (
    Quarantined,
    Tracked,
    TrackedDelivery,
    TrackedEnvelope,
    TrackedNotice,
    TrackedStatus,
    TrackedWaiting,
)
from axis.store.backlog_seam import Backlog, BacklogStore, Pile
from axis.store.comparing_seam import ComparingStore, WithDeliveries
from axis.store.fake import FakeStore
from axis.store.log_seam import Logged, LogHead, LogKind, LogStore, Placed, SignedCheckpoint
from axis.store.migrating import migrate
from axis.store.operator_seam import OperatorStore, SoughtActs
from axis.store.paper_seam import FiledPaper, PaperStore, WaitingPaper
from axis.store.partner_seam import PartnerStore
from axis.store.proving import ProofStore, Signed, Stamp
from axis.store.quarantine_seam import Departure, QuarantineStore
from axis.store.register_seam import (
    Entry,
    EntryDelivery,
    FeedItem,
    Flow,
    News,
    Overdue,
    RegisterStore,
    Sought,
    Tally,
)
from axis.store.replay_seam import ReplayStore
from axis.store.roles import ensure_roles, renew_rights
from axis.store.seam import (
    Advances,
    BlobStore,
    Counts,
    DirectoryStore,
    QuotaStore,
    Store,
    SuspectStore,
    Transaction,
)
from axis.store.seen_seam import Said, SeenStore
from axis.store.watch_seam import WatchStore
from axis.store.webhook_seam import Calls, WebhookStore
from axis.store.workday_seam import WorkdayStore

__all__ = [
    "Advances",
    "Backlog",
    "BacklogStore",
    "BlobStore",
    "Calls",
    "ComparingStore",
    "Counts",
    "Departure",
    "DirectoryStore",
    "Entry",
    "EntryDelivery",
    "FakeStore",
    "FeedItem",
    "FiledPaper",
    "Flow",
    "LogHead",
    "LogKind",
    "LogStore",
    "Logged",
    "News",
    "OperatorStore",
    "Overdue",
    "PaperStore",
    "PartnerStore",
    "Pile",
    "Placed",
    "ProofStore",
    "QuarantineStore",
    "Quarantined",
    "QuotaStore",
    "RegisterStore",
    "ReplayStore",
    "Said",
    "SeenStore",
    "Signed",
    "SignedCheckpoint",
    "Sought",
    "SoughtActs",
    "Stamp",
    "Store",
    "SuspectStore",
    "Tally",
    "Tracked",
    "TrackedDelivery",
    "TrackedEnvelope",
    "TrackedNotice",
    "TrackedStatus",
    "TrackedWaiting",
    "Transaction",
    "WaitingPaper",
    "WatchStore",
    "WebhookStore",
    "WithDeliveries",
    "WorkdayStore",
    "ensure_roles",
    "migrate",
    "renew_rights",
]
