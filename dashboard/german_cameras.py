"""German strings of the cameras page and of the plug-in wizard."""

from typing import Final

CAMERAS_GERMAN: Final[dict[str, str]] = {
    "page.cameras": "Kameras",
    "cameras.view": "Anzeigen",
    "cameras.watch": "Kameras",
    "cameras.plug_in": "Kamera anschließen",
    "cameras.all": "Alle Kameras",
    "help.cameras.all": "Raten und fehlende Bilder gelten für die letzten 5 Minuten. Ein fehlendes Bild ist"
    " eine Lücke in der Zählung der Kamera selbst; verworfene Bilder zählt der Kameradienst über alle seine"
    " Sitzungen.",
    "cameras.none": "Noch ist keine Kamera bekannt: wählen Sie oben **Kamera anschließen**, oder starten Sie"
    " die Demolinie mit `make up`.",
    "cameras.pick": "Kamera",
    "cameras.download": "Kameras als CSV herunterladen",
    "metric.delivering": "Liefernde Kameras",
    "help.delivering": "Kameras, die jetzt Bilder liefern, von allen bekannten.",
    "metric.attention": "Bilder nicht in Ordnung",
    "help.attention": "Kameras mit einem offenen Befund: verschmutzt, schwarz, eingefroren, unscharf oder"
    " überbelichtet.",
    "metric.missing": "Fehlende Bilder, 5 min",
    "help.missing": "Lücken in den Zählungen der Kameras in den letzten 5 Minuten.",
    "metric.camera_dropped": "Verworfene Bilder, insgesamt",
    "help.camera_dropped": "Bilder, die Kameradienste nicht behalten konnten, über alle Sitzungen.",
    "table.condition": "Bilder",
    "table.missing": "Fehlend, 5 min",
    "table.camera_waiting": "Warten auf Platte",
    "table.camera_dropped": "Verworfen, insgesamt",
    "cameras.now": "**{camera}: {state}.** Neuestes Bild aufgenommen {age}.",
    "cameras.place": "Steht hinter {machine} bei {metre}.",
    "cameras.no_place": "Steht in keiner Liniendatei, also wird keine Maschine nach ihr beurteilt: wählen Sie"
    " oben **Kamera anschließen**, um {camera} einzuordnen.",
    "cameras.rate": "{rate} Bilder je Minute in den letzten 5 Minuten, {missing} fehlen.",
    "cameras.look": "Bilder der letzten 5 Minuten: Helligkeit {bright}, überbelichtet {white} der Pixel,"
    " Schärfe {sharp} (nur innerhalb dieser Kamera vergleichbar).",
    "cameras.condition": "Die Bilder sind nicht in Ordnung: {what}. {reason}",
    "condition.silent": "stumm",
    "condition.black": "schwarz",
    "condition.over_exposed": "überbelichtet",
    "condition.frozen": "eingefroren",
    "condition.defocused": "unscharf",
    "condition.dirty_lens": "Linse verschmutzt",
    "why.silent": "Kein Bild kam an, während andere Kameras der Linie lieferten; {expected} waren zu erwarten.",
    "why.black": "{count} von {total} Bildern sind schwarz: die mittlere Helligkeit ist {share} von Weiß.",
    "why.over_exposed": "{count} von {total} Bildern sind überbelichtet: {share} des mittleren sind weiß.",
    "why.frozen": "{count} von {total} Bildern wiederholen ein früheres, während das Band läuft;"
    " die längste Folge gleicher Bilder hat {run}.",
    "why.defocused": "{count} von {total} Bildern sind unscharf: die mittlere Schärfe ist {share} der üblichen.",
    "why.dirty_lens": "{count} von {total} Bildern mit {defect} zeigen es an derselben Stelle des Bildes"
    " ({left} von links, {top} von oben), während das Band läuft.",
    "cameras.no_room": "Kein Kameradienst berichtet über sie: Bilder kommen bloß, also sind verworfene und"
    " wartende Bilder nicht bekannt.",
    "cameras.room": "Ihr Dienst meldete {age}: {state}; {waiting} Bilder warten auf seiner Platte, {dropped}"
    " wurden in allen Sitzungen verworfen.",
    "cameras.room_reason": "Grund laut Dienst: {reason}",
    "cameras.order": "Offener Auftrag {order}",
    "cameras.picture_newest": "Neuestes Bild, aufgenommen {age}: {what}.",
    "cameras.picture_older": "Neuestes aufbewahrtes Bild, aufgenommen {age}: {what}. Das neueste Bild"
    " ({newest}) wurde nicht aufbewahrt.",
    "cameras.no_picture": "Vom letzten Tag ist kein Bild aufbewahrt: Pixel werden vor allem von Bildern mit"
    " einem Fehler behalten.",
    "cameras.picture_alt": "Bild der Kamera {camera}",
    "wizard.id": "1. Name der Kamera",
    "help.wizard.id": "1 bis 64 Buchstaben, Ziffern, _ oder -, und nicht dlq. Er benennt auch das Topic.",
    "wizard.ask_id": "Geben Sie einen Namen für die Kamera ein, etwa `cam-7`, um zu sehen, was auszuführen ist.",
    "wizard.bad_id": "{camera} kann keine Kamera benennen: nehmen Sie 1 bis 64 Buchstaben, Ziffern, _ oder -,"
    " und nicht dlq.",
    "wizard.source": "Woher ihre Bilder kommen",
    "wizard.source.rtsp": "Netzwerkkamera (RTSP)",
    "wizard.source.usb": "USB-Kamera",
    "wizard.source.folder": "Ordner mit Bildern",
    "wizard.source.video": "Videodatei",
    "wizard.topic": "Ihre Bilder gehen in das Topic `frames.` gefolgt von ihrem Namen: **{topic}**.",
    "wizard.run": "2. Führen Sie dies auf dem Rechner aus, an dem die Kamera hängt",
    "wizard.broker": "Er muss Kafka unter **{broker}** erreichen.",
    "wizard.no_broker": "Das Dashboard kennt die Adresse von Kafka nicht: setzen Sie sie an die Stelle von"
    " {broker}, oder setzen Sie `DASHBOARD_LINE__BOOTSTRAP_SERVERS`.",
    "wizard.secret": "Das Passwort einer Kamera gehört in die Variable `MILLSIGHT_CAMERA_SOURCE`, nie hinter"
    " `--source`. Für ein gesichertes Kafka schreiben Sie Benutzer und Passwort in eine Datei mit"
    " librdkafka-Eigenschaften, die nur Sie lesen können, und fügen `--kafka-config FILE` an.",
    "wizard.first": "3. Erstes Bild",
    "wizard.waiting": "Warten auf das erste Bild von {camera}. Es wird von selbst wieder nachgesehen.",
    "wizard.seen_before": "{camera} war schon zu hören und schweigt jetzt; ihr neuestes Bild wurde {age}"
    " aufgenommen. Warten auf das nächste.",
    "wizard.came": "**{camera} liefert.** Neuestes Bild aufgenommen {age}.",
    "wizard.place": "4. In die Linie einordnen",
    "wizard.no_machines": "Noch ist keine Maschine bekannt: geben Sie `make up` eine Liniendatei mit"
    " Maschinen, siehe `docs/line.md`.",
    "wizard.behind": "Letzte Maschine vor der Kamera",
    "wizard.position": "Abstand vom Einlauf der Linie, m",
    "wizard.placed": "{camera} steht schon in der Liniendatei: hinter {machine} bei {metre}.",
    "wizard.refused": "Dieser Platz würde abgelehnt. {why}",
    "wizard.entry": "Schreiben Sie dies unter `cameras:` der Linie {line} in `line.yaml`, führen Sie dann den"
    " Befehl aus und starten Sie die Linie neu. Diese Seite ändert selbst nichts.",
    "why.flag_invents": "{camera} meldet {times}-mal so viele Fehler wie üblich, die keine andere Kamera"
    " bestätigt, seit Coil {coil}.",
    "why.flag_dirty": "{camera} zeigt einen Fleck, der nicht mit dem Band wandert, seit Coil {coil}.",
    "why.flag_blind": "{camera} meldet weit weniger Fehler, als die anderen Kameras und ihre eigene Vergangenheit"
    " erwarten lassen, seit Coil {coil}.",
    "health.line.reason": "**{machine}: {state}.** {reason}",
    "health.line.camera": "**{camera}: Kamera ansehen.** {reason}",
    "health.line.order": "Auftrag {order}",
}
