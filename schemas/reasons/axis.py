"""The axis itself: `REASONS` is what others are told, `LOCAL` what only logs and commands say."""

from schemas.reasons import rivals
from schemas.reasons.model import Fault, Reason

REASONS = (
    Reason(
        code="axis/unavailable",
        title="A part of the axis is not reachable.",
        title_vi="Một bộ phận của trục liên thông hiện không kết nối được.",
        remedy="Try again; the operator is told.",
        remedy_vi="Thử lại sau; đơn vị vận hành đã được báo.",
        fault=Fault.NETWORK,
        retry=True,
        rivals=(rivals.AS4_CONNECTION_FAILURE, rivals.XROAD_NETWORK_ERROR, rivals.LGSP_SYSTEM_ERROR),
    ),
    Reason(
        code="axis/internal",
        title="The axis failed.",
        title_vi="Trục liên thông gặp lỗi.",
        remedy="The operator of the axis looks into it.",
        remedy_vi="Đơn vị vận hành trục liên thông sẽ kiểm tra.",
        fault=Fault.AXIS,
        retry=True,
        rivals=(
            rivals.AS4_OTHER,
            rivals.XROAD_INTERNAL_ERROR,
            rivals.NHN_INTERNAL,
            rivals.FIKS_SERVER_ERROR,
            rivals.LGSP_SYSTEM_ERROR,
        ),
    ),
)

LOCAL = (
    Reason(
        code="axis/not-taken",
        title="A queue of the broker did not take the message.",
        title_vi="Một hàng đợi của máy chủ không nhận gói tin.",
        remedy="Nothing to do: it is published again; `axis doctor` says what the broker lacks.",
        remedy_vi="Không phải làm gì: gói tin sẽ được gửi lại; lệnh axis doctor cho biết máy chủ thiếu gì.",
        fault=Fault.AXIS,
        retry=True,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
    Reason(
        code="axis/not-routed",
        title="The broker has no queue for the message.",
        title_vi="Máy chủ hàng đợi không có hàng đợi cho gói tin này.",
        remedy="The operator makes the missing queues: axis topology apply.",
        remedy_vi="Người vận hành tạo các hàng đợi còn thiếu bằng lệnh axis topology apply.",
        fault=Fault.AXIS,
        retry=True,
        rivals=(rivals.AS4_DELIVERY_FAILURE,),
    ),
    Reason(
        code="axis/not-confirmed",
        title="The broker did not confirm the message in time.",
        title_vi="Máy chủ hàng đợi không xác nhận gói tin đúng hạn.",
        remedy="Nothing to do: it is kept here and sent again with the same id.",
        remedy_vi="Không phải làm gì: gói tin được lưu tại đây và gửi lại với cùng mã.",
        fault=Fault.NETWORK,
        retry=True,
        rivals=(rivals.AS4_CONNECTION_FAILURE,),
    ),
    Reason(
        code="axis/misconfigured",
        title="A setting or a file on this machine cannot work.",
        title_vi="Một thiết lập hoặc tệp trên máy này không dùng được.",
        remedy="Correct what is named; `axis doctor` looks at everything.",
        remedy_vi="Sửa mục đã nêu; lệnh axis doctor kiểm tra toàn bộ.",
    ),
    Reason(
        code="axis/worker-account",
        title="The workers have no broker account of their own.",
        title_vi="Các tiến trình xử lý chưa có tài khoản riêng trên máy chủ hàng đợi.",
        remedy="Set AXIS_WORKER_AMQP_URL to an account other than the one that sets up the broker.",
        remedy_vi="Đặt AXIS_WORKER_AMQP_URL là một tài khoản khác với tài khoản thiết lập máy chủ hàng đợi.",
    ),
    Reason(
        code="axis/not-found",
        title="What was asked about does not exist.",
        title_vi="Không tìm thấy đối tượng được hỏi.",
        remedy="Check the name, code or id that was given.",
        remedy_vi="Kiểm tra lại tên, mã định danh hoặc mã gói tin đã nhập.",
    ),
    Reason(
        code="key/unavailable",
        title="The device that holds the private key does not answer.",
        title_vi="Thiết bị lưu giữ khóa bí mật không phản hồi.",
        remedy="Look after the token (HSM, card): `axis key check`; what waits is signed when it is back.",
        remedy_vi="Kiểm tra thiết bị bằng lệnh axis key check; việc đang chờ sẽ được ký khi thiết bị trở lại.",
        retry=True,
    ),
)
