"""German strings of the model page."""

from typing import Final

MODEL_GERMAN: Final[dict[str, str]] = {
    "page.model": "Modell",
    "model.pick": "Version",
    "model.compare": "Vergleichen mit",
    "model.compare.none": "keiner anderen Version",
    "model.no_version": "**Noch hat keine Modellversion ein Bild klassifiziert.** Eine Version erscheint"
    " hier, sobald der Klassifikator sie benutzt; Versionen, die im Repository warten, zeigt `millsight model"
    " list`.",
    "model.versions": "Versionen, die Bilder klassifizierten",
    "help.model.versions": "Eine neue Version wartet im Modell-Repository, bis `millsight model promote` sie"
    " dienen lässt. Mit ihrem ersten Bild erscheint sie hier.",
    "model.download": "Versionen als CSV",
    "model.accuracy": "Was die Modellkarte sagt",
    "help.model.accuracy": "Zurückgehaltene Coils: was ein Coil bekommt, das das Modell nie sah. Eine"
    " zufällige Teilung schmeichelt: Bilder eines Coils stehen auf beiden Seiten.",
    "model.set.coil_grouped_hold_out": "zurückgehaltene Coils",
    "model.set.coil_grouped_hold_out_defects_only": "zurückgehaltene Coils, nur Fehlerklassen",
    "model.set.coil_grouped_folds": "Kreuzvalidierung nach Coil (andere Gewichte)",
    "model.set.random_split": "zufällige Teilung",
    "model.set.random_split_defects_only": "zufällige Teilung, nur Fehlerklassen",
    "model.set.rendered_frames": "gezeichnete Bilder der Demolinie",
    "model.not_measured": "nicht gemessen",
    "model.share": "{value} ({range}, n = {n})",
    "model.recall": "Trefferquote je Klasse auf zurückgehaltenen Coils",
    "help.model.recall": "Anteil der Bilder einer Klasse, die so genannt werden, mit dem 95-%-Intervall nach"
    " Wilson.",
    "model.no_recall": "Die Karte dieser Version hat keine Trefferquote je Klasse.",
    "model.curves": "Training",
    "model.curve.accuracy": "Genauigkeit auf Trainingsstapeln",
    "model.curve.loss": "Verlust auf Trainingsstapeln",
    "model.no_curve": "Die Karte dieser Version hat keine Trainingskurve.",
    "model.epoch": "Epoche",
    "model.image_px": "Bildgröße, Pixel",
    "model.confusion": "Konfusionsmatrix",
    "help.model.confusion": "Zeilen sind die wahren Klassen zurückgehaltener Coils, Spalten wie das Modell"
    " sie nannte; die Zahl ist der Anteil an der Zeile.",
    "model.confused": "{count} von {all} Bildern",
    "model.no_confusion": "Die Karte dieser Version hat keine Konfusionsmatrix.",
    "model.reliability": "Verlässlichkeit",
    "help.model.reliability": "Wie oft Antworten einer Sicherheit richtig waren. Auf der gestrichelten Linie"
    " heißt 80 % Sicherheit: vier von fünf richtig.",
    "model.no_reliability": "Die Karte dieser Version hat kein Verlässlichkeitsdiagramm.",
    "model.confidence": "Sicherheit",
    "model.right": "Anteil richtiger Antworten",
    "model.answers": "Antworten",
    "model.mean_confidence": "Mittlere Sicherheit",
    "model.drift": "Drift je Kamera",
    "help.model.drift": "Die Klassenverteilung der neuesten Stunde gegen die 24 Stunden davor, als Population"
    " Stability Index: unter 0,1 stabil, über 0,25 verschoben. Eine verschobene Verteilung ist eine Änderung"
    " der Linie oder der Kamera; ob das Modell irrt, sagt die Prüfliste.",
    "model.drift.none": "Diese Version klassifizierte in den letzten 25 Stunden kein Bild.",
    "model.drift.few": "weniger als {least} Bilder",
    "model.drift.stable": "stabil",
    "model.drift.watch": "beobachten",
    "model.drift.moved": "verschoben",
    "model.drift.from_to": "{defect}: {before} auf {now}",
    "model.drift.download": "Klassenzahlen als CSV",
    "model.recorded": "Beide Versionen auf aufgezeichneten Bildern",
    "help.model.recorded": "Bilder der letzten 24 Stunden, die beide Versionen beurteilten, davon die"
    " neuesten 60 Minuten.",
    "model.recorded.none": "**Kein Bild der letzten 24 Stunden wurde von beiden Versionen beurteilt.** Ein"
    " Bild wird zweimal beurteilt, wenn es nach einem Wechsel noch einmal zugestellt wird, etwa durch einen"
    " zweiten Klassifikator mit eigener Consumer-Gruppe.",
    "model.agree": "Beide sagen dasselbe auf {same} von {frames} Bildern ({share}).",
    "model.agree.people": "Menschen beantworteten {answered} davon: {one} lag bei {one_right} richtig,"
    " {other} bei {other_right}.",
    "model.says": "{who}: {defect} ({confidence})",
    "model.person": "Ein Mensch: {defect}",
    "model.picture_gone": "Kein Bild aufbewahrt.",
    "model.alt": "Bild von {camera}",
    "model.limits": "Grenzen",
    "metric.model_version": "Version",
    "help.model_version": "Name und Version, wie die Befehle sie nehmen.",
    "metric.model_frames": "Bilder in 24 h",
    "help.model_frames": "Bilder, die diese Version in den letzten 24 Stunden klassifizierte.",
    "metric.model_top1": "Top-1, zurückgehaltene Coils",
    "help.model_top1": "Anteil der Bilder nie gesehener Coils, deren wahrscheinlichste Klasse das Etikett ist.",
    "metric.model_macro_f1": "Makro-F1",
    "help.model_macro_f1": "Mittleres F1 über die Klassen, jede gleich gezählt; auf zurückgehaltenen Coils.",
    "table.set": "Bilder",
    "table.top1": "Top-1",
    "table.macro_f1": "Makro-F1",
    "table.ece": "Kalibrierfehler",
    "table.trained": "Trainiert",
    "table.frames_24h": "Bilder in 24 h",
    "table.newest": "Neuestes Bild (UTC)",
    "table.clean_called": "Sauberes Band Fehler genannt",
    "table.frames_1h": "Bilder in 1 h",
    "table.frames_seen": "Bilder",
    "table.psi": "Stabilitätsindex",
    "table.verdict": "Klassenverteilung",
    "table.most_changed": "Am meisten geändert",
}
