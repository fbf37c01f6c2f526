"""docs/reasons.md: every reason in both languages, and what other systems call it."""

from collections.abc import Sequence

from schemas.reasons import GROUPS, Reason

_HEAD = """\
# Every reason code
Generated from `schemas/reasons` by `python -m schemas.generate`; do not edit. A code never changes its meaning. It is \
in receipts, in the answers of the gateway (header `axis-code`), in quarantine, in logs and metrics, and in what \
commands print: in Vietnamese where the locale is (`LC_ALL`, `LC_MESSAGES`, `LANG`), with `--json` in both languages.

*Fault* says who has to act. *Again*: the very same bytes may succeed later. *Elsewhere*: the nearest that AS4 \
(eDelivery), X-Road, the AMQP profile of Norsk Helsenett (NHN), KS Fiks IO or a provincial LGSP has for it.
"""


def reasons_page() -> str:
    """Write the page (Markdown)."""
    return "\n".join((_HEAD, *(_group(title, reasons) for title, reasons in GROUPS.items())))


def _group(title: str, reasons: Sequence[Reason]) -> str:
    head = "| code | what happened, and what to do | chuyện gì xảy ra, cần làm gì | fault | again | elsewhere |\n"
    return f"## {title}\n{head}|---|---|---|---|---|---|\n" + "".join(map(_row, reasons))


def _row(reason: Reason) -> str:
    cells = (
        f"`{reason.code}`",
        f"{reason.title} {reason.remedy}",
        f"{reason.title_vi} {reason.remedy_vi}",
        reason.fault.value,
        "yes" if reason.retry else "",
        ", ".join(reason.rivals),
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |\n"
