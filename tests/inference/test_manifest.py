import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.manifest import SHIPPED, load_manifest
from bgremove.inference.models import Manifest, Role, Source
from bgremove.options import Subject
from tests.support import graphs
from tests.support.graphs import model_of, write_manifest

# The table of the weights' design, and the half-precision IS-Net named below it.
KNOWN = {
    "u2net": (175997641, "8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491"),
    "u2netp": (4574861, "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"),
    "u2net_human_seg": (
        175997641,
        "01eb6a29a5c4d8edb30b56adad9bb3a2a0535338e480724a213e0acfd2d1c73c",
    ),
    "isnet-general-use": (
        178648008,
        "60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
    ),
    "isnet-general-use-fp16": (
        88188479,
        "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
    ),
}


@pytest.fixture
def shipped() -> Manifest:
    return load_manifest(SHIPPED.parent)


def test_the_shipped_manifest_names_the_known_files(shipped: Manifest) -> None:
    named = {model.name: (model.bytes, model.sha256) for model in shipped.models}
    assert {name: named[name] for name in KNOWN} == KNOWN


def test_every_shipped_model_says_its_licence_paper_and_where_it_comes_from(
    shipped: Manifest,
) -> None:
    for model in shipped.models:
        assert model.licence == "Apache-2.0"
        assert "Qin et al." in model.paper
        assert model.sources


def test_each_subject_has_its_own_model_and_u2net_is_the_fallback(shipped: Manifest) -> None:
    names = {subject: [m.name for m in shipped.candidates(subject)] for subject in Subject}
    assert names[Subject.UNIVERSAL][0] == shipped.fallback == "u2net"
    assert names[Subject.HUMAN] == ["u2net"]
    assert names[Subject.PRODUCT][0] == "isnet-general-use-fp16"
    assert shipped.model("isnet-general-use").size == 1024


def test_the_priors_of_people_have_a_role_each_and_come_from_npm(shipped: Manifest) -> None:
    assert {prior.role for prior in shipped.priors} == set(get_args(Role))
    assert {prior.licence for prior in shipped.priors} == {"Apache-2.0"}
    assert {source.kind for prior in shipped.priors for source in prior.sources} == {"npm"}
    assert shipped.files == (*shipped.forms, *shipped.priors)
    assert not {prior.name for prior in shipped.priors} & {model.name for model in shipped.forms}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "hands"}, "roles bodies, faces, hands"),
        ({"sha256": "?"}, "mask has a wrong value for sha256"),
        ({"colour": 1}, "colour"),
        ({"bytes": None}, "lacks|missing"),
    ],
)
def test_a_prior_that_cannot_be_used_is_named(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    model = graphs.model_of(graphs.brightness())
    graphs.write_manifest(tmp_path, Manifest((model,), "tiny", graphs.priors(b"prior")))
    path = tmp_path / "manifest.toml"
    head, row, rest = path.read_text().partition("[priors.mask]\n")
    own, others, tail = rest.partition("[priors.")
    fields = dict(line.split(" = ", 1) for line in own.splitlines())
    for key, value in changes.items():
        fields.pop(key, None)
        if value is not None:
            fields[key] = json.dumps(value)
    own = "".join(f"{key} = {value}\n" for key, value in fields.items())
    path.write_text(head + row + own + others + tail)
    with pytest.raises(WeightsError, match=words):
        load_manifest(tmp_path)


def test_a_stand_in_comes_after_the_model_it_stands_in_for(shipped: Manifest) -> None:
    order = [model.name for model in shipped.models]
    pairs = [(m.stands_in_for, m.name) for m in shipped.models if m.stands_in_for]
    assert ("isnet-general-use-fp16", "isnet-general-use") in pairs
    assert all(order.index(own) < order.index(stand_in) for own, stand_in in pairs)


def test_the_half_precision_isnet_is_scaled_as_its_package_does(shipped: Manifest) -> None:
    model = shipped.model("isnet-general-use-fp16")
    assert (model.mean, model.std, model.scaling) == ((0.5,) * 3, (1.0,) * 3, "full")


def test_one_int8_isnet_serves_two_sizes(shipped: Manifest) -> None:
    int8 = shipped.model("isnet-general-use-fp16-int8")
    assert (int8.size, int8.fine.size) == (640, 1024)
    assert int8.fine.name == int8.name
    assert int8.fine.sha256 == int8.sha256


def test_a_name_that_no_model_has_is_an_error(shipped: Manifest) -> None:
    with pytest.raises(WeightsError, match="the manifest has no model 'u3net'"):
        shipped.model("u3net")


def test_a_folder_without_a_manifest_has_the_shipped_one(shipped: Manifest, tmp_path: Path) -> None:
    assert load_manifest(tmp_path) == shipped


def test_a_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    sources = (Source("url", url="https://x.example/y"), Source("npm", package="p", key="k"))
    first = model_of(b"1", sources=sources, known_answer=(0.25,) * 16)
    second = replace(first, name="second", stands_in_for="tiny", subjects=())
    manifest = Manifest((first, second), "tiny")
    write_manifest(tmp_path, manifest)
    assert load_manifest(tmp_path) == manifest


def test_sources_read_as_words() -> None:
    assert str(Source("url", url="https://x.example/y")) == "https://x.example/y"
    assert str(Source("pip", package="a==1")) == "pip package a==1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": "../tiny.onnx"}, "tiny has a wrong value for file"),
        ({"sha256": "8D10"}, "tiny has a wrong value for sha256"),
        ({"bytes": 0, "size": -1}, "tiny has a wrong value for bytes, size"),
        ({"mean": (0.5,)}, "tiny has a wrong value for mean"),
        ({"std": (1.0, 0.0, 1.0)}, "tiny has a wrong value for std"),
        ({"scaling": "half"}, "tiny has a wrong value for scaling"),
        ({"known_answer": (0.1,) * 15}, "tiny has a wrong value for known_answer"),
        ({"subjects": ("pets",)}, "tiny: 'pets' is not a valid Subject"),
        ({"stands_in_for": "big"}, r"tiny\.stands_in_for is 'big', which is no model"),
        ({"bytes": "many"}, "tiny: '>' not supported"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    write_manifest(tmp_path, Manifest((model_of(b"1", **changes),), "tiny"))
    with pytest.raises(WeightsError, match=rf"manifest\.toml is no manifest: {said}"):
        load_manifest(tmp_path)


def test_a_source_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    model = model_of(b"1", sources=(Source("ftp", url="x"),))  # type: ignore[arg-type]
    write_manifest(tmp_path, Manifest((model,), "tiny"))
    with pytest.raises(WeightsError, match="tiny has a wrong value for sources"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("mean =", "average =", "tiny lacks 'mean'"),
        ("licence =", "license =", "tiny: .*unexpected keyword argument 'license'"),
        ("paper =", "# paper =", "tiny: .*missing 1 required positional argument: 'paper'"),
        ("fallback =", "default =", "fallback is '', which is no model of it"),
        ('fallback = "tiny"', 'fallback = "big"', "fallback is 'big', which is no model of it"),
        ("[models.tiny]", "[networks.tiny]", "it has no table called models"),
        ("[models.tiny]", "[models.tiny", "Expected ']'"),
    ],
)
def test_a_key_that_is_missing_or_misspelt_is_named(
    tmp_path: Path, line: str, instead: str, said: str
) -> None:
    write_manifest(tmp_path, Manifest((model_of(b"1"),), "tiny"))
    path = tmp_path / "manifest.toml"
    path.write_text(path.read_text("utf-8").replace(line, instead), encoding="utf-8")
    with pytest.raises(WeightsError, match=said):
        load_manifest(tmp_path)


