"""From bytes to the model's pixels: what is accepted, what is refused, and why."""

import io
import random
import struct
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest
import simplejpeg

from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.image_path import (
    DEFAULT_LIMITS,
    ImageLimits,
    Pixels,
    check_image,
    decode_for_model,
    salvaged_jpeg,
    thumbnail_jpeg,
)
from services.contracts.messages import ImageEncoding

MUTATIONS = 12_000
RANDOM = np.random.default_rng(7)


def picture(height_px: int, width_px: int, channels: int = 3) -> Pixels:
    coarse = RANDOM.integers(0, 255, (height_px // 16 + 1, width_px // 16 + 1, channels), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return smooth.reshape(height_px, width_px, channels).astype(np.uint8)


def jpeg(height_px: int = 240, width_px: int = 320, channels: int = 3, progressive: bool = False) -> bytes:
    flags = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", picture(height_px, width_px, channels), flags)[1].tobytes()


def png(height_px: int = 100, width_px: int = 120, channels: int = 3, deep: bool = False) -> bytes:
    pixels = picture(height_px, width_px, channels)
    return cv2.imencode(".png", pixels.astype(np.uint16) * 256 if deep else pixels)[1].tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def hand_made_png(width_px: int, height_px: int, body: bytes, depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width_px, height_px, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def idat(raw: bytes) -> bytes:
    return chunk(b"IDAT", zlib.compress(raw))


def with_sof(data: bytes, marker: int = 0xC0, precision: int = 8, sides: tuple[int, int] | None = None) -> bytes:
    at = data.index(b"\xff\xc0")
    height, width = sides or struct.unpack_from(">HH", data, at + 5)
    return data[:at] + struct.pack(">BBHBHH", 0xFF, marker, 17, precision, height, width) + data[at + 9 :]


def with_scans(data: bytes, scans: int) -> bytes:
    return data[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * scans + b"\xff\xd9"


def cmyk_jpeg() -> bytes:
    pixels = np.ascontiguousarray(RANDOM.integers(0, 255, (64, 64, 4), dtype=np.uint8))
    data: bytes = simplejpeg.encode_jpeg(pixels, colorspace="CMYK")
    return data


GREY_ROWS = b"".join(b"\x00" + bytes(range(100)) for _ in range(100))
JPEG = jpeg()
PNG = png()


@pytest.mark.parametrize(
    ("data", "encoding", "sides"),
    [
        pytest.param(jpeg(), ImageEncoding.JPEG, (320, 240), id="jpeg"),
        pytest.param(jpeg(progressive=True), ImageEncoding.JPEG, (320, 240), id="progressive_jpeg"),
        pytest.param(jpeg(channels=1), ImageEncoding.JPEG, (320, 240), id="grey_jpeg"),
        pytest.param(jpeg(32, 32), ImageEncoding.JPEG, (32, 32), id="smallest"),
        pytest.param(jpeg(1000, 2048), ImageEncoding.JPEG, (2048, 1000), id="large"),
        pytest.param(jpeg() + bytes(64), ImageEncoding.JPEG, (320, 240), id="padded_jpeg"),
        pytest.param(png(), ImageEncoding.PNG, (120, 100), id="png"),
        pytest.param(png(channels=1), ImageEncoding.PNG, (120, 100), id="grey_png"),
        pytest.param(png(channels=4), ImageEncoding.PNG, (120, 100), id="png_with_alpha"),
        pytest.param(png(deep=True), ImageEncoding.PNG, (120, 100), id="16_bit_png"),
        pytest.param(hand_made_png(100, 100, idat(GREY_ROWS)), ImageEncoding.PNG, (100, 100), id="hand_made_png"),
    ],
)
def test_accepts_and_decodes(data: bytes, encoding: ImageEncoding, sides: tuple[int, int]) -> None:
    header = check_image(data)
    assert (header.encoding, (header.width_px, header.height_px)) == (encoding, sides)
    pixels = decode_for_model(data, 224)
    assert (pixels.shape, pixels.dtype) == ((224, 224, 3), np.dtype(np.uint8))
    assert np.array_equal(pixels, decode_for_model(data, 224))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", RejectReason.EMPTY, id="empty"),
        pytest.param(b"\xff\xd8\xff" + bytes(DEFAULT_LIMITS.max_bytes), RejectReason.TOO_LARGE, id="too_large"),
        pytest.param(b"II*\x00" + bytes(100), RejectReason.NOT_AN_IMAGE, id="tiff"),
        pytest.param(b"RIFF\x00\x00\x00\x00WEBPVP8 ", RejectReason.NOT_AN_IMAGE, id="webp"),
        pytest.param(JPEG[:3], RejectReason.TRUNCATED_IMAGE, id="jpeg_magic_only"),
        pytest.param(JPEG[: len(JPEG) // 2], RejectReason.TRUNCATED_IMAGE, id="half_a_jpeg"),
        pytest.param(JPEG[:-2], RejectReason.TRUNCATED_IMAGE, id="jpeg_without_end"),
        pytest.param(JPEG[: len(JPEG) // 2] + b"\xff\xd9", RejectReason.CORRUPT_IMAGE, id="half_a_jpeg_with_end"),
        pytest.param(JPEG + b"tail", RejectReason.CORRUPT_IMAGE, id="jpeg_with_tail"),
        pytest.param(JPEG + JPEG, RejectReason.CORRUPT_IMAGE, id="two_jpegs"),
        pytest.param(b"\xff\xd8\xff\xd9", RejectReason.CORRUPT_IMAGE, id="jpeg_of_nothing"),
        pytest.param(cmyk_jpeg(), RejectReason.UNSUPPORTED_IMAGE, id="cmyk"),
        pytest.param(with_sof(JPEG, precision=12), RejectReason.UNSUPPORTED_IMAGE, id="12_bit_jpeg"),
        pytest.param(with_sof(JPEG, marker=0xC9), RejectReason.UNSUPPORTED_IMAGE, id="arithmetic_jpeg"),
        pytest.param(with_sof(JPEG, sides=(65500, 65500)), RejectReason.TOO_MANY_PIXELS, id="jpeg_bomb"),
        pytest.param(with_sof(JPEG, sides=(6000, 6000)), RejectReason.TOO_MANY_PIXELS, id="jpeg_of_36_megapixels"),
        pytest.param(with_sof(JPEG, sides=(31, 320)), RejectReason.UNSUPPORTED_IMAGE, id="too_flat"),
        pytest.param(with_sof(JPEG, sides=(0, 320)), RejectReason.UNSUPPORTED_IMAGE, id="height_zero"),
        pytest.param(with_sof(JPEG, sides=(480, 640)), RejectReason.CORRUPT_IMAGE, id="header_larger_than_data"),
        pytest.param(with_scans(jpeg(progressive=True), 5000), RejectReason.UNSUPPORTED_IMAGE, id="scan_bomb"),
        pytest.param(PNG[:20], RejectReason.TRUNCATED_IMAGE, id="png_header_only"),
        pytest.param(PNG[:-12], RejectReason.TRUNCATED_IMAGE, id="png_without_end"),
        pytest.param(PNG[: len(PNG) // 2], RejectReason.TRUNCATED_IMAGE, id="half_a_png"),
        pytest.param(PNG + PNG, RejectReason.CORRUPT_IMAGE, id="two_pngs"),
        pytest.param(PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:], RejectReason.CORRUPT_IMAGE, id="png_bit_flip"),
        pytest.param(hand_made_png(60000, 60000, idat(b"")), RejectReason.TOO_MANY_PIXELS, id="png_bomb"),
        pytest.param(hand_made_png(100, 100, b""), RejectReason.CORRUPT_IMAGE, id="png_of_nothing"),
        pytest.param(hand_made_png(100, 100, idat(GREY_ROWS[:9])), RejectReason.CORRUPT_IMAGE, id="short_png"),
        pytest.param(hand_made_png(100, 100, idat(b""), depth=1), RejectReason.UNSUPPORTED_IMAGE, id="1_bit_png"),
        pytest.param(
            hand_made_png(100, 100, chunk(b"tEXt", b"a\0b")[:-1] + b"\0" + idat(GREY_ROWS)),
            RejectReason.CORRUPT_IMAGE,
            id="png_with_a_wrong_checksum",
        ),
        pytest.param(
            hand_made_png(100, 100, chunk(b"acTL", bytes(8)) + idat(GREY_ROWS)),
            RejectReason.UNSUPPORTED_IMAGE,
            id="animated_png",
        ),
        pytest.param(
            hand_made_png(100, 100, chunk(b"IDAT", b"") * 5000), RejectReason.UNSUPPORTED_IMAGE, id="png_of_chunks"
        ),
    ],
)
def test_refuses_and_says_why(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(RejectedMessage) as caught:
        decode_for_model(data, 224)
    assert caught.value.reason is reason
    assert caught.value.detail


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_jpeg_that_lost_its_end_is_never_decoded(cut: int) -> None:
    with pytest.raises(RejectedMessage):
        decode_for_model(JPEG[: -cut * 37], 224)


def test_bombs_are_refused_from_their_header_alone() -> None:
    bombs = [with_sof(JPEG, sides=(65500, 65500)), with_scans(jpeg(progressive=True), 100_000)]
    started_s = time.perf_counter()
    for bomb in bombs * 10:
        with pytest.raises(RejectedMessage):
            check_image(bomb)
    assert (time.perf_counter() - started_s) / 20 < 0.005


def test_opencv_itself_refuses_too_many_pixels_as_a_second_line() -> None:
    program = (
        "import services.contracts.image_path, cv2, numpy as np\n"
        "png = cv2.imencode('.png', np.zeros((5100, 5000), np.uint8))[1]\n"
        "try:\n    print(cv2.imdecode(png, cv2.IMREAD_COLOR) is None)\n"
        "except cv2.error:\n    print(True)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "True"


def test_limits_may_be_narrower() -> None:
    with pytest.raises(RejectedMessage, match="px"):
        check_image(JPEG, ImageLimits(max_side_px=300))


def test_colours_come_as_red_green_blue() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[:, :, 2] = 250  # OpenCV counts blue first
    for extension in (".png", ".jpg"):
        pixels = decode_for_model(cv2.imencode(extension, red)[1].tobytes(), 64)
        assert pixels[:, :, 0].mean() > 240
        assert pixels[:, :, 1:].mean() < 10


def test_grey_becomes_three_equal_channels() -> None:
    for data in (jpeg(channels=1), png(channels=1)):
        pixels = decode_for_model(data, 64)
        assert np.array_equal(pixels[..., 0], pixels[..., 1])
        assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_a_large_jpeg_is_decoded_reduced_and_looks_like_the_full_decode() -> None:
    data = jpeg(1000, 2048)
    full = cv2.resize(simplejpeg.decode_jpeg(data), (224, 224), interpolation=cv2.INTER_AREA)
    assert np.abs(decode_for_model(data, 224).astype(int) - full.astype(int)).mean() < 2.0


def test_an_image_of_the_models_size_is_not_touched() -> None:
    data = jpeg(224, 224)
    assert np.array_equal(decode_for_model(data, 224), simplejpeg.decode_jpeg(data))


def test_orientation_marks_are_ignored() -> None:
    quarter_turn = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + quarter_turn
    rotated = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert np.array_equal(decode_for_model(rotated, 224), decode_for_model(JPEG, 224))


@pytest.mark.parametrize("data", [jpeg(600, 1200), png(600, 1200)])
def test_a_thumbnail_keeps_the_aspect(data: bytes) -> None:
    small = thumbnail_jpeg(data, check_image(data), 300)
    assert simplejpeg.decode_jpeg_header(small)[:2] == (150, 300)


def test_any_mutation_is_an_image_or_a_rejection() -> None:
    chance = random.Random(20261123)
    seeds = [jpeg(64, 64), jpeg(64, 64, progressive=True), jpeg(64, 64, 1), png(40, 40), png(40, 40, 1, deep=True)]
    outcomes = {"image": 0, "rejection": 0}
    for _ in range(MUTATIONS):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    data[at] ^= 1 << chance.randrange(8)
                case 2:
                    del data[at : at + chance.randint(1, 20)]
                case _:
                    data[at:at] = chance.randbytes(chance.randint(1, 20))
            if not data:
                break
        try:
            assert decode_for_model(bytes(_mended(data) if chance.random() < 0.5 else data), 64).shape == (
                64,
                64,
                3,
            )
            outcomes["image"] += 1
        except RejectedMessage:
            outcomes["rejection"] += 1
    assert min(outcomes.values()) > MUTATIONS // 50, outcomes


def _mended(data: bytearray) -> bytes:
    """Put right the checksums of a PNG, so that the damage reaches the decoder."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return bytes(data)
    mended = io.BytesIO()
    mended.write(data[:8])
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = bytes(data[at + 4 : at + 8]), bytes(data[at + 8 : at + 8 + length])
        mended.write(chunk(kind, body))
        at += 12 + length
    return mended.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_the_upper_part_of_a_cut_jpeg_can_be_seen_though_its_envelope_is_broken(progressive: bool) -> None:
    whole = jpeg(480, 640, progressive=progressive)
    seen = salvaged_jpeg(b"\x00no schema" + whole[: len(whole) * 2 // 3])
    assert seen is not None
    shown = simplejpeg.decode_jpeg(seen)
    assert shown.shape == (240, 320, 3)
    right = cv2.resize(simplejpeg.decode_jpeg(whole), (320, 240), interpolation=cv2.INTER_AREA)
    assert np.abs(shown[:80].astype(int) - right[:80]).mean() < 12


def test_a_whole_png_in_a_broken_envelope_can_be_seen() -> None:
    seen = salvaged_jpeg(b"\x00" + png(100, 120) + b"rest")
    assert seen is not None
    assert simplejpeg.decode_jpeg(seen).shape == (100, 120, 3)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture at all", id="no_image"),
        pytest.param(b"\xff\xd8\xff" + bytes(90), id="only_a_start"),
        pytest.param(jpeg() + bytes(DEFAULT_LIMITS.max_bytes), id="too_large"),
        pytest.param(hand_made_png(60000, 60000, idat(b"")), id="png_bomb"),
        pytest.param(with_sof(jpeg(), sides=(65500, 65500)), id="jpeg_bomb"),
        pytest.param(with_scans(jpeg(), DEFAULT_LIMITS.max_scans + 1), id="too_many_scans"),
    ],
)
def test_what_nothing_can_be_seen_of_has_no_picture(message: bytes) -> None:
    assert salvaged_jpeg(message) is None


def test_no_damage_to_a_refused_message_gets_past_the_forgiving_decoder() -> None:
    """Whatever bytes are changed, there is a picture or there is none; a picture is always readable."""
    damage = random.Random(11)
    originals = [jpeg(64, 64), jpeg(64, 64, progressive=True), png(64, 64)]
    for number in range(MUTATIONS // 10):
        changed = bytearray(originals[number % 3])
        for _ in range(damage.randint(1, 6)):
            changed[damage.randrange(len(changed))] = damage.randrange(256)
        seen = salvaged_jpeg(bytes(changed[: damage.randint(1, len(changed))]))
        assert seen is None or simplejpeg.decode_jpeg(seen).size > 0
