"""The pages of the directory."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "directory": ("Danh mục mã định danh", "Directory of codes"),
        "directory.words": ("Mã hoặc tên", "Code or name"),
        "directory.at": ("Tại ngày", "As of"),
        "directory.count": ("{count} mã có hiệu lực", "{count} codes in force"),
        "directory.code": ("Mã", "Code"),
        "directory.name": ("Tên", "Name"),
        "directory.from": ("Từ", "From"),
        "directory.to": ("Đến", "Until"),
        "directory.successor": ("Chuyển cho", "Successor"),
        "directory.merged": ("Tiếp nhận từ", "Took over from"),
        "directory.history": ("Các giai đoạn", "History"),
        "directory.mailbox": ("Hộp thư", "Mailbox"),
        "directory.forwarding": ("chuyển tiếp văn bản", "documents are forwarded"),
        "directory.no forwarding": ("không chuyển tiếp", "documents are not forwarded"),
        "directory.receives": ("Văn bản gửi tới mã này sẽ đến đâu", "Where documents for this code go"),
        "directory.goes": ("Vào hộp thư {mailbox}.", "Into mailbox {mailbox}."),
        "directory.refused": ("Trục từ chối:", "The axis refuses:"),
        "directory.card": ("Tình trạng cơ quan", "How the agency is"),
        "directory.closed": ("đã kết thúc", "closed"),
        "directory.open": ("đang có hiệu lực", "in force"),
    }
)
