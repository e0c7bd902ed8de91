"""Stops a run whose data break the schema."""

from components.anomaly_gate.component import AnomalyGate

__all__ = ["AnomalyGate"]
