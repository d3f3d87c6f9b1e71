# CPU by default; `docker build --build-arg EXTRA=gpu .` installs TensorFlow for CUDA.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS packages
ARG EXTRA=cpu
COPY requirements /requirements
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r "/requirements/${EXTRA}.txt"

FROM python:${PYTHON}-slim
RUN groupadd --gid 10001 pentimento \
    && useradd --uid 10001 --gid pentimento --no-create-home --home-dir /tmp --shell /usr/sbin/nologin pentimento \
    && install -d -o pentimento -g pentimento -m 700 /data /cache
COPY --from=packages /venv /venv
WORKDIR /pentimento
COPY app app
COPY workers workers
COPY templates templates
COPY static static
COPY docs docs
# The root can be read-only: nothing is written but /data, /cache and /tmp.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/pentimento \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    PENTIMENTO_DATA_DIR=/data \
    PENTIMENTO_CACHE=/cache \
    PENTIMENTO_HOST=0.0.0.0 \
    PENTIMENTO_PORT=8000
USER 10001:10001
VOLUME ["/data", "/cache"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=300s --retries=3 CMD ["python", "-m", "app.cli", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "app.cli"]
# Everything in one container; docker-compose.yml runs web, worker and redis apart.
CMD ["serve"]
