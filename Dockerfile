# Two images from one file:
#   slim   serves the ONNX twins, without TensorFlow      docker build --target slim -t manifold:slim .
#   full   serves any SavedModel; trains                 docker build --target full -t manifold:full .
# Run with a store mounted:  docker run --read-only --tmpfs /tmp -p 8000:8000 -v "$PWD/store:/store:ro" manifold:slim
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build-slim
# gunicorn's HTTP parser is compiled here; the images that run have no compiler.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev python3-dev && rm -rf /var/lib/apt/lists/*
# The system's certificates, so that a company's own authority works where the base image knows it.
ENV UV_SYSTEM_CERTS=1
RUN python -m venv /tools && /tools/bin/pip install --no-cache-dir uv && python -m venv --without-pip /opt/manifold
COPY deploy/requirements/slim.txt /requirements.txt
RUN /tools/bin/uv pip install --no-cache --python /opt/manifold/bin/python --require-hashes -r /requirements.txt

FROM build-slim AS build-full
COPY deploy/requirements/full.txt /requirements.txt
RUN /tools/bin/uv pip install --no-cache --python /opt/manifold/bin/python --require-hashes -r /requirements.txt

FROM ${BASE} AS base
LABEL org.opencontainers.image.title="manifold" \
      org.opencontainers.image.description="Serves multi-input, multi-output Keras models over REST"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin manifold
ENV PATH=/opt/manifold/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MANIFOLD_HOST=0.0.0.0 \
    MANIFOLD_STORE=/store
WORKDIR /app
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('MANIFOLD_PORT', '8000') + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]

FROM base AS full
COPY --from=build-full /opt/manifold /opt/manifold
COPY service service
COPY models models
COPY training training
COPY pyproject.toml .
USER 10001

FROM base AS slim
COPY --from=build-slim /opt/manifold /opt/manifold
COPY service service
USER 10001
