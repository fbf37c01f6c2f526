"""The pages of accounts and of the audit."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "accounts": ("Tài khoản", "Accounts"),
        "account.name": ("Họ và tên", "Name"),
        "account.role": ("Vai trò", "Role"),
        "account.code": ("Mã cơ quan", "Agency code"),
        "account.made": ("Tạo lúc", "Made"),
        "account.state": ("Trạng thái", "State"),
        "account.open": ("đang dùng", "open"),
        "account.closed": ("đã khóa", "closed"),
        "account.temporary": ("chờ đổi mật khẩu", "one-time password"),
        "account.add": ("Thêm tài khoản", "Add an account"),
        "account.change": ("Sửa", "Change"),
        "account.close": ("Khóa tài khoản", "Close the account"),
        "account.reopen": ("Mở lại tài khoản", "Open the account again"),
        "account.new password": ("Cấp mật khẩu mới", "Give a new password"),
        "account.code hint": (
            "Chỉ dành cho người dùng cơ quan: họ chỉ xem được văn bản gửi và nhận của cơ quan mình.",
            "For agency users alone: they see only what their agency sent and received.",
        ),
        "account.provider": ("qua dịch vụ đăng nhập", "by the login service"),
        "account.password once": (
            "Mật khẩu dùng một lần của {login} (chỉ hiện một lần):",
            "The one-time password of {login} (shown once):",
        ),
        "account.done": ("Đã lưu.", "Saved."),
        "audit": ("Nhật ký kiểm toán", "Audit log"),
        "audit.at": ("Thời điểm", "Time"),
        "audit.actor": ("Người thực hiện", "Actor"),
        "audit.action": ("Hành động", "Action"),
        "audit.subject": ("Đối tượng", "Subject"),
        "audit.detail": ("Chi tiết", "Detail"),
    }
)
