"""What an envelope does with an earlier one: recall, update, replace."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="concerns/recalled",
        title="The document was recalled before: its record is frozen.",
        title_vi="Văn bản đã được thu hồi trước đó: hồ sơ của văn bản đã đóng.",
        remedy="Send a new document; a recipient that declined the recall can be asked once more.",
        remedy_vi="Gửi văn bản mới; chỉ có thể gửi lại yêu cầu thu hồi cho bên nhận đã từ chối.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
    Reason(
        code="concerns/replaced",
        title="The document was replaced before by another one.",
        title_vi="Văn bản đã được thay thế bằng một văn bản khác.",
        remedy="Name the envelope that replaced it in `concerns`.",
        remedy_vi="Ghi trong `concerns` mã gói tin đã thay thế văn bản này.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT,),
    ),
    Reason(
        code="concerns/not-recipient",
        title="This recipient never got the document that is recalled.",
        title_vi="Bên nhận này chưa từng nhận văn bản bị thu hồi.",
        remedy="Leave it out: `axis track` shows who got the document.",
        remedy_vi="Bỏ bên nhận này; lệnh `axis track` cho biết những nơi đã nhận văn bản.",
        rivals=(rivals.AS4_VALUE_INCONSISTENT, rivals.NHN_INVALID_FIELD),
    ),
    Reason(
        code="concerns/withdrawn",
        title="The document was still held at the axis for this recipient, and is never delivered.",
        title_vi="Văn bản còn được giữ tại trục liên thông cho bên nhận này và sẽ không được chuyển đi.",
        remedy="Nothing: the recipient has not seen it.",
        remedy_vi="Không cần làm gì: bên nhận chưa thấy văn bản.",
    ),
    Reason(
        code="concerns/refused",
        title="The document that is acted on was itself refused, so there is nothing to recall, update or replace.",
        title_vi="Văn bản gốc đã bị từ chối nên không có gì để thu hồi, cập nhật hay thay thế.",
        remedy="Read the receipt of the first document; send it anew if it is still wanted.",
        remedy_vi="Xem biên nhận của văn bản gốc; gửi lại thành văn bản mới nếu vẫn cần.",
    ),
)
