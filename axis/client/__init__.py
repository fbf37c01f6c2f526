"""The agency SDK: what a document management system needs to send, receive and report over the axis."""

from axis.client.agency import Agency
from axis.client.asking import Change
from axis.client.building import File
from axis.client.delivery import Delivery, Reported
from axis.client.inbox import Inbox
from axis.client.ledger import Ledger, Suspicious
from axis.client.logs import Proven, Trusted, verify_proof
from axis.client.memory import MemoryLedger
from axis.client.notices import Notice, Notices, ReceiptNotice, StatusNotice
from axis.client.opening import Opened
from axis.client.replays import Replayed, Replays
from axis.client.sent import NotConfirmed, Sent
from axis.client.settings import AgencySettings, TlsFiles, write_profile, write_sealing_key
from axis.client.sqlite import SqliteLedger
from axis.client.webhooks import Called, read_webhook

__all__ = [
    "Agency",
    "AgencySettings",
    "Called",
    "Change",
    "Delivery",
    "File",
    "Inbox",
    "Ledger",
    "MemoryLedger",
    "NotConfirmed",
    "Notice",
    "Notices",
    "Opened",
    "Proven",
    "ReceiptNotice",
    "Replayed",
    "Replays",
    "Reported",
    "Sent",
    "SqliteLedger",
    "StatusNotice",
    "Suspicious",
    "TlsFiles",
    "Trusted",
    "read_webhook",
    "verify_proof",
    "write_profile",
    "write_sealing_key",
]
