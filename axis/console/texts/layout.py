"""What is on every page, and the pages for logging in."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "axis": ("Trục liên thông văn bản", "Document axis"),
        "skip": ("Đến nội dung chính", "Skip to the content"),
        "menu": ("Danh mục chính", "Main menu"),
        "menu.overview": ("Tổng quan", "Overview"),
        "menu.documents": ("Văn bản", "Documents"),
        "menu.agencies": ("Cơ quan", "Agencies"),
        "menu.quarantine": ("Cách ly", "Quarantine"),
        "menu.directory": ("Danh mục", "Directory"),
        "menu.reports": ("Báo cáo", "Reports"),
        "menu.audit": ("Kiểm toán", "Audit"),
        "menu.accounts": ("Tài khoản", "Accounts"),
        "language": ("Ngôn ngữ", "Language"),
        "logged in": ("Đang đăng nhập: {name}", "Logged in: {name}"),
        "log in": ("Đăng nhập", "Log in"),
        "log out": ("Đăng xuất", "Log out"),
        "login": ("Tên đăng nhập", "Login"),
        "password": ("Mật khẩu", "Password"),
        "password.change": ("Đổi mật khẩu", "Change password"),
        "password.present": ("Mật khẩu hiện tại", "Present password"),
        "password.new": ("Mật khẩu mới", "New password"),
        "password.again": ("Nhập lại mật khẩu mới", "New password again"),
        "password.rule": (
            "Từ 12 đến 256 ký tự, không trùng tên đăng nhập. Mọi phiên đăng nhập khác sẽ kết thúc.",
            "12 to 256 characters, and not the login. All your other sessions end.",
        ),
        "password.temporary": (
            "Mật khẩu này chỉ dùng một lần: hãy đặt mật khẩu của riêng bạn để tiếp tục.",
            "This password was for once: choose one of your own to go on.",
        ),
        "password.changed": ("Đã đổi mật khẩu. Hãy đăng nhập lại.", "The password is changed. Log in again."),
        "provider": ("Đăng nhập một lần", "Log in with the login service"),
        "parting": ("Đã đăng xuất", "Logged out"),
        "parting.going": (
            "Bạn đã đăng xuất ở đây. Trình duyệt đang được chuyển tới dịch vụ đăng nhập để kết thúc cả phiên ở đó.",
            "You are logged out here. Your browser is led to the login service, to end the session there too.",
        ),
        "parting.none": (
            "Bạn đã đăng xuất ở đây. Dịch vụ đăng nhập không cho biết địa chỉ đăng xuất.",
            "You are logged out here. The login service names no address for logging out.",
        ),
        "parting.failed": (
            "Bạn đã đăng xuất ở đây. Dịch vụ đăng nhập không trả lời đúng.",
            "You are logged out here. The login service did not answer as it should.",
        ),
        "parting.on": (
            "Phiên ở dịch vụ đó vẫn còn, trình duyệt này có thể vào lại mà không cần mật khẩu. Hãy đăng xuất ở đó.",
            "The session there goes on, and this browser may come in again without a password. Log out there.",
        ),
        "parting.done": (
            "Bạn đã đăng xuất ở đây và ở dịch vụ đăng nhập.",
            "You are logged out here and at the login service.",
        ),
        "parting.go": ("Đăng xuất ở dịch vụ đăng nhập", "Log out at the login service"),
        "or": ("hoặc", "or"),
        "wait": ("Thử lại sau {seconds} giây.", "Try again in {seconds} seconds."),
        "error": ("Không thực hiện được", "This did not work"),
        "error.code": ("Mã lỗi", "Code"),
        "back": ("Quay lại trang đầu", "Back to the first page"),
        "older": ("Cũ hơn", "Older"),
        "newest": ("Mới nhất", "Newest"),
        "more": ("Còn nữa", "There is more"),
        "nothing": ("Không có gì.", "There is nothing."),
        "download": ("Tải về", "Download"),
        "search": ("Tìm", "Search"),
        "since": ("Từ ngày", "Since"),
        "until": ("Đến ngày", "Until"),
        "save": ("Lưu", "Save"),
        "overview.welcome": (
            "Trục liên thông văn bản quốc gia: theo dõi văn bản điện tử giữa các cơ quan.",
            "The document axis: following electronic documents between agencies.",
        ),
        "role.viewer": ("Người xem", "Viewer"),
        "role.operator": ("Điều hành viên", "Operator"),
        "role.administrator": ("Quản trị viên", "Administrator"),
        "role.agency": ("Người dùng cơ quan", "Agency user"),
    }
)
