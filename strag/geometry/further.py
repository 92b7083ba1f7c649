"""The measures that are chosen: what they need beyond the moments on the sphere, and what that costs.

They are computed in further passes over the activations. The memory of the passes is bounded, whatever the
number of examples; what would need more is refused before any work.
"""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import StragError, bad_usage
from strag.geometry.dimension import seconds_of
from strag.geometry.measures import CHOICES, FURTHER, MEASURES, STANDARD
from strag.geometry.moments import ClassMoments, normalise
from strag.geometry.sums import rows_of_tile

ALL = "all"  # the choice of every optional measure
LARGEST = 1 << 30  # bytes that one class may need
TOGETHER = 1 << 28  # bytes that classes measured in one pass may need together
GIB = 1 << 30
SEED = 0  # of the sample of examples
SPACES = {"x": normalise, "h": lambda h: h}


@dataclass(frozen=True)
class Further:
    """Measures that are chosen in addition to those of every history.

    measures : tuple of optional Measure, in the order of MEASURES. examples : number of examples of each
    class that measures whose time is quadratic use at most, or None for all. left_out : dict of the name of
    a measure to the reason why `all` does not contain it.
    """

    measures: tuple = ()
    examples: int | None = None
    left_out: dict = field(default_factory=dict)

    @property
    def listed(self):
        """The measures that a geometry file lists: tuple of Measure, in the order of MEASURES."""
        listed = (*STANDARD, *self.measures)
        return tuple(measure for measure in MEASURES.values() if measure in listed)

    @property
    def recorded(self):
        """The measures that a history stores, and a pass computes: those that do not follow from others."""
        return tuple(measure for measure in self.measures if not measure.parts)

    @property
    def names(self):
        """The chosen names, without those that come along: list of str."""
        return [measure.name for measure in self.measures if measure.label]

    def needing(self, *needs):
        """The recorded measures with one of these `needs`: list of Measure."""
        return [measure for measure in self.recorded if measure.needs in needs]

    def sample(self, grid):
        """The examples of each run that measures of quadratic time use: bool [R, P].

        The sample is drawn with a fixed seed, and is the same at every update. Runs that were trained on the
        same examples have the same sample.
        """
        if self.examples is None:
            return grid.trained
        order = np.random.default_rng(SEED).permutation(len(grid.index))
        kept = np.zeros_like(grid.trained)
        for run, trained in enumerate(grid.trained):
            members = order[trained[order]]
            groups = grid.group[members]
            by_class = members[np.argsort(groups, kind="stable")]
            sizes = np.bincount(groups, minlength=len(grid.classes))
            before = np.repeat(np.cumsum(sizes) - sizes, sizes)  # examples of earlier classes
            kept[run, by_class[np.arange(len(members)) - before < self.examples]] = True
        return kept


NOTHING = Further()


def choose(grid, names=(), examples=None):
    """The Further of a Grid, for names in CHOICES, or `all` for those that these dumps allow.

    Raises StragError for a measure that these dumps do not allow, and for one that needs too much memory.
    """
    chosen, left_out = set(), {}
    for name in CHOICES:
        if name in names or ALL in names:
            fault = _fault(grid, MEASURES[name])
            if fault and name in names:
                raise bad_usage(f"cannot measure {name}: {fault[0]}", fault[1], grid.parts[0].source)
            if fault:
                left_out[name] = fault[0]
            else:
                chosen |= {name, *MEASURES[name].along}
    further = Further(tuple(m for m in FURTHER if m.name in chosen), examples, left_out)
    if examples is not None and not any(measure.quadratic for measure in further.measures):
        raise bad_usage("`examples` has no effect without the measure dimension", "measure dimension too")
    _require_room(grid, further)
    return further


def _fault(grid, measure):
    """Why the dumps of a Grid do not allow a measure, and what to do: two texts, or None if they do."""
    if len(grid.classes) < measure.fewest:
        groups = f"it needs {measure.fewest} groups, and there are {len(grid.classes)}"
        return groups, f"use data with more groups, or remove {measure.name}"
    if measure.compares and not all(getattr(part, "has_predictions", True) for part in grid.parts):
        return "the activations are without predictions", f"add them, or remove {measure.name}"
    if measure.needs == "head" and any(_head_layer(part) is None for part in grid.parts):
        problem = "the activations are without the linear head, or without the layer that it reads"
        return (
            problem,
            "dump the last hidden layer of a network with a linear head, with this version of strag",
        )
    return None


