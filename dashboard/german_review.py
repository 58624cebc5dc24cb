"""German strings of the review queue."""

from typing import Final

REVIEW_GERMAN: Final[dict[str, str]] = {
    "page.review": "Prüfliste",
    "review.why": "Warum",
    "review.why.all": "aus jedem Grund",
    "review.why.unsure": "Modell unsicher",
    "review.why.disagreed": "Kameras uneinig",
    "review.why.flagged": "Teil einer Meldung",
    "help.review.why": "Unsicher: weniger als 60 % Sicherheit. Uneinig: Kameras nennen denselben Fehler"
    " verschieden. Teil einer Meldung: das Bild gehört zu einem Fehler, der zu einem offenen Auftrag führte.",
    "review.machine": "Maschine",
    "review.machine.all": "alle Maschinen",
    "review.class": "Das Modell sagt",
    "review.class.all": "irgendetwas",
    "review.empty": "**Nichts wartet auf eine Antwort.** Bilder erscheinen hier, wenn das Modell unsicher"
    " ist, wenn Kameras uneinig sind oder wenn ein Fehler zu einem Auftrag führte. Wählen Sie andere Filter,"
    " oder kommen Sie später wieder.",
    "review.later_all": "**Nur aufgeschobene Bilder sind noch da.**",
    "review.later_again": "Jetzt ansehen",
    "review.title": "Was zeigt dieses Bild?",
    "review.said": "Das Modell sagt **{defect}** ({confidence}). {likeliest}",
    "review.where": "{camera} bei {machine}, Coil {coil}, {moment}",
    "review.because": "Hier, weil: {reasons}.",
    "review.tint": "Zeigen, worauf das Modell sah",
    "help.review.tint": "Orange ist, wo am meisten für die genannte Klasse sprach.",
    "review.confirm": "Bestätigen: {defect}",
    "review.unclear": "Nicht zu sagen",
    "review.later": "Später",
    "review.or": "Oder wählen Sie, was es zeigt:",
    "review.keys": "Tasten: Enter bestätigt, eine Ziffer oder N wählt, U nicht zu sagen, L später.",
    "review.log_in": "Melden Sie sich auf der Seite Konto als Bediener an, um zu antworten.",
    "review.refused": "Das wurde nicht behalten: {reason}.",
    "review.kept": "Behalten: {camera} zeigt {defect}.",
    "review.kept_unclear": "Behalten: bei {camera} nicht zu sagen.",
    "review.picture_gone": "**Das Bild ist nicht mehr aufbewahrt.** Schieben Sie es auf; Bilder bleiben so"
    " lange, wie die Aufbewahrung sagt.",
    "review.alt": "Bild von {camera}",
    "review.waiting": "Wartende Bilder",
    "review.answers": "Antworten bisher",
    "review.no_answers": "Noch hat niemand geantwortet.",
    "review.dataset": "Aus den Antworten macht `millsight dataset export-reviews` einen Datensatz zum Trainieren.",
    "review.download": "Wartende Bilder als CSV",
    "metric.review_waiting": "Wartend",
    "help.review_waiting": "Bilder ohne Antwort, die zu den Filtern passen; höchstens 200 werden gezählt.",
    "metric.review_answered": "Beantwortet",
    "help.review_answered": "Bilder, auf die jemand geantwortet hat, seit jeher.",
    "metric.review_agreed": "Modell hatte recht",
    "help.review_agreed": "Von den beantworteten Bildern, die zu beurteilen waren. Das sind die schwierigen"
    " Bilder: es ist nicht die Genauigkeit des Modells.",
    "table.why": "Warum",
    "table.said": "Modell sagte",
    "table.answered": "Beantwortet",
    "table.confirmed": "Bestätigt",
    "table.corrected": "Korrigiert",
    "table.unclear": "Nicht zu sagen",
}
