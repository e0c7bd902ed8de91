"""The validation report: one HTML page that needs nothing but itself."""

from astromer.validation.report.page import REPORT_FILE, write_report

__all__ = ["REPORT_FILE", "write_report"]
