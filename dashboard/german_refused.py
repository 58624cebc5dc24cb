"""German strings of refused messages."""

from typing import Final

REFUSED_GERMAN: Final[dict[str, str]] = {
    "refused.heading": "Abgewiesene Nachrichten einzeln",
    "help.refused": "Die neuesten 100 der letzten 24 Stunden. Eine wieder gesendete Nachricht liegt noch einmal"
    " in ihrem"
    " Topic und wird neu geprüft oder abgewiesen: sinnvoll, nachdem eine Einstellung, ein Verweis oder ein Modell"
    " berichtigt wurde.",
    "refused.pick": "Nachricht",
    "refused.picture": "Was davon zu sehen ist: {camera}, {reason}",
    "refused.no_picture": "In dieser Nachricht war nichts zu sehen.",
    "refused.send": "Noch einmal senden",
    "refused.log_in": "Melden Sie sich auf der Seite Konto als Ingenieur an, um eine noch einmal senden zu"
    " lassen.",
    "refused.download": "Abgewiesene Nachrichten als CSV",
    "refused.again.waiting": "wartet auf das Senden",
    "refused.again.sent": "noch einmal gesendet",
    "refused.again.failed": "nicht gesendet: {problem}",
    "table.again": "Zweiter Blick",
}
