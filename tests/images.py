"""Rendered frames as JPEG bytes."""

import cv2
import numpy as np


def jpeg_bytes(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", quality: int = 90) -> bytes:
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return encoded.tobytes()
