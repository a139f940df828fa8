# syntax=docker/dockerfile:1
# One image for every role: proxy, init, CNI, webhook, control plane. Nothing in it but the executable, what sets rules, and
# their libraries: no shell, no package manager.
#
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/meshproxy/meshproxy:VERSION .

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN dotnet publish src/Cli/Cli.csproj -c Release -o /out && strip /out/meshproxy

FROM ubuntu:24.04 AS root
RUN apt-get update && apt-get install -y --no-install-recommends iptables nftables libssl3 ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/meshproxy /usr/local/bin/meshproxy
COPY docker/rootfs /tmp/rootfs
RUN /tmp/rootfs /image

FROM scratch
COPY --from=root /image /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Of the proxy (interception.md, constants); `init` and the CNI plugin are given root by their pods.
USER 1337:1337
WORKDIR /
ENTRYPOINT ["/usr/local/bin/meshproxy"]
