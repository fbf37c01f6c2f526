"""Who plays in the demo. Level-1 codes and names are the catalogue's; the units below them are made up."""

from dataclasses import dataclass

SENDER = "G22"
ANSWERER = "H37.05"
REFUSER = "G17"
REFUSAL = "Văn bản gửi nhầm thẩm quyền, đề nghị gửi lại đơn vị chủ trì"
FORGER = "G09"
UNKNOWN = "H99"
CLOSED, SUCCESSOR = "H22", "H60"  # Hà Giang went into Tuyên Quang on 1 July 2025


@dataclass(frozen=True, slots=True)
class Part:
    """One agency of the cast; without a mailbox it receives through the organisation above it."""

    code: str
    name: str | None = None  # None: the catalogue knows it
    mailbox: bool = True


CAST = (
    Part(SENDER),
    Part("G06"),
    Part(FORGER),
    Part("G12"),
    Part("G12.18", "Cục Thuế"),
    Part(REFUSER),
    Part("H26"),
    Part("H29"),
    Part("H37"),
    Part("H37.02", "Ban Quản lý Khu kinh tế cửa khẩu tỉnh Lạng Sơn", mailbox=False),
    Part(ANSWERER, "Sở Tài chính tỉnh Lạng Sơn"),
    Part("H48"),
    Part(SUCCESSOR),
)

RECIPIENTS = (*(part.code for part in CAST if part.code != SENDER), CLOSED, UNKNOWN)
