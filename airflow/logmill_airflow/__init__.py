"""Runs logmill from Airflow: the operator, the KST day of a run, and the tasks that the DAGs share."""
