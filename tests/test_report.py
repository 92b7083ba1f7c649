"""The language of the report of the paper: keys, expressions, tables, and what is said of mistakes."""

import json
import re
import sys

import pytest

from strag.stragglers import inversion
from tests.paper import MODULES, PAPER, expressions, keys, report


def level(mean, half=0.01):
    return {"mean": mean, "low": mean - half, "high": mean + half, "seed_std": 0.002, "block_std": None}


def condition(label, inverting, error, **settings):
    """A condition of ten runs of a summary; without an error it has no inversion."""
    verdicts = {"inversion": inverting} | ({"open": 10 - inverting} if inverting < 10 else {})
    share = {"runs": 10, "inverting": inverting, "low": 0.1, "high": 0.9, "verdicts": verdicts}
    values = {"train_error": None if error is None else level(error), "last_test_error@0.5": level(0.2)}
    differences = {"train_error": level(error - 0.1, 0.001)} if error and label != "reference" else {}
    return {"label": label, "settings": settings, "differences": differences, **share, **values}


SUMMARY = {
    "laws": {"train_error": {"limit": 0.105, "limit_low": 0.1, "limit_high": 0.112, "reason": ""}},
    "conditions": [
        condition("reference", 10, 0.1, control="none", dose=0.0, batch=None),
        condition("lr 0.02, momentum 0.9", 10, 0.13, control="none", dose=0.5, batch=256),
        condition("control random", 7, 0.04, control="random", dose=0.5, batch=256),
        condition("random/all", 0, None, control="random", dose=1.0, batch=256),
    ],
}
OVERLAP = {"names": ["reference", "relu"], "sizes": [736, 665], "kappa": [[1.0, 0.766681], [0.766681, 1.0]]}
AGREEMENT = {
    "inversion": {"update": 3.6},
    "records": [
        {"update": n, "train_error": 0.5 - n / 10, "kappa": k, "kappa_low": k - 0.01, "kappa_high": k + 0.01}
        for n, k in enumerate((0.1, 0.5, 0.9, 0.7, 0.6))
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "pictures").mkdir()
    for name, value in {"effects": SUMMARY, "overlap.mnist": OVERLAP, "agreement": AGREEMENT}.items():
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps(value))
    return tmp_path


@pytest.fixture
def results(folder):
    return keys.Results(folder / "results")


