"""Make docs/before-after.png: three public-domain photographs through the whole application."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from flask.testing import FlaskClient
from skimage import data

from bgremove import create_app
from bgremove.datatypes import ImageU8

TARGET = Path(__file__).resolve().parent.parent / "docs" / "before-after.png"
ROW_HEIGHT = 300  # pixels
CELL_WIDTH = 452  # pixels: the widest of the pictures at that height
GAP = 12  # pixels of white between two pictures
PICTURES = (("human", data.astronaut), ("universal", data.chelsea), ("product", data.coffee))


def main() -> None:
    """Write the picture."""
    client = create_app().test_client()
    rows = [
        _row(client, subject, cv2.cvtColor(load(), cv2.COLOR_RGB2BGR)) for subject, load in PICTURES
    ]
    TARGET.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(TARGET), np.vstack(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _row(client: FlaskClient, subject: str, bgr: ImageU8) -> ImageU8:
    cells = [bgr]
    for output_format in ("transparent", "white_bg", "mask"):
        upload = (io.BytesIO(cv2.imencode(".png", bgr)[1].tobytes()), "photo.png")
        form = {"image": upload, "subject": subject, "output_format": output_format}
        answer = client.post("/v1/remove-bg/universal", data=form)
        if answer.status_code != 200:
            raise SystemExit(f"{subject} {output_format}: {answer.get_json()['error']}")
        picture = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_UNCHANGED)
        cells.append(_shown(picture))
    return np.hstack([_cell(_scaled(cell)) for cell in cells])


def _shown(picture: ImageU8) -> ImageU8:
    if picture.ndim == 2:
        return np.dstack([picture] * 3)
    if picture.shape[2] == 3:
        return picture
    rows, columns = np.indices(picture.shape[:2]) // 12
    board = np.where((rows + columns) % 2 == 0, 255, 204)[..., np.newaxis]
    alpha = picture[..., 3:] / 255
    return np.rint(picture[..., :3] * alpha + board * (1 - alpha)).astype(np.uint8)


def _scaled(picture: ImageU8) -> ImageU8:
    width = round(picture.shape[1] * ROW_HEIGHT / picture.shape[0])
    how = cv2.INTER_AREA if picture.shape[0] >= ROW_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, ROW_HEIGHT), interpolation=how), dtype=np.uint8)


def _cell(picture: ImageU8) -> ImageU8:
    """Put a picture in the middle of a white cell."""
    left = (CELL_WIDTH - picture.shape[1]) // 2 + GAP // 2
    right = CELL_WIDTH + GAP - picture.shape[1] - left
    edges = (GAP // 2, GAP // 2, left, right)
    white = (255, 255, 255)
    bordered = cv2.copyMakeBorder(picture, *edges, cv2.BORDER_CONSTANT, value=white)
    return np.asarray(bordered, dtype=np.uint8)


if __name__ == "__main__":
    main()
