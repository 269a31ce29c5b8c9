"""Training and prediction of a run as Markdown."""

from benchmarks import summary
from benchmarks.layers import TITLES, threads_in_words
from benchmarks.markdown import NONE, milliseconds, number_as, ratio, table
from benchmarks.summary import OURS, Record, Run
from benchmarks.training import STEPS_PER_EPOCH

# How many times as fast as PyTorch a step of training is to be, and prediction as any peer.
AIMS = {"lenet5": 3.0, "small_resnet": 1.3, "mobilenet": 1.3}

ABOUT = f"""\
The networks of `convx.nn.models` in float32, from the same weights on the same batches of 28×28
pictures: a step of training with cross-entropy and Adam, and prediction in evaluation mode, of
convx by the prepared network. Of each peer the fastest variant counts, PyTorch's channels-last
memory and fused Adam among them. An epoch is that over the embedded digits, {STEPS_PER_EPOCH}
steps. The aims are {AIMS["lenet5"]:.0f} times PyTorch's speed for LeNet's steps,
{AIMS["mobilenet"]} for those of the others, and prediction level with the fastest.
"""


def render(run: Run) -> str:
    """Return the section of the page."""
    found = summary.records(run, "training")
    if not found:
        return ""
    text = ["## Training and prediction\n", ABOUT]
    for (threads,) in summary.combinations(found, "threads"):
        here = [one for one in found if one["threads"] == threads]
        peers = [peer for peer in summary.peers(run) if any(peer in one["timings"] for one in here)]
        headings = ["network", "what", "pictures", "convx, ms", "over the best peer", "epoch, s"]
        rows = [_row(one, peers) for one in here]
        text.append(f"### Training, {threads_in_words(threads)}\n")
        text.append(table([*headings, *(f"{peer}, ms" for peer in peers)], rows))
    return "\n".join(text)


def _row(record: Record, peers: list[str]) -> list[str]:
    ours, best = summary.seconds(record, OURS), summary.ratio_to_best(record)
    trains = record["operation"] == "step"
    aim = AIMS[record["layer"]] if trains else 1.0
    return [
        record["layer"],
        TITLES[record["operation"]],
        record["sizes"],
        milliseconds(ours),
        f"{ratio(best[1], aim)} {best[0]}" if best else NONE,
        number_as(ours if trains else None, "{:.2f}", STEPS_PER_EPOCH),
        *(_of_peer(record, peer) for peer in peers),
    ]


def _of_peer(record: Record, peer: str) -> str:
    variants = record["timings"].get(peer)
    if not variants:
        return NONE
    name = min(variants, key=lambda one: variants[one]["median"])
    time = milliseconds(variants[name]["median"])
    return f"{time} ({name})" if name else time
