"""The frames of a run, and what a run refuses before it starts anything."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.bench.app import newest_model
from services.bench.images import frame_of, images_of, pixels_of, rendered_images, save_images, saved_images
from services.bench.processes import core_seconds, memory_of_families
from services.contracts.codec import decode_frame, encode_frame
from services.contracts.errors import ConfigurationError
from services.contracts.image_path import check_image


def test_rendered_images_are_the_same_every_time_and_fit_the_model() -> None:
    images = rendered_images(10)
    assert images == rendered_images(10)
    assert len(set(images)) == 10
    assert pixels_of(images).shape == (10, 224, 224, 3)


def test_a_directory_gives_images_spread_over_its_names(tmp_path: Path) -> None:
    images = rendered_images(9)
    save_images(images, tmp_path)
    assert images_of(tmp_path, 3) == [images[number] for number in (0, 4, 8)]
    assert images_of(tmp_path, 50) == saved_images(tmp_path) == images


def test_a_directory_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{tmp_path.name}.*--images"):
        images_of(tmp_path, 3)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere is no directory"):
        images_of(tmp_path / "nowhere", 3)


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff half a picture")
    with pytest.raises(ConfigurationError, match=r"holiday\.jpg"):
        images_of(tmp_path, 3)


def test_a_frame_survives_the_wire() -> None:
    (image,) = rendered_images(1)
    frame = frame_of(image, "bench-1", UUID(int=7), 3, datetime(2026, 1, 2, tzinfo=UTC))
    assert decode_frame(encode_frame(frame)) == frame
    assert (frame.width_px, frame.height_px) == (check_image(image).width_px, 224)


def test_the_newest_version_of_the_model_is_measured(tmp_path: Path) -> None:
    for version in ("2", "10", "old"):
        (tmp_path / "surface_defects" / version).mkdir(parents=True)
        (tmp_path / "surface_defects" / version / "model.xml").touch()
    assert newest_model(tmp_path).parent.name == "10"


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="millsight train"):
        newest_model(tmp_path)


def test_processor_time_and_memory_of_this_process_are_found() -> None:
    here = {"tests": os.getpid(), "nobody": 2**22}
    assert core_seconds(here)["tests"] > 0.05
    assert core_seconds(here)["nobody"] == 0
    assert memory_of_families(here)["tests"].private > 10 * 1024**2
    assert memory_of_families(here)["nobody"].rss == 0


def test_descendants_belong_to_their_family() -> None:
    alone = memory_of_families({"tests": os.getpid()})["tests"].private
    program = "kept = bytearray(b'x') * 50_000_000; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with_child = memory_of_families({"tests": os.getpid()})["tests"].private
        child.kill()
    assert with_child - alone > 40_000_000
