"""``convx train``, ``predict`` and ``summary``, and the networks that they are about."""

import json
import os
import signal
import time

import numpy as np
import pytest
from support import assert_same, run_in_child

import convx
from convx import nn
from convx.cli import main, results, train, training
from convx.cli.models import MODELS, build
from convx.data import mnist

FILES = {"weights.npz", "log.json", *results.PICTURES}


@pytest.fixture
def few_digits(monkeypatch):
    """Let the command train on some of the digits."""

    def some(path=None):
        return tuple(type(part)(*(array[:160] for array in part)) for part in mnist(path))

    monkeypatch.setattr(train, "mnist", some)


@pytest.fixture
def trained(few_digits, tmp_path):
    pytest.importorskip("matplotlib")
    assert main(["train", "--epochs", "2", "--out", str(tmp_path / "new" / "run")]) == 0
    return tmp_path / "new" / "run"


@pytest.fixture
def complaint(capsys):
    def run(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("convx: error: ")
        assert err.count("\n") == 1
        return err

    return run


def test_folder_of_results(trained):
    assert {path.name for path in trained.iterdir()} == FILES
    log = json.loads((trained / "log.json").read_text())
    assert log["recipe"]["model"] == "lenet"
    assert log["recipe"]["lr"] == 4e-3
    assert log["digits"] == {"training": 160, "held_out": 160}
    assert log["parameters"] == 61706
    assert [one["epoch"] for one in log["epochs"]] == [1, 2]
    assert not log["interrupted"]
    counts = np.array(log["confusion"])
    np.testing.assert_array_equal(counts.sum(1), np.bincount(mnist()[1].labels[:160]))
    assert counts.trace() == round(160 * log["epochs"][-1]["held_out_accuracy"])


LEARNERS = [*(("lenet", name) for name in training.OPTIMIZERS), ("small-resnet", "adam")]


@pytest.mark.parametrize(("model", "optimizer"), [*LEARNERS, ("mobilenet", "sgd")])
def test_all_of_them_learn(model, optimizer):
    digits, held_out = (type(part)(*(one[:64] for one in part)) for part in mnist())
    recipe = training.Recipe(model, 3, 8, optimizer, shift=0)
    done = training.Training(recipe, digits, held_out)
    losses = [one.loss for one in done.run()]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("model", ["lenet", "small-resnet"])
def test_the_seed_gives_the_bits_for_any_number_of_threads(model):
    states = []
    for threads, seed in ((1, 5), (2, 5), (1, 6)):
        with convx.threads(min(threads, os.cpu_count() or 1)):
            digits = [type(part)(*(one[:96] for one in part)) for part in mnist()]
            done = training.Training(training.Recipe(model, 1, seed=seed), *digits)
            list(done.run())
            states.append(done.model.state_dict())
    for name, array in states[0].items():
        assert_same(states[1][name], array)
    assert any(not np.array_equal(states[2][name], array) for name, array in states[0].items())


def test_what_is_told(few_digits, tmp_path, capsys):
    assert main(["train", "--epochs", "2", "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # no bar where there is no terminal
    assert [line.split()[0] for line in out.splitlines() if line.startswith("    ")] == ["1", "2"]


def test_without_matplotlib(few_digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "can_draw", lambda: False)
    assert main(["train", "--epochs", "1", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"weights.npz", "log.json"}
    assert "matplotlib is not installed" in capsys.readouterr().out


def test_interrupted(few_digits, tmp_path, capfd):
    """Ctrl-C ends the training; what was learned till then is saved."""

    def interrupt(child):
        deadline = time.monotonic() + 20
        while "    1  " not in capfd.readouterr().out and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(child, signal.SIGINT)

    arguments = ["train", "--epochs", "100000", "--out", str(tmp_path / "run")]
    outcome = run_in_child(lambda: main(arguments), seconds=60, meanwhile=interrupt)
    assert outcome.value == 130
    log = json.loads((tmp_path / "run" / "log.json").read_text())
    assert log["interrupted"]
    assert 1 <= len(log["epochs"]) < 100000
    build("lenet", 0).load_state_dict(nn.load(tmp_path / "run" / "weights.npz"))


def test_interrupted_before_the_first_epoch_ends(few_digits, tmp_path, monkeypatch, capsys):
    def ctrl_c(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "random_shift", ctrl_c)
    assert main(["train", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "convx: interrupted: what was learned is saved\n"
    assert {"weights.npz", "log.json"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_lenet_reads_97_of_100_digits():
    accuracies = []
    for seed in range(3):
        *_, last = training.Training(training.Recipe(seed=seed), *mnist()).run()
        accuracies.append(last.held_out_accuracy)
    assert np.mean(accuracies) >= 0.97


# Predicting


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def test_predict(trained, tmp_path, capsys):
    image_module = pytest.importorskip("PIL.Image")
    images = mnist()[1].images[:3]
    model = build("lenet", 0)
    model.load_state_dict(nn.load(trained / "weights.npz"))
    rows = nn.Softmax(1)(model.eval()(images))
    expected = [f"{row.argmax()}, {row.max():.2%}" for row in rows]
    bytes_ = np.rint(images * 255).astype(np.uint8)
    files = {
        "batch.npy": images,
        "planes.npy": images[:, 0],
        "bytes.npy": bytes_[:, 0],
        "swapped.npy": images.astype(">f8"),
    }
    for name, array in files.items():
        np.save(tmp_path / name, array)
        capsys.readouterr()
        assert main(["predict", str(trained / "weights.npz"), str(tmp_path / name)]) == 0
        path = repr(str(tmp_path / name))
        assert lines_of(capsys) == [f"{path}[{place}]: {one}" for place, one in enumerate(expected)]
    pictures = []
    for place in range(3):
        plane = bytes_[place, 0]
        # Dark ink on white paper, in colour, with transparency: the same digit.
        made = (plane, 255 - plane, np.dstack([plane] * 3))[place]
        pictures.append(tmp_path / f"{place}.png")
        image_module.fromarray(made).save(pictures[-1])
    assert main(["predict", str(trained / "weights.npz"), *map(str, pictures)]) == 0
    assert lines_of(capsys) == [
        f"{str(path)!r}: {one}" for path, one in zip(pictures, expected, strict=True)
    ]


def test_pictures_of_other_sizes(tmp_path):
    from convx.cli.predict import digits_of

    image = mnist()[1].images[0, 0]
    np.save(tmp_path / "double.npy", np.kron(image, np.ones((2, 2), np.float32)))
    np.testing.assert_allclose(digits_of(tmp_path / "double.npy")[0, 0], image, atol=1e-6)
    np.save(tmp_path / "wide.npy", np.pad(image, ((0, 0), (28, 28))))
    assert digits_of(tmp_path / "wide.npy").shape == (1, 1, 28, 28)
    np.save(tmp_path / "tiny.npy", image[::4, ::4])
    assert digits_of(tmp_path / "tiny.npy").shape == (1, 1, 28, 28)


def test_bad_predictions(trained, tmp_path, complaint):
    weights = trained / "weights.npz"
    np.save(tmp_path / "line.npy", np.ones(4))
    np.save(tmp_path / "large.npy", np.full((28, 28), 256.0))
    np.save(tmp_path / "nan.npy", np.full((28, 28), np.nan))
    np.save(tmp_path / "complex.npy", np.ones((28, 28), complex))
    for name, says in (
        ("line.npy", "not pictures of shape"),
        ("complex.npy", "not pictures of shape"),
        ("large.npy", "outside of 0 to 255"),
        ("nan.npy", "outside of 0 to 255"),
        ("missing.npy", "no such file"),
        ("missing.png", "no such file"),
        ("picture.gif", "unknown ending"),
    ):
        assert says in complaint("predict", weights, tmp_path / name)
    nn.save(tmp_path / "other.npz", {"w": np.ones(3)})
    assert "fit none of lenet" in complaint("predict", tmp_path / "other.npz", "x.npy")
    (tmp_path / "text.npz").write_text("hello")
    assert "cannot load" in complaint("predict", tmp_path / "text.npz", "x.npy")
    assert "must end in" in complaint("predict", tmp_path / "weights.pt", "x.npy")
    assert "required" in complaint("predict", weights)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--epochs", "0"], "--epochs: must be a whole number from 1 on, got '0'"),
        (["--batch-size", "x"], "--batch-size: must be a whole number"),
        (["--lr", "nan"], "--lr: must be a positive number"),
        (["--lr", "-1"], "--lr: must be a positive number"),
        (["--seed", "-1"], "--seed: must be a whole number from 0 on"),
        (["--model", "vgg"], "invalid choice: 'vgg'"),
        (["--optimizer", "lion"], "invalid choice: 'lion'"),
        (["--data", "nowhere"], "no file train-images-idx3-ubyte"),
    ],
)
def test_bad_trainings(complaint, tmp_path, arguments, says):
    assert says in complaint("train", "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_results_cannot_be_written(complaint, tmp_path):
    (tmp_path / "file").write_text("")
    complaint("train", "--out", tmp_path / "file")


# Summaries


@pytest.mark.parametrize("model", MODELS)
def test_summary(model, capsys):
    assert main(["summary", model]) == 0
    header, *rows, total = lines_of(capsys)
    assert header.split() == ["layer", "kind", "output", "parameters", "FLOPs", "sees"]
    count = sum(one.data.size for one in build(model, 0).parameters())
    assert total.split()[:2] == [model, f"{count:,}"]
    assert rows[-1].split()[1] == "Linear"
    assert rows[-1].split()[2] == "10"


def test_summary_of_lenet(capsys):
    main(["summary", "lenet"])
    rows = [line.split() for line in lines_of(capsys)]
    assert " ".join(rows[1]) == "0 Conv2d 6 x 28 x 28 156 235,200 5 x 5"
    assert " ".join(rows[4]) == "3 Conv2d 16 x 10 x 10 2,416 480,000 14 x 14"
    assert rows[-1] == ["lenet", "61,706", "833,040"]


def test_summary_of_weights(trained, capsys, complaint):
    capsys.readouterr()
    assert main(["summary", str(trained / "weights.npz")]) == 0
    assert lines_of(capsys)[-1].split()[0] == "lenet"
    assert "unknown model 'vgg'" in complaint("summary", "vgg")


# Weights of PyTorch


def test_weights_of_pytorch(tmp_path, rng):
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 6, 5, padding=2),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(14),
        torch.nn.Conv2d(6, 16, 5),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(5),
        torch.nn.Flatten(),
        torch.nn.Linear(400, 120),
        torch.nn.ReLU(),
        torch.nn.Linear(120, 84),
        torch.nn.ReLU(),
        torch.nn.Linear(84, 10),
    )
    save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    ours = build("lenet", 0)
    ours.load_state_dict(nn.load(tmp_path / "weights.safetensors"))
    images = rng.random((5, 1, 28, 28), np.float32)
    expected = theirs(torch.from_numpy(images)).detach().numpy()
    np.testing.assert_allclose(ours.eval()(images), expected, rtol=1e-4, atol=1e-6)
    nn.save(tmp_path / "back.safetensors", ours.state_dict())
    state = nn.load(tmp_path / "back.safetensors")
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
