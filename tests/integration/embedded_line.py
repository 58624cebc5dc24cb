"""Run as a program by the tests: a supervisor over two small rooms, each with a grandchild, without Kafka and co.

Usage: embedded_line.py HOME PORT PORT
"""

import sys
from pathlib import Path

from services.contracts.errors import MillsightError
from services.runtime.embedded.home import Home
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.room import HealthPages, RoomProcess
from services.runtime.embedded.state import StateFile
from services.runtime.embedded.supervisor import Part, Supervisor, take_over

_ROOM = """
import http.server, socketserver, subprocess, sys
subprocess.Popen(["sleep", "600"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # no look-up of the machine's name
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def main(home: Home, ports: list[int]) -> None:
    lock = take_over(home, print)
    parts = []
    for number, port in enumerate(ports, 1):
        name = f"room-{number}"
        argv = (sys.executable, "-c", _ROOM, str(port))
        spec = ProcessSpec(argv, home.log_file(name), stop_grace_s=3.0)
        after = () if number == 1 else ("room-1",)
        parts.append(Part(RoomProcess(name, spec, HealthPages(port)), after, stop_rank=-number))
    state = StateFile(home, {}, {})
    Supervisor(home, parts, state, print).run(lock, lambda: None)


if __name__ == "__main__":
    try:
        main(Home(Path(sys.argv[1])), [int(port) for port in sys.argv[2:]])
    except MillsightError as error:
        sys.stderr.write(f"millsight: {error}\n")
        sys.exit(2)
