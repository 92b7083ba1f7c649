"""What is unknown of a history of networks that strag did not train. All words about it are here."""

from strag.errors import StragError

SNAPSHOT, ONLINE = "snapshot", "online"  # values of `recording`
LOSS = "train_loss"
NO_REFERENCE = "a `reference` compares runs of 'strag train'; remove it"
MORE_RUNS, SMALLER_STEPS = "record more runs, and join them with 'strag merge'", "use a smaller learning rate"
_TRAINING = "strag did not train these networks: their optimiser, learning rate and seeds are unknown"
_OTHER_STARTS = (
    "strag did not train these networks, so that a network that leaves out a set cannot start from the "
    "weights of its run"
)
_NO_LOSS = (
    "the history has no loss: a run counts as finished once it misclassifies at most one example, and a rise "
    "of the loss, which creates false valleys, is not seen"
)
_ONLINE = (
    "the predictions were recorded online: within a record the weights change, and inputs may be augmented, "
    "so that it is not of one network"
)


def carried(history):
    """What the stamp of a file that is made from a History says about how it was recorded: dict.

    It is empty for a history that strag trained. `layers` is in it if no recipe of the training lists them.
    """
    if history.recording is None:
        return {}
    layers = {} if "layers" in history.recipe else {"layers": list(history.layers)}
    lacks = [LOSS] if history.train_loss is None else []
    return {"recording": history.recording, **layers, **({"lacks": lacks} if lacks else {})}


def index_space(recording):
    """What an index of stragglers counts, in words. recording : as in a stamp, None if strag trained."""
    row = "row of the training set whose identity is strag.origin, counted from 0"
    own = "; where strag has no file of it, the position among the sorted ids, which are the names"
    return row if recording is None else row + own


def about_verdicts(history):
    """What is unknown of the verdicts on a History, and of its sets S(t): list of sentences."""
    if history.recording is None:
        return []
    effects = ["no run counts as unstable", "there is no lr t*"] if history.layers else []
    effects += ["the runs count as independent"] if len(history.runs) > 1 else []
    effects = ", and ".join(filter(None, (", ".join(effects[:-1]), *effects[-1:])))
    effects = effects and f", so that {effects}"
    return [_TRAINING + effects, *_no_loss(history), *_online(history)]


def about_agreement(history):
    """What is unknown of the agreement of the runs of a History: list of sentences."""
    if history.recording is None:
        return []
    return ["strag did not train these networks: their runs count as independent", *_online(history)]


def about_sets(thing, inverts=False):
    """What is unknown of sets that networks are to leave out: list of sentences.

    thing : History from which the sets come, or StoredSets. inverts : whether they depend on verdicts.
    """
    if thing.recording is None:
        return []
    return [_OTHER_STARTS, *(_no_loss(thing) if inverts else ()), *_online(thing)]


def _no_loss(history):
    return [_NO_LOSS] if history.train_loss is None and history.layers else []


def _online(history):
    return [_ONLINE] if history.recording == ONLINE else []


def in_brief(recording):
    """How networks were recorded, for a caption; empty if strag trained them. recording : as in a stamp."""
    return {None: "", ONLINE: "recorded online, not trained by strag"}.get(recording, "not trained by strag")


def own_data(thing):
    """The remedy for a strag data set that is not the origin of a Finding or StoredSets."""
    if not hasattr(thing, "indices"):
        return "pass the data set that the Recorder got as its origin"
    export = f"the column keep of 'strag export HISTORY' with `stragglers` {thing.source}"
    return f"pass the data set that the Recorder got as its origin, or select your own data by {export}"


def described(meta):
    """The entries of a stamp about a training that strag did not make, in words: dict, empty for others."""
    if meta.get("recording") is None:
        return {}
    how = {
        SNAPSHOT: "of fixed weights in evaluation mode",
        ONLINE: "of weights that change within a record",
    }
    recording = ", ".join(filter(None, (str(meta["recording"]), how.get(meta["recording"]))))
    unknown = {} if "recipe" in meta else {"recipe": "unknown, because strag did not train these networks"}
    return {"recording": recording, **unknown}


def require_recipe(thing, remedy):
    """Refuse a History, Finding or StoredSets of networks that strag did not train. remedy : what to do."""
    if thing.recording is not None:
        raise StragError("is of networks that strag did not train", remedy, thing.source)
