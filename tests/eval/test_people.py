"""The count of what ``subject=human`` refuses."""

from pathlib import Path

import numpy as np

from bgremove.errors import NoSubjectError
from bgremove.options import Subject
from eval.command import Answer
from eval.dataset import Sample
from eval.people import judge, somebody_seen, table


def sample(folder: Path, subject: Subject, stem: str, content: bytes) -> Sample:
    path = folder / stem
    path.write_bytes(content)
    return Sample("d", subject, stem, path, path, soft=False)


def accept_people(data: bytes, subject: Subject) -> Answer:
    assert subject is Subject.HUMAN
    if data != b"person":
        raise NoSubjectError("No person", "model")
    return Answer(np.ones((1, 1), np.float32))


def test_refusals_are_counted_where_they_are_right_and_listed_where_they_are_wrong(
    tmp_path: Path,
) -> None:
    samples = [
        sample(tmp_path, Subject.HUMAN, "person", b"person"),
        sample(tmp_path, Subject.PRODUCT, "thing", b"thing"),
        sample(tmp_path, Subject.HUMAN, "missed", b"thing"),
        sample(tmp_path, Subject.UNIVERSAL, "doll", b"person"),
        sample(tmp_path, Subject.UNIVERSAL, "rider", b"person"),
    ]
    text = table(judge(accept_people, samples), {("d", "rider")})
    assert "| even | 2 | 1 | 0 | 0 |" in text
    assert "| odd | 0 | 0 | 2 | 1 |" in text
    assert "| all | 2 | 1 | 2 | 1 |" in text
    assert "Wrong: human d/missed, universal d/doll" in text


def test_the_list_names_pictures_with_a_reason() -> None:
    seen = somebody_seen()
    assert ("pascal_s", "125") in seen
    assert all(dataset and stem for dataset, stem in seen)
