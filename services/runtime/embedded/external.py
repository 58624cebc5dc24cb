"""A server of the user's own in place of an embedded one: looked at, never started or stopped."""

import socket
from typing import Final

from typing_extensions import override

from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer

_TIMEOUT_S: Final = 2.0


class ExternalServer(EmbeddedServer):
    """Someone else's server, well as long as one of its addresses takes a connection."""

    start_timeout_s = 5.0

    def __init__(self, name: str, addresses: list[tuple[str, int]]) -> None:
        """Remember where it is said to be."""
        super().__init__()
        self.name = name
        self._addresses = addresses

    @property
    @override
    def address(self) -> str:
        """All addresses."""
        return ",".join(f"{host}:{port}" for host, port in self._addresses)

    @property
    @override
    def external(self) -> bool:
        """It is nobody's child."""
        return True

    @override
    def prepare(self) -> None:
        """Nothing to prepare."""

    @override
    def spec(self) -> ProcessSpec:
        """Nothing to run.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{self.name} is external and not ours to run")

    @override
    def launch(self) -> None:
        """Nothing to start."""

    @override
    def last_words(self) -> str:
        """There is no log of ours."""
        return ""

    @override
    def problem(self) -> str | None:
        """Try to connect to each address in turn."""
        refused = ""
        for host, port in self._addresses:
            try:
                socket.create_connection((host, port), _TIMEOUT_S).close()
            except OSError as error:
                refused = str(error.strerror or error)
            else:
                return None
        return f"the external {self.name} at {self.address} does not answer: {refused.lower()}"
