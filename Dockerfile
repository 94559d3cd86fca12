# One image for every process; the command says which: `orderloom ingest binance`, ...
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels ./schemas .

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
