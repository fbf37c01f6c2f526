"""What reports refuse."""

from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="report/period",
        title="No report can be made of this period.",
        title_vi="Không thể lập báo cáo cho kỳ này.",
        remedy="Write a month (2026-11), a quarter (2026-Q4), a year (2026) or days (2026-11-01..2026-11-15), "
        "from 2018 on and at most five years.",
        remedy_vi="Ghi tháng (2026-11), quý (2026-Q4), năm (2026) hoặc khoảng ngày (2026-11-01..2026-11-15), "
        "từ năm 2018 trở đi và tối đa năm năm.",
    ),
    Reason(
        code="report/future",
        title="The period has not begun yet.",
        title_vi="Kỳ báo cáo chưa bắt đầu.",
        remedy="Ask for the running period, or for one that is over.",
        remedy_vi="Chọn kỳ đang diễn ra hoặc kỳ đã kết thúc.",
    ),
    Reason(
        code="report/code",
        title="No agency has this code, and nothing was sent by it or to it.",
        title_vi="Không có cơ quan nào mang mã này và không có văn bản nào gửi đi hoặc gửi đến mã này.",
        remedy="Look the code up in the directory; without a code the report is of all agencies.",
        remedy_vi="Tra mã trong danh mục; bỏ trống mã để lập báo cáo toàn quốc.",
    ),
)
