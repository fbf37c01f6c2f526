"""What departs from the format without ending the reading: one catalogue, in both languages.

A code never changes its meaning; a new case gets a new code. What ends the reading is in schemas.reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """One deviation in words; `strict`: the strict profile refuses it."""

    title: str
    title_vi: str
    strict: bool = False


# The stable codes of Deviation and, with those of EdxmlError, of Finding.
DEVIATIONS: Mapping[str, Kind] = MappingProxyType(
    {
        # How it is written
        "bom": Kind("a byte order mark before the declaration", "có dấu thứ tự byte (BOM) trước phần khai báo"),
        "root-name": Kind("the envelope itself is the root element", "phần tử gốc là edXMLEnvelope", strict=True),
        "namespace": Kind(
            "elements in no namespace, or in another one",
            "phần tử không có hoặc sai không gian tên (namespace)",
            strict=True,
        ),
        "name-case": Kind("a name in other capitals", "tên phần tử viết hoa, viết thường khác quy định"),
        "business-spelling": Kind(
            "Business instead of the official Bussiness", "viết Business thay vì Bussiness theo quy định"
        ),
        "organ-in-charge": Kind(
            "OrganInCharge instead of OrganizationInCharge", "viết OrganInCharge thay vì OrganizationInCharge"
        ),
        "manifest-name": Kind("Manifest instead of edXMLManifest", "viết Manifest thay vì edXMLManifest"),
        "unknown-element": Kind(
            "an element we have no place for; its text is in `extras`", "phần tử ngoài quy định; được giữ nguyên văn"
        ),
        "text-normalised": Kind(
            "invisible or decomposed characters were cleaned", "đã làm sạch ký tự ẩn hoặc ký tự tổ hợp"
        ),
        # What is in the fields
        "field-missing": Kind(
            "a field that the format requires is missing or empty",
            "thiếu hoặc để trống trường mà quy chuẩn yêu cầu",
            strict=True,
        ),
        "text-too-long": Kind(
            "a text over the length that the format allows", "văn bản dài quá số ký tự cho phép", strict=True
        ),
        "number-range": Kind("a number outside the range of its field", "số nằm ngoài khoảng cho phép", strict=True),
        "value-unreadable": Kind(
            "text where a number or yes/no belongs; it is in `extras`",
            "giá trị phải là số hoặc đúng/sai; được giữ nguyên văn",
            strict=True,
        ),
        "code-irregular": Kind(
            "an organisation code in no official form", "mã định danh không đúng dạng quy định", strict=True
        ),
        "date-format": Kind(
            "a date or time in another form than the official one",
            "ngày hoặc giờ không viết theo dạng quy định",
            strict=True,
        ),
        "date-impossible": Kind(
            "a day or time that does not exist; kept as text",
            "ngày hoặc giờ không tồn tại; giữ nguyên văn",
            strict=True,
        ),
        "date-unreadable": Kind(
            "no date or time at all; kept as text", "không phải ngày hoặc giờ; giữ nguyên văn", strict=True
        ),
        "document-id-form": Kind(
            "DocumentId is not <code>,<date>,<number>/<notation>",
            "DocumentId không có dạng <mã định danh>,<ngày>,<số>/<ký hiệu>",
            strict=True,
        ),
        "document-id-date": Kind(
            "DocumentId and PromulgationDate name different days", "ngày trong DocumentId khác PromulgationDate"
        ),
        "recipient-repeated": Kind(
            "one organisation twice among the receivers", "một cơ quan có mặt hai lần trong nơi nhận", strict=True
        ),
        "priority-unknown": Kind(
            "a Priority outside 0 to 4; handled as normal",
            "độ khẩn ngoài khoảng từ 0 đến 4; coi là thường",
            strict=True,
        ),
        "business-type-unknown": Kind(
            "a BussinessDocType outside 0 to 3; handled as a new document",
            "loại nghiệp vụ ngoài khoảng từ 0 đến 3; coi là văn bản mới",
            strict=True,
        ),
        "status-unknown": Kind(
            "a StatusCode that is none of the nine", "mã trạng thái không thuộc chín mã quy định", strict=True
        ),
        "response-empty": Kind(
            "a ResponseFor without any content, left out", "ResponseFor không có nội dung, đã bỏ qua"
        ),
        # What goes along
        "signature-placeholder": Kind(
            "an XML signature that cannot be verified by its very shape",
            "chữ ký XML chỉ là mẫu giữ chỗ, không thể kiểm tra",
        ),
        "signature-not-verified": Kind("an XML signature that nobody has verified", "chữ ký XML chưa được kiểm tra"),
        "signature-broken": Kind(
            "the XML signature does not verify: the package was changed, or signed otherwise",
            "chữ ký XML không đúng: gói đã bị sửa hoặc ký sai",
            strict=True,
        ),
        "signature-untrusted": Kind(
            "the XML signature is of a certificate that is not trusted here",
            "chữ ký XML dùng chứng thư số không được tin cậy",
            strict=True,
        ),
        "signature-weak": Kind(
            "the XML signature uses SHA-1 or a short key",
            "chữ ký XML dùng SHA-1 hoặc khóa quá ngắn",
            strict=True,
        ),
        "signature-partial": Kind(
            "the XML signature does not cover the whole package",
            "chữ ký XML không bao trùm toàn bộ gói",
            strict=True,
        ),
        "signature-unsupported": Kind(
            "the XML signature is made in a way that is not verified here",
            "chữ ký XML được tạo theo cách không được hỗ trợ",
            strict=True,
        ),
        "content-id": Kind("ContentId without `cid:`", "ContentId thiếu tiền tố cid:"),
        "attachment-unlisted": Kind(
            "an attachment that the manifest does not list", "tệp đính kèm không có trong danh mục", strict=True
        ),
        "attachment-absent": Kind(
            "a file that the manifest lists and the package does not hold",
            "tệp có trong danh mục nhưng không có trong gói",
            strict=True,
        ),
        "manifest-differs": Kind(
            "manifest and attachment say different things of one file",
            "danh mục và tệp đính kèm ghi khác nhau về cùng một tệp",
            strict=True,
        ),
        "attachment-name-missing": Kind("an attachment without a name", "tệp đính kèm không có tên", strict=True),
        "attachment-not-zip": Kind(
            "ContentType says ZIP, the bytes are none; kept as they are",
            "ContentType ghi là ZIP nhưng dữ liệu không phải; giữ nguyên",
        ),
        "attachment-zip-entries": Kind(
            "a ZIP of more or less than one entry; kept as a ZIP", "tệp ZIP không chứa đúng một tệp; giữ nguyên ZIP"
        ),
        "attachment-zip-unreadable": Kind(
            "a ZIP that is broken, encrypted or of an unknown kind; kept as a ZIP",
            "tệp ZIP bị hỏng, mã hóa hoặc không rõ loại; giữ nguyên ZIP",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Deviation:
    """One tolerated departure from the format: a stable `code`, a sentence, and where it was seen (1-based)."""

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    path: str | None = None