def test_models_that_are_a_list_are_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text('fallback = "x"\nmodels = []\n', encoding="utf-8")
    with pytest.raises(WeightsError, match="it has no table called models"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("a = " + "[" * 3_000, ""),
        ("a = " + "{a = " * 3_000, ""),
        ("", 'stands_in_for = ["tiny"]'),
        ("", 'second_opinion = ["tiny"]'),
    ],
)
def test_a_value_of_another_kind_or_of_lists_in_lists_is_named(
    tmp_path: Path, line: str, after: str
) -> None:
    write_manifest(tmp_path, Manifest((model_of(b"1"),), "tiny"))
    path = tmp_path / "manifest.toml"
    key = after.partition(" ")[0] or "no such key"
    text = re.sub(f"{key} = .*", after, path.read_text("utf-8"))
    path.write_text(f"{line}\n{text}", encoding="utf-8")
    with pytest.raises(WeightsError, match="is no manifest"):
        load_manifest(tmp_path)


def test_a_file_that_is_not_text_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match="is no manifest"):
        load_manifest(tmp_path)


def test_a_manifest_that_cannot_be_read_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bgremove.inference.manifest.SHIPPED", tmp_path / "gone.toml")
    with pytest.raises(WeightsError, match="cannot be read: No such file or directory"):
        load_manifest(tmp_path)


def test_a_copy_of_the_shipped_manifest_is_taken_from_its_folder(
    tmp_path: Path, shipped: Manifest
) -> None:
    shutil.copy(SHIPPED, tmp_path / "manifest.toml")
    path = tmp_path / "manifest.toml"
    text = path.read_text("utf-8").replace('fallback = "u2net"', 'fallback = "u2netp"')
    path.write_text(text, encoding="utf-8")
    assert load_manifest(tmp_path) == replace(shipped, fallback="u2netp")


def test_a_model_joins_only_a_subject_with_a_vote(tmp_path: Path) -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert 'joins = ["human"]' in shipped
    changed = shipped.replace('joins = ["human"]', 'joins = ["human", "product"]')
    (tmp_path / "manifest.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(WeightsError, match="joins has the subject 'product', which has no vote"):
        load_manifest(tmp_path)
