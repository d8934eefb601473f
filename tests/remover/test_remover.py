"""The Python API on tiny weights: what goes in, what comes out, in which order."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import bgremove
from bgremove import NoSubjectError, Remover, Settings, ValidationError, WeightsError
from bgremove.datatypes import Box
from bgremove.errors import ImageError
from bgremove.imaging.probe import limits
from bgremove.remover import engines
from bgremove.remover.remover import _default_remover
from tests.support.tiny import ball, encoded, tiny_weights

WIDTH, HEIGHT = 96, 64
BOX = Box(top=16, left=32, width=33, height=33)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def settings(tiny: Path) -> Settings:
    return Settings(weights_dir=tiny)


@pytest.fixture
def remover(settings: Settings) -> Iterator[Remover]:
    with Remover(settings=settings, jobs=2) as remover:
        yield remover
    assert engines._engines == {}


def rgb() -> Any:
    return cv2.cvtColor(ball(), cv2.COLOR_BGR2RGB)


def as_inputs(folder: Path) -> dict[str, Any]:
    data = encoded(ball())
    path = folder / "ball.png"
    path.write_bytes(data)
    return {
        "text": str(path),
        "path": path,
        "bytes": data,
        "bytearray": bytearray(data),
        "file": io.BytesIO(data),
        "pil": Image.open(io.BytesIO(data)),
        "rgb": rgb(),
        "rgba": np.dstack([rgb(), np.full((HEIGHT, WIDTH), 255, np.uint8)]),
        "gray": rgb()[:, :, 0],
    }


@pytest.mark.parametrize(
    "kind", ["text", "path", "bytes", "bytearray", "file", "pil", "rgb", "rgba", "gray"]
)
def test_every_kind_of_picture_gives_the_same_cutout(
    remover: Remover, tmp_path: Path, kind: str
) -> None:
    result = remover.remove(as_inputs(tmp_path)[kind])
    wanted = remover.remove(encoded(ball()))
    assert np.array_equal(result.rgba, wanted.rgba)
    assert result.model == "tiny"
    assert abs(result.box.left - BOX.left) < 8


def test_the_forms_of_a_result_agree(remover: Remover) -> None:
    result = remover.remove(rgb())
    assert result.error is None
    assert (result.image.mode, result.image.size) == ("RGBA", (WIDTH, HEIGHT))
    assert result.size == (WIDTH, HEIGHT)
    assert result.rgba.shape == (HEIGHT, WIDTH, 4)
    assert result.rgba.dtype == np.uint8
    assert np.array_equal(np.asarray(result), result.rgba)
    assert np.array_equal(np.asarray(result.image), result.rgba)
    assert np.array_equal(result.pixels, result.rgba)
    assert (result.alpha.shape, result.alpha.dtype) == ((HEIGHT, WIDTH), np.float32)
    assert np.array_equal(result.rgba[:, :, 3], np.rint(result.alpha * 255))
    with Image.open(io.BytesIO(result.data)) as file:
        assert (file.format, result.content_type) == ("PNG", "image/png")
        assert np.array_equal(np.asarray(file.convert("RGBA")), result.rgba)
    assert 0 <= result.confidence <= 1
    assert "confidence" in repr(result)


def test_a_channel_is_red_where_pil_says_so(remover: Remover) -> None:
    red = np.where(rgb() > 0, np.array([255, 200, 200], np.uint8), np.uint8(0))
    result = remover.remove(red)
    middle = result.rgba[HEIGHT // 2, WIDTH // 2]
    assert middle[0] > middle[2]
    assert result.image.getpixel((WIDTH // 2, HEIGHT // 2)) == tuple(middle)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("transparent", "RGBA"), ("white_bg", "RGB"), ("mask", "L"), ("crop", "RGBA")],
)
def test_every_format_comes_out_as_the_service_sends_it(
    remover: Remover, tmp_path: Path, name: Any, mode: str
) -> None:
    result = remover.remove(rgb(), format=name)
    assert result.image.mode == mode
    assert result.alpha.shape == (HEIGHT, WIDTH)
    if name == "crop":
        assert result.size == (result.box.width, result.box.height)
    saved = result.save(tmp_path / "saved", format=result.content_type.removeprefix("image/"))
    with Image.open(saved) as file:
        if file.format == "PNG":
            assert np.array_equal(np.asarray(file.convert(mode)), result.pixels)
    assert saved.read_bytes() == result.data


def test_every_option_of_the_service_is_taken(remover: Remover, tmp_path: Path) -> None:
    result = remover.remove(
        rgb(), format="white_bg", background="#123", margin="10%", canvas="200x100"
    )
    assert result.size == (200, 100)
    assert tuple(result.pixels[0, 0]) == (0x11, 0x22, 0x33)
    with Image.open(result.save(tmp_path / "a.jpg")) as jpeg:
        assert jpeg.format == "JPEG"
    with Image.open(result.save(tmp_path / "a.png")) as png:
        assert np.array_equal(np.asarray(png.convert("RGB")), result.pixels)
    webp = remover.remove(rgb(), encoding="webp")
    assert webp.content_type == "image/webp"
    with pytest.raises(ValidationError, match="JPEG"):
        webp.save(tmp_path / "b.jpg")


@pytest.mark.parametrize("name", ["a.tif", "a.bmp", "a.gif", "a", ".png", "a.png.part"])
def test_a_file_whose_suffix_names_no_type_is_not_written(
    remover: Remover, tmp_path: Path, name: str
) -> None:
    result = remover.remove(rgb())
    with pytest.raises(ValidationError, match=r"\.png, \.jpg, .*, or name the file"):
        result.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    with Image.open(result.save(tmp_path / name, format="PNG")) as png:
        assert png.format == "PNG"


def test_a_result_is_saved_to_a_binary_file(remover: Remover, tmp_path: Path) -> None:
    result = remover.remove(rgb(), format="white_bg")
    for name, kind in [(None, "JPEG"), ("png", "PNG"), ("jpg", "JPEG"), ("WEBP", "WEBP")]:
        file = io.BytesIO()
        result.save(file, format=name)
        with Image.open(file) as picture:
            assert (picture.format, picture.size) == (kind, result.size)
    empty = io.BytesIO()
    with pytest.raises(ValidationError, match="'tiff'; it has to be png, jpeg, webp"):
        result.save(empty, format="tiff")
    with pytest.raises(ValidationError, match="JPEG"):
        remover.remove(rgb()).save(empty, format="jpeg")
    assert not empty.getvalue()
    with (tmp_path / "text").open("w") as text, pytest.raises(TypeError, match="mode 'wb'"):
        result.save(text)  # type: ignore[call-overload]


def test_a_box_unpacks_in_the_order_of_pil(remover: Remover) -> None:
    box = remover.remove(rgb()).box
    left, top, right, bottom = box
    assert (left, top, right - left, bottom - top) == (box.left, box.top, box.width, box.height)
    assert Image.fromarray(rgb()).crop(tuple(box)).size == (box.width, box.height)  # type: ignore[arg-type]


def test_warnings_are_plain_strings(remover: Remover) -> None:
    result = remover.remove(rgb(), format="crop", canvas="2000x2000")
    assert repr(result.warnings) == "('enlarged',)"


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"margin": "99%", "canvas": "1x1", "format": "crop"}, {"margin", "canvas"}),
        ({"background": "red"}, {"background"}),
        ({"outline": "1"}, {"outline"}),
        ({"encoding": "tiff"}, {"encoding"}),
    ],
)
def test_wrong_options_are_named(options: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Remover(**options)  # type: ignore[arg-type]
    assert {detail.field for detail in caught.value.details} == fields


def test_alpha_that_the_picture_has_is_kept(remover: Remover) -> None:
    rgba = np.dstack([rgb(), np.full((HEIGHT, WIDTH), 128, np.uint8)])
    assert remover.remove(rgba).rgba[:, :, 3].max() == 128


def test_a_pil_picture_is_turned_and_its_profile_carried(remover: Remover) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb()).save(file, "JPEG", exif=exif, icc_profile=profile)
    result = remover.remove(Image.open(file))
    assert result.size == (HEIGHT, WIDTH)
    assert result.image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8 of shape.*not float32 of shape"),
        (np.zeros((4, 4, 2), np.uint8), r"not uint8 of shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (np.zeros((1, 20_000, 3), np.uint8), "limit for a side is 16,383"),
        (Image.new("I;16", (4, 4)), "mode I;16"),
        (b"no picture", "not a JPEG, PNG, BMP, WEBP or GIF"),
    ],
)
def test_what_is_no_picture_is_said(remover: Remover, bad: Any, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        remover.remove(bad)


def test_a_file_over_the_limit_is_not_read_into_memory(tiny: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(1001))
    settings = Settings(weights_dir=tiny, max_upload_bytes=1000)
    says = r"1,001 bytes, .* limit of 1,000; raise it with Settings\(max_upload_bytes=\.\.\.\)"
    with Remover(settings=settings) as remover:
        for picture in (large, str(large), large.read_bytes(), io.BytesIO(large.read_bytes())):
            with pytest.raises(ImageError, match=says):
                remover.remove(picture)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            {"max_pixels": 63},
            r"limit of 63; raise it with Settings\(max_pixels=\.{3}\), up to 250,",
        ),
        ({"max_side": 7}, r"side is 7; raise it with Settings\(max_side=\.\.\.\), up to 65,500"),
    ],
)
def test_a_picture_over_a_limit_is_told_its_setting(
    tiny: Path, limit: dict[str, int], said: str
) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    with Remover(settings=Settings(weights_dir=tiny, **limit)) as remover:  # type: ignore[arg-type]
        for picture in (pixels, Image.fromarray(pixels), encoded(pixels)):
            with pytest.raises(ImageError, match=said):
                remover.remove(picture)


def test_a_device_without_an_end_is_refused(
    remover: Remover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_COUNTED", 12_000_000)
    with pytest.raises(ImageError, match="more than the limit of 10,485,760"):
        remover.remove("/dev/zero")


def test_another_object_is_a_type_error(remover: Remover) -> None:
    with pytest.raises(TypeError, match="a picture is a path, bytes"):
        remover.remove(3)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="mode 'rb'"):
        remover.remove(io.StringIO("text"))  # type: ignore[type-var]


def test_an_address_is_not_fetched(remover: Remover) -> None:
    address = "https://example.com/a.jpg"
    with pytest.raises(ImageError, match="fetch the picture and give its bytes"):
        remover.remove(address)
    (result,) = remover.map([address])
    assert isinstance(result.error, ImageError)


def test_map_does_not_take_a_single_picture(remover: Remover, tmp_path: Path) -> None:
    pictures: list[Any] = ["a.jpg", tmp_path, encoded(ball()), Image.new("RGB", (9, 9))]
    for picture in [*pictures, io.BytesIO(encoded(ball()))]:
        with pytest.raises(TypeError, match=r"map takes many pictures, not one .* give a list"):
            remover.map(picture)


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("only_mask", "format='mask'"),
        ("bgcolor", "background='#ffffff'"),
        ("alpha_matting", "edges are always refined"),
        ("alpha_matting_erode_size", "edges are always refined"),
        ("session", "models stay loaded"),
        ("output_format", "called format here"),
        ("effort", r"Remover\(settings=Settings\(effort=\.\.\.\)\)"),
        ("subjet", "did you mean subject?"),
    ],
)
def test_a_word_of_another_interface_is_answered_with_its_equivalent(
    word: str, advice: str
) -> None:
    with pytest.raises(ValidationError, match=f"{word} is no option; .*{advice}"):
        Remover(**{word: "x"})  # type: ignore[arg-type]


def test_wrong_values_are_value_errors() -> None:
    for faulty in ({"jobs": 0}, {"jobs": 65}, {"subject": "cat"}):
        with pytest.raises(ValueError, match=r"Must be one of|from 1 to 64") as caught:
            Remover(**faulty)
        assert isinstance(caught.value, ValidationError)


def test_a_file_that_is_not_there_is_an_oserror(remover: Remover) -> None:
    with pytest.raises(FileNotFoundError):
        remover.remove("nowhere.jpg")


def test_all_wrong_options_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Remover(subject="cat", format="square")  # type: ignore[arg-type]
    assert {detail.field for detail in caught.value.details} == {"subject", "format"}
    assert "'cat': Must be one of universal, human, product" in str(caught.value)


def test_no_subject_is_an_error_of_its_own(remover: Remover) -> None:
    with pytest.raises(NoSubjectError):
        remover.remove(np.zeros((64, 64, 3), np.uint8))


def test_map_keeps_the_order_and_goes_on_after_failures(remover: Remover) -> None:
    sizes = [(40 + 3 * index, 40) for index in range(12)]
    pictures: list[Any] = [encoded(ball(*size)) for size in sizes]
    pictures[3], pictures[7] = b"broken", "nowhere.jpg"
    results = list(remover.map(pictures))
    assert [index for index, result in enumerate(results) if result.error] == [3, 7]
    assert isinstance(results[3].error, ImageError)
    assert isinstance(results[7].error, FileNotFoundError)
    assert [r.size for r in results if not r.error] == [
        size for index, size in enumerate(sizes) if index not in (3, 7)
    ]
    assert results[7].source == "nowhere.jpg"
    with pytest.raises(ImageError):
        _ = results[3].image


def test_map_takes_pictures_only_as_results_are_taken(remover: Remover) -> None:
    taken = 0

    def pictures() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield encoded(ball())

    results = remover.map(pictures())
    next(results)
    assert taken == 4  # two for each of two jobs
    next(results)
    assert taken == 5
    results.close()  # type: ignore[attr-defined]


def test_aremove_leaves_the_loop_free(remover: Remover) -> None:
    async def several() -> list[bgremove.Result]:
        return await asyncio.gather(*(remover.aremove(encoded(ball())) for _ in range(5)))

    results = asyncio.run(several())
    assert [result.size for result in results] == [(WIDTH, HEIGHT)] * 5


def test_removers_of_the_same_settings_load_a_model_once(settings: Settings) -> None:
    with Remover(settings=settings, jobs=2) as one, Remover(settings=settings, jobs=2) as other:
        one.remove(encoded(ball()))
        other.remove(encoded(ball()), format="mask")
        assert one._engine is other._engine
        assert len(engines._engines) == 1
    assert engines._engines == {}


def test_a_closed_remover_says_so(settings: Settings) -> None:
    with Remover(settings=settings) as remover:
        result = remover.remove(encoded(ball()))
    with pytest.raises(RuntimeError, match="closed"):
        remover.remove(encoded(ball()))
    assert result.image.size == (WIDTH, HEIGHT)  # encoded after the close
    assert not [t for t in threading.enumerate() if t.name.startswith("remover")]


def test_offline_without_weights_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(weights_dir=tmp_path)
    with pytest.raises(WeightsError, match=r"u2net\.onnx is not in .*`bgremove weights`"):
        Remover(settings=settings, offline=True).remove(encoded(ball()))


def test_importing_the_package_imports_no_library() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, bgremove; print({'numpy', 'cv2', 'flask', 'PIL'} & set(sys.modules));"
            "print(bgremove.Remover.__name__, 'flask' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "set()\nRemover False\n"


def test_remove_keeps_its_models_for_the_next_call(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tiny))
    try:
        first = bgremove.remove(encoded(ball()))
        second = bgremove.remove(rgb(), format="mask")
        assert first.size == second.size
        assert len(engines._engines) == 1
    finally:
        _default_remover().close()
        _default_remover.cache_clear()
