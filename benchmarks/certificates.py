"""The certificates of a run: issued at once and made into one file, against pages of one line with a code each; a process for each side."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.results import Result, Results
from benchmarks.server import ROOT
from benchmarks.sheet import peak_megabytes

#: Surnames and given names of the people.
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN = "建国秀兰敏静伟强丽磊军洋艳勇杰娟涛明超霞平刚桂英文辉鑫玲红玉萍"
_WARM = 2


def _person(number: int) -> str:
    return _SURNAMES[number % 32] + _GIVEN[number // 32 % 30] + _GIVEN[number // 7 % 30]


def work_ours(count: int) -> dict[str, float]:
    """A database with a run that so many people attended: seconds of issuing, and of the job from its claim to the kept file."""
    from sqlalchemy import insert

    from quizapp import tasks  # noqa: F401 # fills the table of tasks
    from quizapp.certificates.services import ask_for_file, issue_certificates
    from quizapp.config import read_settings
    from quizapp.core import migrate
    from quizapp.core.clock import to_ms
    from quizapp.core.db import transaction
    from quizapp.core.scope import SYSTEM
    from quizapp.jobs.models import Job, JobState
    from quizapp.jobs.worker import run_pending
    from quizapp.operations.installation import open_installation
    from quizapp.organisation.models import OrgUnit, Person
    from quizapp.trainings.models import Attendance, Course, CourseRun, TrainingSession

    now = datetime.now(UTC)
    begin = to_ms(now - timedelta(days=1))
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        installation = open_installation(read_settings({"INSTANCE": folder, "PUBLIC_URL": "https://kp.example.cn"}))
        migrate.upgrade(installation.database)
        with installation.database.session() as db:
            with transaction(db):
                unit = OrgUnit(
                    name="临江区应急管理局", code="LJ", initials="lj", kind="district", path="/1/", created_at=now
                )
                db.add(unit)
                db.flush()
                runs = []
                for number, people in enumerate((_WARM, count)):
                    course = Course(unit_id=unit.id, title="公民安全素质培训", created_at=begin)
                    db.add(course)
                    db.flush()
                    run = CourseRun(
                        course_id=course.id, unit_id=unit.id, number=1, title="2026 年第 3 期", certificate_months=12,
                        created_at=begin,
                    )  # fmt: skip
                    db.add(run)
                    db.flush()
                    session = TrainingSession(
                        code=f"BENCH{number:03}", run_id=run.id, title="培训", place="二楼", unit_id=unit.id,
                        starts_at=begin, ends_at=begin + 7_200_000, check_in_from=begin, check_in_until=begin,
                        created_at=begin, closed_at=begin + 7_200_000, hours_tenths=80,
                    )  # fmt: skip
                    db.add(session)
                    db.flush()
                    rows = [{"name": _person(n), "source": "typed", "created_at": now} for n in range(people)]
                    keys = db.scalars(insert(Person).returning(Person.id), rows).all()
                    db.execute(
                        insert(Attendance),
                        [
                            {"session_id": session.id, "person_id": key, "method": "rotating", "matched": "typed",
                             "at_ms": begin, "received_at": begin, "unit_id": unit.id, "unit_path": unit.path}
                            for key in keys
                        ],
                    )  # fmt: skip
                    runs.append(run.id)
            for run_id in runs:  # the first one reads the faces and warms everything
                run = db.get_one(CourseRun, run_id)
                before = time.process_time()
                with transaction(db):
                    issued = issue_certificates(db, run=run, actor=SYSTEM, now=now)
                found["issue"] = time.process_time() - before
                with transaction(db):
                    job_id = ask_for_file(db, run=run, language="zh", actor=SYSTEM, now=now).id
                before, cpu = time.perf_counter(), time.process_time()
                run_pending(installation)
                found["seconds"], found["cpu"] = time.perf_counter() - before, time.process_time() - cpu
                db.rollback()
                job = db.get_one(Job, job_id, populate_existing=True)
                if job.state != JobState.DONE or not job.result or job.result["pages"] != issued:
                    raise RuntimeError(f"the file was not made: {job.state} {job.error} {job.result}")
    return found


def work_floor(count: int) -> dict[str, float]:
    """typst on so many pages of one line with a code each."""
    import typst
    import zxingcpp

    source = (
        b'#let data = json(bytes(sys.inputs.data))\n#set page(paper: "a4")\n'
        b'#for page in data { page.line\n image(bytes(page.qr), format: "svg", width: 28mm)\n pagebreak(weak: true) }'
    )
    faces = typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
    found: dict[str, float] = {}
    for pages in (_WARM, count):
        before, cpu = time.perf_counter(), time.process_time()
        data = []
        for number in range(pages):
            text = f"https://kp.example.cn/c/0123456789ABCDEFGHJKMN{number:04}"
            made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
            data.append({"line": f"No. {number}", "qr": made.to_svg(add_quiet_zones=False)})
        typst.compile(source, format="pdf", font_paths=faces, sys_inputs={"data": json.dumps(data)})
        found["seconds"], found["cpu"] = time.perf_counter() - before, time.process_time() - cpu
    return found


def measure(results: Results, *, count: int, rounds: int) -> None:
    """Both sides in turn."""
    times: dict[str, list[dict[str, float]]] = {"ours": [], "floor": []}
    for _ in range(rounds):
        for side, values in times.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.certificates", side, str(count)],
                cwd=ROOT, check=True, capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            values.append(json.loads(done.stdout))
    ours, floor = times["ours"], times["floor"]
    name = f"{count:,} certificates"
    results.add(
        Result(
            f"{name} as one PDF", median(one["cpu"] for one in ours), median(one["cpu"] for one in floor), "CPU-s",
            note="the whole job; the floor: pages of one line with a code",
        )
    )  # fmt: skip
    results.add(
        Result(
            f"{name} as one PDF, waiting", median(one["seconds"] for one in ours), None, "s", target=10, absolute=True
        )
    )
    results.add(Result(f"{name} issued", median(one["issue"] for one in ours), None, "CPU-s"))
    results.add(Result(f"{name}, largest memory", max(one["megabytes"] for one in ours), None, "MB"))


if __name__ == "__main__":
    measured = {"ours": work_ours, "floor": work_floor}[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({**measured, "megabytes": peak_megabytes()}))
