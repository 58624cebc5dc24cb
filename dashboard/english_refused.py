"""English strings of refused messages."""

from typing import Final

REFUSED_ENGLISH: Final[dict[str, str]] = {
    "refused.heading": "Refused messages one by one",
    "help.refused": "The newest 100 of the last 24 hours. A message that is sent again lies in its topic once"
    " more, and"
    " is inspected or refused anew: worth it after a setting, a reference or a model was mended.",
    "refused.pick": "Message",
    "refused.picture": "What could be seen of it: {camera}, {reason}",
    "refused.no_picture": "Nothing could be seen in this message.",
    "refused.send": "Send it again",
    "refused.log_in": "Log in as an engineer on the page Account to have one sent again.",
    "refused.download": "Refused messages as CSV",
    "refused.again.waiting": "waits to be sent",
    "refused.again.sent": "sent again",
    "refused.again.failed": "not sent: {problem}",
    "table.again": "Second look",
}
