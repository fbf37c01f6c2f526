"""Who says it: signatures, certificates, tokens."""

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="signature/missing",
        title="There is no axis-signature header.",
        title_vi="Gói tin không có chữ ký số trong tiêu đề axis-signature.",
        remedy="Sign the exact body bytes (detached JWS).",
        remedy_vi="Ký số đúng các byte của nội dung gói tin (JWS tách rời).",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE, rivals.XROAD_MISSING_SIGNATURE),
    ),
    Reason(
        code="signature/malformed",
        title="The signature is not a detached JWS.",
        title_vi="Chữ ký số không phải là JWS tách rời.",
        remedy="See RFC 7515 appendix F and RFC 7797 (b64=false).",
        remedy_vi="Xem RFC 7515 phụ lục F và RFC 7797 (b64=false).",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_MALFORMED_SIGNATURE),
    ),
    Reason(
        code="signature/algorithm",
        title="The algorithm is not allowed.",
        title_vi="Thuật toán ký số không được phép sử dụng.",
        remedy="Use EdDSA, ES256, PS256 or RS256 with the key you enrolled.",
        remedy_vi="Dùng EdDSA, ES256, PS256 hoặc RS256 với khóa đã đăng ký.",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE, rivals.XROAD_UNSUPPORTED_ALGORITHM),
    ),
    Reason(
        code="signature/invalid",
        title="The signature does not fit the bytes and the key.",
        title_vi="Chữ ký số không khớp với nội dung gói tin và khóa ký.",
        remedy="Sign the bytes that you send, with the key of the certificate named.",
        remedy_vi="Ký đúng các byte được gửi đi, bằng khóa của chứng thư số đã nêu.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_INVALID_SIGNATURE, rivals.NHN_INVALID_CERTIFICATE),
    ),
    Reason(
        code="certificate/unknown",
        title="No certificate with this thumbprint is enrolled.",
        title_vi="Chứng thư số này chưa được đăng ký với trục liên thông.",
        remedy="Enrol it: axis certificate enrol.",
        remedy_vi="Đăng ký chứng thư số bằng lệnh axis certificate enrol.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_NOT_FOUND, rivals.NHN_MISSING_CERTIFICATE),
    ),
    Reason(
        code="certificate/not-yet-valid",
        title="The certificate is not valid yet.",
        title_vi="Chứng thư số chưa có hiệu lực.",
        remedy="Use a certificate that is valid now.",
        remedy_vi="Dùng chứng thư số đang có hiệu lực.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_VALIDITY_TIME, rivals.NHN_EXPIRED),
    ),
    Reason(
        code="certificate/expired",
        title="The certificate has expired.",
        title_vi="Chứng thư số đã hết hạn.",
        remedy="Enrol a new certificate.",
        remedy_vi="Đăng ký chứng thư số mới.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_VALIDITY_TIME, rivals.NHN_EXPIRED),
    ),
    Reason(
        code="certificate/revoked",
        title="The certificate was revoked.",
        title_vi="Chứng thư số đã bị thu hồi.",
        remedy="Enrol a new certificate.",
        remedy_vi="Đăng ký chứng thư số mới.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_VALIDATION, rivals.NHN_REVOKED),
    ),
    Reason(
        code="certificate/retired",
        title="The certificate was retired: its organisation signs with another one.",
        title_vi="Chứng thư số đã ngừng sử dụng: cơ quan đã chuyển sang chứng thư số khác.",
        remedy="Sign with the successor of this certificate.",
        remedy_vi="Ký bằng chứng thư số kế tiếp.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_VALIDATION),
    ),
    Reason(
        code="certificate/unproven",
        title="For too long nobody has shown that the certificate is not revoked.",
        title_vi="Đã quá lâu chưa xác minh được chứng thư số còn hiệu lực, chưa bị thu hồi.",
        remedy="The operator of the axis looks why its authority does not answer (axis certificate check); then send "
        "again.",
        remedy_vi="Đơn vị vận hành trục kiểm tra vì sao tổ chức cấp chứng thư số không trả lời "
        "(axis certificate check); sau đó gửi lại.",
        fault=Fault.NETWORK,
        retry=True,
        rivals=(rivals.XROAD_CERT_VALIDATION, rivals.NHN_REVOKED_OFFLINE),
    ),
    Reason(
        code="certificate/untrusted",
        title="The certificate leads to no authority that this axis trusts.",
        title_vi="Chứng thư số không do tổ chức chứng thực mà trục tin cậy cấp.",
        remedy="Have one issued by a trusted authority, or put the missing root or intermediate into the folder of "
        "trusted authorities.",
        remedy_vi="Dùng chứng thư số do tổ chức chứng thực được tin cậy cấp, hoặc bổ sung chứng thư số gốc hay "
        "trung gian còn thiếu vào thư mục tin cậy.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_CERT_VALIDATION, rivals.NHN_INVALID_CERTIFICATE),
    ),
    Reason(
        code="certificate/organisation",
        title="The certificate does not say that it is the organisation's.",
        title_vi="Chứng thư số không ghi mã định danh của cơ quan này.",
        remedy="Have the identifier code put into its subject, or confirm by hand whose it is: --confirm-organisation.",
        remedy_vi="Đề nghị ghi mã định danh vào chứng thư số, hoặc xác nhận thủ công bằng --confirm-organisation.",
        rivals=(rivals.XROAD_INCORRECT_CERTIFICATE, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="certificate/malformed",
        title="The certificate or key cannot be used.",
        title_vi="Không dùng được chứng thư số hoặc khóa này.",
        remedy="Use an X.509 certificate with Ed25519, P-256 or RSA of 2048 bits or more.",
        remedy_vi="Dùng chứng thư số X.509 với khóa Ed25519, P-256 hoặc RSA từ 2048 bit trở lên.",
        rivals=(rivals.XROAD_INCORRECT_CERTIFICATE, rivals.NHN_INVALID_CERTIFICATE),
    ),
    Reason(
        code="token/missing",
        title="There is no bearer token.",
        title_vi="Yêu cầu không có mã xác thực (bearer token).",
        remedy="Send Authorization: Bearer <token>.",
        remedy_vi="Gửi kèm tiêu đề Authorization: Bearer <token>.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_SSL_FAILED, rivals.LGSP_WRONG_CREDENTIALS),
    ),
    Reason(
        code="token/invalid",
        title="The token is malformed, not for this request, or its time is over.",
        title_vi="Mã xác thực sai dạng, không dành cho yêu cầu này hoặc đã hết hạn.",
        remedy="Make a fresh token for each request.",
        remedy_vi="Tạo mã xác thực mới cho từng yêu cầu.",
        rivals=(rivals.AS4_FAILED_AUTHENTICATION, rivals.XROAD_SSL_FAILED, rivals.LGSP_WRONG_CREDENTIALS),
    ),
)
