"""Actions of a user on the page, and checks of the visible results."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from harness.pictures import grain
from tests.support.tiny import encoded

DATA = Path(skimage.__file__).parent / "data"
LARGE = 1_000_000  # bytes of the files chosen together
KEPT = tempfile.TemporaryDirectory()  # until the end: the browser reads files when it sends them
FACE, CORNER = (225, 100), (20, 20)  # x, y in both pictures: inside the subject, outside it
HOSTILE = 'it\'s; a "test", $(touch pwned) `x`\\.jpg'  # special to shells and curl


def astronaut() -> FilePayload:
    """Return a photograph by NASA, in the public domain, as a file for a browser."""
    return payload("astronaut.png", (DATA / "astronaut.png").read_bytes(), "image/png")


def drawn(name: str = "drawn.jpg", *, side: int = 512, **options: Any) -> FilePayload:
    """Return a drawn picture that the tiny networks cut out, as a file for a browser."""
    pixels = grain(side, side)
    centre, radius = (225 * side // 512, 180 * side // 512), side // 4
    cv2.circle(pixels, centre, radius, (250, 230, 210), thickness=-1)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=90, **options)
    return payload(name, packed.getvalue())


def noise(side: int = 1100) -> FilePayload:
    """Return a picture of about 3.6 MB that does not compress, for long uploads."""
    pixels = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    return payload("noise.png", encoded(pixels))


def flat() -> FilePayload:
    """Return a picture without a subject."""
    return payload("flat.png", encoded(np.full((200, 300, 3), 128, np.uint8)))


def payload(name: str, content: bytes, kind: str = "image/jpeg") -> FilePayload:
    """Return a file for a browser."""
    return {"name": name, "mimeType": kind, "buffer": content}


def choose(page: Page, *files: FilePayload) -> None:
    """Select files in the file chooser, as the button does."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="pictures").first.click()
    if sum(len(file["buffer"]) for file in files) < LARGE:
        chooser.value.set_files(list(files))
        return
    # Playwright would send their bytes to the browser as text: seconds for some megabytes.
    folder = tempfile.mkdtemp(dir=KEPT.name)
    paths = [Path(folder, file["name"]) for file in files]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file["buffer"])
    chooser.value.set_files(paths)


def bring(page: Page, event: str, *files: FilePayload) -> None:
    """Dispatch a drop or a paste with files."""
    carried = [
        [file["name"], file["mimeType"], base64.b64encode(file["buffer"]).decode()]
        for file in files
    ]
    page.evaluate(
        """([event, carried]) => {
          const data = new DataTransfer();
          for (const [name, type, text] of carried) {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            data.items.add(new File([bytes], name, { type }));
          }
          const options = { bubbles: true, cancelable: true };
          document.getElementById("drop").dispatchEvent(event === "paste"
            ? new ClipboardEvent(event, { ...options, clipboardData: data })
            : new DragEvent(event, { ...options, dataTransfer: data }));
        }""",
        [event, carried],
    )


def select(page: Page, choice: str) -> None:
    """Select an option by its label."""
    page.locator("#options").get_by_role("radio", name=choice, exact=True).check(force=True)


def done(page: Page, count: int = 1) -> None:
    """Wait until ``count`` pictures have their answer."""
    expect(page.locator("#list li[data-phase=done]")).to_have_count(count)
    expect(page.locator("#result")).to_be_visible()


def settled(page: Page) -> None:
    """Wait until the divider stands still."""
    expect(page.locator("#handle")).to_be_visible()
    page.wait_for_function("() => !document.getElementById('handle').getAnimations().length")


def said(page: Page, words: str) -> None:
    """Wait until a problem with these words is shown and announced to screen readers."""
    expect(page.locator("#problem-message")).to_contain_text(words)
    expect(page.locator("#live")).to_contain_text(words)


def pixel(page: Page, at: tuple[int, int], image: str = "after") -> list[int]:
    """Return red, green, blue and alpha of a pixel on the stage, read through a canvas."""
    colour: list[int] = page.evaluate(
        """async ([id, x, y]) => {
          const image = document.getElementById(id);
          await image.decode();
          const canvas = document.createElement("canvas");
          canvas.width = image.naturalWidth;
          canvas.height = image.naturalHeight;
          const context = canvas.getContext("2d", { colorSpace: "srgb" });
          context.drawImage(image, 0, 0);
          return [...context.getImageData(x, y, 1, 1).data];
        }""",
        [image, *at],
    )
    return colour


def size(page: Page, image: str = "after") -> list[int]:
    """Return width and height of a picture on the stage, in its own pixels."""
    read = "(image) => [image.naturalWidth, image.naturalHeight]"
    pair: list[int] = page.locator(f"#{image}").evaluate(read)
    return pair
