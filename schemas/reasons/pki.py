"""What `axis pki` says: the authority for TLS on this machine."""

from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="pki/exists",
        title="There is an authority already.",
        title_vi="Đã có cơ quan cấp chứng thư số tại đây.",
        remedy="Keep it, or name another folder.",
        remedy_vi="Giữ nguyên, hoặc chọn thư mục khác.",
    ),
    Reason(
        code="pki/none",
        title="There is no authority.",
        title_vi="Chưa có cơ quan cấp chứng thư số tại đây.",
        remedy="Make one with `axis pki init`, or name its folder.",
        remedy_vi="Tạo bằng lệnh axis pki init, hoặc chỉ đúng thư mục.",
    ),
    Reason(
        code="pki/files",
        title="The files of the authority cannot be used.",
        title_vi="Không dùng được các tệp của cơ quan cấp chứng thư số.",
        remedy="Check the file that is named, its owner and its permissions.",
        remedy_vi="Kiểm tra tệp đã nêu, chủ sở hữu và quyền truy cập.",
    ),
    Reason(
        code="pki/name",
        title="It cannot be the name of a certificate.",
        title_vi="Không dùng được làm tên của chứng thư số.",
        remedy="Use letters, digits, dots, hyphens and underscores.",
        remedy_vi="Dùng chữ cái, chữ số, dấu chấm, gạch nối và gạch dưới.",
    ),
    Reason(
        code="pki/host",
        title="A server's certificate has no host name or address that clients can check.",
        title_vi="Chứng thư số của máy chủ không có tên máy hoặc địa chỉ để máy khách kiểm tra.",
        remedy="Name its hosts as DNS names in ASCII or as addresses.",
        remedy_vi="Ghi tên máy dạng DNS bằng ký tự ASCII hoặc ghi địa chỉ.",
    ),
    Reason(
        code="pki/unknown",
        title="No certificate of this name or serial number was issued.",
        title_vi="Chưa cấp chứng thư số nào có tên hoặc số hiệu này.",
        remedy="See what was issued: axis pki list.",
        remedy_vi="Xem các chứng thư số đã cấp bằng lệnh axis pki list.",
    ),
)
