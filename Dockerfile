# Marking a class without a network. In a folder that holds handed_in/:
#
#   docker build --build-arg PIP_EXTRA_INDEX_URL=ADDRESS --tag stn-course .
#   docker run --rm --init --network none --memory 4g --cpus 2 --pids-limit 512 \
#     --volume "$PWD/handed_in:/handed_in:ro" \
#     stn-course check '/handed_in/*.ipynb' --format csv > class.csv
#
# An image for JupyterHub, with the hub's own version:
#
#   docker build --build-arg PIP_EXTRA_INDEX_URL=ADDRESS --build-arg JUPYTERHUB=5.4.2 \
#     --target hub --tag stn-course-hub .
#
# ADDRESS is what https://pytorch.org/get-started/locally/ shows for "CPU" (or for your GPU). Without it pip takes
# PyTorch's build for CUDA: several GB more, of no use without a GPU.

FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY stn_course ./stn_course
COPY notebooks ./notebooks
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.13-slim AS course
ARG PIP_EXTRA_INDEX_URL
RUN test -n "$PIP_EXTRA_INDEX_URL" || test "$(uname -m)" != x86_64 \
    || { echo 'say --build-arg PIP_EXTRA_INDEX_URL=ADDRESS; the Dockerfile says which' >&2; exit 1; }
COPY constraints.txt /
COPY --from=build /wheel /wheel
RUN pip install --no-cache-dir --constraint /constraints.txt /wheel/*.whl
# The uid that hubs expect. A hub that keeps home folders mounts them here.
RUN useradd --uid 1000 --create-home --home-dir /learner learner
WORKDIR /learner

FROM course AS hub
ARG JUPYTERHUB=5.*
RUN pip install --no-cache-dir --constraint /constraints.txt "jupyterhub==$JUPYTERHUB"
USER learner
CMD ["jupyterhub-singleuser"]

FROM course AS marking
USER learner
ENTRYPOINT ["stn-course"]
CMD ["--help"]
