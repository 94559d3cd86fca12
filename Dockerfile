# One image for every process; the command says which: `orderloom ingest binance`, ...
#
# The packages are those of locks/, by hash. The two images below are by tag, as the place where this
# was written could not look a digest up; to pin them, once and for each new version:
#   docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}'
# and write FROM python:3.13-slim@sha256:... in both lines.
FROM python:3.13-slim AS build
WORKDIR /src
COPY locks locks
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r locks/build.txt \
    && pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels -r locks/run.txt
COPY . .
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels ./schemas .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels orderloom-server \
    && rm -rf /wheels \
    && useradd --system --uid 10001 --home-dir /var/lib/orderloom --create-home orderloom
ENV PYTHONUNBUFFERED=1 ORDERLOOM_DATA_DIR=/var/lib/orderloom ORDERLOOM_HTTP__HOST=0.0.0.0 ORDERLOOM_HTTP__PORT=8080
USER orderloom
WORKDIR /var/lib/orderloom
VOLUME /var/lib/orderloom
EXPOSE 8080
ENTRYPOINT ["orderloom"]
CMD ["--help"]
