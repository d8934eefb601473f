import os
import subprocess
import sys
from pathlib import Path

from tests.support import graphs

RUN = """
import sys
from pathlib import Path
from bgremove.inference.session import Session
from tests.support import graphs
folder = Path(sys.argv[1])
model = graphs.put(folder, graphs.brightness())
Session(model, folder / model.file, 1)
"""


def test_no_session_is_noted_for_the_makers_of_the_runtime(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    env |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    root = Path(graphs.__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], env=env, cwd=root, check=True, timeout=60
    )
    assert list(home.rglob("*")) == []
