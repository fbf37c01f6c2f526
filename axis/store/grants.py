"""Who may do what in the database: one role for each service, with what its statements need and nothing else.

Rights on partitioned tables are those on the parent: nobody reaches a month by its own name. An UPDATE is of columns:
a tracker that marks what was published cannot touch the bytes that were signed. A table that is not named here is
nobody's but the owner's.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from axis.core.registered import COUNTS

Grants = Mapping[str, Sequence[str]]

# Every service knows the directory and sees to it that the database is one for it.
_DIRECTORY: Grants = {
    "organisation": ("SELECT",),
    "mailbox": ("SELECT",),
    "certificate": ("SELECT",),
    "axis_migration": ("SELECT",),
}
_MARKS: Grants = {
    "envelope": ("SELECT", "UPDATE (published_at)"),
    "notice": ("SELECT", "INSERT", "UPDATE (published_at)"),
}
_SETTING_ASIDE: Grants = {
    "quarantine": ("SELECT", "INSERT", "UPDATE (count, last_seen_at)"),
    "suspect": ("SELECT", "INSERT", "UPDATE (times, noted_at)", "DELETE"),
    # Whose uploads a state secret named is noted by whoever refuses it; the gateway forgets them.
    "blob_upload": ("SELECT",),
    "blob_unwanted": ("SELECT", "INSERT", "UPDATE (at)"),
}
_COUNTING: Grants = {"quota_level": ("SELECT", "INSERT", "UPDATE (level, per_second, at)")}
_HOLDING = "UPDATE (state, held_for, placed_at, published_at, reason, detail, tried)"
_BLOBS: Grants = {"blob": ("SELECT",), "blob_upload": ("SELECT",), "attachment": ("SELECT",)}
# What authorities said of certificates: added to, never changed.
_PROVING: Grants = {
    "revocation_answer": ("SELECT", "INSERT"),
    "certificate_evidence": ("SELECT", "INSERT"),
    "certificate_warning": ("SELECT", "INSERT"),
}
_WATCHING: Grants = {
    "mailbox_look": ("SELECT",),
    "mailbox_watch": ("SELECT",),
    "finding": ("SELECT",),
    "replay": ("SELECT",),
}
_LOG: Grants = {"log_entry": ("SELECT",), "log_checkpoint": ("SELECT",)}
_PARTNERS: Grants = {
    "partner": ("SELECT",),
    "partner_code": ("SELECT",),
    "partner_incoming": ("SELECT",),
    "partner_outgoing": ("SELECT",),
    "partner_application": ("SELECT",),
}
# People who look at the console; whoever runs the commands makes the first of them.
_ACCOUNTS: Grants = {
    "operator": ("SELECT", "INSERT", "UPDATE (name, role, code, closed_at, password, temporary)"),
    "operator_session": ("SELECT", "INSERT", "UPDATE (seen_at)", "DELETE"),
    "login_attempt": ("SELECT", "INSERT", "UPDATE (failures, at)", "DELETE"),
}
_REGISTER: Grants = dict.fromkeys(
    (
        "register_document",
        "register_delivery",
        "register_due",
        "register_flow",
        "register_state",
        "tally",
        "feed",
        "touched",
    ),
    ("SELECT",),
)
_WEBHOOKS: Grants = {
    "webhook": ("SELECT", "INSERT", "UPDATE (events)", "DELETE"),
    "webhook_call": ("SELECT", "UPDATE (state, due_at, since, attempts)"),
}
# Taking messages out of quarantine by hand; what was done is only added to.
_QUARANTINE: Grants = {
    "quarantine": ("SELECT", "UPDATE (left_at)"),
    "quarantine_departure": ("SELECT", "INSERT"),
    "waiting": ("SELECT", "INSERT"),
}
_READING: Grants = {
    **_DIRECTORY,
    **_REGISTER,
    **dict.fromkeys(_WEBHOOKS, ("SELECT",)),
    **dict.fromkeys(_PROVING, ("SELECT",)),
    "mailbox": ("SELECT (code, valid_from, valid_to, quota)",),  # not what a password could be guessed from
    "blob": ("SELECT",),
    "blob_upload": ("SELECT",),
    "blob_unwanted": ("SELECT",),
    "envelope": ("SELECT",),
    "delivery": ("SELECT",),
    "delivery_state": ("SELECT",),
    "attachment": ("SELECT",),
    "notice": ("SELECT",),
    "status_event": ("SELECT",),
    "conversation": ("SELECT",),
    "waiting": ("SELECT",),
    "quarantine": ("SELECT",),
    "paper_signature": ("SELECT",),
    "workday_override": ("SELECT",),
    **_ACCOUNTS,
    **_LOG,
    **_PARTNERS,
    **_WATCHING,
    # Written by whoever acts; changed and deleted by nobody, see the trigger.
    "audit": ("SELECT", "INSERT"),
}

TABLES: Mapping[str, Grants] = MappingProxyType(
    {
        "axis_router": {
            **_DIRECTORY,
            **_COUNTING,
            **_MARKS,
            **_SETTING_ASIDE,
            **_BLOBS,
            "envelope": ("SELECT", "INSERT", "UPDATE (published_at)"),
            "delivery": ("SELECT", "INSERT", _HOLDING),
            "attachment": ("SELECT", "INSERT"),
            "conversation": ("SELECT", "INSERT"),
            "waiting": ("SELECT", "INSERT", "DELETE"),
        },
        "axis_tracker": {
            **_DIRECTORY,
            **_COUNTING,
            **_MARKS,
            **_SETTING_ASIDE,
            "delivery": ("SELECT", "UPDATE (last_status, last_status_at)"),
            "status_event": ("SELECT", "INSERT"),
            "conversation": ("SELECT", "INSERT", "UPDATE (state, answered_at, answered_by, answer, destroyed_at)"),
        },
        "axis_relay": {
            **_DIRECTORY,
            **_SETTING_ASIDE,
            **_PROVING,
            # It may find a certificate revoked, and say so; it enrols none.
            "certificate": ("SELECT", "UPDATE (revoked_at, invalid_since, revocation, evidence, trusted_until)"),
            "audit": ("INSERT",),
            "envelope": ("SELECT", "UPDATE (published_at, attempted_at, attempts)"),
            "notice": ("SELECT", "INSERT", "UPDATE (published_at, attempted_at, attempts)"),
            "delivery": ("SELECT", _HOLDING),
        },
        "axis_notary": {
            "axis_migration": ("SELECT",),
            "notice": ("SELECT (id, kind, body, signature)",),
            "audit": ("SELECT",),
            "log_entry": ("SELECT", "INSERT", "DELETE"),
            "log_checkpoint": ("SELECT", "INSERT", "UPDATE (note, timestamp)"),
        },
        "axis_papers": {
            "axis_migration": ("SELECT",),
            "attachment": ("SELECT",),
            "blob": ("SELECT",),
            "paper_signature": ("SELECT", "INSERT", "UPDATE (verdict, trust, checked_at, tries)"),
        },
        "axis_auditor": {
            "axis_migration": ("SELECT",),
            "mailbox": ("SELECT (code, valid_from, valid_to)",),
            # What it hastens the relay publishes: it cannot mark anything itself, and reads no document.
            "envelope": (
                "SELECT (id, lane, published_at, accepted_at, attempted_at, attempts)",
                "UPDATE (attempted_at, attempts)",
            ),
            "notice": ("SELECT (id, kind, published_at, attempted_at, attempts)", "UPDATE (attempted_at, attempts)"),
            "delivery": ("SELECT",),
            "status_event": ("SELECT (envelope_id, code, recipients)",),
            "conversation": ("SELECT",),
            "partner_incoming": ("SELECT (message_id, agency, kind)",),
            "audit": ("INSERT",),
            "mailbox_look": ("SELECT", "INSERT", "UPDATE (at)"),
            "mailbox_watch": (
                "SELECT",
                "INSERT",
                "UPDATE (ready, unacked, consumers, no_consumer_since, oldest_at, still_since, moved_at, taken)",
                "DELETE",
            ),
            "finding": ("SELECT", "INSERT", "UPDATE (since, count, about, healed_at, healed)"),
        },
        # It reads what happened and writes what is derived from it; triggers write what is touched, as the owner.
        "axis_registrar": {
            "axis_migration": ("SELECT",),
            "envelope": ("SELECT",),
            "delivery": ("SELECT",),
            "delivery_state": ("SELECT",),
            "status_event": ("SELECT",),
            "conversation": ("SELECT",),
            "partner_incoming": ("SELECT (message_id, agency, kind, fetched_at, withdrawn_at)",),
            "workday_override": ("SELECT",),
            "touched": ("SELECT", "DELETE"),
            "register_document": ("SELECT", "INSERT", "UPDATE"),
            "register_delivery": ("SELECT", "INSERT", "UPDATE"),
            "register_due": ("SELECT", "INSERT", "UPDATE (open)", "DELETE"),
            "register_flow": ("SELECT", "INSERT", "UPDATE (documents, deliveries, statuses)", "DELETE"),
            "register_state": ("SELECT", "UPDATE (seq, late_from)"),
            "tally": ("SELECT", "INSERT", f"UPDATE ({', '.join(COUNTS)})", "DELETE"),
            "feed": ("SELECT", "INSERT", "DELETE"),
        },
        "axis_herald": {
            "axis_migration": ("SELECT",),
            "feed": ("SELECT",),
            "register_state": ("SELECT",),
            "webhook": ("SELECT", "UPDATE (cursor, claimed_until)"),
            "webhook_call": (
                "SELECT",
                "INSERT",
                "UPDATE (due_at, tried_at, attempts, state, told)",
                "DELETE",
            ),
        },
        "axis_gateway": {
            **_DIRECTORY,
            # What agencies ask about their own documents.
            **_REGISTER,
            **_WEBHOOKS,
            "delivery_state": ("SELECT",),
            "status_event": (
                "SELECT (id, envelope_id, reporter, recipients, code, effect, at, received_at, reason, evidence)",
            ),
            "conversation": ("SELECT",),
            "certificate_evidence": ("SELECT (id, as_of, good_until)",),
            "notice": ("SELECT (id, kind, about, mailbox, published_at)",),
            "audit": ("INSERT",),
            **_COUNTING,
            **_LOG,
            **_BLOBS,
            "blob": ("SELECT", "INSERT", "DELETE"),
            "blob_upload": ("SELECT", "INSERT", "UPDATE (uploaded_at)", "DELETE"),
            "blob_unwanted": ("SELECT", "DELETE"),
            **_PARTNERS,
            "envelope": ("SELECT",),
            "delivery": ("SELECT",),
            "partner_incoming": (
                "SELECT",
                "INSERT",
                "DELETE",
                "UPDATE (state, description, updated_at, withdrawn_at, fetched_at, reported_at)",
            ),
            "partner_outgoing": (
                "SELECT",
                "INSERT",
                "DELETE",
                "UPDATE (doc_id, message_id, created_at, submitted_at, agency, recipients, state)",
                "UPDATE (description, outcomes)",
            ),
            "partner_application": ("SELECT", "INSERT"),
        },
        "axis_operator": {
            **_READING,
            **_QUARANTINE,
            **_PROVING,
            "organisation": ("SELECT", "INSERT", "UPDATE"),
            "mailbox": ("SELECT", "INSERT", "UPDATE"),
            "certificate": ("SELECT", "INSERT", "UPDATE"),
            "partner": (
                "SELECT",
                "INSERT",
                "UPDATE (profile, strict, code_form, clock_minutes, ended_at)",
            ),
            "partner_code": ("SELECT", "INSERT", "DELETE"),
            "replay": ("SELECT", "INSERT", "UPDATE (after_at, after_id, put, left_out, filled_at, ended_at)"),
            "partner_incoming": ("SELECT", "UPDATE (system_id)"),
            "workday_override": ("SELECT", "INSERT", "UPDATE", "DELETE"),
            "partner_application": ("SELECT", "UPDATE (closed_at)"),
            **_WEBHOOKS,
        },
        "axis_console": {
            **_READING,
            **_QUARANTINE,
            "webhook_call": ("SELECT", "UPDATE (state, due_at, since, attempts)"),  # tried again by hand
        },
    }
)

FUNCTIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"axis_relay": ("axis_keep_partitions(text, date, integer)",)}
)
