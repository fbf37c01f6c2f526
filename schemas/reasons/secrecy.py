"""State secrets: they do not belong on the axis (QĐ 28/2018 article 1.2)."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="secrecy/marked",
        title="The document is marked as a state secret.",
        title_vi="Văn bản có dấu chỉ độ mật của bí mật nhà nước.",
        remedy="Send it by the ways the law gives for state secrets; nothing of it is kept here. If it is no secret, "
        "take the mark off and send it as a new envelope.",
        remedy_vi="Gửi theo quy định của pháp luật về bảo vệ bí mật nhà nước; trục liên thông không lưu nội dung. Nếu "
        "không phải bí mật nhà nước, hãy bỏ dấu chỉ độ mật và gửi lại bằng gói tin mới.",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE, rivals.XROAD_SECURITY_CATEGORY),
    ),
)
