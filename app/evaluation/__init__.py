"""Measures retrieval and answers on evaluation sets, and compares settings."""

from app.evaluation.baselines import (
    check_gate,
    check_writable,
    compared,
    difference_json,
    evaluation_json,
    fallen,
    read_saved,
    save_evaluation,
    write_text,
)
from app.evaluation.dataset_readers import read_dataset, read_lines
from app.evaluation.experiment import Experiment
from app.evaluation.question_generator import GeneratedQuestions, QuestionWriter, generate
from app.evaluation.reports.html import html_report
from app.evaluation.reports.markdown import Report, gate_sentences, markdown_report
from app.evaluation.reports.terminal import EvaluationView, print_evaluation

__all__ = [
    "EvaluationView",
    "Experiment",
    "GeneratedQuestions",
    "QuestionWriter",
    "Report",
    "check_gate",
    "check_writable",
    "compared",
    "difference_json",
    "evaluation_json",
    "fallen",
    "gate_sentences",
    "generate",
    "html_report",
    "markdown_report",
    "print_evaluation",
    "read_dataset",
    "read_lines",
    "read_saved",
    "save_evaluation",
    "write_text",
]
