from bgremove.settings import markdown_table
from tests.commands.conftest import Invoke


def test_settings_prints_the_table_of_the_readme(invoke: Invoke) -> None:
    result = invoke("settings")
    assert (result.exit_code, result.output) == (0, markdown_table())
