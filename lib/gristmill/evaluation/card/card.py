"""The model card: what a model is, what it is for, how well it works and for whom, from the build's own evidence.

Headings follow Mitchell et al. (2019), "Model cards for model reporting", in their order; what they do not ask for
(explanation, uncertainty, behaviour, gates, lineage, cost) stands beside what it is nearest to. A section without evidence says so.
The metadata block is that of Hugging Face's cards.
"""

import re
from collections.abc import Mapping

from gristmill.evaluation import figures
from gristmill.evaluation.card import insight, making, opening, purpose, quantitative, scores, training_data
from gristmill.evaluation.card.caveats import caveats
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.metadata import metadata
from gristmill.evaluation.card.text import blocks, bullets, escape_text
from gristmill.reporting.documents import markdown_page
from gristmill.reporting.plots import evidence as plots

FOOT = "Compiled from the products of the build; no figure on this card was typed by hand."
MOST_BARS = 12


def sections(evidence: Evidence, images: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return heading -> Markdown of the section, in the order of the card.

    Parameters
    ----------
    evidence
        What the stages left behind.
    images
        ``scores`` and ``importance`` as data URIs, for the page; the Markdown that is registered has none.
    """
    drawn = {"scores": "", "importance": "", **(images or {})}
    return {
        "Model details": purpose.model_details(evidence),
        "Intended use": purpose.intended_use(evidence),
        "Factors": purpose.factors(evidence),
        "Metrics": scores.metrics(evidence, drawn["scores"]),
        "Evaluation data": scores.evaluation_data(evidence),
        "Training data": training_data.training_data(evidence),
        "Quantitative analyses": quantitative.quantitative(evidence),
        "Behaviour": insight.behaviour(evidence),
        "Uncertainty": insight.uncertainty(evidence),
        "Explanation": insight.explanation(evidence, drawn["importance"]),
        "Ethical considerations": purpose.ethics(evidence),
        "Caveats and recommendations": bullets(caveats(evidence)),
        "Gates": making.gates(evidence),
        "Lineage": making.lineage(evidence),
        "Cost": making.cost(evidence),
    }


def card_body(evidence: Evidence, images: Mapping[str, str] | None = None) -> str:
    """Return the card in Markdown, without its metadata; see :func:`sections`."""
    parts = [f"## {heading}\n\n{text}" for heading, text in sections(evidence, images).items()]
    return blocks(f"# Model card: {escape_text(evidence.case.name)}", opening.box(evidence), *parts, FOOT)


def card_markdown(evidence: Evidence) -> str:
    """Return the whole card in Markdown: metadata, then the sections."""
    return f"{metadata(evidence)}\n{card_body(evidence)}\n"


def card_html(evidence: Evidence, images: Mapping[str, str] | None = None, *, alone: bool = False) -> str:
    """Return the card as a page in the look of the reports, which loads nothing.

    Parameters
    ----------
    evidence, images
        See :func:`sections`.
    alone
        Whether the page stands by itself, as in a model directory, and leads to no other page.
    """
    unbroken = re.sub("(?<=\\d)\u2013", "\u2060\u2013\u2060", card_body(evidence, images))  # an interval stays on its line
    tone, _ = opening.verdict(evidence)
    name = evidence.case.name
    if alone:
        return markdown_page(unbroken, title=f"Model card of {name}", root_href="#content", tone=tone)
    return markdown_page(unbroken, title="Model card", case=name, tone=tone)


def card_images(evidence: Evidence) -> dict[str, str]:
    """Return the figures of the page as data URIs: scores beside baseline and champion, and importances; without evidence none."""
    drawn = {}
    evaluation, explanation = evidence.evaluation, evidence.explanation
    if evaluation is not None:
        champion = evidence.judged.champion_scores if evidence.judged is not None else {}
        confidence = evaluation["confidence"]
        base = evaluation["baseline"]["test"]
        drawn["scores"] = plots.score_bars(evaluation["test"], baseline=base, champion=champion or None, confidence=confidence)
    if explanation is not None and explanation.get("shap"):
        shap = explanation["shap"][:MOST_BARS]
        names, sizes = [part["feature"] for part in shap], [part["mean_abs"] for part in shap]
        drawn["importance"] = plots.importance_bars(names, sizes, label="mean |SHAP value|")
    return {name: figures.data_uri(figure) for name, figure in drawn.items()}
