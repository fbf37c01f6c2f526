"""Where a document goes: recipients and their mailboxes."""

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

_BY_ITSELF = "Nothing to do: the axis holds the delivery and releases it by itself."
_BY_ITSELF_VI = "Không phải làm gì: trục liên thông giữ văn bản và tự chuyển khi có thể."

REASONS = (
    Reason(
        code="recipient/unknown",
        title="The code is not in the directory.",
        title_vi="Mã định danh này không có trong danh mục.",
        remedy="Check the code: axis explain.",
        remedy_vi="Kiểm tra lại mã định danh bằng lệnh axis explain.",
        rivals=(rivals.AS4_VALUE_NOT_RECOGNIZED, rivals.XROAD_UNKNOWN_MEMBER, rivals.LGSP_NO_RECEIVER),
    ),
    Reason(
        code="recipient/not-registered",
        title="The unit is not registered below its organisation.",
        title_vi="Đơn vị này chưa được đăng ký dưới cơ quan chủ quản.",
        remedy="Address the organisation, or have the unit registered.",
        remedy_vi="Gửi tới cơ quan chủ quản, hoặc đề nghị cơ quan đó đăng ký đơn vị.",
        rivals=(rivals.XROAD_UNKNOWN_MEMBER, rivals.LGSP_NO_RECEIVER),
    ),
    Reason(
        code="recipient/not-yet-valid",
        title="The organisation is not in force yet.",
        title_vi="Cơ quan nhận chưa có hiệu lực hoạt động.",
        remedy="Send when it is, or to its predecessor.",
        remedy_vi="Gửi khi cơ quan đó đã hoạt động, hoặc gửi tới cơ quan tiền thân.",
        rivals=(rivals.XROAD_UNKNOWN_MEMBER, rivals.LGSP_NO_RECEIVER),
    ),
    Reason(
        code="recipient/closed",
        title="The organisation is closed and documents are not forwarded.",
        title_vi="Cơ quan nhận đã giải thể hoặc sáp nhập và văn bản không được chuyển tiếp.",
        remedy="Address the successor named in `detail`.",
        remedy_vi="Gửi tới cơ quan kế thừa nêu trong `detail`.",
        rivals=(rivals.XROAD_SERVICE_DISABLED, rivals.LGSP_RECEIVER_LOCKED),
    ),
    Reason(
        code="recipient/no-mailbox",
        title="Neither the organisation nor one above it has a mailbox.",
        title_vi="Cơ quan nhận và các cơ quan cấp trên đều chưa có hộp thư trên trục liên thông.",
        remedy="The organisation has to connect first.",
        remedy_vi="Cơ quan nhận phải kết nối với trục liên thông trước.",
        rivals=(rivals.XROAD_UNKNOWN_SERVICE, rivals.LGSP_NO_RECEIVER),
    ),
    Reason(
        code="mailbox/not-ready",
        title="The mailbox's queues are not there yet.",
        title_vi="Hàng đợi của hộp thư chưa sẵn sàng.",
        remedy=_BY_ITSELF,
        remedy_vi=_BY_ITSELF_VI,
        fault=Fault.AXIS,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
    Reason(
        code="mailbox/not-taking",
        title="The broker did not take the document for the mailbox.",
        title_vi="Máy chủ hàng đợi chưa nhận văn bản vào hộp thư.",
        remedy=_BY_ITSELF,
        remedy_vi=_BY_ITSELF_VI,
        fault=Fault.AXIS,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
    Reason(
        code="mailbox/full",
        title="Too many documents wait in the mailbox.",
        title_vi="Hộp thư còn quá nhiều văn bản chưa được lấy.",
        remedy="The recipient has to take its documents; the axis holds further ones and releases them in order.",
        remedy_vi="Bên nhận cần lấy văn bản về; trục liên thông giữ các văn bản sau và chuyển theo đúng thứ tự.",
        fault=Fault.AXIS,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
    Reason(
        code="mailbox/behind",
        title="Earlier documents for the mailbox are held.",
        title_vi="Các văn bản gửi trước tới hộp thư này còn đang được giữ.",
        remedy="Nothing to do: the axis releases them in order.",
        remedy_vi="Không phải làm gì: trục liên thông chuyển văn bản theo đúng thứ tự.",
        fault=Fault.AXIS,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
)
