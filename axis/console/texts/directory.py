"""The pages of the directory."""

from collections.abc import Mapping
from types import MappingProxyType

from axis.core.resolving import WORDS, How, Rule

_RULES = {
    Rule.IN_FORCE: "có hiệu lực",
    Rule.SUCCESSOR: "mã kế thừa",
    Rule.OPEN_BELOW: "nhận thay cấp dưới",
    Rule.MAILBOX: "hộp thư",
    Rule.MAILBOX_ABOVE: "hộp thư cấp trên",
    Rule.UNKNOWN: "không có trong danh mục",
    Rule.NOT_REGISTERED: "chưa đăng ký",
    Rule.NOT_YET_VALID: "chưa có hiệu lực",
    Rule.CLOSED: "đã kết thúc",
    Rule.NO_MAILBOX: "không có hộp thư",
}
_STEPS = {
    How.IN_FORCE: "{code} đang có hiệu lực: {name}",
    How.SUCCESSOR: "chuyển cho mã kế thừa {successor}: {code} đã kết thúc ngày {day}",
    How.SUCCESSOR_ABOVE: "chuyển cho mã kế thừa {successor}: {above}, cấp trên của {code}, đã kết thúc ngày {day}",
    How.OPEN_BELOW: "chuyển cho {above}: nơi này nhận văn bản gửi các đơn vị chưa đăng ký ở cấp dưới, như {code}",
    How.MAILBOX: "{code} có hộp thư",
    How.MAILBOX_ABOVE: "qua {above}: cấp trên gần nhất của {code} có hộp thư",
    How.UNKNOWN: "{code} không có trong danh mục, các cấp trên của mã này cũng không",
    How.NOT_REGISTERED: "{code} chưa được đăng ký dưới {above}; hãy gửi cho {above}, hoặc đề nghị đăng ký {code}",
    How.NOT_YET_VALID: "{code} có hiệu lực từ ngày {day}",
    How.NO_SUCCESSOR: "{code} đã kết thúc ngày {day} và không có mã kế thừa",
    How.NOT_FORWARDING: "{code} đã kết thúc ngày {day} và không chuyển tiếp văn bản; mã kế thừa là {successor}",
    How.CIRCLE: "các mã kế thừa nối thành vòng: {way}",
    How.TOO_MANY: "các mã kế thừa nối nhau quá {most} cơ quan: {way}",
    How.NO_MAILBOX: "{code} và các cấp trên đang có hiệu lực đều không có hộp thư",
}

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
        **{f"rule.{rule}": (vietnamese, rule.value) for rule, vietnamese in _RULES.items()},
        **{f"step.{how}": (vietnamese, WORDS[how]) for how, vietnamese in _STEPS.items()},
    }
)
