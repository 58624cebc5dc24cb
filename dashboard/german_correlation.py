"""German strings of the correlation page."""

from typing import Final

CORRELATION_GERMAN: Final[dict[str, str]] = {
    "page.correlation": "Kameravergleich",
    "correlation.hours": "Zeitraum",
    "correlation.hours.1": "1 Stunde",
    "correlation.hours.8": "8 Stunden",
    "correlation.hours.24": "24 Stunden",
    "correlation.hours.168": "7 Tage",
    "correlation.none": "**In diesem Zeitraum wurde kein Coil beurteilt.** Wählen Sie einen längeren; die"
    " Demolinie braucht einige Minuten, bis ihre ersten Coils alle Kameras passiert haben.",
    "correlation.newest": "Das zuletzt beurteilte Coil endete {age}.",
    "correlation.groups": "Wo Fehler beginnen",
    "help.correlation.groups": "Fehler je geprüftem Kilometer, die an einer Maschinengruppe beginnen: ein"
    " Fehler, den viele Kameras sehen, zählt einmal, bei der Maschine vor der ersten von ihnen.",
    "correlation.cameras": "Was Kameras sehen",
    "help.correlation.cameras": "Jede Kamera hinter der Ursache sieht denselben Fehler, also sieht die letzte"
    " Kamera am meisten. Schalten Sie auf erste Sichtungen um, um zu sehen, wo Fehler auftauchen.",
    "correlation.first_only": "Nur erste Sichtungen",
    "help.correlation.first_only": "Einen Fehler nur bei der ersten Kamera zählen, die ihn meldete.",
    "correlation.first_against": "Erstes Auftreten gegen Sichtungen",
    "help.correlation.first_against": "Einer Maschine vor einer Kamera wird angelastet, was dort beginnt,"
    " nicht was die Kamera sieht.",
    "correlation.flags": "Wie sicher die Ursache ist",
    "correlation.no_flags": "Noch wurde keine Maschine gemeldet.",
    "correlation.pick": "Meldung",
    "correlation.download.groups": "Maschinen als CSV",
    "correlation.download.cameras": "Kameras als CSV",
    "correlation.see_coil": "Der Weg eines Fehlers an den Kameras vorbei, mit seinen Bildern nebeneinander,"
    " steht auf der Seite *Coil-Karte*.",
    "heat.group": "{found} gefunden, {expected} erwartet, {km} km",
    "heat.camera": "{first} zuerst, {sightings} insgesamt",
    "flag.open": "offen",
    "flag.closed": "geschlossen",
    "flag.title": "{order}: {defect} von {group}, {state}",
    "flag.sure": "Wahrscheinlichste Ursache: **{group}** ({sure}).",
    "flag.runner_up": "Dann: {group} ({sure}).",
    "flag.members": "Keine Kamera unterscheidet diese Maschinen; danach, was solche Maschinen gewöhnlich tun:"
    " {members}.",
    "cause.none": "Fehlalarm",
    "metric.correlation_defects": "Fehler",
    "help.correlation_defects": "Wirkliche Fehler, die im Zeitraum verzeichnet wurden; Marken von"
    " Coilwechseln zählen nicht.",
    "metric.correlation_sightings": "Sichtungen",
    "help.correlation_sightings": "Meldungen dieser Fehler durch alle Kameras.",
    "metric.correlation_per_defect": "Kameras je Fehler",
    "help.correlation_per_defect": "Wie viele Kameras einen Fehler im Mittel sehen.",
    "metric.correlation_open": "Offene Maschinenmeldungen",
    "help.correlation_open": "Meldungen, die eine Maschine nennen und die niemand geschlossen hat.",
    "table.sightings": "Sichtungen",
    "table.first_seen": "Zuerst gesehen",
    "table.group": "Maschinen davor",
    "table.began": "Begannen dort",
    "tip.where": "Wo",
    "tip.counts": "Zahlen",
    "tip.per_km": "Fehler je km",
    "tip.sightings": "Sichtungen",
}
