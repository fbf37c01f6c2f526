"""What agencies' own systems may be told over the agency API, and about their webhooks."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="api/not-own",
        title="The key is not enrolled for the organisation that is asked for.",
        title_vi="Khóa ký không phải của chính cơ quan đang yêu cầu.",
        remedy="Sign the token with the organisation's own key: one above it does not see its traffic.",
        remedy_vi="Ký token bằng khóa của chính cơ quan đó: cơ quan cấp trên không xem được văn bản của cấp dưới.",
    ),
    Reason(
        code="api/unknown-document",
        title="There is no such document among yours.",
        title_vi="Không có văn bản này trong số văn bản của cơ quan.",
        remedy="Ask for the envelope id of a document that you sent, or that came to you.",
        remedy_vi="Dùng mã gói tin của văn bản do cơ quan gửi hoặc nhận.",
    ),
    Reason(
        code="api/cursor-pruned",
        title="What came behind this cursor is not kept any more.",
        title_vi="Các thay đổi sau vị trí này không còn được lưu.",
        remedy="Ask once without `after` for what is kept, and find in the list what you may have missed.",
        remedy_vi="Gọi lại không kèm `after` để lấy phần còn lưu, và tra danh sách văn bản để tìm phần đã bỏ lỡ.",
    ),
    Reason(
        code="webhook/address",
        title="The axis does not call this address.",
        title_vi="Trục không gọi tới địa chỉ này.",
        remedy="Give an https:// address that the axis can reach, on a port that it allows, without user or password.",
        remedy_vi="Dùng địa chỉ https:// mà trục tới được, cổng được phép, không kèm tên người dùng hay mật khẩu.",
    ),
    Reason(
        code="webhook/malformed",
        title="The webhook is not described as it has to be.",
        title_vi="Mô tả webhook không đúng.",
        remedy="See `detail`, and agency.openapi.json.",
        remedy_vi="Xem `detail` và agency.openapi.json.",
        rivals=(rivals.NHN_INVALID_FIELD,),
    ),
    Reason(
        code="webhook/too-many",
        title="The organisation has as many webhooks as it may have.",
        title_vi="Cơ quan đã có đủ số webhook được phép.",
        remedy="Remove one that is not needed.",
        remedy_vi="Xóa webhook không còn cần.",
    ),
    Reason(
        code="webhook/unknown",
        title="There is no such webhook.",
        title_vi="Không có webhook này.",
        remedy="See the list of webhooks.",
        remedy_vi="Xem danh sách webhook.",
    ),
)

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "api/not-own": 403,
        "api/unknown-document": 404,
        "api/cursor-pruned": 410,
        "webhook/too-many": 409,
        "webhook/unknown": 404,
    }
)
