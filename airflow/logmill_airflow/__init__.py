"""Airflow around logmill: the operator, the KST day of a run, and what the DAGs share."""
