"""Loads DAGs from their files, and runs them to the end in this process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from surroundings import DAGS


def load(dag_id: str) -> DAG:
    """Loads a DAG with the current settings."""
    bag = DagBag(str(DAGS / f"{dag_id}.py"))
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag_id]


@dataclass(frozen=True)
class Ended:
    """A DAG run that has ended."""

    run: Any

    @property
    def state(self) -> str:
        """The final state of the run."""
        return str(getattr(self.run.state, "value", self.run.state))

    def states(self, task_id: str) -> list[str]:
        """The final states of a task, by map index."""
        found = [ti for ti in self.run.get_task_instances() if ti.task_id == task_id]
        return [str(ti.state) for ti in sorted(found, key=lambda ti: ti.map_index)]

    def labels(self, task_id: str) -> list[str]:
        """The labels that the UI shows for the instances of a mapped task."""
        return sorted(ti.rendered_map_index for ti in self.run.get_task_instances() if ti.task_id == task_id)

    def all_states(self) -> list[str]:
        """The final states of all tasks."""
        return [str(ti.state) for ti in self.run.get_task_instances()]

    def xcom(self, task_id: str, map_index: int = -1, key: str = "return_value") -> Any:
        """The XCom value of a task."""
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            found = session.query(XComModel).filter_by(
                dag_id=self.run.dag_id, run_id=self.run.run_id, task_id=task_id, map_index=map_index, key=key
            )
            return XComModel.deserialize_value(found.one())


def asset_events(ended: Ended) -> set[tuple[str, str, str]]:
    """Asset, partition and logmill run of each event that a DAG run sent."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        events = session.query(AssetEvent).filter_by(source_run_id=ended.run.run_id).all()
        return {(event.asset.uri, event.partition_key, event.extra["tables"][0]["run"]) for event in events}


def run_dag(dag_id: str, conf: dict[str, Any] | None = None, logical_date: datetime | None = None) -> Ended:
    """Runs a DAG to its end."""
    return Ended(load(dag_id).test(run_conf=conf, logical_date=logical_date))