def _head_layer(part):
    """The layer that the linear head of the networks in a part reads, if the part has this head, or None."""
    return getattr(part, "head_layer", None)


def _require_room(grid, further):
    """Raise StragError if a measure needs too much memory for some class."""
    for measure, _, layer, count in _classes(grid, further):
        needed = measure.function.bytes_of(count, _width(grid, layer))
        if needed > LARGEST:
            problem = f"{measure.name} needs {needed / GIB:.1f} GiB for a class of {count} examples in layer"
            remedy = f"leave out {measure.name}, or dump a smaller layer, such as a mean"
            if measure.quadratic:
                remedy = f"pass `examples` {max(3, count * LARGEST // needed // 2)}"
            raise StragError(f"{problem} {layer}, more than 1 GiB", remedy, grid.parts[0].source)


def _width(grid, layer):
    """Number of units of a layer."""
    return grid.parts[0].width(layer)


def _classes(grid, further):
    """Yield (measure, run, layer, number of examples), of every class that a measure visits by itself."""
    for measure in further.needing("class"):
        members = further.sample(grid) if measure.quadratic else grid.trained
        C = len(grid.classes)
        sizes = [np.bincount(grid.group[kept], minlength=C) for kept in members]  # (R, C)
        for run, of_run in zip(grid.runs, sizes, strict=True):
            for layer in grid.layers:
                yield from ((measure, run, layer, int(count)) for count in of_run)


def seconds(grid, further):
    """A forecast of the time that the measures of quadratic time need, on one core: float."""
    visits = [visit for visit in _classes(grid, further) if visit[0].quadratic]
    return len(grid.updates) * sum(seconds_of(count, _width(grid, layer)) for _, _, layer, count in visits)


@dataclass(frozen=True)
class Tile:
    """Trained examples of one network in one layer.

    points : dict of space to float64 [B, N]. labels, predicted : int [B], or `predicted` None where
    the dump holds no predictions. sampled : bool [B], whether measures of quadratic time use an example.
    """

    points: dict
    labels: np.ndarray
    predicted: np.ndarray | None
    sampled: np.ndarray


@dataclass(frozen=True)
class Cloud:
    """The representations of one network in one layer, which are read tile by tile.

    grid : Grid. update : int. run : position on axis R. layer : its name. sampled : bool [P]. tile : number
    of examples to read at a time, or None; see `rows_of_tile`.
    """

    grid: object
    update: int
    run: int
    layer: object
    sampled: np.ndarray
    tile: int | None

    def _parts(self):
        """Yield (part, columns, position of the update, position of the run) of the parts that hold it."""
        name = self.grid.runs[self.run]
        for part, columns in zip(self.grid.parts, self.grid.columns, strict=True):
            if self.update in part.updates and name in part.runs:
                yield part, columns, int(np.searchsorted(part.updates, self.update)), part.runs.index(name)

    def tiles(self, spaces=SPACES):
        """Yield the trained examples as Tiles, with their points in these spaces."""
        for part, columns, at, run in self._parts():
            trained, sampled = self.grid.trained[self.run, columns], self.sampled[columns]
            predicted = part.prediction(at, run)
            step = self.tile or rows_of_tile(part.width(self.layer))
            for start in range(0, len(columns), step):
                rows = np.arange(start, min(start + step, len(columns)))
                kept = rows[trained[rows]]
                h = part.hidden(self.layer, at, run, slice(start, start + len(rows)))[trained[rows]]
                h = h.astype(np.float64)
                points = {space: SPACES[space](h) for space in spaces}
                yield Tile(
                    points, part.group[kept], None if predicted is None else predicted[kept], sampled[kept]
                )

    def head(self):
        """The weights of the head, float64 [C, N], or None if it does not read this layer."""
        part, _, at, run = next(self._parts())
        return part.head(at, run).astype(np.float64) if _head_layer(part) == self.layer else None

    def moments(self):
        """The ClassMoments of h, not normalised."""
        total = ClassMoments.zeros((), len(self.grid.classes), _width(self.grid, self.layer))
        for tile in self.tiles("h"):
            total = total.merge(ClassMoments.of(tile.points["h"], tile.labels, len(self.grid.classes)))
        return total


