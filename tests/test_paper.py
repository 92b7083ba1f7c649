"""The report of the paper: it is made of its template and the results, and its verdicts stand on them."""

import json
import re
from pathlib import Path

import pytest

from strag.stragglers import inversion
from tests.paper import PAPER, report
from tests.shell import files_in

TEMPLATE = report.TEMPLATE.read_text()
PAGE = (PAPER / "README.md").read_text()
MOST_COLUMNS = 7


def test_the_report_is_what_the_template_and_the_results_make():
    page = report.Report(TEMPLATE, PAPER)
    assert page.problems == []
    assert page.text == PAGE
    assert page.unused == []
    assert {Path(name).suffix for name in files_in(PAPER / "results")} == {".json"}


def rows_of(text):
    """The rows of the Markdown tables of a text, as lists of cells."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def test_the_tables_are_narrow():
    assert max(len(row) for row in rows_of(PAGE)) <= MOST_COLUMNS


INVERTING = ("mnist", "fashion", "kmnist", "vehicles")
VERDICTS_OF_PAGE = rows_of(PAGE.split("\n## Verdicts\n")[1].split("\n## ")[0])[1:]


@pytest.mark.parametrize("row", VERDICTS_OF_PAGE, ids=lambda row: f"{row[1]}"[:40])
def test_a_verdict_stands_on_a_number_and_its_control(row):
    claim, test, result, control, verdict = row
    assert claim == "" or claim.startswith(("**", "..."))
    assert test
    assert re.search(r"\d", result)
    assert re.search(r"\d", control) or control == "the same"
    assert re.match(r"(holds|does not hold|not seen)\b", verdict)


def test_every_claim_has_a_verdict():
    said = " ".join(row[0] for row in VERDICTS_OF_PAGE)
    assert re.findall(r"\*\*(C\d)\*\*", said) == ["C1", "C2", "C3", "C4", "C5", "C6"]


def test_no_measured_number_is_typed():
    """Numbers outside of keys are settings, which the make files have; 'n of m' is never typed."""
    prose = re.sub(r"\{[^{}]*\}|`[^`]*`|doi:\S+|torch \S+", "", TEMPLATE)
    prose = re.sub(r"^```table.*?^```$", "", prose, flags=re.M | re.S)
    settings = " ".join(path.read_text() for path in [PAPER / "Makefile", *PAPER.glob("*.mk")])
    settings = set(re.findall(r"\d+\.\d+", settings)) | {str(inversion.SMALLEST_DEPTH)}
    assert set(re.findall(r"\d+\.\d+", prose)) - settings == set()
    assert re.findall(r"\b\d+ of \d+\b(?! images)", prose) == []


def conditions(name):
    """The conditions of a summary in the results, by label: dict."""
    summary = json.loads((PAPER / "results" / f"{name}.json").read_text())
    return {condition["label"]: condition for condition in summary["conditions"]}


def test_the_readme_says_in_short_what_the_report_says():
    """Without their own stragglers, runs invert not at all, or at a training error far below."""
    readme = " ".join((PAPER.parents[1] / "README.md").read_text().split())
    assert "On four of five tasks all networks invert" in readme
    assert "on all four this inversion is gone without the stragglers" in readme
    sets = conditions("c1-effects")
    inverting = [sets[name]["inverting"] == sets[name]["runs"] for name in (*INVERTING, "cifar")]
    assert inverting == [True] * 4 + [False]
    for name in INVERTING:
        found = conditions(f"c4-{name}.effects")
        own, hard, whole = (found[label] for label in ("own set", "control hard", "all examples"))
        assert own["runs"] == hard["inverting"] == whole["inverting"]
        if own["inverting"]:
            assert (
                own["train_error"]["high" if own["inverting"] > 1 else "mean"]
                < whole["train_error"]["low"] / 10
            )
