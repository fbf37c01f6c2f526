"""The envelope: what is said about a document, and to whom."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="envelope/no-recipients",
        title="The envelope names no recipient.",
        title_vi="Gói tin không ghi bên nhận nào.",
        remedy="Name at least one recipient.",
        remedy_vi="Ghi mã định danh của ít nhất một cơ quan nhận.",
        rivals=(rivals.AS4_VALUE_NOT_RECOGNIZED, rivals.NHN_INVALID_FIELD, rivals.LGSP_NO_RECEIVER),
    ),
    Reason(
        code="envelope/too-many-recipients",
        title="The envelope names more than 5,000 recipients.",
        title_vi="Gói tin ghi quá 5.000 bên nhận.",
        remedy="Send several envelopes.",
        remedy_vi="Chia thành nhiều gói tin để gửi.",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="envelope/attachment-name",
        title="An attachment's name is not a plain file name.",
        title_vi="Tên tệp đính kèm không phải là tên tệp thông thường.",
        remedy="Use a name without path, control characters or a leading dot.",
        remedy_vi="Đặt tên tệp không có đường dẫn, không có ký tự điều khiển và không bắt đầu bằng dấu chấm.",
        rivals=(rivals.AS4_VALUE_NOT_RECOGNIZED, rivals.LGSP_INVALID_FILE),
    ),
    Reason(
        code="envelope/id-reused",
        title="The id was used before for other bytes or by another sender.",
        title_vi="Mã gói tin này đã được dùng cho nội dung khác hoặc bởi bên gửi khác.",
        remedy="Make a new id for a new message.",
        remedy_vi="Tạo mã mới cho mỗi gói tin mới.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
    Reason(
        code="envelope/unknown-concerned",
        title="The envelope acted on is not known.",
        title_vi="Trục không biết gói tin mà gói tin này nhắc tới.",
        remedy="Name in `concerns` the id of an envelope that you sent; wait for its receipt first.",
        remedy_vi="Ghi trong `concerns` mã của gói tin do chính cơ quan đã gửi; chờ biên nhận của gói tin đó trước.",
        retry=True,
        rivals=(rivals.AS4_VALUE_INCONSISTENT, rivals.FIKS_BAD_REQUEST),
    ),
    Reason(
        code="envelope/id-time",
        title="The time in the id is too far from now.",
        title_vi="Thời điểm trong mã gói tin lệch quá xa so với hiện tại.",
        remedy="Make the id when you send, and set your clock by the axis.",
        remedy_vi="Tạo mã vào lúc gửi và đồng bộ đồng hồ của máy với trục liên thông.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
)
