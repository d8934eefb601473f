"""Graphics, drawn with exact alpha: what is ground and what is subject."""

import tracemalloc
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from bgremove.matting.enclosed import settle_enclosed
from bgremove.matting.exact import Exact
from bgremove.matting.exact import graphic_alpha as lazy_graphic_alpha
from bgremove.matting.graphic import read_graphic
from bgremove.matting.ink_pieces import Ink
from eval.draw.__main__ import draw
from eval.draw.canvas import CLEAR, Canvas, Drawing, compose
from eval.draw.grounds import checkerboard, plain
from eval.metrics import iou


@dataclass(frozen=True)
class Saw:
    """A network's map, given instead of seen."""

    saliency: np.ndarray
    has_subject: bool


NOTHING_SEEN = np.zeros((64, 64), np.float32)
ALL_SEEN = np.ones((64, 64), np.float32)
BLACK, RED, GREEN, WHITE = (0, 0, 0), (200, 20, 30), (20, 120, 60), (255, 255, 255)


def pixels(drawing: Drawing) -> np.ndarray:
    """Return the pixels of a drawing as they are read, BGR."""
    bgr = cv2.cvtColor(drawing.pixels, cv2.COLOR_RGB2BGR)
    if drawing.quality is None:
        return bgr
    code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, drawing.quality])[1]
    return cv2.imdecode(code, cv2.IMREAD_COLOR)


def graphic_alpha(bgr: np.ndarray, saliency: np.ndarray, *, sees: bool) -> Exact | None:
    return lazy_graphic_alpha(bgr, lambda: Saw(saliency, sees))


def cut(drawing: Drawing, saliency: np.ndarray = NOTHING_SEEN) -> Exact:
    exact = graphic_alpha(pixels(drawing), saliency, sees=True)
    assert exact is not None
    return exact


def score(drawing: Drawing, saliency: np.ndarray = NOTHING_SEEN) -> float:
    return iou(cut(drawing, saliency).alpha > 0.5, drawing.alpha > 0.5)


@pytest.mark.parametrize("saliency", [NOTHING_SEEN, ALL_SEEN], ids=["nothing seen", "all seen"])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("kind", ["word", "logo", "stamp", "signature", "line drawing", "cartoon"])
def test_colours_alone_decide_on_inks(kind: str, number: int, saliency: np.ndarray) -> None:
    assert score(draw(kind, number), saliency) > 0.95


def looks(drawing: Drawing) -> int:
    """Return how often a network's map is read."""
    count = 0

    def look() -> Saw:
        nonlocal count
        count += 1
        return Saw(ALL_SEEN, has_subject=True)

    lazy_graphic_alpha(pixels(drawing), look)
    return count


@pytest.mark.parametrize("kind", ["word", "logo", "signature", "stamp", "line drawing"])
def test_no_map_is_read_where_colours_decide(kind: str) -> None:
    assert looks(draw(kind, 0)) == 0


@pytest.mark.parametrize("kind", ["label", "page"])
def test_a_map_is_read_where_colours_do_not_decide(kind: str) -> None:
    assert looks(draw(kind, 0)) > 0


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["chain", "frame", "set", "checkerboard"])
def test_the_ground_shows_through_openings(kind: str, number: int) -> None:
    assert score(draw(kind, number)) > 0.93


def test_alpha_is_exact_on_an_exact_ground() -> None:
    drawing = draw("logo", 0)
    assert np.abs(cut(drawing).alpha - drawing.alpha).max() < 0.02


def ring(ink: tuple[int, int, int], ground: tuple[int, int, int]) -> Drawing:
    canvas = Canvas(400, 300)
    canvas.disc((0, 0), (0.4, 0.4), ink)
    canvas.disc((0, 0), (0.2, 0.2), CLEAR)
    return compose(canvas, plain(400, 300, ground))


@pytest.mark.parametrize("ground", [WHITE, (235, 235, 235), GREEN])
def test_a_ring_of_one_ink_is_open(ground: tuple[int, int, int]) -> None:
    assert score(ring(RED, ground), ALL_SEEN) > 0.99


