"""Read the headers of a JPEG: size, scans, orientation, colour profile."""

from __future__ import annotations

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    ARITHMETIC_FRAMES,
    END,
    END_OF_IMAGE,
    FILLERS,
    FRAME_HEADERS,
    HIERARCHICAL_FRAMES,
    JPEG_LS_FRAME,
    START_OF_SCAN,
    segments,
)
from bgremove.imaging.probe.limits import (
    MAX_METADATA_BYTES,
    Limits,
    check_size,
    cut_short,
    refuse_above,
)
from bgremove.imaging.probe.metadata import (
    PREFIX,
    XMP_PREFIX,
    Metadata,
    density_in_jfif,
)

ICC_PREFIX = b"ICC_PROFILE\0"

MAX_SAMPLE_BITS = 8

# The cost of a scan is the number of blocks it visits, however few bytes it has: 47 ns for 8 x 8
# pixels of a component in libjpeg-turbo 3.1 (an empty refinement). 50 megapixels in 25 scans take
# 0.9 s. libjpeg's own script makes 12 (YCbCr) or 24 (CMYK) passes over a component.
MAX_PASSES = 25
ARITHMETIC_COST = 8  # times that: 63 decisions per block from almost no data, 6 to 10 ns each


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Walk the marker segments to the end of the image, counting scans and their cost."""
    return _Reader(limits).read(data)


class _Reader:
    """State of the walk over the segments."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._size = (0, 0)
        self._blocks: dict[int, int] = {}  # component to the cost of one scan over it
        self._scans = 0
        self._visited = 0
        self._has_end = False
        self._metadata = Metadata()
        self._profile_parts: dict[int, bytes] = {}
        self._profile_count: int | None = None
        self._profile_fits = True

    def read(self, data: bytes) -> ImageHeader:
        for marker, body in segments(data):
            self._take(marker, body)
        if self._size == (0, 0):
            raise cut_short("JPEG")
        if not self._has_end and not data.endswith(END):
            self._check_endless()
        return ImageHeader(
            ImageType.JPEG,
            *self._size,
            orientation=self._metadata.orientation,
            icc_profile=self._profile(),
            density=self._metadata.density,
        )

    def _take(self, marker: int, body: bytes) -> None:
        if marker == END_OF_IMAGE:
            self._has_end = True
        elif marker == START_OF_SCAN:
            self._take_scan(body)
        elif marker == JPEG_LS_FRAME and self._size == (0, 0):
            raise ImageError("The file is a JPEG-LS picture; save it as JPEG or PNG and send that")
        elif marker in FRAME_HEADERS and self._size == (0, 0):
            self._take_frame(marker, body)
        elif marker == APP1 and body.startswith(PREFIX):
            self._metadata.take_exif(body)
        elif marker == APP0:
            self._metadata.take_density(density_in_jfif(body))
        elif marker == APP1 and body.startswith(XMP_PREFIX):
            self._metadata.take_xmp(body)
        elif marker == APP2 and body.startswith(ICC_PREFIX) and len(body) > len(ICC_PREFIX) + 2:
            self._take_profile_part(body[len(ICC_PREFIX) :])

    def _take_frame(self, marker: int, body: bytes) -> None:
        if len(body) < 6 or len(body) < 6 + 3 * body[5]:
            raise cut_short("JPEG")
        if marker in HIERARCHICAL_FRAMES or body[0] > MAX_SAMPLE_BITS:
            kind = (
                "hierarchical" if marker in HIERARCHICAL_FRAMES else f"of {body[0]} bits a sample"
            )
            raise ImageError(f"The JPEG is {kind}, which is not read; save it with 8 bits a sample")
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        check_size(width, height, self._limits)
        self._size = (width, height)
        # A component: identifier, samples across (high 4 bits) and down, quantisation table.
        components = [tuple(body[at : at + 2]) for at in range(6, 6 + 3 * body[5], 3)]
        across = max([sampling >> 4 for _, sampling in components], default=1) or 1
        down = max([sampling & 15 for _, sampling in components], default=1) or 1
        cost = ARITHMETIC_COST if marker in ARITHMETIC_FRAMES else 1
        full = -(-width // 8) * -(-height // 8) * cost
        for name, sampling in components:
            share = (sampling >> 4) * (sampling & 15)
            self._blocks[name] = -(-full * share // (across * down))

    def _take_scan(self, body: bytes) -> None:
        self._scans += 1
        refuse_above(self._limits.max_scans, self._scans, "JPEG scans", "max_scans")
        names = body[1 : 1 + 2 * body[0] : 2] if body else b""
        self._visited += sum(self._blocks.get(name, 0) for name in names)
        refuse_above(
            self._allowed, self._visited, "blocks to decode in all its JPEG scans together"
        )

    def _check_endless(self) -> None:
        """Reject a JPEG without end marker that is too large to decode with each ending."""
        blocks, allowed = len(FILLERS) * self._visited, self._allowed
        if blocks > allowed:
            raise ImageError(
                "The JPEG has no end marker and is too large to check that all its rows are there"
                f" ({blocks:,} blocks to decode, the limit is {allowed:,}); save it again"
            )

    @property
    def _allowed(self) -> int:
        return MAX_PASSES * self._limits.max_pixels // 64

    def _take_profile_part(self, body: bytes) -> None:
        number, count, part = body[0], body[1], body[2:]
        if self._profile_count is None:
            self._profile_count = count
        if number in self._profile_parts or count != self._profile_count:
            self._profile_fits = False
            return
        self._profile_parts[number] = part
        size = sum(map(len, self._profile_parts.values()))
        refuse_above(MAX_METADATA_BYTES, size, "bytes of colour profile")

    def _profile(self) -> bytes | None:
        """Join the profile's parts; return empty bytes for a broken profile."""
        if self._profile_count is None:
            return None
        numbers = range(1, self._profile_count + 1)
        if not self._profile_fits or sorted(self._profile_parts) != list(numbers):
            return b""
        return b"".join(self._profile_parts[number] for number in numbers)
