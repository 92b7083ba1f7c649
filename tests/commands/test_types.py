"""The parsers of options: what they read, and that the error stands at the option."""

import click
import pytest

from strag.commands.types import (
    Classes,
    Groups,
    LayerName,
    LayerNames,
    Names,
    Numbers,
    Observable,
    Shares,
    Times,
)
from strag.stragglers.find import Moment
from strag.stragglers.sets import Logarithmic

CURVES = Names(lambda: ("radius", "distance", "separation"), "curve")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Times(), "inversion", Moment()),
        (Times(), "40", Moment(update=40)),
        (Times(), "error:0.09", Moment(error=0.09)),
        (Times(records=True), "log", Logarithmic()),
        (Times(records=True), "log:12", Logarithmic(12)),
        (Shares(), "1,0.5,0.5", (0.5, 1.0)),
        (CURVES, "separation", ("separation",)),
        (CURVES, "separation, radius,distance", ("separation", "radius", "distance")),
        (Numbers("log"), "10", "10"),
        (Numbers("log"), "log", "log"),
        (Numbers("last", several=True), "0,40", "0,40"),
        (LayerName(), "2", "2"),
        (LayerName(), "block.1.act:mean", "block.1.act:mean"),
        (LayerName(), "conv2", "conv2"),
        (LayerName(all_layers=True), "all", "all"),
        (LayerNames(), "all", "all"),
        (LayerNames(), "0, 2", "0, 2"),
        (LayerNames(), "conv1,head.0", "conv1,head.0"),
        (LayerNames(), "0.conv-a:mean, 1.5", "0.conv-a:mean, 1.5"),
        (Observable(), "distance", "distance"),
        (Observable(), "radius:T-shirt/top", "radius:T-shirt/top"),
        (Groups(), "parity", "parity"),
        (Groups(), "classes", "classes"),
        (Groups(), '0-4/5-9,"a,/b ""c"""', '0-4/5-9,"a,/b ""c"""'),
        (Classes(), "3", "3"),
        (Classes(), 'cat,"a/b"', 'cat,"a/b"'),
    ],
)
def test_what_is_read(kind, text, value):
    assert kind.convert(text, None, None) == value
    assert kind.convert(value, None, None) == value  # a default


@pytest.mark.parametrize("text", ["inversion", "40", "error:0.0917", "log", "log:12"])
def test_a_time_is_written_as_it_is_read(text):
    assert str(Times(records=True).convert(text, None, None)) == text


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (Times(), "error:2", "use inversion, an update, or error:X with X from 0 to 1"),
        (Times(), "error:x", "use inversion"),
        (Times(), "-1", "use inversion"),
        (Times(), str(2**63), "use inversion"),
        (Times(), "log", "use 'strag sets'"),
        (Times(records=True), "log:1", "X with X from 0 to 1, log, or log:N for N records, at least 2"),
        (Times(records=True), "log:", "X with X from 0 to 1, log, or log:N for N records, at least 2"),
        (Times(records=True), "x", "use inversion, an update, error:X with X from 0 to 1, log, or log:N"),
        (Times(), " 10", "use inversion"),
        (Times(), "1_0", "use inversion"),
        (Times(), "+10", "use inversion"),
        (Times(), "error: 0.1", "use inversion"),
        (Times(), "error:0_0.1", "use inversion"),
        (Times(), "error:-0.1", "use inversion"),
        (Shares(), "0_0.5", "use fractions"),
        (Shares(), "0", "use fractions above 0 and up to 1"),
        (Times(), "1.5", "use inversion"),
        (Times(), "", "use inversion"),
        (Times(), "error:nan", "use inversion"),
        (Times(records=True), "log:1_0", "X with X from 0 to 1, log, or log:N for N records, at least 2"),
        (
            Times(records=True),
            "log:" + 50 * "9",
            "X with X from 0 to 1, log, or log:N for N records, at least 2",
        ),
        (Times(records=True), "log:²", "X with X from 0 to 1, log, or log:N for N records, at least 2"),
        (Shares(), "0.1,,1", "use fractions"),
        (Shares(), "1.5", "use fractions"),
        (Shares(), "nan", "use fractions"),
        (Shares(), "", "use fractions"),
        (CURVES, "radius,size", "no curve 'size'; use one or more of radius, distance, separation"),
        (CURVES, "", "no curve ''"),
        (CURVES, "radius,", "no curve ''"),
        (CURVES, "radius,radius", "'radius,radius' has a curve twice; use each once"),
        (Numbers("log"), "0", "cannot read '0'; use a number of updates, or log"),
        (Numbers("log"), "1,2", "cannot read '1,2'"),
        (Numbers("log"), "never", "cannot read 'never'"),
        (Numbers("last", several=True), "0,x", "cannot read '0,x'"),
        (LayerName(), "all", "'all' is not a layer"),
        (LayerName(), "", "a layer without a name"),
        (LayerName(all_layers=True), " ", "a layer without a name"),
        (LayerNames(), "", "cannot read ''; use layers such as 1,2 or conv1,conv2:mean, or all"),
        (LayerNames(), "1,,2", "cannot read '1,,2'"),
        (LayerNames(), "1,all", "cannot read '1,all'"),
        (Observable(), "size", "no observable 'size'; use radius, radius:CLASS, distance or separation"),
        (Observable(), "", "no observable ''"),
        (Observable(), "distance:0", "no observable 'distance:0'"),
        (Observable(), "mean_norm2", "no observable 'mean_norm2'"),
        (Groups(), "", "cannot read ''; use parity, classes, or groups such as 0-4/5-9 or cat,dog/eel"),
        (Groups(), "0-4//5-9", "cannot read '0-4//5-9'"),
        (Groups(), "0-4/ /5-9", "cannot read '0-4/ /5-9'"),
        (Groups(), "0-4,/5-9", "cannot read '0-4,/5-9'"),
        (Groups(), 'cat/"dog', "cannot read 'cat/\"dog'"),
        (Groups(), 'cat/"dog"x', "cannot read 'cat/\"dog\"x'"),
        (Groups(), "odd", "labels make 1 group, not 2 to 4096; use parity"),
        (Groups(), "/".join(4097 * "0"), "labels make 4097 groups"),
        (Classes(), "", "cannot read the classes ''; use a list such as 3,8 or cat,dog"),
        (Classes(), "3/8", "cannot read the classes '3/8'"),
        (Classes(), "3,,8", "cannot read the classes '3,,8'"),
        (Classes(), '"3', "cannot read the classes '\"3'"),
    ],
)
def test_what_is_refused_names_the_option(kind, text, words):
    option = click.Option(["--this"], type=kind)
    with pytest.raises(click.BadParameter) as caught:
        option.type.convert(text, option, click.Context(click.Command("c")))
    assert words in caught.value.message
    assert "--this" in caught.value.format_message()
