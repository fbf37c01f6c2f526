"""Statuses: what a recipient reports."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="status/unknown-envelope",
        title="No such envelope is known.",
        title_vi="Trục liên thông không có gói tin này.",
        remedy="Name the id of an envelope that you received.",
        remedy_vi="Ghi mã của gói tin mà cơ quan đã nhận.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT, rivals.NHN_INVALID_FIELD),
    ),
    Reason(
        code="status/not-recipient",
        title="The reporter is not a recipient of the envelope.",
        title_vi="Bên báo trạng thái không phải là bên nhận của gói tin.",
        remedy="Report for your own code, or name a unit below in `recipient`.",
        remedy_vi="Báo trạng thái bằng mã định danh của mình, hoặc ghi đơn vị cấp dưới trong `recipient`.",
        rivals=(rivals.XROAD_ACCESS_DENIED, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="status/not-sender",
        title="Only the sender of the document may take it back.",
        title_vi="Chỉ bên gửi mới được lấy lại văn bản.",
        remedy="Send 13 under the sender's code.",
        remedy_vi="Gửi trạng thái 13 bằng mã định danh của bên gửi.",
        rivals=(rivals.XROAD_ACCESS_DENIED, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="status/id-time",
        title="The time in the id is too far from now.",
        title_vi="Thời điểm trong mã trạng thái lệch quá xa so với hiện tại.",
        remedy="Make the id when you report, and set your clock by the axis.",
        remedy_vi="Tạo mã vào lúc báo trạng thái và đồng bộ đồng hồ của máy với trục liên thông.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
    Reason(
        code="status/id-reused",
        title="The id was used before for other bytes.",
        title_vi="Mã trạng thái này đã được dùng cho nội dung khác.",
        remedy="Make a new id for a new status.",
        remedy_vi="Tạo mã mới cho mỗi trạng thái mới.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
)
