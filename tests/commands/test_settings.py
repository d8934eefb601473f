from click.testing import CliRunner

from bgremove.cli import main
from bgremove.settings import markdown_table


def test_settings_prints_the_table_of_the_readme() -> None:
    result = CliRunner().invoke(main, ["settings"])
    assert (result.exit_code, result.output) == (0, markdown_table())