def labelled(seen_through: bool) -> Drawing:
    """Draw a green box with a red word on a white plate, which is a part of it or an opening."""
    canvas = Canvas(400, 300)
    canvas.box((-0.45, -0.35), (0.9, 0.7), GREEN)
    canvas.box((-0.3, -0.2), (0.6, 0.4), CLEAR if seen_through else WHITE)
    canvas.text((0, 0), "TEA", RED, 0.2, "DejaVuSans-Bold.ttf")
    return compose(canvas, plain(400, 300))


@pytest.mark.parametrize("seen_through", [False, True])
def test_a_network_decides_whether_a_white_label_is_subject(seen_through: bool) -> None:
    assert score(labelled(seen_through), NOTHING_SEEN if seen_through else ALL_SEEN) > 0.99


def test_a_filled_label_in_a_jpeg_is_as_sure_as_an_open_one() -> None:
    filled, open_ = labelled(seen_through=False), labelled(seen_through=True)
    sure = cut(Drawing(filled.pixels, filled.alpha, quality=50), ALL_SEEN).confidence
    assert sure == cut(Drawing(open_.pixels, open_.alpha, quality=50)).confidence > 0.9


def test_a_blank_screen_on_white_is_subject_and_not_sure() -> None:
    canvas = Canvas(400, 300)
    canvas.box((-0.5, -0.4), (1, 0.66), (30, 30, 32), 0.02)
    canvas.box((-0.47, -0.37), (0.94, 0.6), WHITE)
    canvas.box((-0.1, 0.26), (0.2, 0.16), (150, 150, 155))
    drawing = compose(canvas, plain(400, 300))
    assert score(drawing) > 0.99
    assert cut(drawing).confidence < 0.8


def test_an_empty_frame_on_white_is_open_whatever_the_network_sees() -> None:
    canvas = Canvas(400, 300)
    canvas.box((-0.45, -0.4), (0.9, 0.8), (160, 110, 50))
    canvas.box((-0.35, -0.3), (0.7, 0.6), (200, 160, 60))
    canvas.box((-0.3, -0.25), (0.6, 0.5), CLEAR)
    assert score(compose(canvas, plain(400, 300)), ALL_SEEN) > 0.99


def test_a_white_shirt_on_a_checkerboard_stays_whole() -> None:
    assert score(draw("checkerboard", 9)) > 0.97


def test_small_parts_stay_and_dust_goes() -> None:
    canvas = Canvas(800, 800)
    canvas.box((-0.3, -0.4), (0.6, 0.5), RED)
    canvas.disc((0.3, 0.35), (0.012, 0.012), RED)
    drawing = compose(canvas, plain(800, 800, (230, 230, 230)))
    drawing.pixels[700:702, 100:102] = 120
    alpha = cut(drawing).alpha
    assert alpha[680, 640] == 1
    assert not alpha[690:710, 90:110].any()


def small(mask: np.ndarray) -> np.ndarray:
    """Return a mask of 0 and 1 as a network's map."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (320, 320)), np.float32)


def test_a_photograph_on_white_keeps_its_bright_spots_and_the_networks_edge() -> None:
    """Clipped highlights have the ground's colour; the network says that they are subject."""
    photograph = data.coffee()[..., ::-1]
    bgr = np.full((500, 700, 3), 255, np.uint8)
    disc = cv2.circle(np.zeros((500, 700), np.uint8), (350, 250), 190, 1, -1)
    placed = bgr.copy()
    placed[50:450, 50:650] = photograph
    placed[240:270, 330:360] = 255
    bgr = np.where(disc[..., None] == 1, placed, bgr)
    exact = graphic_alpha(bgr, small(disc), sees=True)
    assert exact is not None
    assert iou(exact.alpha > 0.5, disc == 1) > 0.99
    assert exact.alpha[250, 345] == 1


