"""The log of receipts: what a proof, a checkpoint or a timestamp may fail by."""

from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="log/malformed",
        title="A file of the log, or a proof out of it, cannot be read.",
        title_vi="Không đọc được tệp của nhật ký biên nhận hoặc bằng chứng lấy từ nhật ký.",
        remedy="Get it again; what somebody has edited proves nothing any more.",
        remedy_vi="Lấy lại tệp; tệp đã bị sửa thì không còn giá trị chứng minh.",
    ),
    Reason(
        code="log/unknown-key",
        title="A checkpoint of the log is signed by no key you trust.",
        title_vi="Điểm chốt của nhật ký không được ký bằng khóa nào mà cơ quan tin cậy.",
        remedy="Give the log's public keys that you got when you were connected: log.vkey in the profile.",
        remedy_vi="Chỉ ra khóa công khai của nhật ký nhận được khi kết nối: tệp log.vkey trong hồ sơ.",
    ),
    Reason(
        code="log/signature",
        title="The log's key did not sign this checkpoint.",
        title_vi="Điểm chốt này không do khóa của nhật ký ký.",
        remedy="It was changed: get it again, and ask the operator of the axis if it stays so.",
        remedy_vi="Điểm chốt đã bị sửa: lấy lại, nếu vẫn như vậy thì hỏi đơn vị vận hành trục liên thông.",
        fault=Fault.AXIS,
    ),
    Reason(
        code="log/inclusion",
        title="The log does not have this entry.",
        title_vi="Nhật ký không có mục này.",
        remedy="The receipt or its proof was changed: get the proof again, and tell an auditor if it stays so.",
        remedy_vi="Biên nhận hoặc bằng chứng đã bị sửa: lấy lại bằng chứng, nếu vẫn như vậy thì báo kiểm toán viên.",
        fault=Fault.AXIS,
    ),
    Reason(
        code="log/consistency",
        title="The log was changed after it had been published.",
        title_vi="Nhật ký đã bị sửa sau khi công bố.",
        remedy="Keep both checkpoints and show them to an auditor: with the log's signatures they prove it.",
        remedy_vi="Giữ cả hai điểm chốt và đưa cho kiểm toán viên: chữ ký của nhật ký trên đó là bằng chứng.",
        fault=Fault.AXIS,
    ),
    Reason(
        code="log/timestamp",
        title="The timestamp is not of this checkpoint, or of no authority you trust.",
        title_vi="Dấu thời gian không thuộc điểm chốt này, hoặc không do tổ chức mà cơ quan tin cậy cấp.",
        remedy="Give the authority's root certificate (--tsa-root), or verify without the timestamp.",
        remedy_vi="Chỉ ra chứng thư gốc của tổ chức cấp (--tsa-root), hoặc kiểm tra không kèm dấu thời gian.",
    ),
    Reason(
        code="log/not-logged",
        title="The receipt is not in the log yet.",
        title_vi="Biên nhận chưa có trong nhật ký.",
        remedy="Wait: the notary takes receipts within seconds, later when it was stopped.",
        remedy_vi="Chờ: tiến trình notary ghi biên nhận sau vài giây, muộn hơn nếu vừa bị dừng.",
        fault=Fault.AXIS,
        retry=True,
    ),
    Reason(
        code="log/not-found",
        title="The log has no such file.",
        title_vi="Nhật ký không có tệp này.",
        remedy="Ask for the files that the newest checkpoint needs.",
        remedy_vi="Chỉ yêu cầu các tệp thuộc điểm chốt mới nhất.",
    ),
    Reason(
        code="log/forked",
        title="The published log and the database do not tell the same story.",
        title_vi="Nhật ký đã công bố và cơ sở dữ liệu không khớp nhau.",
        remedy="The notary signs nothing more: see the runbook of the log.",
        remedy_vi="Tiến trình notary ngừng ký: xem tài liệu vận hành nhật ký.",
        fault=Fault.AXIS,
    ),
)
