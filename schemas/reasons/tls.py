"""What is said about an encrypted connection: whose certificate was not taken, and why."""

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

# What the gateway answers; everything else is said before there is anything to answer over.
WIRE = (
    Reason(
        code="tls/account",
        title="The client's certificate is not that of the account.",
        title_vi="Chứng thư số của máy khách không phải của tài khoản này.",
        remedy="The certificate's common name is the account: use its own certificate, and have the account opened.",
        remedy_vi="Tên chung (CN) của chứng thư số là tên tài khoản: dùng đúng chứng thư số và đề nghị mở tài khoản.",
        rivals=(rivals.XROAD_INCORRECT_CERTIFICATE,),
    ),
)
REASONS = (
    *WIRE,
    Reason(
        code="tls/plain",
        title="The connection is not encrypted.",
        title_vi="Kết nối không được mã hóa.",
        remedy="Use amqps://, https:// and sslmode=verify-full. "
        "AXIS_ALLOW_PLAINTEXT=1 is for networks that are safe by themselves.",
        remedy_vi="Dùng amqps://, https:// và sslmode=verify-full. "
        "AXIS_ALLOW_PLAINTEXT=1 chỉ dành cho mạng đã được bảo vệ.",
    ),
    Reason(
        code="tls/version",
        title="The two sides have no version of TLS in common.",
        title_vi="Hai bên không có phiên bản TLS chung.",
        remedy="Use TLS 1.2 or 1.3 on both sides.",
        remedy_vi="Dùng TLS 1.2 hoặc 1.3 ở cả hai bên.",
        rivals=(rivals.AS4_POLICY_NONCOMPLIANCE,),
    ),
    Reason(
        code="tls/server-authority",
        title="The server's certificate is of an authority that is not trusted here.",
        title_vi="Chứng thư số của máy chủ do cơ quan cấp không được tin cậy tại đây.",
        remedy="Compare the authority's file (ca.pem, cafile=, sslrootcert=) with the operator's. "
        "If it is the right one, somebody stands in between: do not go on.",
        remedy_vi="So tệp của cơ quan cấp (ca.pem, cafile=, sslrootcert=) với tệp của đơn vị vận hành. "
        "Nếu tệp đúng thì có kẻ đứng giữa: không tiếp tục.",
        fault=Fault.NETWORK,
        retry=True,
        rivals=(rivals.XROAD_CERT_VALIDATION,),
    ),
    Reason(
        code="tls/server-expired",
        title="The server's certificate is not valid at this time.",
        title_vi="Chứng thư số của máy chủ không có hiệu lực vào lúc này.",
        remedy="Check this machine's clock; the server's operator renews it (docs/runbooks/certificates.md).",
        remedy_vi="Kiểm tra đồng hồ của máy này; đơn vị vận hành gia hạn chứng thư số (docs/runbooks/certificates.md).",
        fault=Fault.AXIS,
        retry=True,
        rivals=(rivals.XROAD_CERT_VALIDITY_TIME,),
    ),
    Reason(
        code="tls/server-name",
        title="The server's certificate is for another name.",
        title_vi="Chứng thư số của máy chủ mang tên khác.",
        remedy="Put one of the certificate's names into the address, or have a certificate issued for this one.",
        remedy_vi="Ghi vào địa chỉ một tên có trong chứng thư số, hoặc xin cấp chứng thư số cho tên này.",
        fault=Fault.AXIS,
        retry=True,
        rivals=(rivals.XROAD_CERT_VALIDATION,),
    ),
    Reason(
        code="tls/client-missing",
        title="The server wants a client certificate.",
        title_vi="Máy chủ yêu cầu chứng thư số của máy khách.",
        remedy="Name one: certfile= and keyfile= in the broker's address, sslcert= and sslkey= in the database's, "
        "tls.certificate.pem and tls.key.pem in an agency's profile.",
        remedy_vi="Khai báo certfile= và keyfile= trong địa chỉ máy chủ hàng đợi, "
        "sslcert= và sslkey= trong địa chỉ cơ sở dữ liệu, "
        "tls.certificate.pem và tls.key.pem trong hồ sơ kết nối của cơ quan.",
        rivals=(rivals.NHN_MISSING_CERTIFICATE,),
    ),
    Reason(
        code="tls/client-authority",
        title="The server does not trust the authority of the client's certificate.",
        title_vi="Máy chủ không tin cậy cơ quan cấp chứng thư số của máy khách.",
        remedy="Use a certificate of the authority that the axis named, with its intermediate behind it in the file.",
        remedy_vi="Dùng chứng thư số do cơ quan cấp mà trục chỉ định, kèm chứng thư số trung gian trong cùng tệp.",
        rivals=(rivals.NHN_INVALID_CERTIFICATE,),
    ),
    Reason(
        code="tls/client-expired",
        title="The client's certificate has expired.",
        title_vi="Chứng thư số của máy khách đã hết hạn.",
        remedy="Renew it; no restart is needed then.",
        remedy_vi="Gia hạn chứng thư số; không cần khởi động lại.",
        rivals=(rivals.NHN_EXPIRED,),
    ),
    Reason(
        code="tls/client-revoked",
        title="The client's certificate was revoked.",
        title_vi="Chứng thư số của máy khách đã bị thu hồi.",
        remedy="Ask the operator of the axis for another.",
        remedy_vi="Đề nghị đơn vị vận hành trục cấp chứng thư số khác.",
        rivals=(rivals.NHN_REVOKED,),
    ),
    Reason(
        code="tls/client-refused",
        title="The server does not take the client's certificate.",
        title_vi="Máy chủ không chấp nhận chứng thư số của máy khách.",
        remedy="Look whether it is for clients (clientAuth), of the right authority and valid now.",
        remedy_vi="Kiểm tra chứng thư số có dành cho máy khách (clientAuth), đúng cơ quan cấp và còn hiệu lực.",
        rivals=(rivals.NHN_INVALID_CERTIFICATE,),
    ),
    Reason(
        code="tls/files",
        title="A key or certificate for encrypted connections cannot be used.",
        title_vi="Không dùng được khóa hoặc chứng thư số cho kết nối mã hóa.",
        remedy="Look at the files named: PEM, readable by this program, key and certificate belonging together.",
        remedy_vi="Kiểm tra các tệp đã nêu: dạng PEM, chương trình đọc được, khóa và chứng thư số khớp nhau.",
    ),
    Reason(
        code="tls/refused",
        title="The encrypted connection was not made.",
        title_vi="Không thiết lập được kết nối mã hóa.",
        remedy="Look at the server's log; both sides need TLS 1.2 or 1.3 and certificates of the same authority.",
        remedy_vi="Xem nhật ký máy chủ; hai bên cần TLS 1.2 hoặc 1.3 và chứng thư số cùng cơ quan cấp.",
        fault=Fault.NETWORK,
        retry=True,
    ),
)
