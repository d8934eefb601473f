import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bgremove import __version__
from bgremove.cli import COMMANDS, main

PACKAGE = Path(__file__).resolve().parents[1] / "bgremove" / "commands"


def test_the_version_is_the_packages() -> None:
    assert __version__ in CliRunner().invoke(main, ["--version"]).output


def test_every_module_with_a_command_is_listed_under_its_name() -> None:
    modules = {
        path.stem: import_module(f"bgremove.commands.{path.stem}") for path in PACKAGE.glob("*.py")
    }
    named = {stem: m.command.name for stem, m in modules.items() if hasattr(m, "command")}
    assert named == {name: name for name in COMMANDS}
    listed = CliRunner().invoke(main, ["--help"]).output
    assert all(f"  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_manual(name: str) -> None:
    command = import_module(f"bgremove.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.help
    assert all(o.help for o in command.params if isinstance(o, click.Option))
    shown = CliRunner().invoke(main, [name, "--help"]).output
    assert name == "settings" or ("Examples:" in shown and "Exit codes:" in shown)
    assert max(map(len, shown.splitlines())) <= 100


def test_a_command_that_is_none_is_said() -> None:
    result = CliRunner().invoke(main, ["removal"])
    assert result.exit_code == 2
    assert "No such command 'removal'" in result.output


@pytest.mark.parametrize("heavy", ["onnxruntime", "cv2", "flask"])
def test_listing_the_options_of_remove_waits_for_no_heavy_library(heavy: str) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from bgremove.cli import main;"
        "CliRunner().invoke(main, ['remove', '--help']); sys.exit(sys.argv[1] in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, heavy], check=False).returncode == 0


def test_the_shell_can_complete_commands(tmp_path: Path) -> None:
    env = {"_BGREMOVE_COMPLETE": "bash_complete", "COMP_WORDS": "bgremove rem", "COMP_CWORD": "1"}
    result = CliRunner().invoke(main, env=env, prog_name="bgremove")
    assert result.output == "plain,remove\n"