def test_a_bright_thing_on_white_is_what_the_network_sees() -> None:
    """Half of it is as white as the ground, and open to it."""
    thing = cv2.circle(np.zeros((400, 500), np.uint8), (250, 200), 150, 1, -1)
    bgr = np.where(thing[..., None] == 1, data.coffee()[:400, :500, ::-1], 255).astype(np.uint8)
    bgr[:, :240] = 255
    exact = graphic_alpha(bgr, small(thing), sees=True)
    assert exact is not None
    assert iou(exact.alpha > 0.5, thing == 1) > 0.95
    assert exact.confidence < 0.8


@pytest.mark.parametrize("width", [200, 300, 900])
def test_a_round_letter_of_thin_lines_is_no_drawing(width: int) -> None:
    canvas = Canvas(width, width // 2)
    canvas.text((0, 0), "looboo", BLACK, 0.4, "cmtt10.ttf")
    assert score(compose(canvas, plain(width, width // 2)), ALL_SEEN) > 0.95


def test_a_bare_thin_loop_is_open_and_not_sure() -> None:
    """It may be a necklace or the outline of a ball."""
    canvas = Canvas(400, 400)
    canvas.ring((0, 0), (0.4, 0.4), (150, 150, 154), 0.008)
    drawing = compose(canvas, plain(400, 400))
    assert score(drawing, ALL_SEEN) > 0.9
    assert cut(drawing).confidence < 0.8


@pytest.mark.parametrize("ground", [WHITE, (252, 250, 246)])
def test_a_drawn_figure_keeps_its_inside(ground: tuple[int, int, int]) -> None:
    """Its lines are sepia, its head has a fill, its body has none."""
    line = (60, 40, 30)
    canvas = Canvas(400, 500)
    canvas.box((-0.2, -0.1), (0.4, 0.5), ground, 0, line, 0.01)
    canvas.box((-0.35, 0), (0.16, 0.3), ground, 0, line, 0.01)
    canvas.disc((0, -0.28), (0.18, 0.18), (240, 200, 170), line, 0.01)
    for x in (-0.06, 0.06):
        canvas.disc((x, -0.28), (0.04, 0.05), ground, line, 0.008)
        canvas.disc((x, -0.28), (0.012, 0.016), line)
    drawing = compose(canvas, plain(400, 500, ground))
    assert score(drawing) > 0.95
    drawing = Drawing(drawing.pixels, drawing.alpha, quality=85)
    assert score(drawing) > 0.95


def figure(line: tuple[int, int, int], width: float, ground: tuple[int, int, int]) -> Canvas:
    """Draw a figure of parts, none of which is most of it; its face has details."""
    canvas = Canvas(400, 500)
    canvas.box((-0.2, -0.15), (0.4, 0.42), ground, 0, line, width)
    for x in (-0.34, 0.2):
        canvas.box((x, -0.1), (0.14, 0.34), ground, 0, line, width)
    for x in (-0.18, 0.02):
        canvas.box((x, 0.26), (0.16, 0.3), ground, 0, line, width)
    canvas.disc((0, -0.32), (0.2, 0.19), ground, line, width)
    for x in (-0.07, 0.07):
        canvas.disc((x, -0.34), (0.016, 0.02), line)
    return canvas


@pytest.mark.parametrize("quality", [None, 80])
@pytest.mark.parametrize("line", [BLACK, (70, 70, 70), (100, 60, 30)])
@pytest.mark.parametrize("ground", [WHITE, (250, 246, 228)])
def test_a_figure_of_many_parts_keeps_them_all(
    line: tuple[int, int, int], ground: tuple[int, int, int], quality: int | None
) -> None:
    drawing = compose(figure(line, 0.012, ground), plain(400, 500, ground))
    assert score(Drawing(drawing.pixels, drawing.alpha, quality)) > 0.95


def test_bold_lines_beside_a_fill_draw_a_figure() -> None:
    canvas = figure(BLACK, 0.018, WHITE)
    canvas.disc((0, -0.42), (0.14, 0.07), (150, 80, 40), BLACK, 0.018)
    assert score(compose(canvas, plain(400, 500))) > 0.95


def test_hatching_in_a_drawing_is_no_word() -> None:
    canvas = Canvas(500, 400)
    canvas.disc((0, 0), (0.5, 0.38), WHITE, BLACK, 0.01)
    for number in range(20):
        x = -0.3 + 0.03 * number
        canvas.line([(x, 0.05), (x - 0.02, 0.2)], BLACK, 0.006)
    assert score(compose(canvas, plain(500, 400))) > 0.98


@pytest.mark.parametrize("saliency", [NOTHING_SEEN, ALL_SEEN], ids=["nothing seen", "all seen"])
def test_a_wheel_is_open_between_its_spokes(saliency: np.ndarray) -> None:
    canvas = Canvas(500, 500)
    for number in range(24):
        angle = number * np.pi / 12
        end = 0.4 * np.cos(angle), 0.4 * np.sin(angle)
        canvas.line([(0, 0), end], (120, 120, 120), 0.006)
    canvas.ring((0, 0), (0.42, 0.42), (30, 30, 30), 0.04)
    canvas.ring((0, 0), (0.38, 0.38), (150, 150, 150), 0.012)
    canvas.disc((0, 0), (0.05, 0.05), (90, 90, 90))
    assert score(compose(canvas, plain(500, 500)), saliency) > 0.95


def test_a_drawing_in_a_coloured_ink_is_not_sure() -> None:
    """A seal of this colour would be open, a figure not."""
    canvas = Canvas(400, 400)
    canvas.ring((0, 0), (0.4, 0.4), (20, 40, 150), 0.012)
    for x in (-0.15, 0.15):
        canvas.disc((x, -0.1), (0.05, 0.07), (20, 40, 150))
    assert cut(compose(canvas, plain(400, 400))).confidence < 0.8


@pytest.mark.parametrize("quality", [None, 80])
def test_the_bright_middle_of_a_shaded_thing_on_white_is_subject(quality: int | None) -> None:
    """Its edge fades to the ground's colour; an opening has a sharp edge."""
    thing = cv2.circle(np.zeros((400, 500), np.uint8), (250, 200), 150, 1, -1)
    depth = cv2.distanceTransform(thing, cv2.DIST_L2, 5)
    light = np.where(thing == 1, 255 - 90 * np.exp(-depth / 12), 255)
    shaded = np.rint(light).astype(np.uint8)[..., None].repeat(3, axis=2)
    drawing = Drawing(shaded, thing.astype(np.float32), quality)
    assert score(drawing, NOTHING_SEEN) > 0.98


def test_a_faint_thing_under_a_clear_print_is_left_to_the_network() -> None:
    thing = cv2.circle(np.zeros((500, 500), np.uint8), (250, 250), 200, 1, -1)
    depth = cv2.distanceTransform(thing, cv2.DIST_L2, 5)
    light = np.where(thing == 1, 252 - 22 * np.exp(-depth / 10), 255)
    faint = np.rint(light).astype(np.uint8)[..., None].repeat(3, axis=2).copy()
    cv2.putText(faint, "TEAM", (130, 270), cv2.FONT_HERSHEY_SIMPLEX, 3, (200, 30, 30), 6)
    assert read_graphic(pixels(Drawing(faint, thing.astype(np.float32), quality=88))) is None


def test_a_screen_that_shows_text_is_subject_and_a_thick_frame_is_open() -> None:
    canvas = Canvas(400, 300)
    canvas.box((-0.5, -0.4), (1, 0.7), (30, 30, 32))
    canvas.box((-0.47, -0.37), (0.94, 0.6), WHITE)
    canvas.text((0, -0.1), "Welcome", (30, 70, 200), 0.12, "DejaVuSans.ttf")
    assert score(compose(canvas, plain(400, 300)), NOTHING_SEEN) > 0.99
    canvas = Canvas(400, 300)
    canvas.box((-0.5, -0.4), (1, 0.8), (20, 20, 20))
    canvas.box((-0.36, -0.26), (0.72, 0.52), CLEAR)
    assert score(compose(canvas, plain(400, 300)), NOTHING_SEEN) > 0.99


@pytest.mark.parametrize("quality", [75, 90])
def test_letters_of_several_colours_in_a_jpeg_are_open(quality: int) -> None:
    canvas = Canvas(900, 400)
    colours = ((66, 133, 244), (234, 67, 53), (251, 188, 5), (52, 168, 83))
    for k, letter in enumerate("BOgo"):
        canvas.text((0.5 * k - 0.75, 0), letter, colours[k], 0.5, "DejaVuSans.ttf")
    drawing = compose(canvas, plain(900, 400), quality)
    assert score(drawing, ALL_SEEN) > 0.97


@pytest.mark.parametrize("quality", [60, 75])
def test_small_letters_of_strong_contrast_are_open_despite_ringing(quality: int) -> None:
    canvas = Canvas(420, 160)
    canvas.text((0, 0), "aRoma e8", (250, 200, 40), 0.42, "DejaVuSans-Bold.ttf")
    drawing = compose(canvas, plain(420, 160, (90, 20, 90)))
    assert score(Drawing(drawing.pixels, drawing.alpha, quality), ALL_SEEN) > 0.9


@pytest.mark.parametrize(("cell", "dark", "quality"), [(15, 245, 85), (100, 204, None)])
def test_a_pale_or_a_coarse_checkerboard_is_ground(
    cell: int, dark: int, quality: int | None
) -> None:
    canvas = Canvas(800, 600)
    canvas.ring((0, 0), (0.5, 0.4), RED, 0.04)
    canvas.text((0, 0), "VOID", RED, 0.2, "DejaVuSans-Bold.ttf")
    board = checkerboard(800, 600, cell, dark, 255)
    assert score(compose(canvas, board, quality)) > 0.97


@pytest.mark.parametrize("number", range(4))
def test_a_blank_picture_is_no_graphic(number: int) -> None:
    assert read_graphic(pixels(draw("blank", number))) is None


@pytest.mark.parametrize("number", range(3))
def test_ruled_paper_is_no_graphic(number: int) -> None:
    assert read_graphic(pixels(draw("ruled", number))) is None


def test_what_is_hardly_clearer_than_noise_is_not_sure() -> None:
    """A JPEG of a silver chain, whose bright side has nearly the colour of the paper."""
    assert cut(draw("chain", 5, seed=2)).confidence < 0.8


@pytest.mark.parametrize("number", [0, 3, 4])
def test_a_page_of_text_is_refused_or_not_sure(number: int) -> None:
    page = pixels(draw("page", number))
    assert graphic_alpha(page, NOTHING_SEEN, sees=False) is None
    exact = graphic_alpha(page, NOTHING_SEEN, sees=True)
    assert exact is not None
    assert exact.confidence < 0.5


def test_a_thing_with_a_soft_shadow_is_left_to_the_network() -> None:
    canvas = Canvas(400, 300)
    canvas.box((-0.3, -0.3), (0.6, 0.5), RED)
    drawing = compose(canvas, plain(400, 300))
    shadow = cv2.GaussianBlur(np.roll(drawing.alpha, (24, 12), (0, 1)), (0, 0), 8)
    dark = drawing.pixels * np.where(drawing.alpha > 0, 1, 1 - 0.5 * shadow)[..., None]
    assert read_graphic(np.rint(dark).astype(np.uint8)[..., ::-1].copy()) is None


def test_a_large_picture_is_read_at_half_its_size() -> None:
    bgr = np.full((3000, 3200, 3), 255, np.uint8)
    cv2.circle(bgr, (1600, 1500), 1000, (30, 20, 200), 200)
    exact = graphic_alpha(bgr, NOTHING_SEEN, sees=True)
    assert exact is not None
    assert exact.alpha.shape == (3000, 3200)
    assert iou(exact.alpha > 0.5, bgr[..., 0] < 140) > 0.99
    assert exact.alpha[1500, 1600] == 0


def test_a_large_page_of_text_keeps_its_size() -> None:
    bgr = np.full((3000, 3200, 3), 255, np.uint8)
    for y in range(100, 2950, 90):
        cv2.putText(bgr, "lorem ipsum dolor sit amet", (60, y), 0, 3.4, (0, 0, 0), 7)
    assert graphic_alpha(bgr, NOTHING_SEEN, sees=False) is None
    exact = graphic_alpha(bgr, NOTHING_SEEN, sees=True)
    assert exact is not None
    assert exact.confidence < 0.5
    assert exact.alpha.shape == (3000, 3200)


def test_dots_and_meshes_are_left_to_the_network() -> None:
    """They have more pieces and holes than any graphic, each of which takes memory."""
    dots = np.full((1700, 1700, 3), 255, np.uint8)
    dots[6:-6:5, 6:-6:5] = dots[7:-6:5, 6:-6:5] = dots[8:-6:5, 6:-6:5] = 0
    assert graphic_alpha(dots, NOTHING_SEEN, sees=True) is None
    mesh = 255 - dots
    mesh[:5] = mesh[-5:] = mesh[:, :5] = mesh[:, -5:] = 255
    assert graphic_alpha(mesh, NOTHING_SEEN, sees=True) is None


def test_a_graphic_on_paper_takes_at_most_32_bytes_a_pixel() -> None:
    """Ways to the ink's colour in float32 at full size took 50."""
    light = np.linspace(200, 240, 2400).astype(np.uint8)
    bgr = np.repeat(np.tile(light, (1600, 1))[..., None], 3, axis=2)
    for y in range(200, 1500, 200):
        cv2.putText(bgr, "Signed", (200, y), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 6, (120, 30, 20), 7)
    tracemalloc.start()
    exact = graphic_alpha(bgr, NOTHING_SEEN, sees=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert exact is not None
    assert peak <= 32 * bgr.shape[0] * bgr.shape[1]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_picture_gives_a_sound_alpha_or_none(seed: int) -> None:
    """Random rectangles, lines and noise on random grounds, down to a pixel across."""
    rng = np.random.default_rng(seed)
    height, width = (int(v) for v in rng.integers(1, 120, 2))
    ground = rng.integers(0, 256, 3) if rng.random() < 0.5 else np.full(3, 255)
    bgr = np.full((height, width, 3), ground, np.uint8)
    for _ in range(int(rng.integers(0, 6))):
        start, end = ([int(v) for v in rng.integers(-5, 125, 2)] for _ in range(2))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.line(bgr, start, end, colour, int(rng.integers(1, 9)), cv2.LINE_AA)
        else:
            cv2.rectangle(bgr, start, end, colour, int(rng.integers(-1, 9)))
    grain = rng.normal(0, rng.choice([0, 0, 1, 3]), bgr.shape)
    bgr = (bgr + grain).round().clip(0, 255).astype(np.uint8)
    exact = graphic_alpha(bgr, rng.random((16, 16), np.float32), sees=True)
    if exact is not None:
        assert exact.alpha.shape == (height, width)
        assert exact.alpha.dtype == np.float32
        assert 0 <= exact.alpha.min() <= 0.5 <= exact.alpha.max() <= 1
        assert 0 < exact.confidence < 1


def test_a_piece_around_many_regions_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece may enclose every region of noise, and be as large as the picture."""
    bgr = np.full((300, 400, 3), 255, np.uint8)
    bgr[50:250, 50:200], bgr[50:250, 200:350] = (40, 40, 160), (120, 60, 20)
    bgr[55:245:10, 55:345:10] = bgr[56:246:10, 55:345:10] = 255
    bgr[55:245:10, 56:346:10] = bgr[56:246:10, 56:346:10] = 255
    measured: list[tuple[int, ...]] = []
    full = Ink._full

    def count(ink: Ink, box: tuple[slice, slice], among: np.ndarray) -> np.ndarray:
        measured.append(among.shape)
        return full(ink, box, among)

    monkeypatch.setattr(Ink, "_full", count)
    graphic = read_graphic(bgr)
    assert graphic is not None
    settle_enclosed(bgr, graphic, lambda: Saw(ALL_SEEN, True))
    assert len([shape for shape in measured if shape == (200, 300)]) <= 2
