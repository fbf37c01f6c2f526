"""The pages of quarantine."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "quarantine": ("Cách ly", "Quarantine"),
        "quarantine.groups": ("Theo nguyên nhân", "By cause"),
        "quarantine.all": ("Tất cả nguyên nhân", "All causes"),
        "quarantine.seen": ("Thấy lần cuối", "Last seen"),
        "quarantine.first": ("Thấy lần đầu", "First seen"),
        "quarantine.times": ("Số lần", "Times"),
        "quarantine.account": ("Tài khoản", "Account"),
        "quarantine.no account": ("không chứng minh được", "none proved"),
        "quarantine.source": ("Hàng đợi", "Queue"),
        "quarantine.size": ("Kích thước (byte)", "Size (bytes)"),
        "quarantine.reason": ("Nguyên nhân", "Cause"),
        "quarantine.message id": ("Mã thông điệp", "Message id"),
        "quarantine.id": ("Mã cách ly", "Id in quarantine"),
        "quarantine.headers": ("Tiêu đề", "Headers"),
        "quarantine.properties": ("Thuộc tính", "Properties"),
        "quarantine.text": ("Nội dung dạng văn bản (không hiển thị như trang)", "Content as text (never rendered)"),
        "quarantine.hex": ("Nội dung dạng hệ 16", "Content in hexadecimal"),
        "quarantine.cut": ("Chỉ hiện {shown} trong {size} byte.", "{shown} of {size} bytes are shown."),
        "quarantine.check": ("Nếu xử lý lại bây giờ", "If it were decided now"),
        "quarantine.accepted": ("Sẽ được tiếp nhận.", "It would be accepted."),
        "quarantine.known": (
            "Trục đã tiếp nhận đúng thông điệp này; xử lý lại chỉ gửi lại biên nhận.",
            "The axis has accepted this very message before; it would only be receipted again.",
        ),
        "quarantine.refused": ("Sẽ bị từ chối:", "It would be refused:"),
        "quarantine.to": ("sẽ đến", "would go to"),
        "quarantine.requeue": ("Đưa vào xử lý lại", "Requeue"),
        "quarantine.requeue group": ("Đưa cả nhóm vào xử lý lại", "Requeue the group"),
        "quarantine.drop": ("Loại bỏ", "Drop"),
        "quarantine.drop group": ("Loại bỏ các gói đang hiện", "Drop those shown"),
        "quarantine.why": ("Lý do", "Why"),
        "quarantine.sure": ("Thực hiện thao tác này?", "Do this?"),
        "quarantine.requeued": (
            "Đã đưa {done} gói tin vào xử lý lại.",
            "{done} messages were handed to the routers.",
        ),
        "quarantine.dropped": ("Đã loại bỏ {done} gói tin.", "{done} messages were dropped."),
        "quarantine.stayed": ("{count} gói tin còn lại trong cách ly.", "{count} messages stayed."),
        "quarantine.going": ("Xử lý lại một nhóm gói tin", "Requeue of a group"),
        "quarantine.far": ("{passed} / {asked} gói tin", "{passed} of {asked} messages"),
        "quarantine.goes on": (
            "Có thể đóng trang này: việc xử lý lại vẫn tiếp tục.",
            "This page may be closed: the requeue goes on.",
        ),
        "quarantine.look again": ("Xem lại", "Look again"),
        "quarantine.untouched": (
            "{count} gói tin chưa đến lượt xử lý và vẫn ở trong cách ly; có thể yêu cầu lại.",
            "{count} messages were not come to and are in quarantine; they may be asked for again.",
        ),
        "quarantine.left": ("Gói tin này không còn trong cách ly.", "This message is not in quarantine any more."),
        "quarantine.departures": ("Đã xử lý", "What was done"),
        "quarantine.how.dropped": ("loại bỏ", "dropped"),
        "quarantine.how.requeued": ("xử lý lại", "requeued"),
        "quarantine.at once": (
            "Mỗi lần tối đa {count} gói, 5 gói mỗi giây; mọi thao tác đều ghi nhật ký.",
            "At most {count} at a time, 5 a second; all of it is audited.",
        ),
    }
)
