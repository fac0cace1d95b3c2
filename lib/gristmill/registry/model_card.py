"""The model card as it is registered: the card of ``10_write_model_card``, completed by the gates and the champion.

It is rendered anew from the same evidence by the same renderer, dated as the first one was, and joins the candidate's files before
the manifest seals them: the same evidence and the same verdicts give the same bytes, and so the same digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gristmill.config.case import Case
from gristmill.config.stages import StageCase
from gristmill.data.products import replacing
from gristmill.evaluation.card import card, evidence, metadata
from gristmill.evaluation.card.evidence import Judged
from gristmill.lineage import lineage_tags
from gristmill.paths import project_root
from gristmill.registry.comparison import Beside, Comparison
from gristmill.registry.comparison_words import in_words, verdict_in_words
from gristmill.registry.evidence import Evidence, Upstream
from gristmill.registry.gates import Gate
from gristmill.registry.inspection import CARDS
from gristmill.reporting.wording import figure, metric_label

LONGEST = 4900
"""Characters of a version's description; MLflow's database holds 5,000."""


@dataclass(frozen=True)
class Finished:
    """The finished card: its files for the model directory, by name, and its page for the reports, which leads to the others."""

    files: Mapping[str, bytes]
    page: str


def judged(gates: Sequence[Gate], beside: Beside) -> Judged:
    """Return what the card says of the gates and the champion.

    Parameters
    ----------
    gates
        The verdicts.
    beside
        The candidate beside the champion; None where there is no other.
    """
    verdicts = [asdict(gate) for gate in gates]
    if beside is None:
        return Judged(verdicts)
    if not isinstance(beside, Comparison):
        return Judged(verdicts, beside.version, beside.message, beside.message)
    short = (
        f"{verdict_in_words(beside)} (version {beside.version}): {metric_label(beside.metric)} {figure(beside.candidate)} against "
        f"{figure(beside.champion)}, {beside.basis}."
    )
    return Judged(verdicts, beside.version, short, in_words(beside).replace("**", ""), beside.scores)


def finished(
    case: Case | StageCase,
    known: Evidence,
    gates: Sequence[Gate],
    beside: Beside,
    upstream: Upstream,
    costs: Mapping[str, Mapping[str, Any]],
    root: Path | None = None,
) -> Finished:
    """Return the card that is registered.

    Parameters
    ----------
    case, known, gates, beside
        The case, what is known, the verdicts, and the candidate beside the champion.
    upstream
        Stage -> product -> path.
    costs
        Stage -> what its last run took.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    ArtifactError
        The card of ``10_write_model_card`` does not say when it was written.
    """
    whole = evidence.gather(
        case,
        upstream,
        digest=known.candidate.digest,
        written_at=metadata.written_at(known.card.decode()),
        lineage=lineage_tags(project_root() if root is None else root),
        costs=costs,
        judged=judged(gates, beside),
    )
    images = card.card_images(whole)
    texts = (card.card_markdown(whole), card.card_html(whole, images, alone=True))
    files = {name: text.encode() for name, text in zip(CARDS, texts, strict=True)}
    return Finished(files, card.card_html(whole, images))


def write_page(made: Finished, path: Path | str) -> None:
    """Write the page of a card among the reports, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(made.page, encoding="utf-8")


def description(directory: Path) -> str:
    """Return the head of the card in a model directory as the registry's page shows it, and where the rest is."""
    text = (directory / "card.md").read_text(encoding="utf-8")
    quoted = [line.removeprefix(">").removeprefix(" ") for line in text.splitlines() if line.startswith(">")]
    where = "The whole model card is `card.md`, and as a page `card.html`, in the model and among the artifacts of its run."
    head = "\n".join(quoted)
    return f"{head[: LONGEST - len(where)]}\n\n{where}".lstrip()
