"""What is over an agency's limits: sent again later it is taken."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="limit/messages",
        title="The account sends more messages than its limit allows.",
        title_vi="Tài khoản gửi nhiều gói tin hơn hạn mức cho phép.",
        remedy="Send the same bytes again after the seconds in `retry_after`; the SDK does it by itself.",
        remedy_vi="Gửi lại đúng gói tin này sau số giây ghi trong `retry_after`; bộ SDK tự làm việc này.",
        retry=True,
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="limit/bytes",
        title="The account sends more bytes than its limit allows.",
        title_vi="Tài khoản gửi dung lượng gói tin lớn hơn hạn mức cho phép.",
        remedy="Send the same bytes again after the seconds in `retry_after`; the SDK does it by itself.",
        remedy_vi="Gửi lại đúng gói tin này sau số giây ghi trong `retry_after`; bộ SDK tự làm việc này.",
        retry=True,
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="limit/uploads",
        title="The account uploads more files than its limit allows.",
        title_vi="Tài khoản tải lên nhiều tệp hơn hạn mức cho phép.",
        remedy="Upload the file again after the seconds in the Retry-After header.",
        remedy_vi="Tải lại tệp sau số giây ghi trong tiêu đề Retry-After.",
        retry=True,
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="limit/upload-bytes",
        title="The account uploads more bytes than its limit allows.",
        title_vi="Tài khoản tải lên dung lượng lớn hơn hạn mức cho phép.",
        remedy="Upload the file again after the seconds in the Retry-After header.",
        remedy_vi="Tải lại tệp sau số giây ghi trong tiêu đề Retry-After.",
        retry=True,
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="limit/requests",
        title="The account asks more often than is allowed.",
        title_vi="Tài khoản gửi yêu cầu nhiều hơn mức cho phép.",
        remedy="Ask again after the seconds in the Retry-After header; wait for changes instead of asking for them.",
        remedy_vi="Gửi lại sau số giây ghi trong tiêu đề Retry-After; nên chờ thay đổi (`wait`) thay vì hỏi liên tục.",
        retry=True,
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
)
