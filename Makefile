# Two commands: `make lab` opens the course, `make test` checks all of it. README.md says the rest.

WINDOWS := $(filter Windows_NT,$(OS))
PYTHON ?= $(if $(WINDOWS),python,python3)
PORT ?= 8888
BROWSER ?= yes
NB ?=
FOLDER ?= my_notebooks
PRE ?=
ONLY ?=
ARGS ?=
CONDA_EXE ?= conda

# The tests start a hundred processes; none of them shall compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(if $(WINDOWS),Scripts,bin)
RUN := $(VENV)/$(BIN)/python
# Files that say what is installed: what a learner needs; the test tools, too.
INSTALLED := $(VENV)/installed
TESTABLE := $(VENV)/installed-tests
NEWEST := .venv-newest
API := build/api
RUN_NEWEST := $(NEWEST)/$(BIN)/python
COURSE := $(RUN) -m stn_course.cli

NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=900 \
	--nbval-sanitize-with tests/nbval_sanitize.cfg
# Two workers compute, a file or a notebook at a time; one waits for the browser (tests/pace.py).
WORKERS := -n 3 --dist loadfile --no-loadscope-reorder
QUICK := $(wildcard $(patsubst %,tests/test_%.py,grids* samplers transforms* alignment models* data distortions plotting notebooks))
NAMED = $(if $(NB),$(wildcard notebooks/$(NB)*.ipynb))

.PHONY: lab test test-newest solve-conda suite lint quick pairs check named durations notebooks sources site map api figures links table paper screenshots mutants dist bench-data bench-labs bench-training bench-precision help

help:
	@echo "make lab        open your copy of the course (PORT=8899, BROWSER=no, FOLDER=elsewhere if you like)"
	@echo "make test       run every check (about a quarter of an hour)"
	@echo "make test-newest  the same with the newest versions of all packages, in .venv-newest"
	@echo "make test-newest ONLY=torch  did a new torch break something: what computes with it (8 minutes)"
	@echo "make test-newest PRE=yes  the same with a pre-release of torch"
	@echo "make solve-conda  see whether conda still solves environment.yml (installs nothing)"
	@echo "make quick      after each change: lint, geometry, models, data, figures, pairs (a minute)"
	@echo "make check NB=02  one notebook: run and compare it, its pair, mirrors and exercises"
	@echo "make pairs      see whether notebooks and their sources say the same"
	@echo "make durations  run every check, and note how long each file takes"
	@echo "make notebooks  run and store all notebooks from notebooks/src, or one: NB=02"
	@echo "make sources    write notebooks/src from the notebooks, all or one: NB=02"
	@echo "make site       write the course as a site into site/, or one notebook: NB=02 (needs npm)"
	@echo "make map        write what follows from notebooks/lessons.toml and glossary.toml: tables, headings, minutes"
	@echo "make api        write the pages about the package's functions into $(API)"
	@echo "make figures    draw the reference figures of the tests anew"
	@echo "make links      write badges and URLs anew, after a change of the repository in pyproject.toml"
	@echo "make table      train with and without a transformer: goes on with stn_course/results (3 hours)"
	@echo "make paper      run the paper's table, goes on with stn_course/results/paper (days; ARGS=--quick)"
	@echo "make screenshots  take the README's pictures of the labs anew"
	@echo "make mutants    change the code in small ways and see whether a test fails (resumable)"
	@echo "make dist       build the wheel and the source distribution in dist/"
	@echo "make bench-data, bench-labs, bench-training, bench-precision  measure the claims about speed"

$(INSTALLED): constraints.txt pyproject.toml
	$(PYTHON) -c "import sys; v = sys.version.split()[0]; sys.exit('stn_course needs Python 3.11 or newer; $(PYTHON) is ' + v if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --constraint constraints.txt --editable .
	touch $(INSTALLED)

$(TESTABLE): $(INSTALLED)
	$(RUN) -m pip install --constraint constraints.txt --editable '.[test,browser,paper]'
	touch $(TESTABLE)

lab: $(INSTALLED)
	$(COURSE) lab --folder "$(FOLDER)" --port $(PORT) $(if $(filter no,$(BROWSER)),--no-browser)

test: $(TESTABLE) lint suite

