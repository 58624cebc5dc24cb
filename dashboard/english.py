"""The English strings of the dashboard; another language is another file with the same keys.

Strings are Markdown with named gaps; `dashboard.words` escapes what goes into the gaps.
`page` and `metric` are titles, `help` and `tip` explain on hover, `table` are column names.
"""

from typing import Final

from dashboard.english_access import ACCESS_ENGLISH
from dashboard.english_cameras import CAMERAS_ENGLISH
from dashboard.english_coil_map import COIL_MAP_ENGLISH
from dashboard.english_correlation import CORRELATION_ENGLISH
from dashboard.english_machine import MACHINE_ENGLISH
from dashboard.english_maintenance import MAINTENANCE_ENGLISH
from dashboard.english_model import MODEL_ENGLISH
from dashboard.english_refused import REFUSED_ENGLISH
from dashboard.english_review import REVIEW_ENGLISH

ENGLISH: Final[dict[str, str]] = {
    **ACCESS_ENGLISH,
    **MACHINE_ENGLISH,
    **CORRELATION_ENGLISH,
    **COIL_MAP_ENGLISH,
    **MAINTENANCE_ENGLISH,
    **CAMERAS_ENGLISH,
    **REFUSED_ENGLISH,
    **REVIEW_ENGLISH,
    **MODEL_ENGLISH,
    "app.title": "Millsight",
    "page.line": "Line",
    "page.health": "Pipeline health",
    "page.maintenance": "Maintenance report",
    # States of cameras and machines
    "state.running": "running",
    "state.behind": "behind",
    "state.silent": "silent",
    "state.unassigned": "unassigned",
    "state.no_data": "no data",
    "state.no_camera": "no camera",
    # Time
    "time.now": "just now",
    "time.ago": "{age} ago",
    "time.ahead": "{lead} in the future",
    "time.never": "never",
    "window.label": "Figures over",
    "window.minutes": "last {minutes} min",
    "window.help": "Rates are taken over this time, ending now. The choice is kept in the address of the page.",
    # How fresh the data is
    "fresh.live": "Live",
    "fresh.as_of": "Read at {moment} ({zone}). Newest frame taken {age}.",
    "fresh.stale": "**Not live.** No frame from any camera for {age}: the newest was taken at {moment}.",
    "fresh.ahead": "**A camera's clock runs {lead} ahead.** Set it by the network's time, or ages and rates are"
    " wrong.",
    "fresh.empty": "**No frame has been stored yet.** Start the line with `make up`, or publish a JPEG to the"
    " topic `frames.` followed by your camera's name; it appears here within seconds.",
    # When something is wrong
    "trouble.gone": "**The database does not answer, or refuses the login.** Nothing can be said about the line"
    " now; cameras and classifier go on by themselves. `make status` says what is wrong.",
    "trouble.refused": "**The database refuses to show this.** The dashboard's login needs the role"
    " `millsight_dashboard`; run `millsight db migrate` to grant it.",
    "trouble.not_prepared": "**The database has no Millsight tables, or older ones than this dashboard needs.**"
    " Run `millsight db migrate`.",
    "trouble.too_slow": "**The database took too long.** Choose a shorter time; if this stays, tell whoever runs"
    " the database.",
    "trouble.busy": "**Too many pages are asking at once.** This page asks again by itself.",
    "trouble.retry": "This page asks again every {every}.",
    "trouble.settings": "**The dashboard is not set up.** {mistake}",
    # Line page
    "metric.cameras": "Cameras delivering",
    "help.cameras": "Cameras that deliver frames of now, out of all that are known.",
    "metric.frames": "Frames per minute",
    "help.frames": "Pictures inspected per minute, all cameras together.",
    "metric.defects": "Defect frames per minute",
    "help.defects": "Pictures per minute that show a defect. Every camera that sees a defect counts it.",
    "metric.rate": "Defect rate",
    "help.rate": "Share of inspected pictures that show a defect. Below it the range that fits the count with 95 %"
    " confidence: the fewer pictures, the wider.",
    "notice.silent": "**Silent: {cameras}.** No new frames; nothing is known about the strip there since. The page"
    " *Pipeline health* says what to do.",
    "notice.unassigned": "**In no line file: {cameras}.** Their frames are inspected and kept, but under no"
    " machine. Name them in `line.yaml` to see them on the strip.",
    "line.heading": "{line}",
    "help.strip": "The strip runs from left to right. Squares are machines, triangles are cameras; colour and word"
    " say what each camera is doing and how each machine is; the reasons are below. Hover for figures.",
    "line.window": "Averages over the last {minutes} minutes, or since the first frame in them; a silent camera's"
    " figures are of the time before.",
    "line.machines": "Machines",
    "line.cameras": "Cameras",
    "strip.behind": "behind {machine}",
    "strip.defects": "{share} defects",
    "strip.per_minute": "{rate} per min",
    "strip.not_now": "not seen now",
    "strip.frames": "{rate} frames/min",
    "strip.watched": "next: {camera}",
    "strip.unwatched": "not watched",
    "strip.detail": "{frames} frames/min, defect rate {share} ({range})",
    "defect.heading": "Newest defects",
    "help.newest": "The newest pictures that show a defect, newest first. They stay here when a camera falls"
    " silent: mind their age.",
    "defect.evidence": "Show where the model looked",
    "help.evidence": "Tints the places of the picture that spoke most for the named defect.",
    "defect.title": "**{defect}**, {confidence} sure",
    "defect.caption": "{machine}, {camera}  \n{coil} at {metre}  \n{moment}",
    "defect.alt": "Strip surface with {defect}",
    "defect.no_picture": "Picture no longer kept",
    "defect.none": "No defect has been seen yet. The newest ones will appear here.",
    # Pipeline health
    "metric.lag": "Age of newest frame",
    "help.lag": "Time since the newest stored frame was taken. It grows when cameras are silent or frames wait.",
    "metric.p50": "Typical delay, 5 min",
    "metric.p95": "Slowest 5 % take over",
    "help.delay": "From the camera's shutter to the stored result. Half of the frames are faster than the typical"
    " delay (median, p50); one in twenty takes longer than the second figure (p95).",
    "metric.rejected": "Refused, 24 h",
    "help.rejected": "Messages that could not be inspected, such as broken pictures. They are kept in the topic"
    " `frames.dlq` (dead letters), nothing is lost.",
    "metric.dropped": "Dropped at cameras",
    "help.dropped": "Frames a camera had to throw away because its disk space for waiting frames was full.",
    "advice.heading": "What needs a hand",
    "advice.none": "Nothing: every camera delivers, is in the line file, and nothing was refused or dropped.",
    "advice.silent": "**{camera} is silent**, newest frame {age}. Check its power, its network cable, and that its"
    " camera service runs.",
    "advice.behind": "**{camera} is behind**: its newest stored frame was taken {age}. A backlog is being worked"
    " off, or its clock is slow.",
    "advice.no_data": "**{camera} never delivered a frame.** Start its camera service, or publish to the topic"
    " `frames.` followed by its name.",
    "advice.unassigned": "**{camera} stands in no line file.** Its frames are inspected and kept under no machine."
    " Add it to `line.yaml` under `cameras` with `id`, `position_m` and `behind`, then run `make up` again.",
    "advice.dropped": "**{camera} dropped {frames} frames.** Give its spool more disk space, or find out why"
    " frames waited so long.",
    "advice.spooling": "**{camera} keeps frames on its disk**, the oldest for {age}. The broker does not take"
    " them: check the network between camera and broker.",
    "advice.rejected": "**Refused in 24 hours, {reason}: {frames}.** The table below shows the latest.",
    "delay.heading": "Delay from shutter to stored result",
    "delay.p50": "typical (median)",
    "delay.p95": "slowest 5 % take over",
    "delay.axis": "seconds",
    "delay.none": "No frames in this time, so there is no delay to show.",
    "rejected.heading": "Refused messages, last 24 hours",
    "rejected.heading.help": "Also called dead letters. The original bytes lie in the topic `frames.dlq`.",
    "rejected.none": "None in the last 24 hours.",
    "status.heading": "Camera services",
    "status.heading.help": "What each camera service last said about its camera. Cameras that publish by"
    " themselves say nothing here.",
    "status.none": "No camera service has reported.",
    "status.old": "{state} (old report)",
    "model.heading": "Models in use",
    "model.heading.help": "Which model versions judged frames in the chosen time.",
    "model.none": "No frame was judged in this time.",
    # Maintenance report
    "period.label": "Period",
    "period.1h": "last hour",
    "period.8h": "last 8 hours",
    "period.24h": "last 24 hours",
    "period.7d": "last 7 days",
    "period.own": "from … to",
    "period.from": "From",
    "period.to": "To",
    "period.wrong": "Choose a start that lies before the end.",
    "report.period": "Frames taken from {start} until {end} ({zone}).",
    "report.empty": "No frame was inspected in this period. Choose a longer or a later one.",
    "metric.inspected": "Frames inspected",
    "help.inspected": "Pictures that cameras of all machines delivered in the period.",
    "metric.defect_frames": "Defect frames",
    "help.defect_frames": "Pictures that show a defect; every camera that sees a defect counts it.",
    "heat.heading": "Machines and defects",
    "help.heat": "Share of inspected pictures at a machine that show a defect; darker is more. Grey: no camera"
    " looked.",
    "heat.legend": "Share of frames",
    "report.heading": "Machine by machine",
    "help.report": "Highest rate first. Machines without a camera right behind them come last: not looked at is"
    " not the same as healthy.",
    "report.not_inspected": "not inspected",
    "report.nothing_found": "nothing found",
    "report.coil_change": "{defect} (coil change mark)",
    "report.download": "Download as CSV",
    "report.caveat": "A defect counts at the machine before the camera that saw it, on every camera that saw it."
    " This says where defects are seen, not yet which machine causes them. Weld lines, punched holes and"
    " crescent gaps mark coil changes and are usually no fault.",
    # Column names
    "table.machine": "Machine",
    "table.camera": "Camera",
    "table.state": "State",
    "table.cameras": "Cameras",
    "table.running_of": "{running} of {all} running",
    "table.frames": "Frames/min",
    "table.defects": "Defects/min",
    "table.rate": "Defect rate",
    "table.range": "95 % range",
    "table.age": "Newest frame",
    "table.name": "Name",
    "table.behind": "Behind machine",
    "table.position": "Position",
    "table.reason": "Reason",
    "table.count": "Messages",
    "table.latest": "Latest",
    "table.size": "Size",
    "table.detail": "Detail",
    "table.reported": "Reported",
    "table.captured": "Taken",
    "table.published": "Sent",
    "table.waiting": "Waiting on disk",
    "table.dropped": "Dropped",
    "table.dropped_all": "Dropped ever",
    "table.model": "Model",
    "table.version": "Version",
    "table.judged": "Frames judged",
    "table.registered": "First served",
    "table.digest": "Fingerprint",
    "table.defect": "Defect",
    "table.defect_frames": "Defect frames",
    "table.inspected": "Inspected",
    "table.last_seen": "Last seen",
    # Hover texts of charts
    "tip.title": "Id",
    "tip.name": "Name",
    "tip.place": "Position",
    "tip.word": "State",
    "tip.detail": "Figures",
    "tip.machine": "Machine",
    "tip.defect": "Defect",
    "tip.share_text": "Share of frames",
    "tip.range_text": "95 % range",
    "tip.defects": "Defect frames",
    "tip.frames": "Frames",
    "tip.at": "From",
    "tip.what": "Figure",
    "tip.seconds": "Seconds",
    # Defect classes as people write them
    "class.crease": "crease",
    "class.crescent_gap": "crescent gap",
    "class.inclusion": "inclusion",
    "class.oil_spot": "oil spot",
    "class.punching_hole": "punching hole",
    "class.rolled_pit": "rolled pit",
    "class.silk_spot": "silk spot",
    "class.waist_folding": "waist folding",
    "class.water_spot": "water spot",
    "class.welding_line": "welding line",
    "class.no_defect": "no defect",
    "class.other": "another class",
}
