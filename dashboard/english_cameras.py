"""English strings of the cameras page; see `dashboard.english`."""

from typing import Final

CAMERAS_ENGLISH: Final[dict[str, str]] = {
    "page.cameras": "Cameras",
    "cameras.view": "Show",
    "cameras.watch": "cameras",
    "cameras.plug_in": "plug in a camera",
    "cameras.all": "All cameras",
    "help.cameras.all": "Rates and missing frames are of the last 5 minutes. A missing frame is a hole in the"
    " camera's own count; dropped frames are counted by the camera room over all its sessions.",
    "cameras.none": "No camera is known yet: choose **plug in a camera** above, or start the demo line"
    " with `make up`.",
    "cameras.pick": "Camera",
    "cameras.download": "Download cameras as CSV",
    "metric.delivering": "Cameras delivering",
    "help.delivering": "Cameras that deliver frames of now, out of all that are known.",
    "metric.attention": "Pictures not right",
    "help.attention": "Cameras with an open condition: dirty, black, frozen, out of focus or over-exposed.",
    "metric.missing": "Frames missing, 5 min",
    "help.missing": "Holes in the cameras' own counts over the last 5 minutes.",
    "metric.camera_dropped": "Frames dropped, ever",
    "help.camera_dropped": "Frames that camera rooms could not keep, over all their sessions.",
    "table.condition": "Pictures",
    "table.missing": "Missing, 5 min",
    "table.camera_waiting": "Waiting on disk",
    "table.camera_dropped": "Dropped, ever",
    "cameras.now": "**{camera} is {state}.** Newest frame taken {age}.",
    "cameras.place": "Stands behind {machine} at {metre}.",
    "cameras.no_place": "Stands in no line file, so no machine is judged by it: choose **plug in a camera** above"
    " to place {camera}.",
    "cameras.rate": "{rate} frames a minute over the last 5 minutes, {missing} missing.",
    "cameras.look": "Pictures of the last 5 minutes: brightness {bright}, over-exposed {white} of the pixels,"
    " sharpness {sharp} (compare within this camera only).",
    "cameras.condition": "Pictures are not right: {what}. {reason}",
    "condition.silent": "silent",
    "condition.black": "black",
    "condition.over_exposed": "over-exposed",
    "condition.frozen": "frozen",
    "condition.defocused": "out of focus",
    "condition.dirty_lens": "dirty lens",
    "why.silent": "No frame arrived, while other cameras of the line delivered; {expected} were expected.",
    "why.black": "{count} of {total} frames are black: the median brightness is {share} of white.",
    "why.over_exposed": "{count} of {total} frames are over-exposed: the median frame has {share} white pixels.",
    "why.frozen": "{count} of {total} frames repeat an earlier picture while the strip moves;"
    " the longest run of equal pictures has {run}.",
    "why.defocused": "{count} of {total} frames are blurred: the median sharpness is {share} of the usual.",
    "why.dirty_lens": "{count} of {total} frames with {defect} show it at the same place of the image"
    " ({left} from the left, {top} from the top) while the strip moves.",
    "cameras.no_room": "No camera room reports for it: frames come bare, so dropped and waiting frames are not"
    " known.",
    "cameras.room": "Its room said {age}: {state}; {waiting} frames wait on its disk, {dropped} were dropped in"
    " all sessions.",
    "cameras.room_reason": "The room's reason: {reason}",
    "cameras.order": "Open work order {order}",
    "cameras.picture_newest": "Newest frame, taken {age}: {what}.",
    "cameras.picture_older": "Newest kept picture, taken {age}: {what}. The newest frame ({newest}) was not kept.",
    "cameras.no_picture": "No picture of the last day is kept: pixels are kept mostly of frames with a defect.",
    "cameras.picture_alt": "Picture of camera {camera}",
    "wizard.id": "1. Name of the camera",
    "help.wizard.id": "1 to 64 letters, digits, _ or -, and not dlq. It names the topic too.",
    "wizard.ask_id": "Type a name for the camera, such as `cam-7`, to see what to run.",
    "wizard.bad_id": "{camera} cannot name a camera: use 1 to 64 letters, digits, _ or -, and not dlq.",
    "wizard.source": "Where its pictures come from",
    "wizard.source.rtsp": "network camera (RTSP)",
    "wizard.source.usb": "USB camera",
    "wizard.source.folder": "folder of images",
    "wizard.source.video": "video file",
    "wizard.topic": "Its frames go to topic `frames.` followed by its name: **{topic}**.",
    "wizard.run": "2. Run this on the machine the camera is attached to",
    "wizard.broker": "It must reach Kafka at **{broker}**.",
    "wizard.no_broker": "The dashboard does not know Kafka's address: put it in place of {broker}, or set"
    " `DASHBOARD_LINE__BOOTSTRAP_SERVERS`.",
    "wizard.secret": "A camera's password belongs in the variable `MILLSIGHT_CAMERA_SOURCE`, never behind"
    " `--source`. For a secured Kafka put user and password in a file of librdkafka properties, readable by you"
    " alone, and add `--kafka-config FILE`.",
    "wizard.first": "3. First frame",
    "wizard.waiting": "Waiting for the first frame of {camera}. This looks again by itself.",
    "wizard.seen_before": "{camera} was heard before and is silent now; its newest frame was taken {age}. Waiting"
    " for the next one.",
    "wizard.came": "**{camera} delivers.** Newest frame taken {age}.",
    "wizard.place": "4. Place it on the line",
    "wizard.no_machines": "No machine is known yet: give `make up` a line file with machines, see `docs/line.md`.",
    "wizard.behind": "Last machine before the camera",
    "wizard.position": "Position from the line's entry, m",
    "wizard.placed": "{camera} stands in the line file already: behind {machine} at {metre}.",
    "wizard.refused": "This place would be refused. {why}",
    "wizard.entry": "Put this under `cameras:` of line {line} in `line.yaml`, then run the command and restart the"
    " line. This page changes nothing itself.",
    "why.flag_invents": "{camera} reports {times} times its usual number of defects that no other camera confirms,"
    " since coil {coil}.",
    "why.flag_dirty": "{camera} shows a blemish that does not move with the strip, since coil {coil}.",
    "why.flag_blind": "{camera} reports far fewer defects than the other cameras and its own past let expect,"
    " since coil {coil}.",
    "health.line.reason": "**{machine}: {state}.** {reason}",
    "health.line.camera": "**{camera}: look at the camera.** {reason}",
    "health.line.order": "Work order {order}",
}
