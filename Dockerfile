# One process, not root. It reads /config/config.yaml and writes to /data and nowhere else: the root may be read-only.
FROM python:3.13-slim AS build
WORKDIR /src
# pip has an environment of its own and stays here; the one that is shipped has none.
RUN python -m venv /build && python -m venv --without-pip /opt/touchline
COPY pyproject.toml requirements.lock README.md LICENSE ./
# What Touchline needs changes more seldom than Touchline itself: a layer of its own.
RUN /build/bin/python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
more = project['optional-dependencies']; print(*project['dependencies'], *more['postgres'], *more['pictures'], sep='\n')" > wanted.txt \
    && /build/bin/pip --python /opt/touchline/bin/python install --no-cache-dir --only-binary :all: --constraint requirements.lock --requirement wanted.txt
COPY rules rules
COPY bot bot
COPY deploy deploy
COPY docs docs
COPY setup.py config.example.yaml CHANGELOG.md ./
RUN /build/bin/pip wheel --no-cache-dir --no-deps --wheel-dir wheels . \
    && /build/bin/pip --python /opt/touchline/bin/python install --no-cache-dir --no-deps --no-index wheels/touchline-*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Touchline" \
    org.opencontainers.image.description="Live football in Telegram, by rules written in YAML" \
    org.opencontainers.image.licenses="MIT"
# Pillow joins Arabic letters, and writes from right to left, by FriBiDi.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libfribidi0 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --home-dir /data --create-home touchline && mkdir /config
COPY --from=build /opt/touchline /opt/touchline
ENV PATH=/opt/touchline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# Asked inside the container, where http.listen of config.example.yaml has its pages.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os; c = h.HTTPConnection('127.0.0.1', os.environ.get('HTTP_PORT', 8080), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["touchline"]
CMD ["run", "--config", "/config/config.yaml"]
