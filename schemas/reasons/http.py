"""What only HTTP can cause, with the status each is answered with."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="http/address",
        title="There is nothing at this address.",
        title_vi="Không có gì tại địa chỉ này.",
        remedy="See the list of addresses in gateway.openapi.json.",
        remedy_vi="Xem danh sách địa chỉ trong gateway.openapi.json.",
        rivals=(rivals.XROAD_UNKNOWN_SERVICE,),
    ),
    Reason(
        code="http/method",
        title="The method is not allowed here.",
        title_vi="Phương thức HTTP này không được phép tại đây.",
        remedy="See the Allow header.",
        remedy_vi="Xem tiêu đề Allow.",
        rivals=(rivals.XROAD_INVALID_METHOD,),
    ),
    Reason(
        code="http/query",
        title="The query is not as it has to be.",
        title_vi="Tham số truy vấn không đúng.",
        remedy="See `detail`, and gateway.openapi.json.",
        remedy_vi="Xem `detail` và gateway.openapi.json.",
        rivals=(rivals.NHN_INVALID_FIELD,),
    ),
    Reason(
        code="http/length",
        title="Content-Length and Transfer-Encoding exclude each other.",
        title_vi="Không được dùng Content-Length cùng với Transfer-Encoding.",
        remedy="Send only one of the two.",
        remedy_vi="Chỉ gửi một trong hai tiêu đề.",
        rivals=(rivals.AS4_INVALID_HEADER,),
    ),
    Reason(
        code="http/headers",
        title="The headers are over the limit.",
        title_vi="Các tiêu đề vượt quá giới hạn.",
        remedy="Send fewer or shorter headers.",
        remedy_vi="Gửi ít tiêu đề hơn hoặc rút ngắn tiêu đề.",
        rivals=(rivals.AS4_INVALID_HEADER,),
    ),
    Reason(
        code="http/content-range",
        title="A blob is stored whole.",
        title_vi="Tệp chỉ được lưu nguyên vẹn.",
        remedy="Upload all bytes in one request.",
        remedy_vi="Tải toàn bộ tệp lên trong một yêu cầu.",
        rivals=(rivals.AS4_FEATURE_NOT_SUPPORTED,),
    ),
    Reason(
        code="http/range",
        title="The range is outside the blob.",
        title_vi="Khoảng byte yêu cầu nằm ngoài tệp.",
        remedy="See the Content-Range header.",
        remedy_vi="Xem tiêu đề Content-Range.",
    ),
    Reason(
        code="http/slow",
        title="The upload is too slow.",
        title_vi="Tốc độ tải tệp lên quá chậm.",
        remedy="Upload again over a faster line.",
        remedy_vi="Tải lại qua đường truyền nhanh hơn.",
        retry=True,
        rivals=(rivals.AS4_CONNECTION_FAILURE,),
    ),
    Reason(
        code="http/busy",
        title="There are too many transfers at once.",
        title_vi="Có quá nhiều lượt truyền tệp cùng lúc.",
        remedy="Try again a little later.",
        remedy_vi="Thử lại sau ít phút.",
        fault=Fault.AXIS,
        retry=True,
        rivals=(rivals.LGSP_SYSTEM_ERROR,),
    ),
    Reason(
        code="http/disconnected",
        title="The client went away in the middle.",
        title_vi="Máy khách ngắt kết nối giữa chừng.",
        remedy="Send the request again; uploads are safe to repeat.",
        remedy_vi="Gửi lại yêu cầu; việc tải tệp lên có thể lặp lại an toàn.",
        fault=Fault.NETWORK,
        retry=True,
        rivals=(rivals.AS4_CONNECTION_FAILURE, rivals.XROAD_NETWORK_ERROR),
    ),
)

# http/disconnected is for the log alone: nobody is left to be answered.
STATUS: Mapping[str, int] = MappingProxyType(
    {
        "http/address": 404,
        "http/method": 405,
        "http/query": 400,
        "http/length": 400,
        "http/headers": 431,
        "http/content-range": 400,
        "http/range": 416,
        "http/slow": 408,
        "http/busy": 503,
    }
)
