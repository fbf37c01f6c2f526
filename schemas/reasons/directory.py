"""What is wrong with identifier codes, and with a list of organisations to import."""

from schemas.reasons import rivals
from schemas.reasons.model import Reason

REASONS = (
    Reason(
        code="code/malformed",
        title="It is not an identifier code.",
        title_vi="Đây không phải là mã định danh hợp lệ.",
        remedy="Write it as QĐ 20/2020 does, highest level first, such as H37.05.02.",
        remedy_vi="Ghi mã định danh theo QĐ 20/2020, cấp cao nhất trước, ví dụ H37.05.02.",
        rivals=(rivals.AS4_VALUE_NOT_RECOGNIZED,),
    ),
    Reason(
        code="code/missing",
        title="A row has no identifier code.",
        title_vi="Một dòng không có mã định danh.",
        remedy="Fill in the column of the code.",
        remedy_vi="Điền cột mã định danh.",
    ),
    Reason(
        code="code/duplicate",
        title="The identifier code is given to two organisations at once.",
        title_vi="Mã định danh được cấp cho hai cơ quan cùng lúc.",
        remedy="Decide whose it is, or give the rows validity dates that do not overlap.",
        remedy_vi="Xác định mã thuộc cơ quan nào, hoặc ghi thời hạn hiệu lực không chồng lên nhau.",
    ),
    Reason(
        code="name/missing",
        title="A row has no name.",
        title_vi="Một dòng không có tên cơ quan.",
        remedy="Fill in the column of the name.",
        remedy_vi="Điền cột tên cơ quan.",
    ),
    Reason(
        code="import/date",
        title="A cell is no date.",
        title_vi="Một ô không phải là ngày tháng.",
        remedy="Write dates as 2025-07-01 or 01/07/2025.",
        remedy_vi="Ghi ngày theo dạng 2025-07-01 hoặc 01/07/2025.",
    ),
    Reason(
        code="import/encoding",
        title="The file is not UTF-8.",
        title_vi="Tệp không phải là UTF-8.",
        remedy="Save it again as CSV UTF-8.",
        remedy_vi="Lưu lại tệp ở dạng CSV UTF-8.",
    ),
    Reason(
        code="import/heading",
        title="The heading does not name the columns that are needed.",
        title_vi="Dòng tiêu đề không có đủ các cột cần thiết.",
        remedy="Name a column for the code and one for the name, each once.",
        remedy_vi="Đặt một cột cho mã định danh và một cột cho tên, mỗi cột một lần.",
    ),
    Reason(
        code="import/not-csv",
        title="The file is not CSV.",
        title_vi="Tệp không phải là CSV.",
        remedy="Correct the line that is named, or import the spreadsheet itself (.xlsx).",
        remedy_vi="Sửa dòng đã nêu, hoặc nhập trực tiếp tệp bảng tính (.xlsx).",
    ),
    Reason(
        code="import/not-spreadsheet",
        title="The file is not a spreadsheet that can be read.",
        title_vi="Tệp không phải là bảng tính đọc được.",
        remedy="Save it again as .xlsx or .csv.",
        remedy_vi="Lưu lại tệp ở dạng .xlsx hoặc .csv.",
    ),
    Reason(
        code="import/too-large",
        title="The file to import is over the limit.",
        title_vi="Tệp cần nhập vượt quá dung lượng cho phép.",
        remedy="Import it in several parts.",
        remedy_vi="Chia tệp thành nhiều phần để nhập.",
    ),
    Reason(
        code="import/value",
        title="A cell has a value that is not allowed.",
        title_vi="Một ô có giá trị không được phép.",
        remedy="Correct the cell that is named.",
        remedy_vi="Sửa ô đã nêu.",
    ),
)
