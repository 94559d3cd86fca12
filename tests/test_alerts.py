"""The alert rules name metrics that exist, with labels that they have."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase
from ruamel.yaml import YAML

from runtime import metrics

FILE = Path(__file__).parent.parent / "deploy" / "alerts.yml"
RULES = [
    rule
    for group in YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
KNOWN = {
    metric.name: set(getattr(owner, "_labelnames", ()))
    for owner in vars(metrics).values()
    if isinstance(owner, MetricWrapperBase)
    for metric in owner.describe()
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_speaks_of_a_metric_and_labels_that_exist(rule: dict[str, object]) -> None:
    names = re.findall(r"orderloom_\w+", str(rule["expr"]))
    labels = set.intersection(
        *(KNOWN[name.removesuffix("_total").removesuffix("_bucket")] for name in names)
    )
    used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert used <= labels
    assert "action" in str(rule["annotations"])
