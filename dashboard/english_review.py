"""English strings of the review queue."""

from typing import Final

REVIEW_ENGLISH: Final[dict[str, str]] = {
    "page.review": "Review queue",
    "review.why": "Why",
    "review.why.all": "any reason",
    "review.why.unsure": "model unsure",
    "review.why.disagreed": "cameras disagree",
    "review.why.flagged": "part of a flag",
    "help.review.why": "Unsure: less than 60 % confidence. Disagree: cameras name the same defect differently."
    " Part"
    " of a flag: the frame belongs to a defect that led to an open work order.",
    "review.machine": "Machine",
    "review.machine.all": "all machines",
    "review.class": "The model says",
    "review.class.all": "anything",
    "review.empty": "**Nothing waits for an answer.** Frames appear here when the model is unsure, when cameras"
    " disagree, or when a defect led to a work order. Choose other filters, or come back later.",
    "review.later_all": "**Only frames that you put off are left.**",
    "review.later_again": "Look at them now",
    "review.title": "What does this frame show?",
    "review.said": "The model says **{defect}** ({confidence}). {likeliest}",
    "review.where": "{camera} at {machine}, coil {coil}, {moment}",
    "review.because": "Here because: {reasons}.",
    "review.tint": "Show where the model looked",
    "help.review.tint": "Orange is where the evidence for the named class was strongest.",
    "review.confirm": "Confirm: {defect}",
    "review.unclear": "Cannot be told",
    "review.later": "Later",
    "review.or": "Or choose what it shows:",
    "review.keys": "Keys: Enter confirms, a number or N chooses, U cannot be told, L later.",
    "review.log_in": "Log in as an operator on the page Account to answer.",
    "review.refused": "This was not kept: {reason}.",
    "review.kept": "Kept: {camera} shows {defect}.",
    "review.kept_unclear": "Kept: {camera} cannot be told.",
    "review.picture_gone": "**The picture is no longer kept.** Put the frame off; pictures are kept as long as"
    " the"
    " retention says.",
    "review.alt": "Frame of {camera}",
    "review.waiting": "Waiting frames",
    "review.answers": "Answers so far",
    "review.no_answers": "Nobody has answered yet.",
    "review.dataset": "The answers become a data set for training with `millsight dataset export-reviews`.",
    "review.download": "Waiting frames as CSV",
    "metric.review_waiting": "Waiting",
    "help.review_waiting": "Frames without an answer that fit the filters; at most 200 are counted.",
    "metric.review_answered": "Answered",
    "help.review_answered": "Frames that somebody answered, of all time.",
    "metric.review_agreed": "Model was right",
    "help.review_agreed": "Of the answered frames that could be told. These are the difficult frames: it is not"
    " the"
    " model's accuracy.",
    "table.why": "Why",
    "table.said": "Model said",
    "table.answered": "Answered",
    "table.confirmed": "Confirmed",
    "table.corrected": "Corrected",
    "table.unclear": "Cannot be told",
}
