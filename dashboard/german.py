"""The German strings of the dashboard, with the keys and gaps of the English ones."""

from typing import Final

from dashboard.german_access import ACCESS_GERMAN
from dashboard.german_cameras import CAMERAS_GERMAN
from dashboard.german_coil_map import COIL_MAP_GERMAN
from dashboard.german_correlation import CORRELATION_GERMAN
from dashboard.german_machine import MACHINE_GERMAN
from dashboard.german_maintenance import MAINTENANCE_GERMAN
from dashboard.german_model import MODEL_GERMAN
from dashboard.german_refused import REFUSED_GERMAN
from dashboard.german_review import REVIEW_GERMAN

GERMAN: Final[dict[str, str]] = {
    **ACCESS_GERMAN,
    **CAMERAS_GERMAN,
    **COIL_MAP_GERMAN,
    **CORRELATION_GERMAN,
    **MACHINE_GERMAN,
    **MAINTENANCE_GERMAN,
    **MODEL_GERMAN,
    **REFUSED_GERMAN,
    **REVIEW_GERMAN,
    "app.title": "Millsight",
    "page.line": "Linie",
    "page.health": "Datenweg",
    "page.maintenance": "Fehlerbericht",
    "state.running": "läuft",
    "state.behind": "im Rückstand",
    "state.silent": "still",
    "state.unassigned": "nicht zugeordnet",
    "state.no_data": "keine Daten",
    "state.no_camera": "keine Kamera",
    "time.now": "gerade eben",
    "time.ago": "vor {age}",
    "time.ahead": "{lead} in der Zukunft",
    "time.never": "nie",
    "window.label": "Zahlen über",
    "window.minutes": "letzte {minutes} min",
    "window.help": "Raten gelten für diese Zeit bis jetzt. Die Wahl steht in der Adresse der Seite.",
    "fresh.live": "Live",
    "fresh.as_of": "Gelesen um {moment} ({zone}). Neuestes Bild aufgenommen {age}.",
    "fresh.stale": "**Nicht live.** Seit {age} kein Bild von irgendeiner Kamera: das neueste wurde um"
    " {moment} aufgenommen.",
    "fresh.ahead": "**Die Uhr einer Kamera geht {lead} vor.** Stellen Sie sie nach der Netzwerkzeit, sonst"
    " stimmen Alter und Raten nicht.",
    "fresh.empty": "**Noch wurde kein Bild gespeichert.** Starten Sie die Linie mit `make up`, oder schicken"
    " Sie ein JPEG an das Topic `frames.` gefolgt vom Namen Ihrer Kamera; es erscheint hier in Sekunden.",
    "trouble.gone": "**Die Datenbank antwortet nicht oder lehnt die Anmeldung ab.** Über die Linie ist jetzt"
    " nichts zu sagen; Kameras und Klassifikator arbeiten von selbst weiter. `make status` sagt, was fehlt.",
    "trouble.refused": "**Die Datenbank zeigt das nicht.** Die Anmeldung des Dashboards braucht die Rolle"
    " `millsight_dashboard`; `millsight db migrate` verleiht sie.",
    "trouble.not_prepared": "**Die Datenbank hat keine Tabellen von Millsight, oder ältere als dieses"
    " Dashboard braucht.** Führen Sie `millsight db migrate` aus.",
    "trouble.too_slow": "**Die Datenbank brauchte zu lange.** Wählen Sie eine kürzere Zeit; bleibt es dabei,"
    " sagen Sie es dem Betreiber der Datenbank.",
    "trouble.busy": "**Zu viele Seiten fragen auf einmal.** Diese Seite fragt von selbst wieder.",
    "trouble.retry": "Diese Seite fragt alle {every} wieder.",
    "trouble.settings": "**Das Dashboard ist nicht eingerichtet.** {mistake}",
    "metric.cameras": "Liefernde Kameras",
    "help.cameras": "Kameras, die jetzt Bilder liefern, von allen bekannten.",
    "metric.frames": "Bilder je Minute",
    "help.frames": "Geprüfte Bilder je Minute, alle Kameras zusammen.",
    "metric.defects": "Fehlerbilder je Minute",
    "help.defects": "Bilder je Minute, die einen Fehler zeigen. Jede Kamera, die einen Fehler sieht, zählt ihn.",
    "metric.rate": "Fehlerrate",
    "help.rate": "Anteil der geprüften Bilder, die einen Fehler zeigen. Darunter der Bereich, der mit 95 %"
    " Sicherheit zur Zahl passt: je weniger Bilder, desto breiter.",
    "notice.silent": "**Still: {cameras}.** Keine neuen Bilder; seither ist über das Band dort nichts"
    " bekannt. Die Seite *Datenweg* sagt, was zu tun ist.",
    "notice.unassigned": "**In keiner Liniendatei: {cameras}.** Ihre Bilder werden geprüft und behalten, aber"
    " unter keiner Maschine. Nennen Sie sie in `line.yaml`, um sie am Band zu sehen.",
    "line.heading": "{line}",
    "help.strip": "Das Band läuft von links nach rechts. Quadrate sind Maschinen, Dreiecke Kameras; Farbe und"
    " Wort sagen, was jede Kamera tut und wie es um jede Maschine steht; die Gründe stehen darunter. Zeigen Sie"
    " darauf, um Zahlen zu sehen.",
    "line.window": "Mittelwerte der letzten {minutes} Minuten, oder seit dem ersten Bild darin; die Zahlen"
    " einer stillen Kamera gelten für die Zeit davor.",
    "line.machines": "Maschinen",
    "line.cameras": "Kameras",
    "strip.behind": "hinter {machine}",
    "strip.defects": "{share} Fehler",
    "strip.per_minute": "{rate} je min",
    "strip.not_now": "jetzt nicht gesehen",
    "strip.frames": "{rate} Bilder/min",
    "strip.watched": "dahinter: {camera}",
    "strip.unwatched": "unbeobachtet",
    "strip.detail": "{frames} Bilder/min, Fehlerrate {share} ({range})",
    "defect.heading": "Neueste Fehler",
    "help.newest": "Die neuesten Bilder mit einem Fehler, das neueste zuerst. Sie bleiben stehen, wenn eine"
    " Kamera verstummt: achten Sie auf ihr Alter.",
    "defect.evidence": "Zeigen, worauf das Modell sah",
    "help.evidence": "Tönt die Stellen des Bildes, die am meisten für den genannten Fehler sprachen.",
    "defect.title": "**{defect}**, {confidence} sicher",
    "defect.caption": "{machine}, {camera}  \n{coil} bei {metre}  \n{moment}",
    "defect.alt": "Bandoberfläche mit {defect}",
    "defect.no_picture": "Bild nicht mehr aufbewahrt",
    "defect.none": "Noch wurde kein Fehler gesehen. Die neuesten erscheinen hier.",
    "metric.lag": "Alter des neuesten Bildes",
    "help.lag": "Zeit, seit das neueste gespeicherte Bild aufgenommen wurde. Sie wächst, wenn Kameras still"
    " sind oder Bilder warten.",
    "metric.p50": "Übliche Verzögerung, 5 min",
    "metric.p95": "Die langsamsten 5 % über",
    "help.delay": "Vom Verschluss der Kamera bis zum gespeicherten Ergebnis. Die Hälfte der Bilder ist"
    " schneller als die übliche Verzögerung (Median, p50); eines von zwanzig braucht länger als die zweite"
    " Zahl (p95).",
    "metric.rejected": "Abgewiesen, 24 h",
    "help.rejected": "Nachrichten, die nicht geprüft werden konnten, etwa kaputte Bilder. Sie liegen im Topic"
    " `frames.dlq` (Dead Letters), nichts ist verloren.",
    "metric.dropped": "An Kameras verworfen",
    "help.dropped": "Bilder, die eine Kamera wegwerfen musste, weil ihr Plattenplatz für wartende Bilder voll"
    " war.",
    "advice.heading": "Was Hilfe braucht",
    "advice.none": "Nichts: jede Kamera liefert, steht in der Liniendatei, und nichts wurde abgewiesen oder"
    " verworfen.",
    "advice.silent": "**{camera} ist still**, neuestes Bild {age}. Prüfen Sie Strom, Netzwerkkabel und ob ihr"
    " Kameradienst läuft.",
    "advice.behind": "**{camera} ist im Rückstand**: ihr neuestes gespeichertes Bild wurde {age} aufgenommen."
    " Ein Rückstand wird abgearbeitet, oder ihre Uhr geht nach.",
    "advice.no_data": "**{camera} lieferte nie ein Bild.** Starten Sie ihren Kameradienst, oder senden Sie an"
    " das Topic `frames.` gefolgt von ihrem Namen.",
    "advice.unassigned": "**{camera} steht in keiner Liniendatei.** Ihre Bilder werden geprüft und unter"
    " keiner Maschine behalten. Tragen Sie sie in `line.yaml` unter `cameras` mit `id`, `position_m` und"
    " `behind` ein, dann führen Sie `make up` wieder aus.",
    "advice.dropped": "**{camera} verwarf {frames} Bilder.** Geben Sie ihrem Puffer mehr Platz, oder finden"
    " Sie heraus, warum Bilder so lange warteten.",
    "advice.spooling": "**{camera} behält Bilder auf ihrer Platte**, das älteste seit {age}. Der Broker nimmt"
    " sie nicht: prüfen Sie das Netz zwischen Kamera und Broker.",
    "advice.rejected": "**In 24 Stunden abgewiesen, {reason}: {frames}.** Die Tabelle unten zeigt die neuesten.",
    "delay.heading": "Verzögerung vom Verschluss bis zum gespeicherten Ergebnis",
    "delay.p50": "üblich (Median)",
    "delay.p95": "die langsamsten 5 % über",
    "delay.axis": "Sekunden",
    "delay.none": "Keine Bilder in dieser Zeit, also keine Verzögerung zu zeigen.",
    "rejected.heading": "Abgewiesene Nachrichten, letzte 24 Stunden",
    "rejected.heading.help": "Auch Dead Letters genannt. Die ursprünglichen Bytes liegen im Topic `frames.dlq`.",
    "rejected.none": "Keine in den letzten 24 Stunden.",
    "status.heading": "Kameradienste",
    "status.heading.help": "Was jeder Kameradienst zuletzt über seine Kamera sagte. Kameras, die selbst"
    " senden, sagen hier nichts.",
    "status.none": "Kein Kameradienst hat berichtet.",
    "status.old": "{state} (alter Bericht)",
    "model.heading": "Modelle im Einsatz",
    "model.heading.help": "Welche Modellversionen in der gewählten Zeit Bilder beurteilten.",
    "model.none": "In dieser Zeit wurde kein Bild beurteilt.",
    "period.label": "Zeitraum",
    "period.1h": "letzte Stunde",
    "period.8h": "letzte 8 Stunden",
    "period.24h": "letzte 24 Stunden",
    "period.7d": "letzte 7 Tage",
    "period.own": "von … bis",
    "period.from": "Von",
    "period.to": "Bis",
    "period.wrong": "Wählen Sie einen Beginn, der vor dem Ende liegt.",
    "report.period": "Bilder, aufgenommen von {start} bis {end} ({zone}).",
    "report.empty": "In diesem Zeitraum wurde kein Bild geprüft. Wählen Sie einen längeren oder späteren.",
    "metric.inspected": "Geprüfte Bilder",
    "help.inspected": "Bilder, die Kameras aller Maschinen im Zeitraum lieferten.",
    "metric.defect_frames": "Fehlerbilder",
    "help.defect_frames": "Bilder, die einen Fehler zeigen; jede Kamera, die einen Fehler sieht, zählt ihn.",
    "heat.heading": "Maschinen und Fehler",
    "help.heat": "Anteil der geprüften Bilder bei einer Maschine, die einen Fehler zeigen; dunkler ist mehr."
    " Grau: keine Kamera sah hin.",
    "heat.legend": "Anteil der Bilder",
    "report.heading": "Maschine für Maschine",
    "help.report": "Höchste Rate zuerst. Maschinen ohne Kamera direkt dahinter kommen zuletzt: nicht"
    " angesehen ist nicht dasselbe wie gesund.",
    "report.not_inspected": "nicht geprüft",
    "report.nothing_found": "nichts gefunden",
    "report.coil_change": "{defect} (Marke eines Coilwechsels)",
    "report.download": "Als CSV herunterladen",
    "report.caveat": "Ein Fehler zählt bei der Maschine vor der Kamera, die ihn sah, bei jeder Kamera, die"
    " ihn sah. Das sagt, wo Fehler gesehen werden, noch nicht, welche Maschine sie verursacht. Schweißnähte,"
    " Stanzlöcher und Sichellöcher sind Marken von Coilwechseln und gewöhnlich kein Schaden.",
    "table.machine": "Maschine",
    "table.camera": "Kamera",
    "table.state": "Zustand",
    "table.cameras": "Kameras",
    "table.running_of": "{running} von {all} laufen",
    "table.frames": "Bilder/min",
    "table.defects": "Fehler/min",
    "table.rate": "Fehlerrate",
    "table.range": "95-%-Bereich",
    "table.age": "Neuestes Bild",
    "table.name": "Name",
    "table.behind": "Hinter Maschine",
    "table.position": "Position",
    "table.reason": "Grund",
    "table.count": "Nachrichten",
    "table.latest": "Neueste",
    "table.size": "Größe",
    "table.detail": "Einzelheit",
    "table.reported": "Berichtet",
    "table.captured": "Aufgenommen",
    "table.published": "Gesendet",
    "table.waiting": "Warten auf Platte",
    "table.dropped": "Verworfen",
    "table.dropped_all": "Insgesamt verworfen",
    "table.model": "Modell",
    "table.version": "Version",
    "table.judged": "Beurteilte Bilder",
    "table.registered": "Zuerst im Einsatz",
    "table.digest": "Fingerabdruck",
    "table.defect": "Fehler",
    "table.defect_frames": "Fehlerbilder",
    "table.inspected": "Geprüft",
    "table.last_seen": "Zuletzt gesehen",
    "tip.title": "Kennung",
    "tip.name": "Name",
    "tip.place": "Position",
    "tip.word": "Zustand",
    "tip.detail": "Zahlen",
    "tip.machine": "Maschine",
    "tip.defect": "Fehler",
    "tip.share_text": "Anteil der Bilder",
    "tip.range_text": "95-%-Bereich",
    "tip.defects": "Fehlerbilder",
    "tip.frames": "Bilder",
    "tip.at": "Von",
    "tip.what": "Größe",
    "tip.seconds": "Sekunden",
    "class.crease": "Knick",
    "class.crescent_gap": "Sichelloch",
    "class.inclusion": "Einschluss",
    "class.oil_spot": "Ölfleck",
    "class.punching_hole": "Stanzloch",
    "class.rolled_pit": "Walznarbe",
    "class.silk_spot": "Seidenfleck",
    "class.waist_folding": "Taillenfalte",
    "class.water_spot": "Wasserfleck",
    "class.welding_line": "Schweißnaht",
    "class.no_defect": "kein Fehler",
    "class.other": "andere Klasse",
}
