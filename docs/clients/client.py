"""bgremove: cut the subject out of a picture, with requests.

    python client.py PICTURE RESULT [SERVER] [FIELD=VALUE ...]
    python client.py shoe.jpg white.jpg http://127.0.0.1:8000 subject=product output_format=white_bg

Install requests first: python -m pip install requests
BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
It follows docs/openapi.json; the tests run it against a real server.
"""

import os
import sys
from pathlib import Path

try:
    import requests
except ImportError:
    sys.exit("requests is not installed: python -m pip install requests")

TIMEOUT_S = 60


def remove_background(picture: Path, server: str, key: str | None = None, **fields: str) -> bytes:
    """Return the picture that is answered; raises RuntimeError with what the server says.

    Fields: subject (universal, human, product), output_format (transparent, white_bg, mask, crop),
    and with white_bg for example background="#f5f5f5", margin="8%", canvas="2000x2000".
    """
    with picture.open("rb") as file:
        answer = requests.post(
            f"{server}/v1/remove-bg/universal",
            files={"image": file},
            data=fields,
            headers={"X-Api-Key": key} if key else {},
            timeout=TIMEOUT_S,
        )
    if not answer.ok:
        raise RuntimeError(f"{answer.status_code} {explanation(answer)}")
    return answer.content


def explanation(answer: requests.Response) -> str:
    """Return what the server says; of an answer that is not the server's, the beginning."""
    try:
        error = answer.json()["error"]
        return f"{error['code']}: {error['message']}"
    except (ValueError, LookupError, TypeError):
        return answer.text[:200]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python client.py PICTURE RESULT [SERVER] [FIELD=VALUE ...]")
    server = sys.argv[3] if len(sys.argv) > 3 else "http://127.0.0.1:8000"
    try:
        fields = dict(field.split("=", 1) for field in sys.argv[4:])
        key = os.environ.get("BGREMOVE_API_KEY")
        cutout = remove_background(Path(sys.argv[1]), server, key, **fields)
        Path(sys.argv[2]).write_bytes(cutout)
    except (OSError, RuntimeError) as error:  # requests' own errors are OSErrors
        sys.exit(str(error))
