"""Sealed documents: encrypted for their recipients, and opened by them (docs/sealing.md)."""

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="seal/key-kind",
        title="This kind of key, or this key, cannot be used for sealing.",
        title_vi="Không dùng được loại khóa này, hoặc khóa này, để niêm phong văn bản.",
        remedy="Take a key of its own for sealing, P-256 or RSA of 2048 bits or more; Ed25519 only signs.",
        remedy_vi="Dùng một khóa riêng để niêm phong, loại P-256 hoặc RSA từ 2048 bit; Ed25519 chỉ dùng để ký số.",
        rivals=(rivals.XROAD_UNSUPPORTED_ALGORITHM,),
    ),
    Reason(
        code="seal/no-certificate",
        title="A recipient has no certificate that documents can be sealed for.",
        title_vi="Nơi nhận chưa có chứng thư số để niêm phong văn bản.",
        remedy="Ask it to enrol one (axis certificate enrol --sealing), leave it out, or send without sealing.",
        remedy_vi="Đề nghị bên nhận đăng ký (axis certificate enrol --sealing), bỏ bên nhận này, "
        "hoặc gửi không niêm phong.",
        rivals=(rivals.NHN_MISSING_CERTIFICATE,),
    ),
    Reason(
        code="seal/certificate",
        title="The certificate offered is not one to seal for.",
        title_vi="Chứng thư số được cung cấp không dùng được để niêm phong.",
        remedy="See `detail`; ask the recipient, over another way than the axis, which certificate is its own.",
        remedy_vi="Xem `detail`; hỏi bên nhận, không qua trục liên thông, chứng thư số nào là của họ.",
        fault=Fault.AXIS,
        rivals=(rivals.NHN_INVALID_CERTIFICATE,),
    ),
    Reason(
        code="seal/no-files",
        title="There is nothing to seal.",
        title_vi="Không có tệp nào để niêm phong.",
        remedy="Attach the file: only attachments are sealed, what the envelope says stays readable.",
        remedy_vi="Đính kèm tệp: chỉ tệp đính kèm được niêm phong, thông tin trên gói tin vẫn đọc được.",
    ),
    Reason(
        code="seal/other-mailbox",
        title="The recipient's documents go to a mailbox that this one was not sealed for.",
        title_vi="Văn bản gửi bên nhận này được chuyển tới hộp thư không nằm trong danh sách niêm phong.",
        remedy="Send it anew, sealed: the key is then wrapped for the mailbox in `detail`.",
        remedy_vi="Gửi lại văn bản mới có niêm phong: khóa sẽ được bọc cho hộp thư nêu trong `detail`.",
    ),
    Reason(
        code="seal/no-key",
        title="The document is sealed, and this agency has no sealing key here.",
        title_vi="Văn bản được niêm phong, nhưng cơ quan chưa có khóa mở niêm phong tại đây.",
        remedy="Put the sealing key and its certificate into the folder `sealing` of the profile.",
        remedy_vi="Đặt khóa niêm phong và chứng thư số của khóa vào thư mục `sealing` của hồ sơ kết nối.",
    ),
    Reason(
        code="seal/not-for-you",
        title="The document is not sealed for any sealing key of this agency.",
        title_vi="Văn bản không được niêm phong cho khóa nào của cơ quan này.",
        remedy="Look for a retired key (see `detail`); else refuse it with 02 and ask the sender to send it anew.",
        remedy_vi="Tìm khóa cũ (xem `detail`); nếu không có, báo 02 từ chối và đề nghị bên gửi gửi lại.",
        rivals=(rivals.AS4_FAILED_DECRYPTION,),
    ),
    Reason(
        code="seal/malformed",
        title="The wrapped keys or their contents are not of the form they have to be.",
        title_vi="Khóa được bọc hoặc nội dung bên trong không đúng định dạng.",
        remedy="See docs/sealing.md and schemas/generated; refuse it with 02 and ask the sender to send it anew.",
        remedy_vi="Xem docs/sealing.md và schemas/generated; báo 02 từ chối và đề nghị bên gửi gửi lại.",
        rivals=(rivals.AS4_FAILED_DECRYPTION,),
    ),
    Reason(
        code="seal/other-envelope",
        title="The wrapped keys were made for another envelope.",
        title_vi="Khóa được bọc là của một gói tin khác.",
        remedy="Do not trust it: refuse it with 02, and ask the sender over another way.",
        remedy_vi="Không tin dùng: báo 02 từ chối và hỏi lại bên gửi qua kênh khác.",
        rivals=(rivals.AS4_FAILED_DECRYPTION, rivals.NHN_SPOOFING),
    ),
    Reason(
        code="seal/broken",
        title="The sealed bytes are not those that were sealed.",
        title_vi="Nội dung niêm phong đã bị thay đổi.",
        remedy="Do not trust it: refuse it with 02, and ask the sender to send it anew.",
        remedy_vi="Không tin dùng: báo 02 từ chối và đề nghị bên gửi gửi lại.",
        rivals=(rivals.AS4_FAILED_DECRYPTION,),
    ),
)
