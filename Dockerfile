# Images from one file, and from the locks (docs/containers.md):
#   slim   serves the ONNX twins, without TensorFlow    docker build --target slim -t manifold:0.1.0-slim .
#          with TensorFlow Serving's gRPC as well       docker build --target slim --build-arg SLIM=slim-grpc -t manifold:0.1.0-grpc .
#   full   serves any SavedModel; trains                docker build --target full -t manifold:0.1.0-full .
#          on NVIDIA's GPUs                             docker build --target full --build-arg FULL=gpu -t manifold:0.1.0-gpu .
# Run with a store mounted:  docker run --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -v "$PWD/store:/store:ro" manifold:0.1.0-slim
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS tools
# gunicorn's HTTP parser is compiled here; the images that run have no compiler. Debian keeps no old versions to ask for.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils gcc libc6-dev python3-dev \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY deploy/requirements/build.txt /requirements.txt
RUN python -m venv /tools \
    && /tools/bin/pip install --no-cache-dir --no-compile --require-hashes -r /requirements.txt \
    && python -m venv --without-pip /opt/manifold
# The system's certificates, so that a company's own authority works where the base image knows it.
ENV UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy

FROM tools AS build-slim
ARG SLIM=slim
COPY deploy/requirements/${SLIM}.txt /requirements.txt
RUN --mount=type=cache,target=/root/.cache/uv \
    /tools/bin/uv pip install --python /opt/manifold/bin/python --require-hashes -r /requirements.txt \
    && rm /opt/manifold/.lock
COPY deploy/image/lean.sh pyproject.toml /
RUN sh /lean.sh /opt/manifold && /tools/bin/cyclonedx-py environment --pyproject /pyproject.toml --mc-type application \
    --output-reproducible --output-file /opt/manifold/sbom.cdx.json /opt/manifold/bin/python

FROM tools AS build-full
ARG FULL=full
COPY deploy/requirements/${FULL}.txt /requirements.txt
RUN --mount=type=cache,target=/root/.cache/uv \
    /tools/bin/uv pip install --python /opt/manifold/bin/python --require-hashes -r /requirements.txt \
    && rm /opt/manifold/.lock
COPY pyproject.toml /
RUN /tools/bin/cyclonedx-py environment --pyproject /pyproject.toml --mc-type application \
    --output-reproducible --output-file /opt/manifold/sbom.cdx.json /opt/manifold/bin/python

FROM ${BASE} AS base
# Process 1 hears only the signals it has a handler for, and Python has none before the service is imported: tini has.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin manifold
ENV PATH=/opt/manifold/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MANIFOLD_HOST=0.0.0.0 \
    MANIFOLD_STORE=/store
WORKDIR /app
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "-S", "-m", "service.health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "python", "-m", "service"]
CMD ["serve"]

FROM base AS full
COPY --from=build-full /opt/manifold /opt/manifold
COPY service service
COPY models models
COPY training training
COPY pyproject.toml .
COPY deploy/image/compiled.py /tmp/
RUN python /tmp/compiled.py service training tensorflow uvloop gunicorn.glogging && rm /tmp/compiled.py
USER 10001:10001
ARG VERSION=0.1.0 REVISION=unknown
LABEL org.opencontainers.image.title="manifold" \
      org.opencontainers.image.description="Serves multi-input, multi-output Keras models over REST; trains them" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM base AS slim
COPY --from=build-slim /opt/manifold /opt/manifold
COPY service service
COPY deploy/image/compiled.py /tmp/
RUN python /tmp/compiled.py service uvloop gunicorn.glogging && rm /tmp/compiled.py
USER 10001:10001
ARG VERSION=0.1.0 REVISION=unknown
LABEL org.opencontainers.image.title="manifold" \
      org.opencontainers.image.description="Serves multi-input, multi-output Keras models over REST" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
