"""What the console refuses, with the HTTP status each is answered with."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="console/login",
        title="The login or the password is wrong.",
        title_vi="Tên đăng nhập hoặc mật khẩu không đúng.",
        remedy="Try again; an administrator of the console can give you a new password.",
        remedy_vi="Thử lại; quản trị viên có thể cấp mật khẩu mới.",
    ),
    Reason(
        code="console/locked",
        title="Too many wrong passwords in a row.",
        title_vi="Nhập sai mật khẩu quá nhiều lần liên tiếp.",
        remedy="Wait as long as the page says, then try again.",
        remedy_vi="Chờ hết thời gian ghi trên trang rồi thử lại.",
        retry=True,
    ),
    Reason(
        code="console/session",
        title="You are not logged in, or no longer.",
        title_vi="Bạn chưa đăng nhập hoặc phiên làm việc đã kết thúc.",
        remedy="Log in again.",
        remedy_vi="Đăng nhập lại.",
    ),
    Reason(
        code="console/forged",
        title="The request did not come from a page of this console.",
        title_vi="Yêu cầu không xuất phát từ trang của hệ thống này.",
        remedy="Go back, load the page again and repeat what you did there.",
        remedy_vi="Quay lại, tải lại trang và thực hiện lại thao tác.",
    ),
    Reason(
        code="console/role",
        title="Your role does not allow this.",
        title_vi="Vai trò của bạn không có quyền thực hiện việc này.",
        remedy="Ask an administrator of the console.",
        remedy_vi="Liên hệ quản trị viên.",
    ),
    Reason(
        code="console/host",
        title="The console is not reached under this name.",
        title_vi="Địa chỉ này không phải địa chỉ của bảng điều hành.",
        remedy="Use the address in AXIS_CONSOLE_URL, and let a proxy pass on the Host header.",
        remedy_vi="Dùng địa chỉ trong AXIS_CONSOLE_URL và cấu hình proxy giữ nguyên tiêu đề Host.",
    ),
    Reason(
        code="console/form",
        title="The form is not as it has to be.",
        title_vi="Dữ liệu trong biểu mẫu không hợp lệ.",
        remedy="Go back and correct what is named.",
        remedy_vi="Quay lại và sửa mục được nêu.",
    ),
    Reason(
        code="console/size",
        title="The form is too large.",
        title_vi="Biểu mẫu quá lớn.",
        remedy="Send less at once.",
        remedy_vi="Gửi ít dữ liệu hơn trong một lần.",
    ),
    Reason(
        code="console/password",
        title="The new password cannot be taken.",
        title_vi="Không dùng được mật khẩu mới.",
        remedy="Take one of 12 to 256 characters that is not the login, and type it twice the same.",
        remedy_vi="Chọn mật khẩu từ 12 đến 256 ký tự, không trùng tên đăng nhập, và nhập hai lần giống nhau.",
    ),
    Reason(
        code="console/account",
        title="The account cannot be made or changed so.",
        title_vi="Không tạo hoặc sửa được tài khoản như vậy.",
        remedy="Take another login, or see `axis operator list`.",
        remedy_vi="Chọn tên đăng nhập khác, hoặc xem danh sách tài khoản.",
    ),
    Reason(
        code="console/provider",
        title="The login service does not answer as it has to.",
        title_vi="Dịch vụ đăng nhập một lần không trả lời đúng.",
        remedy="Begin the login again; if that does not help, the log of the console says what was wrong.",
        remedy_vi="Bắt đầu đăng nhập lại; nếu vẫn lỗi, xem nhật ký của bảng điều hành.",
        fault=Fault.NETWORK,
        retry=True,
    ),
    Reason(
        code="console/provider-role",
        title="The login service names no role here for you.",
        title_vi="Dịch vụ đăng nhập một lần chưa cấp cho bạn vai trò nào tại đây.",
        remedy="Ask whoever runs the login service; AXIS_CONSOLE_OIDC_ROLES says which claims give which role.",
        remedy_vi="Liên hệ đơn vị quản lý dịch vụ đăng nhập; AXIS_CONSOLE_OIDC_ROLES quy định vai trò.",
    ),
)

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "console/login": 401,
        "console/locked": 429,
        "console/session": 401,
        "console/forged": 403,
        "console/role": 403,
        "console/host": 421,
        "console/form": 400,
        "console/size": 413,
        "console/password": 400,
        "console/account": 409,
        "console/provider": 502,
        "console/provider-role": 403,
        "report/period": 400,
        "report/future": 400,
        "report/code": 404,
        "quarantine/asked": 400,
        "quarantine/stays": 409,
    }
)
