"""What goes wrong on purpose ends in one line; a mistake of ours does not hide behind one."""

import subprocess
import sys

import pytest

from services import cli
from tests.conftest import served_card

_WITHOUT_TRAINER = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"keras", "matplotlib", "nncf", "openvino", "tensorflow"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
from services.cli import main
main()
"""


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_TRAINER, *words], capture_output=True, text=True, timeout=60, check=False
    )


_SERVED = f"surface_defects@{served_card().parent.name}"


@pytest.mark.parametrize("words", [("model", "list"), ("model", "show", _SERVED)])
def test_versions_are_shown_where_no_trainer_is_installed(words: tuple[str, ...]) -> None:
    done = _run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "surface_defects" in done.stdout


def test_a_command_that_needs_the_trainer_says_how_to_get_it() -> None:
    done = _run("model", "rollback", "surface_defects")
    assert done.returncode == cli.USER_ERROR_EXIT_CODE
    assert done.stderr.splitlines() == [
        "millsight: this command needs the package openvino, which is not installed here: run `make install`, or"
        " install the extra 'trainer'"
    ]


def test_another_missing_module_is_our_mistake_and_shows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(ModuleNotFoundError):
        cli.main()
