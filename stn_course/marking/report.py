"""What came of a submission: a row for each of the course's notebooks that is in it."""

from dataclasses import asdict, dataclass, field

from stn_course.checks.catalogue import EXERCISES
from stn_course.marking.attempts import is_the_courses, judge_attempt
from stn_course.marking.running import SubmissionRun
from stn_course.marking.submissions import Submission


@dataclass(frozen=True)
class TableRow:
    """One notebook of the course in one file.

    of: how many exercises the notebook has. solved, wrong, not_attempted: their names, in the
    order of the course; not_reached: those whose check was not called, since the call is missing
    or something before it raised. cells: how many code cells there are, raised: how many of them
    raised, first_error: the first. suspicious: what a teacher should look at. remarks: what else
    went wrong. seconds: what the whole file took.
    """

    learner: str
    file: str
    notebook: str = ""
    of: int = 0
    solved: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    not_attempted: tuple[str, ...] = ()
    not_reached: tuple[str, ...] = ()
    cells: int = 0
    raised: int = 0
    first_error: str = ""
    suspicious: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0

    def entries(self) -> dict:
        """The values by column, with their numbers first."""
        values = asdict(self)
        return {"learner": self.learner, "notebook": self.notebook, "count": len(self.solved)} | {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }


def exercises_in(notebook: str) -> list[str]:
    """The names of a notebook's exercises, in the course's order."""
    return [name for name, exercise in EXERCISES.items() if exercise.notebook == notebook]


def rows_of(submission: Submission, run: SubmissionRun | None = None) -> list[TableRow]:
    """A file's rows: for the notebook that its name says, and for each whose exercises are in it.

    run: None where the file could not be read.
    """
    run = run or SubmissionRun()
    judged = judge_run(run)
    found = submission.called | set(run.attempts)
    notebooks = {EXERCISES[name].notebook for name in found} | {submission.named} - {None}
    suspicious = (*judged.suspicious, *touched(submission, run))
    return [
        TableRow(
            learner=submission.learner,
            file=submission.file,
            notebook=notebook,
            **by_state(notebook, judged.states),
            cells=len(submission.cells),
            raised=len(run.errors),
            first_error=first_error(run),
            suspicious=suspicious,
            remarks=(*remarks(submission, notebook, found), *run.problems, *judged.remarks),
            seconds=run.seconds,
        )
        for notebook in sorted(notebooks) or [""]
    ]


def by_state(notebook: str, states: dict[str, bool | None]) -> dict:
    """A notebook's exercises by what became of them, in the course's order."""
    names = exercises_in(notebook)

    def those(*wanted: bool | None) -> tuple[str, ...]:
        return tuple(name for name in names if name in states and states[name] in wanted)

    return {
        "of": len(names),
        "solved": those(True),
        "wrong": those(False),
        "not_attempted": those(None),
        "not_reached": tuple(name for name in names if name not in states),
    }


@dataclass
class Judged:
    """What the attempts of a run are worth.

    states: by exercise, the best of its attempts: True, False, or None, not attempted.
    """

    states: dict[str, bool | None] = field(default_factory=dict)
    suspicious: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def judge_run(run: SubmissionRun) -> Judged:
    """Judge every attempt of a run."""
    judged = Judged()
    for name, attempts in run.attempts.items():
        verdicts = [judge_attempt(attempt) for attempt in attempts]
        solved = [verdict.solved for verdict in verdicts]
        right = [attempt for attempt, is_right in zip(attempts, solved, strict=True) if is_right]
        judged.states[name] = True if right else False if False in solved else None
        if right and all(map(is_the_courses, right)):
            judged.suspicious.append(f"{name} is, or calls, the course's own solution")
        judged.remarks += [v.lines[0] for v in verdicts if "not checked" in v.lines[0]]
    return judged


def touched(submission: Submission, run: SubmissionRun) -> list[str]:
    """What a submission touches that only the checks should."""
    named = [f"its code names {words}" for words in submission.touches]
    return [*named, *["it wrote progress itself"] * run.wrote_progress]


def first_error(run: SubmissionRun) -> str:
    """The first error, and where."""
    if not run.errors:
        return ""
    number, error = next(iter(run.errors.items()))
    return f"code cell {number}: {error}"


def remarks(submission: Submission, notebook: str, found: set[str]) -> list[str]:
    """What is wrong with the file itself."""
    if submission.problem:
        return [submission.problem]
    said = [] if submission.cells else ["no code in this file"]
    if not found & set(exercises_in(notebook)):
        said.append(f"no exercise of {notebook[:2] or 'the course'} found in this file")
    return said
