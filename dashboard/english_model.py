"""English strings of the model page."""

from typing import Final

MODEL_ENGLISH: Final[dict[str, str]] = {
    "page.model": "Model",
    "model.pick": "Version",
    "model.compare": "Compare with",
    "model.compare.none": "no other version",
    "model.no_version": "**No model version has classified a frame yet.** A version appears here when the"
    " classifier"
    " begins"
    " to use it; versions that wait in the repository are shown by `millsight model list`.",
    "model.versions": "Versions that classified frames",
    "help.model.versions": "A new version waits in the model repository until `millsight model promote` lets it"
    " serve."
    " It appears here with its first frame.",
    "model.download": "Versions as CSV",
    "model.accuracy": "What the card says",
    "help.model.accuracy": "Held-out coils: what a coil that the model never saw gets. A random split flatters:"
    " frames"
    " of one coil stand on both sides.",
    "model.set.coil_grouped_hold_out": "held-out coils",
    "model.set.coil_grouped_hold_out_defects_only": "held-out coils, defect classes only",
    "model.set.coil_grouped_folds": "cross-validation by coil (other weights)",
    "model.set.random_split": "random split",
    "model.set.random_split_defects_only": "random split, defect classes only",
    "model.set.rendered_frames": "rendered frames of the demo line",
    "model.not_measured": "not measured",
    "model.share": "{value} ({range}, n = {n})",
    "model.recall": "Recall by class on held-out coils",
    "help.model.recall": "Share of the frames of a class that are called so, with the 95 % Wilson interval.",
    "model.no_recall": "The card of this version has no recall by class.",
    "model.curves": "Training",
    "model.curve.accuracy": "Accuracy on training batches",
    "model.curve.loss": "Loss on training batches",
    "model.no_curve": "The card of this version has no training curve.",
    "model.epoch": "Epoch",
    "model.image_px": "Image size, pixels",
    "model.confusion": "Confusion matrix",
    "help.model.confusion": "Rows are the true classes of held-out coils, columns what the model called them; the"
    " number is the share of the row.",
    "model.confused": "{count} of {all} frames",
    "model.no_confusion": "The card of this version has no confusion matrix.",
    "model.reliability": "Reliability",
    "help.model.reliability": "How often answers of a confidence were right. On the dashed line 80 % confidence"
    " means"
    " right four times of five.",
    "model.no_reliability": "The card of this version has no reliability diagram.",
    "model.confidence": "Confidence",
    "model.right": "Share of right answers",
    "model.answers": "Answers",
    "model.mean_confidence": "Mean confidence",
    "model.drift": "Drift by camera",
    "help.model.drift": "The class mix of the newest hour against the 24 hours before it, as population stability"
    " index: below 0.1 stable, above 0.25 moved. A moved mix is a change of the line or of the camera; whether"
    " the"
    " model is wrong, the review queue tells.",
    "model.drift.none": "This version classified no frame in the last 25 hours.",
    "model.drift.few": "fewer than {least} frames",
    "model.drift.stable": "stable",
    "model.drift.watch": "watch",
    "model.drift.moved": "moved",
    "model.drift.from_to": "{defect}: {before} to {now}",
    "model.drift.download": "Class counts as CSV",
    "model.recorded": "Both versions on recorded frames",
    "help.model.recorded": "Frames of the last 24 hours that both versions judged, the newest 60 minutes of them.",
    "model.recorded.none": "**No frame of the last 24 hours was judged by both versions.** A frame is judged"
    " twice when"
    " it is delivered again after a promotion, for example by a second classifier with a consumer group of its"
    " own.",
    "model.agree": "Both say the same on {same} of {frames} frames ({share}).",
    "model.agree.people": "People answered {answered} of them: {one} was right on {one_right}, {other} on"
    " {other_right}.",
    "model.says": "{who}: {defect} ({confidence})",
    "model.person": "A person: {defect}",
    "model.picture_gone": "No picture kept.",
    "model.alt": "Frame of {camera}",
    "model.limits": "Limits",
    "metric.model_version": "Version",
    "help.model_version": "Name and version, as the commands take it.",
    "metric.model_frames": "Frames in 24 h",
    "help.model_frames": "Frames that this version classified in the last 24 hours.",
    "metric.model_top1": "Top-1, held-out coils",
    "help.model_top1": "Share of frames of coils it never saw whose most probable class is the label.",
    "metric.model_macro_f1": "Macro-F1",
    "help.model_macro_f1": "Mean F1 over the classes, each class counted alike; on held-out coils.",
    "table.set": "Frames",
    "table.top1": "Top-1",
    "table.macro_f1": "Macro-F1",
    "table.ece": "Calibration error",
    "table.trained": "Trained",
    "table.frames_24h": "Frames in 24 h",
    "table.newest": "Newest frame (UTC)",
    "table.clean_called": "Clean strip called a defect",
    "table.frames_1h": "Frames in 1 h",
    "table.frames_seen": "Frames",
    "table.psi": "Stability index",
    "table.verdict": "Class mix",
    "table.most_changed": "Most changed",
}