def measure_further(grid, update, moments, further, tile=None, apply=map):
    """The chosen measures of all runs and layers at one update: dict of name to float64 [R, L, axis].

    moments : ClassMoments on the sphere, [R][L]. tile, apply : see `strag.geometry.measure.measure`.
    """
    if not further.recorded:
        return {}
    sampled = further.sample(grid)
    places = [(run, number) for run in range(len(grid.runs)) for number in range(len(grid.layers))]

    def of_place(place):
        run, number = place
        cloud = Cloud(grid, update, run, grid.layers[number], sampled[run], tile)
        return _of_layer(cloud, moments[run][number], further)

    layers = iter(apply(of_place, places))
    values = [[next(layers) for _ in grid.layers] for _ in grid.runs]
    return {
        measure.name: np.stack([np.stack([layer[measure.name] for layer in of_run]) for of_run in values])
        for measure in further.recorded
    }


def _of_layer(cloud, on_sphere, further):
    """The chosen measures of one network in one layer: dict of name to float64 [axis]."""
    moments = {"x": on_sphere}
    if any(measure.space == "h" for measure in further.recorded):
        moments["h"] = cloud.moments()
    values = {m.name: m.function(moments[m.space]) for m in further.needing("moments")}
    for measure in further.needing("head"):
        head = cloud.head()
        values[measure.name] = np.array(np.nan) if head is None else measure.function(moments["h"], head)
    visitors = {m: m.function(moments[m.space]) for m in further.needing("examples")}
    batches = _batches(cloud, on_sphere, further)
    for number in range(max(len(batches), bool(visitors))):
        batch = batches[number] if number < len(batches) else {}
        of_classes = _visit(cloud, on_sphere, visitors if number == 0 else {}, batch)
        for name, c, value in of_classes:
            values.setdefault(name, np.full(len(on_sphere.count), np.nan))[c] = value
    values |= {measure.name: visitor.value() for measure, visitor in visitors.items()}
    for measure in further.needing("class", "along"):  # without any class that has a value
        values.setdefault(measure.name, np.full(len(on_sphere.count), np.nan))
    return values


def _batches(cloud, moments, further):
    """The classes that are measured in one pass: list of lists of (measure, position of the class, count).

    Classes that are empty or not finite are in none.
    """
    batches, room = [], 0
    for measure in further.needing("class"):
        members = cloud.sampled if measure.quadratic else cloud.grid.trained[cloud.run]
        counts = np.bincount(cloud.grid.group[members], minlength=len(moments.count))
        for c in np.flatnonzero((counts > 0) & np.isfinite(moments.norm2)):
            needed = measure.function.bytes_of(int(counts[c]), moments.total.shape[-1])
            if not batches or needed > room:
                batches.append([])
                room = TOGETHER
            batches[-1].append((measure, c, int(counts[c])))
            room -= needed
    return batches


def _visit(cloud, moments, visitors, batch):
    """Make one pass. Yields (name of a measure, position of a class, value) of the classes in the batch."""
    means = moments.means()
    visited = [(m, c, m.function(means[c], count)) for m, c, count in batch]
    spaces = {measure.space for measure in (*visitors, *(measure for measure, *_ in batch))}
    for tile in cloud.tiles(spaces):
        for measure, visitor in visitors.items():
            visitor.add(tile.points[measure.space], tile.labels, tile.predicted)
        for measure, c, visitor in visited:
            kept = tile.labels == c
            visitor.add(tile.points[measure.space][kept & tile.sampled if measure.quadratic else kept])
    for measure, c, visitor in visited:
        value = visitor.value()
        yield from zip(
            (measure.name, *measure.along), (c, c), value if measure.along else (value,), strict=False
        )
