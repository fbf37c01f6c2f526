"""Calls to agencies' own systems."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "menu.webhooks": ("Webhook", "Webhooks"),
        "webhooks": ("Webhook của cơ quan", "Agencies' webhooks"),
        "webhooks.feed": ("Mục mới nhất của dòng sự kiện: {last}.", "The newest item of the feed: {last}."),
        "webhooks.events": ("Sự kiện", "Events"),
        "webhooks.every event": ("mọi sự kiện", "everything"),
        "webhooks.cursor": ("Đã đọc đến mục", "Read up to item"),
        "webhooks.added": ("Đăng ký", "Added"),
        "webhooks.waiting": ("Lời gọi đang chờ", "Calls that wait"),
        "webhooks.dead": ("Lời gọi bị để riêng", "Calls set aside"),
        "webhooks.calls": ("Lời gọi chưa xong", "Calls that are not done"),
        "webhooks.call": ("Lời gọi", "Call"),
        "webhooks.attempts": ("Số lần gọi", "Attempts"),
        "webhooks.told": ("Trả lời gần nhất", "Last answer"),
        "webhooks.tried": ("Gọi lúc", "Tried"),
        "webhooks.due": ("Gọi lại lúc", "Due"),
        "webhooks.state.waiting": ("đang chờ", "waiting"),
        "webhooks.state.dead": ("bị để riêng", "set aside"),
        "webhooks.retry": ("Thử lại", "Try again"),
        "webhooks.retried": ("{count} lời gọi được thực hiện lại ngay.", "{count} calls are made again now."),
        "webhooks.nothing left": ("Không còn lời gọi nào chưa xong.", "No call is left to be made."),
        "webhooks.event.accepted": ("đã chấp nhận", "accepted"),
        "webhooks.event.delivered": ("đã chuyển đến", "delivered"),
        "webhooks.event.held": ("đang giữ", "held"),
        "webhooks.event.undeliverable": ("không chuyển được", "undeliverable"),
        "webhooks.event.withdrawn": ("đã rút", "withdrawn"),
        "webhooks.event.status": ("trạng thái xử lý", "status"),
        "webhooks.event.conversation": ("thu hồi, thay thế", "recall, replacement"),
        "webhooks.event.late": ("quá hạn", "late"),
    }
)
