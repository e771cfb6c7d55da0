"""Plans many configurations in one process, with what each job would be told.

python -m tests.workflow.planner FOLDER      reads overlays from standard input, one JSON object a line, and
                                             answers each with a line of JSON: jobs, or what was said instead
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from tests.helpers import REPOSITORY


class Planner:
    """A process that plans the study in a folder.

    Args:
        folder: a copy of the study (:class:`tests.workflow.study.Study`).
    """

    def __init__(self, folder):
        paths = f"{folder / 'src'}{os.pathsep}{REPOSITORY}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workflow.planner", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def jobs(self, overlay):
        """``{"jobs": [{rule, output, params, command}, …]}``, or ``{"refused": message}``."""
        self._process.stdin.write(json.dumps(overlay) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.communicate(timeout=60)


def planned(overlay):
    """Plan one overlay here."""
    from snakemake import settings
    from snakemake.api import SnakemakeApi
    from snakemake_interface_common.exceptions import ApiError

    Path("planned.yaml").write_text(yaml.safe_dump(overlay))
    said = io.StringIO()
    try:
        with (
            contextlib.redirect_stderr(said),
            SnakemakeApi(settings.types.OutputSettings(stdout=False)) as api,
        ):
            workflow = api.workflow(
                resource_settings=settings.types.ResourceSettings(cores=2),
                config_settings=settings.types.ConfigSettings(configfiles=[Path("planned.yaml")]),
                snakefile=Path("Snakefile"),
            )
            dag = workflow.dag(dag_settings=settings.types.DAGSettings())
            dag.execute_workflow(executor="dryrun")
            jobs = [
                {
                    "rule": job.rule.name,
                    "output": list(map(str, job.output)),
                    "input": list(map(str, job.input)),
                    "params": list(job.non_derived_params),
                    "command": job.shellcmd,
                }
                for job in workflow._workflow.dag.jobs
            ]
        return {"jobs": jobs}
    except ApiError as error:
        return {"refused": str(error)}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}", "said": said.getvalue()[-2000:]}


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Snakemake prints, too
    for line in sys.stdin:
        print(json.dumps(planned(json.loads(line))), file=answers, flush=True)
