"""English strings of the coil map."""

from typing import Final

COIL_MAP_ENGLISH: Final[dict[str, str]] = {
    "page.coil": "Coil map",
    "coil.pick": "Coil",
    "coil.class": "Show",
    "coil.class.all": "all classes",
    "coil.title": "{coil}: grade {grade}, {defects} defects",
    "coil.none": "**No coil has passed all cameras yet.** A coil is judged when its end has passed the last"
    " camera; the"
    " demo line needs a minute or two.",
    "coil.gone": "**This coil is not on record.** It may never have passed the last camera.",
    "coil.reason": "Grade: {reason}",
    "coil.held": "**Hold this coil back:** {orders}.",
    "coil.no_defects": "No defect was registered on this coil.",
    "coil.axis.along": "Metres from the start of the coil",
    "coil.axis.across": "Across the picture",
    "coil.legend": "A ring is a mark that repeats with a roll. A dashed line is a mark of a coil change. Pale"
    " points lie"
    " somewhere across: no camera said where.",
    "coil.defect": "{defect} at {metre}",
    "coil.pick_defect": "Defect",
    "coil.false_alarm": "false alarm",
    "coil.landmark": "coil change",
    "coil.periodic": "repeats with a roll",
    "coil.path": "Past the cameras",
    "help.coil.path": "What each camera saw of this defect, in the order of travel. Tinted is what the model"
    " looked at.",
    "coil.saw": "**{camera}: {defect}** ({confidence})",
    "coil.looked": "**{camera}** looked there and saw nothing.",
    "coil.model": "{model} version {version}, {moment}",
    "coil.picture_gone": "Picture no longer kept.",
    "coil.cause": "Most probable cause: **{cause}** ({sure}). First seen by {camera}.",
    "coil.download": "Defects as CSV",
    "coil.alt": "Frame of {camera}",
    "metric.coil_defects": "Defects",
    "help.coil_defects": "Registered defects; one that several cameras saw counts once. Coil-change marks are"
    " left out.",
    "metric.coil_grade": "Grade",
    "help.coil_grade": "By the limits of the material pack.",
    "metric.coil_length": "Inspected length",
    "help.coil_length": "Metres from the first to the last inspected place.",
    "metric.coil_price": "Price",
    "help.coil_price": "Of the whole coil at its grade; a dash where the pack has no price for that day.",
    "metric.coil_loss": "Lost to the best grade",
    "help.coil_loss": "Value at the best grade less value at its own.",
    "table.along": "Metres",
    "table.across": "Across",
    "table.cause": "Cause",
    "table.first": "First camera",
    "table.by_cameras": "Cameras",
    "table.note": "Note",
}
