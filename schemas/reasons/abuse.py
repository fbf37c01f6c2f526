"""Facts that do not agree: the account, the signer, the routing key and the sender claimed; and the lane."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="abuse/account",
        title="The account does not hold the sender's code.",
        title_vi="Tài khoản không được gửi thay cho mã định danh của bên gửi.",
        remedy="Publish under the account of the sender's own mailbox.",
        remedy_vi="Gửi bằng tài khoản của chính hộp thư bên gửi.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_ACCESS_DENIED, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="abuse/sender",
        title="The sender's code is closed or was never registered.",
        title_vi="Mã định danh của bên gửi đã đóng hoặc chưa từng được đăng ký.",
        remedy="Send under a code that is in force: axis agency show.",
        remedy_vi="Gửi bằng mã định danh đang có hiệu lực; tra cứu bằng lệnh axis agency show.",
        rivals=(rivals.XROAD_UNKNOWN_MEMBER, rivals.NHN_SPOOFING, rivals.LGSP_SENDER_NOT_REGISTERED),
    ),
    Reason(
        code="abuse/concerned",
        title="The envelope acted on was sent by somebody else.",
        title_vi="Gói tin được nhắc tới do cơ quan khác gửi.",
        remedy="Recall, update and replace only what you sent.",
        remedy_vi="Chỉ được thu hồi, cập nhật hoặc thay thế văn bản do chính cơ quan đã gửi.",
        rivals=(rivals.XROAD_ACCESS_DENIED, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="abuse/signer",
        title="The signer's certificate is not for the sender's code.",
        title_vi="Chứng thư số của người ký không thuộc mã định danh của bên gửi.",
        remedy="Sign with a certificate enrolled for the sender or an organisation above it.",
        remedy_vi="Ký bằng chứng thư số đã đăng ký cho bên gửi hoặc cho cơ quan cấp trên của bên gửi.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_INCORRECT_CERTIFICATE, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="abuse/routing-key",
        title="The routing key is not the sender's.",
        title_vi="Khóa định tuyến không phải của bên gửi.",
        remedy="Publish with <lane>.<sender> (documents) or <reporter> (statuses).",
        remedy_vi="Dùng khóa <làn>.<mã bên gửi> cho văn bản, hoặc <mã bên báo> cho trạng thái.",
        rivals=(rivals.XROAD_INCONSISTENT_HEADERS, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="abuse/routing-headers",
        title="CC and BCC headers are not allowed.",
        title_vi="Không được dùng tiêu đề CC và BCC.",
        remedy="Publish without CC and BCC; the axis does the fan-out.",
        remedy_vi="Gửi không kèm CC và BCC; trục liên thông tự phân phối tới các bên nhận.",
        rivals=(rivals.AS4_INVALID_HEADER, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="lane/mismatch",
        title="The lane is not the one the priority demands.",
        title_vi="Làn gửi không đúng với độ khẩn của văn bản.",
        remedy="Use urgent for every priority but normal.",
        remedy_vi="Văn bản có độ khẩn (khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ) gửi vào làn urgent.",
        rivals=(rivals.AS4_PROCESSING_MODE_MISMATCH, rivals.XROAD_INCONSISTENT_HEADERS),
    ),
)
