"""What goes along: the files in the blob store."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="blob/missing",
        title="An attachment is not in the blob store.",
        title_vi="Tệp đính kèm chưa có trong kho tệp.",
        remedy="Upload it first, then send the same envelope again.",
        remedy_vi="Tải tệp lên trước, sau đó gửi lại chính gói tin này.",
        retry=True,
        rivals=(rivals.AS4_EXTERNAL_PAYLOAD, rivals.XROAD_INVALID_REFERENCE, rivals.LGSP_INVALID_FILE),
    ),
    Reason(
        code="blob/size",
        title="An attachment's size is not the stored one.",
        title_vi="Dung lượng tệp đính kèm không khớp với tệp trong kho.",
        remedy="State the size of the file you uploaded.",
        remedy_vi="Ghi đúng dung lượng của tệp đã tải lên.",
        rivals=(rivals.AS4_MIME_INCONSISTENCY, rivals.LGSP_INVALID_FILE),
    ),
    Reason(
        code="blob/digest",
        title="The bytes do not have the digest they were announced with.",
        title_vi="Nội dung tệp không khớp với giá trị băm đã khai báo.",
        remedy="Upload the bytes whose SHA-256 is in the address.",
        remedy_vi="Tải lên đúng tệp có giá trị băm SHA-256 ghi trong địa chỉ.",
        rivals=(rivals.AS4_MIME_INCONSISTENCY, rivals.XROAD_INVALID_REFERENCE, rivals.LGSP_FILE_PROCESSING),
    ),
    Reason(
        code="blob/too-large",
        title="The file is over the limit.",
        title_vi="Tệp vượt quá dung lượng cho phép.",
        remedy="See the limit in `detail`.",
        remedy_vi="Xem giới hạn trong `detail`.",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE, rivals.LGSP_INVALID_FILE),
    ),
    Reason(
        code="blob/not-found",
        title="There is no such blob, or it is not yours to read.",
        title_vi="Không có tệp này, hoặc cơ quan không được phép đọc.",
        remedy="Only the sender and the recipients of an envelope may read it.",
        remedy_vi="Chỉ bên gửi và các bên nhận của gói tin được đọc tệp.",
        rivals=(rivals.AS4_EXTERNAL_PAYLOAD, rivals.XROAD_ACCESS_DENIED),
    ),
)
