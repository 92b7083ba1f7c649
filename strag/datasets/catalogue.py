"""The catalogue of data sets that have a name. One is part of strag; the others are downloaded when used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strag.datasets.cifar import read_cifar_archive
from strag.datasets.download import RemoteFile, fetch
from strag.datasets.idx import find_idx, read_idx_files
from strag.datasets.importing import dataset_of

EMBEDDED = Path(__file__).parent / "mnist8k"


def _read_idx_files(paths):
    """The Imported of IDX files in one folder."""
    return read_idx_files(find_idx(Path(paths[0]).parent))


def _read_cifar(paths):
    """The Imported of the archive of CIFAR-10."""
    return read_cifar_archive(paths[0])


@dataclass(frozen=True)
class Remote:
    """A data set on the network.

    homes : addresses of the folder of its files, which are tried in turn. files : its RemoteFiles.
    class_names : names of its classes, or None. read : function of the paths of the files that returns the
    Imported. by_hand : how to download and import the data set by hand, for errors.
    """

    homes: tuple
    files: tuple
    class_names: tuple | None
    read: Callable = _read_idx_files
    by_hand: str = "its four files into a folder, then run 'strag data FOLDER --labels parity'"


# Sizes and sha256 are those that TensorFlow Datasets lists for the same addresses. torchvision lists the md5
# of the same files of MNIST, KMNIST and Fashion-MNIST, and the web page of CIFAR-10 that of its archive.
REMOTE = {
    # Y. LeCun and C. Cortes; CC BY-SA 3.0.
    "mnist": Remote(
        homes=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        files=(
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        class_names=None,
    ),
    # "KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created by NIJL and others),
    # doi:10.20676/00000341; CC BY-SA 4.0.
    "kmnist": Remote(
        homes=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        files=(
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    # Zalando SE; MIT.
    "fashion-mnist": Remote(
        homes=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        files=(
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    ),
    # A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; no licence is stated.
    "cifar10": Remote(
        homes=("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
        files=(
            RemoteFile(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        class_names=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        read=_read_cifar,
        by_hand="it, then run 'strag data cifar-10-binary.tar.gz --labels parity'",
    ),
}
CATALOGUE = ("mnist8k", *REMOTE)


def load(name, watch=None):
    """The Dataset with this name in the catalogue, downloaded if needed.

    watch : see `strag.datasets.download.fetch`. Raises StragError if it cannot be downloaded.
    """
    if name == "mnist8k":
        return dataset_of(_read_idx_files([EMBEDDED / "any"]), EMBEDDED, labels="parity", title=name)
    remote = REMOTE[name]
    local = f", or pass './{name}' to use the local file" if Path(name).exists() else ""
    remedy = f"download {remote.by_hand}{local}"
    paths = fetch(name, remote.files, remote.homes, remedy, watch)
    imported = remote.read(paths)
    imported.class_names = remote.class_names
    return dataset_of(imported, name, "parity", title=name)
