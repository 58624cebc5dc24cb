"""The documents are held to account: links, topics, decisions, dependencies, commands."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from services.commands import db
from services.contracts import topics

_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]+\])?")


def documents(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted(root.glob("docs/**/*.md")), *sorted(root.glob("proto/*.md"))]


def prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the anchors that headings get on GitHub."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> Iterator[str]:
    for pattern in (_LINK, _IMAGE):
        yield from (match["target"] for match in pattern.finditer(prose(path)))


def test_every_link_between_documents_leads_somewhere(project_root: Path) -> None:
    broken = []
    for document in documents(project_root):
        for link in links(document):
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, anchor = link.partition("#")
            target = (document.parent / name).resolve() if name else document
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{document.relative_to(project_root)}: {link}")
    assert broken == []


def test_every_document_is_reached_by_a_link_or_is_a_door(project_root: Path) -> None:
    doors = {project_root / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")}
    reached = {
        (document.parent / link.partition("#")[0]).resolve()
        for document in documents(project_root)
        for link in links(document)
    }
    folders = {path for path in reached if path.is_dir()}
    left = [path for path in documents(project_root) if path not in reached | doors and path.parent not in folders]
    assert [str(path.relative_to(project_root)) for path in left] == []


def test_decisions_are_numbered_without_gaps_and_titled_alike(project_root: Path) -> None:
    files = sorted((project_root / "docs" / "adr").glob("*.md"))
    assert [file.name[:4] for file in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
    for number, file in enumerate(files, 1):
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_every_topic_is_explained(project_root: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents(project_root))
    named = {value for name, value in vars(topics).items() if name.endswith("_TOPIC") and isinstance(value, str)}
    assert named == {topics.DEAD_LETTER_TOPIC, topics.CAMERA_STATUS_TOPIC}
    for topic in (*named, topics.FRAME_TOPIC_PREFIX + "<camera_id>"):
        assert f"`{topic}`" in text, topic


def test_every_direct_dependency_says_why_it_is_there(project_root: Path) -> None:
    document = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        document["project"]["dependencies"],
        *document["project"]["optional-dependencies"].values(),
        *document["dependency-groups"].values(),
    ]
    names = {match["name"] for group in groups for line in group if (match := _REQUIREMENT.match(line))}
    text = (project_root / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert {
        name for name in names if not re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", text)
    } == set()


def test_database_commands_in_the_documents_exist_with_their_options(project_root: Path) -> None:
    group = typer.main.get_command(db.app)
    assert hasattr(group, "commands")
    text = "\n".join(document.read_text(encoding="utf-8") for document in documents(project_root))
    used = re.findall(r"millsight db (\w+)([^\n`#]*)", text)
    assert {name for name, _ in used} >= {"roles", "migrate", "line", "retention"}
    for name, rest in used:
        assert name in group.commands, f"millsight db {name}"
        known = {option for parameter in group.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"millsight db {name}{rest}"


@pytest.mark.parametrize("name", ["deployment.md", "runbook.md", "metrics.md", "alerts.md", "process-monitor.md"])
def test_variables_named_in_the_documents_are_settings(name: str, project_root: Path) -> None:
    from tests.contract.settings_table import ROOMS, settings_of

    known = {setting.variable for room in ROOMS.values() for setting in settings_of(room)}
    text = (project_root / "docs" / name).read_text(encoding="utf-8")
    named = set(
        re.findall(
            r"\b(?:CAMERA|CLASSIFIER|DASHBOARD|MONITOR|SIMULATOR|TRAINER)_[A-Z]+(?:_[A-Z]+)*__[A-Z_]+\b", text
        )
    )
    assert named <= known, sorted(named - known)


def test_paths_named_in_the_deployment_documents_exist(project_root: Path) -> None:
    made = ("deploy/secrets",)
    for name in ("deployment.md", "runbook.md", "metrics.md"):
        text = (project_root / "docs" / name).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:deploy|services|docs|model_repository|proto)/[\w./-]*)`", text):
            assert path.startswith(made) or (project_root / path).exists(), f"{name}: {path}"
