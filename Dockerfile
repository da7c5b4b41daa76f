# The image is one file, /nth, for the platform that is asked for:
#   docker build -t nth .                                   this machine's
#   docker buildx build --platform linux/arm64,linux/amd64  others', cross-compiled

# Go compiles for every platform on the builder's own. A builder without BuildKit
# doesn't say which that is: "linux" is then this machine's.
FROM --platform=${BUILDPLATFORM:-linux} golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT VERSION=dev COMMIT=unknown
RUN if [ "$TARGETARCH" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi; \
    GOOS=$TARGETOS GOARCH=$TARGETARCH VERSION=$VERSION COMMIT=$COMMIT .ci/build /nth

FROM scratch
ARG VERSION=dev COMMIT=unknown
LABEL org.opencontainers.image.title="nth" \
      org.opencontainers.image.description="Entrypoint that runs one index of a batch job once: index, command, completion marker, PID 1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /nth /nth
# With "run", what a user adds is flags and a command, never a subcommand of nth's.
ENTRYPOINT ["/nth", "run"]
