"""The door of the dashboard: names the pages and runs the one the viewer asked for."""

from pathlib import Path

import streamlit as st

from dashboard.words import say

# A local picture: a Material symbol or emoji would be fetched from the internet.
_ICON = str(Path(__file__).with_name("icon.svg"))

st.set_page_config(page_title=say("app.title"), page_icon=_ICON, layout="wide")

page = st.navigation(
    [
        st.Page("app_pages/line.py", title=say("page.line"), icon=":material/conveyor_belt:", default=True),
        st.Page("app_pages/cameras.py", title=say("page.cameras"), icon=":material/videocam:"),
        st.Page("app_pages/pipeline_health.py", title=say("page.health"), icon=":material/monitor_heart:"),
        st.Page("app_pages/correlation.py", title=say("page.correlation"), icon=":material/grid_on:"),
        st.Page("app_pages/coil_map.py", title=say("page.coil"), icon=":material/texture:"),
        st.Page("app_pages/review.py", title=say("page.review"), icon=":material/rate_review:"),
        st.Page("app_pages/machine.py", title=say("page.machine"), icon=":material/precision_manufacturing:"),
        st.Page("app_pages/maintenance.py", title=say("page.work"), icon=":material/assignment:"),
        st.Page("app_pages/maintenance_report.py", title=say("page.maintenance"), icon=":material/build:"),
        st.Page("app_pages/model.py", title=say("page.model"), icon=":material/network_intelligence:"),
        st.Page("app_pages/account.py", title=say("page.account"), icon=":material/person:"),
    ],
    position="top",
)
page.run()
