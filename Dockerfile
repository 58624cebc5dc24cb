# One image per set of extras; which room runs in it is the command's business (compose.yaml).
#   docker build -t millsight --build-arg EXTRAS=mqtt .
#   docker build -t millsight-dashboard --build-arg EXTRAS=dashboard .
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
RUN pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
WORKDIR /app
# The dependencies first: this layer is built again only when the lock changes.
ARG EXTRAS=""
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project $(for extra in ${EXTRAS}; do printf ' --extra %s' "$extra"; done)
COPY README.md LICENSE ./
COPY proto/ proto/
COPY materials/ materials/
COPY services/ services/
COPY dashboard/ dashboard/
RUN uv sync --frozen --no-dev $(for extra in ${EXTRAS}; do printf ' --extra %s' "$extra"; done)

FROM ${PYTHON_IMAGE}
ARG UID=10001
ARG GID=10001
# The spool's directory exists with its owner, so that a fresh volume mounted there is writable.
RUN groupadd --non-unique --gid "${GID}" millsight \
    && useradd --non-unique --uid "${UID}" --gid "${GID}" --no-create-home --home-dir /tmp --shell /usr/sbin/nologin millsight \
    && install --directory --owner "${UID}" --group "${GID}" --mode 0750 /var/lib/millsight /var/lib/millsight/spool
COPY --from=build /app /app
COPY line.yaml /app/line.yaml
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /app
USER ${UID}:${GID}
CMD ["millsight", "--help"]
