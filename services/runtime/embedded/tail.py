"""Reads the ends of several logs, and what is appended to them."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path


class Tail:
    """Follows files that may be emptied, or may not be there yet."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Remember which; lines are marked with the log's name when there are several."""
        self._files = files
        self._offsets = dict.fromkeys(files, 0)

    def last(self, count: int) -> Iterator[str]:
        """Yield the last lines of each file, and start following at its end."""
        for file in self._files:
            lines = deque(self._new_lines(file), maxlen=count)
            yield from (self._marked(file, line) for line in lines)

    def more(self) -> Iterator[str]:
        """Yield the lines appended since the last call."""
        for file in self._files:
            yield from (self._marked(file, line) for line in self._new_lines(file))

    def _marked(self, file: Path, line: str) -> str:
        return f"{file.stem:<14} {line}" if len(self._files) > 1 else line

    def _new_lines(self, file: Path) -> list[str]:
        try:
            with file.open("rb") as stream:
                if file.stat().st_size < self._offsets[file]:
                    self._offsets[file] = 0
                stream.seek(self._offsets[file])
                whole, _, _ = (content := stream.read()).rpartition(b"\n")
        except OSError:
            return []
        if not whole and not content.endswith(b"\n"):
            return []
        self._offsets[file] += len(whole) + 1
        return whole.decode(errors="replace").splitlines()
