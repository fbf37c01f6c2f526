"""The desk: existing document systems, served over the two HTTP interfaces they speak, as they are.

    POST /vxp/{operation}        the adapter of the national axis (axis.gateway.desk.vxp)
    …    /lgsp/v1/{operation}    a provincial integration platform (axis.gateway.desk.lgsp)

For the axis the desk is an ordinary client: it reads the mailboxes of the agencies it serves and signs for them, with a
key of its own for each, whose certificate says `gateway`. Everybody can see the difference.
"""

from axis.gateway.desk.desk import Desk
from axis.gateway.desk.limits import DeskLimits
from axis.gateway.desk.opening import open_desk
from axis.gateway.desk.profiles import desk_folder
from axis.gateway.desk.routes import desk_routes
from axis.gateway.desk.secrets import Secrets, check_system_id

__all__ = ["Desk", "DeskLimits", "Secrets", "check_system_id", "desk_folder", "desk_routes", "open_desk"]
