# One process, no root, one volume: /data holds config.yaml and the database.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/touchline
COPY requirements.lock ./
COPY pyproject.toml README.md LICENSE ./
COPY rules rules
COPY bot bot
RUN /opt/touchline/bin/pip install --no-cache-dir --constraint requirements.lock ".[postgres,pictures]"

FROM python:3.13-slim
# Pillow joins Arabic letters, and writes from right to left, by FriBiDi.
RUN apt-get update && apt-get install --yes --no-install-recommends libfribidi0 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --home-dir /data --create-home touchline
COPY --from=build /opt/touchline /opt/touchline
ENV PATH=/opt/touchline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# http.listen's own address: keep port 8080 in config.yaml, or override the check.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["touchline"]
CMD ["run"]