def made(template, folder):
    """The lines of the page below its first comment, and the problems of the template."""
    page = report.Report(template, folder)
    return page.text.removeprefix(report.MADE).splitlines(), page.problems


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("effects/reference/train_error", "0.1000"),
        ("effects/reference/train_error:ci", "0.1000 (0.0900 to 0.1100)"),
        ("effects/reference/train_error:ci .2", "0.10 (0.09 to 0.11)"),
        ("effects/reference/train_error:.1% ci", "10.0 % (9.0 % to 11.0 %)"),
        ("effects/reference/train_error/seed_std", "0.0020"),
        ("effects/reference/train_error/mean:ci .2", "0.10 (0.09 to 0.11)"),
        ("effects/reference/last_test_error@0.5", "0.2000"),
        ("effects/reference/train_error@0", "0.1000"),
        ("effects/reference/inverts", "10 of 10"),
        ("effects/reference/outcome", "10 of 10"),
        ("effects/control random/outcome", "7 of 10 (3 open)"),
        ("effects/control random/inverts:ci", "7 of 10 (0.10 to 0.90)"),
        ("effects/control random/inverts:%", "70 %"),
        ("effects/control random/verdicts/open", "3"),
        ("effects/control random/verdicts/none", "0"),
        ("effects/control random/label", "control random"),
        ("effects/'random/all'/inverts", "0 of 10"),
        ("effects/lr 0.02, momentum 0.9/differences/train_error:+ ci", "+0.0300 (+0.0290 to +0.0310)"),
        ("effects/laws/train_error/limit:ci", "0.1050 (0.1000 to 0.1120)"),
        ("effects/conditions/1/train_error", "0.1300"),
        ("overlap.mnist/kappa/reference/relu", "0.767"),
        ("overlap.mnist/sizes/relu", "665"),
        ("agreement/records/-1/kappa", "0.600"),
        ("agreement/records[max kappa]/train_error:.1", "0.3"),
        ("agreement/records[min kappa]/update", "0"),
        ("agreement/records[near train_error 0.12]/update", "4"),
        ("agreement/records[near update agreement/inversion/update]/kappa:ci", "0.600 (0.590 to 0.610)"),
        ("agreement/records[kappa>=0.6, update<4]/update:list", "2 and 3"),
        ("effects/[control=random, dose=0.5]/train_error", "0.0400"),
        ("effects/[batch=null]/label", "reference"),
        ("effects/[control!=none, dose<1]/label", "control random"),
        ("effects/[max train_error]/label", "lr 0.02, momentum 0.9"),
        ("effects/[max abs differences/train_error]/label", "control random"),
        ("effects/[max differences/train_error]/label", "lr 0.02, momentum 0.9"),
        ("effects/reference or control*/train_error:range .2", "0.04 to 0.10"),
        ("effects/reference or control random/train_error:list .2", "0.10 and 0.04"),
        ("overlap.mn* or overlap.mnist/sizes/*:list", "736, 665, 736 and 665"),
        ("sum(effects/*/inverting)", "27"),
        ("mean(effects/*/inverting):.2", "6.75"),
        ("count(effects/*[inverting>0]/label)", "3"),
        ("max(effects/reference/train_error; effects/control random/train_error)", "0.1000"),
        ("min(effects/*[inverting>0]/train_error)", "0.0400"),
        ("abs(effects/control random/differences/train_error)", "0.0600"),
        ("effects/reference/train_error - effects/control random/train_error", "0.0600"),
        ("effects/control random/train_error - effects/reference/train_error:+.2", "-0.06"),
        ("effects/reference/train_error / effects/control random/train_error", "2.50"),
        ("1000 * effects/reference/train_error:ci .0", "100 (90 to 110)"),
        ("1 - effects/reference/train_error:ci", "0.9000 (0.8900 to 0.9100)"),
        ("(1 - effects/reference/train_error) * 2:.2", "1.80"),
        ("2 * (effects/reference/runs + 1) - 3 * 4", "10"),
        ("1000 * effects/reference/runs:d", "10000"),
        ("1000 * effects/reference/runs", "10,000"),
        ("effects/reference/train_error - 0.1:+", "0.0000"),
        ("effects/random/all/train_error ? none", None),
        ("effects/'random/all'/train_error:ci ? no inversion", "no inversion"),
        ("effects/'random/all'/train_error - 1 ? ", ""),
    ],
)
def test_a_key_prints_what_it_names(key, text, results):
    if text is None:
        with pytest.raises(keys.BadKeyError):
            report.value_of(key, results)
    else:
        assert report.value_of(key, results) == text


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("efects/reference/runs", "there is no results/efects.json; did you mean 'effects'?"),
        ("effects/referenze/runs", "effects does not have 'referenze'; did you mean 'reference'?"),
        ("effects/reference/tran_error ? -", "did you mean 'train_error'"),
        ("effects/reference/verdicts/lost", "does not have 'lost'"),
        ("effects/'random/all'/train_error", "effects/random/all/train_error has no value"),
        ("max(effects/*/train_error)", "has no value"),
        ("effects/reference", "effects/reference is not a number; it has 'label'"),
        ("effects/*/runs", "has 4 values"),
        ("effects/none*/runs", "nothing like 'none*'"),
        ("effects/reference/runs:ci", "has no interval"),
        ("effects/reference/train_error / effects/reference/runs:ci", "has no interval"),
        ("effects/reference/runs:.3x", "'.3x' is not a format"),
        ("effects/reference/runs:.3 .4", "is not a format"),
        ("effects/reference/runs:ci range", "is not a format"),
        ("effects/reference/runs / 0", "divides by zero"),
        ("effects/reference/label * 2", "'*' needs numbers"),
        ("max(effects/*/label)", "'max' needs numbers"),
        ("effects/reference/label:.2", "'.2' needs numbers"),
        ("effects/*/label:range", "'range' needs numbers"),
        ("max(effects/*/runs", "a bracket is not closed"),
        ("effects/reference/runs)", "cannot read ')'"),
        ("", "expected a key"),
        ("effects/[control=lost]/runs", "no member has control=lost; there are 'none', 'random'"),
        ("effects/[colour=red]/runs", "no member has 'colour'"),
        ("effects/[max colour]/runs", "no member has a value of 'colour'"),
        ("effects/[control]/runs", "is not 'NAME=VALUE'"),
        ("agreement/records/9/kappa", "does not have '9'"),
        ("$lost/runs", "$lost is not defined"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(key, problem, folder):
    _, problems = made(f"# Title\n\nIt is {{{key}}}.\n", folder)
    assert len(problems) == 1
    assert problems[0].startswith(f"report.md:3: {{{key}}}: ")
    assert problem in problems[0]


def test_an_interval_that_is_not_known_is_said_to_be_missing(folder):
    one_run = {"conditions": [{"label": "a", "depth": {"mean": 0.5, "low": None, "high": None}}]}
    (folder / "results" / "one.json").write_text(json.dumps(one_run))
    assert made("{one/a/depth:ci}", folder) == (["0.500 (no interval)"], [])
    assert made("{10 * one/a/depth:ci}", folder) == (["5.000 (no interval)"], [])


def test_every_problem_is_found_at_once_and_what_is_right_is_filled_in(folder):
    lines, problems = made("{lost/a} {effects/reference/runs}\n\n{lost/b}", folder)
    assert lines == ["{lost/a} 10", "", "{lost/b}"]
    assert [problem[:12] for problem in problems] == ["report.md:1:", "report.md:3:"]


def test_notes_short_names_and_braces(folder):
    template = (
        "<!-- $two = reference or control random -->\n<!-- a note {lost} -->\n{{x}} {effects/$two/runs:list}"
    )
    assert made(template, folder) == (["{x} 10 and 10"], [])


def test_prose_is_wrapped_and_nothing_else(folder):
    long = "word " * 40
    kept = (
        f"| {long}|\n|---|",
        f"- {long}".strip(),
        f"# {long}".strip(),
        f"```\n{long.strip()}\n\n{long.strip()}\n```",
    )
    lines, _ = made("\n\n".join([long, *kept]), folder)
    assert "\n".join(lines).endswith("\n\n".join(part.rstrip() for part in kept))
    assert len(lines[0]) <= report.WIDTH < len(" ".join(lines[:2]))
    assert made("\n\na\nb\n\n\n\nc", folder)[0] == ["a b", "", "c"]
    assert made("word " * 26 + "- x", folder)[0] == [("word " * 26 + "- x")]  # would become a list


def test_a_table_has_rows_of_conditions_and_columns_of_quantities(folder):
    template = """
```table effects
| data | runs | error [95 % interval] | difference |
| | outcome | train_error:ci | differences/train_error:+ |
| the reference | reference |
| **Controls** |
| {effects/reference/runs} at random | control random |
| none | [dose=1] |
```
"""
    lines, problems = made(template, folder)
    assert problems == []
    assert lines == [
        "| data | runs | error [95 % interval] | difference |",
        "|---|---|---|---|",
        "| the reference | 10 of 10 | 0.1000 (0.0900 to 0.1100) | - |",
        "| **Controls** |  |  |  |",
        "| 10 at random | 7 of 10 (3 open) | 0.0400 (0.0300 to 0.0500) | -0.0600 |",
        "| none | 0 of 10 (10 open) | - | - |",
    ]


def test_a_column_of_a_table_may_use_the_cells_of_a_row(folder):
    template = """
```table
| data | noise | error | difference |
| | $2 | $1/reference/last_test_error@$2:ci .1 | $1/reference/train_error - $3 ? none |
| a | effects | 0.5 | effects/control random/train_error |
| b | effects | 0.5 | effects/[dose=1]/train_error |
```
"""
    lines, problems = made(template, folder)
    assert problems == []
    assert lines[2:] == [
        "| a | 0.5 | 0.2 (0.2 to 0.2) | 0.0600 |",
        "| b | 0.5 | 0.2 (0.2 to 0.2) | none |",
    ]


@pytest.mark.parametrize(
    ("rows", "line", "problem"),
    [
        ("| a | b |\n| | runs |\n| x | lost |\n```", 4, "effects does not have 'lost'"),
        ("| a | b |\n| | runs |\n| x | reference |", 1, "the table has no end"),
        ("| a | b | c |\n| | runs |\n| x | reference |\n```", 3, "3 headers and 2 keys"),
        ("| a | b |\n| | $2 |\n| x | reference |\n```", 4, "too few cells for $2"),
        ("| a | b |\n```", 1, "needs a row of headers"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(rows, line, problem, folder):
    _, problems = made(f"```table effects\n{rows}", folder)
    assert len(problems) == 1
    assert problems[0].startswith(f"report.md:{line}: ")
    assert problem in problems[0]


def test_pictures_and_results_that_are_missing_or_left_over(folder):
    for name in ("a.png", "b.png"):
        (folder / "pictures" / name).touch()
    page = report.Report("![A](pictures/a.png)\n\n![C](pictures/c.png)\n\n{effects/reference/runs}", folder)
    assert page.problems == ["report.md:3: there is no pictures/c.png"]
    assert page.unused == ["results/agreement.json", "results/overlap.mnist.json", "pictures/b.png"]


def run(arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["report.py", *map(str, arguments)])
    report.main()


def test_the_page_is_written_only_if_nothing_is_wrong(folder, monkeypatch, capsys):
    monkeypatch.setattr(report, "TEMPLATE", folder / "report.md")
    (folder / "report.md").write_text("{effects/reference/runs}\n")
    run(["--folder", folder], monkeypatch)
    assert (folder / "README.md").read_text() == report.MADE + "10\n"
    assert "results/agreement.json is not used" in capsys.readouterr().err
    (folder / "report.md").write_text("{effects/lost/runs}\n")
    with pytest.raises(SystemExit, match=r"report\.md:1: \{effects/lost/runs\}: .*did you mean 'laws'"):
        run(["--folder", folder], monkeypatch)
    assert (folder / "README.md").read_text() == report.MADE + "10\n"


def test_keys_are_looked_up_without_writing_the_page(folder, monkeypatch, capsys):
    wanted = ("effects/reference/train_error:ci", "overlap.mnist", "effects/[dose=1]/train_error", "")
    run(["--folder", folder, *wanted], monkeypatch)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "0.1000 (0.0900 to 0.1100)"
    assert said[1:5] == ["overlap.mnist", "  names", "  sizes", "  kappa"]
    assert said[5:7] == ["effects/random/all/train_error", "  null"]
    assert said[7:] == ["agreement", "effects", "overlap.mnist"]
    assert not (folder / "README.md").exists()
    with pytest.raises(SystemExit, match="did you mean 'effects'"):
        run(["--folder", folder, "efects"], monkeypatch)


def test_the_machinery_needs_the_standard_library_alone():
    for name in MODULES:
        imported = re.findall(r"^(?:from|import) (\w+)", (PAPER / f"{name}.py").read_text(), flags=re.M)
        assert set(imported) <= sys.stdlib_module_names | MODULES.keys()
    assert keys.VERDICTS == inversion.VERDICTS
    assert expressions.FUNCTIONS.keys() < {"max", "min", "sum", "mean", "count", "abs"}