# Did a new release break something? No constraints: the newest versions that pyproject.toml allows.
# With PRE=yes torch's nightly build, from where pip's PIP_EXTRA_INDEX_URL points.
test-newest:
	$(PYTHON) -m venv --clear $(NEWEST)
ifeq ($(PRE),yes)
	$(RUN_NEWEST) -m pip install --pre torch torchvision
	$(RUN_NEWEST) -c "import sys; from importlib.metadata import version; v = version('torch'); sys.exit(0 if 'dev' in v or 'rc' in v else 'torch ' + v + ' is no pre-release; set PIP_EXTRA_INDEX_URL to the address of PyTorch\'s nightly builds')"
endif
	$(RUN_NEWEST) -m pip install --editable '.[test,browser,paper]'
	$(RUN_NEWEST) -m pip list
	$(MAKE) suite RUN=$(RUN_NEWEST)

# Do the conda packages still go together? Nothing is installed.
solve-conda:
	"$(CONDA_EXE)" env create --dry-run --file environment.yml

suite:
	$(if $(ONLY),,$(RUN) tools/browser.py)
	$(RUN) -m pytest $(WORKERS) $(NBVAL) $(if $(ONLY),--only-$(ONLY))

lint: $(TESTABLE)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

quick: $(TESTABLE) lint
	$(RUN) -m pytest $(WORKERS) $(QUICK)

# What .pre-commit-config.yaml runs where a notebook or a source is committed.
pairs: $(TESTABLE)
	$(RUN) -m pytest -q tests/test_notebooks.py -k test_notebook_and_source_say_the_same

check: named $(TESTABLE)
	$(RUN) -m pytest -q $(NBVAL) $(NAMED) tests/test_notebooks.py tests/test_checks_notebooks.py \
		-k "$(basename $(notdir $(NAMED)))"

# NB names one notebook, and which there are is said without anything installed.
named:
ifneq ($(words $(NAMED)),1)
	@echo "say which notebook, for example: make check NB=02; there are:"
	@echo "$(basename $(notdir $(wildcard notebooks/*.ipynb)))"
	@exit 2
endif

durations: $(TESTABLE)
	$(RUN) -m pytest $(WORKERS) $(NBVAL) --record-durations

notebooks: $(TESTABLE)
	$(RUN) tools/notebooks.py refresh $(NB)

sources: $(TESTABLE)
	$(RUN) tools/notebooks.py sources $(NB)

site: $(TESTABLE)
	$(RUN) tools/make_site.py $(NB)

map: $(TESTABLE)
	$(RUN) tools/course_map.py
	$(RUN) tools/glossary.py

api: $(INSTALLED)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(RUN) -m sphinx -q -W --keep-going docs $(API)
	@echo $(API)/index.html

figures: $(TESTABLE)
	$(RUN) -m pytest tests/test_plotting.py -o addopts= --mpl-generate-path=tests/baseline

links: $(TESTABLE)
	$(RUN) tools/repository_links.py

table: $(INSTALLED)
	$(COURSE) table turned --output stn_course/results/turned.json
	$(COURSE) table clutter --output stn_course/results/clutter.json
	$(COURSE) table projected --output stn_course/results/projected.json
	$(COURSE) table elastic --output stn_course/results/elastic.json
	$(COURSE) table polar --output stn_course/results/polar.json
	$(COURSE) table symmetry --output stn_course/results/symmetry.json
	$(COURSE) table few --output stn_course/results/few.json
	$(COURSE) table few-any-angle --output stn_course/results/few-any-angle.json
	$(COURSE) table deformable --output stn_course/results/deformable.json

paper: $(INSTALLED)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[paper]'
	$(COURSE) paper --results stn_course/results/paper $(ARGS)

screenshots: $(TESTABLE)
	$(RUN) tools/screenshots.py

mutants: $(TESTABLE)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	$(RUN) tools/mutants.py

dist: $(TESTABLE)
	$(RUN) -m hatchling build

bench-data: $(TESTABLE)
	$(RUN) benchmarks/data.py

bench-labs: $(TESTABLE)
	$(RUN) benchmarks/labs.py

bench-training: $(TESTABLE)
	$(RUN) benchmarks/training.py

bench-precision: $(TESTABLE)
	$(RUN) benchmarks/precision.py
