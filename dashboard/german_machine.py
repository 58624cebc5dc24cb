"""German strings of the machine page."""

from typing import Final

MACHINE_GERMAN: Final[dict[str, str]] = {
    "page.machine": "Maschine",
    "machine.pick": "Maschine",
    "machine.class": "Fehlerklasse",
    "machine.chart": "Karte",
    "machine.days": "Zeitraum",
    "machine.days.1": "24 Stunden",
    "machine.days.7": "7 Tage",
    "machine.days.30": "30 Tage",
    "machine.kind.cusum": "CUSUM",
    "machine.kind.u": "u (je km)",
    "machine.kind.p": "p (Anteil der Bilder)",
    "machine.kind.ewma": "EWMA",
    "chart.cusum": "CUSUM des logarithmierten Likelihood-Verhältnisses, Nat",
    "chart.u": "u-Karte: Fehler je km, um die normale Rate",
    "chart.u_laney": "u'-Karte (Laney: Coils streuen mehr als zufällig): Fehler je km, um die normale Rate",
    "chart.p": "p-Karte: Anteil der Bilder, die die erste Kamera hinter der Gruppe Fehler nannte, alle Klassen",
    "chart.p_laney": "p'-Karte (Laney: Coils streuen mehr als zufällig): Anteil der Bilder, die die erste Kamera"
    " hinter der Gruppe Fehler nannte, alle Klassen",
    "chart.ewma": "EWMA (Lambda 0,1) der standardisierten Rate; in Ordnung liegen 500 Coils zwischen Signalen",
    "chart.nothing": "niemand hat eines dieser Coils geprüft",
    "help.machine.chart": "Nur der CUSUM löst Meldungen aus. Die u-, p- und EWMA-Karten zeigen dieselben"
    " Coils so, wie Regelkarten gewöhnlich gelesen werden; wo Coils mehr schwanken als der Zufall, sind es"
    " Laneys Grenzen.",
    "machine.state": "**{machine}: {state}.** {reason}",
    "machine.group": "Keine Kamera trennt diese Maschinen, also teilen sie eine Karte: {group}.",
    "machine.none": "**Noch ist keine Maschine bekannt.** Beschreiben Sie die Linie in `line.yaml` und führen"
    " Sie `millsight db migrate` aus, oder starten Sie die Demolinie mit `make up`.",
    "machine.no_points": "**In diesem Zeitraum wurde hier kein Coil beurteilt.** Ein Coil wird beurteilt,"
    " wenn es die letzte Kamera passiert hat; wählen Sie einen längeren Zeitraum oder eine andere Klasse.",
    "machine.left_out": "Weggelassene Coils, die niemand prüfte: {count}.",
    "machine.no_limit": "Die Linie hat noch keine Meldung ausgelöst, also ist die Grenze ihres CUSUM nicht"
    " verzeichnet.",
    "machine.newest": "Zuletzt beurteiltes Coil: {coil}, endete {age}.",
    "machine.axis": "Coils, ältestes zuerst",
    "machine.classes": "Klassenverteilung",
    "help.machine.classes": "Verzeichnete Fehler, die in der Gruppe dieser Maschine beginnen, jeder einmal"
    " gezählt, gegen das, was ihre normale Rate erwarten lässt.",
    "machine.roll_marks": "Rollenabdrücke",
    "machine.rolls": "{order}: Fehler wiederholen sich alle **{period} m**, der Umfang von {rolls}.",
    "machine.no_roll": "{order}: Fehler wiederholen sich alle **{period} m**; keine Rolle der Linie hat"
    " diesen Umfang.",
    "machine.no_rolls": "Keine Meldung dieser Maschine zeigt eine Periode.",
    "machine.flags": "Meldungen und Reparaturen",
    "help.machine.flags": "Fehler dieser Klasse je km vor dem Beginn, seither und auf bis zu 200 Coils, die nach"
    " der Reparatur begannen; ob sie gewirkt hat, sagt die Prozessüberwachung.",
    "machine.repaired": "{rate} auf {length} km",
    "machine.no_flags": "Diese Maschine wurde nie gemeldet.",
    "machine.mark.onset": "Beginn, {order}",
    "machine.mark.alarm": "Meldung, {order}",
    "machine.mark.repair": "repariert, {order}",
    "machine.download.points": "Karte als CSV",
    "machine.download.classes": "Klassenverteilung als CSV",
    "machine.download.flags": "Meldungen als CSV",
    "machine.download.report": "Bericht über diese Maschine",
    "metric.machine_open": "Offene Meldungen",
    "help.machine_open": "Meldungen, die diese Maschine nennen und die niemand geschlossen hat.",
    "metric.machine_found": "Fehler, die hier beginnen",
    "help.machine_found": "Im Zeitraum, alle Klassen; ein Fehler, den mehrere Kameras sahen, zählt einmal.",
    "metric.machine_expected": "Erwartet bei normaler Rate",
    "help.machine_expected": "Was diese Maschine gezeigt hätte, wären ihre Raten normal geblieben.",
    "metric.machine_km": "Geprüftes Band, km",
    "help.machine_km": "Meter, die Kameras hinter dieser Maschine im Zeitraum prüften, gewichtet mit ihrer"
    " Aussicht, einen Fehler zu sehen.",
    "table.expected": "Erwartet",
    "table.km": "km",
    "table.onset": "Beginn",
    "table.before": "Je km davor",
    "table.after": "Je km seither",
    "table.repaired": "Je km nach Reparatur",
    "table.rolls": "Rollen",
    "table.closed": "Geschlossen",
    "machine.signal": "Signal",
    "tip.coil": "Coil",
    "tip.point": "Punkt",
    "tip.limit": "Grenze",
    "tip.mark": "Was geschah",
}
