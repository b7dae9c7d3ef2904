"""AWS's answers that moto has none of, in the form that AWS gives them: RDS, ElastiCache, EKS and Service Quotas.

Each service has its own endpoint (AWS_ENDPOINT_URL_<SERVICE>), so whatever is not here goes on to moto. The forms are
those of botocore's service models; the content is what a test says.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SERVICES = ("RDS", "ELASTICACHE", "EKS", "SERVICE_QUOTAS")
REGIONS_ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")


class Answers:
    """What the region offers; a test takes away from it."""

    def __init__(self) -> None:
        self.url = ""
        self.database_zones: tuple[str, ...] = REGIONS_ZONES
        self.postgres = ("17.6", "16.10")
        self.valkey = ("8.0", "8.1", "9.0")
        self.cache_offerings = 2
        self.kubernetes = {"versionStatus": "STANDARD_SUPPORT", "status": "standard-support"}
        self.quotas = {"L-1216C47A": 64.0, "L-0263D0A3": 5.0, "L-F678F1CE": 5.0}
        self.refused, self.says = "", "AccessDenied"
        self.asked: list[str] = []

    def answer(self, target: str, body: str, headers) -> tuple[int, str, str]:
        url, form = urlsplit(target), {key: values[0] for key, values in parse_qs(body).items()}
        operation = form.get("Action") or headers.get("X-Amz-Target", "").rpartition(".")[2] or url.path
        self.asked.append(operation)
        if self.refused and self.refused in operation:
            return self.no(form, self.says if form else f"{self.says}Exception")
        return self.json(operation, url.query, body) if not form else self.query(operation, form)

    def query(self, operation: str, form) -> tuple[int, str, str]:
        if operation == "DescribeRegions":
            row = "<regionName>me-south-1</regionName><optInStatus>not-opted-in</optInStatus>"
            rows = f"<regionInfo><item>{row}</item></regionInfo>"
            return 200, "text/xml", f"<DescribeRegionsResponse>{rows}</DescribeRegionsResponse>"
        if operation == "DescribeOrderableDBInstanceOptions":
            return self.orderable(form)
        if operation == "DescribeCacheEngineVersions":
            rows = "".join(
                f"<CacheEngineVersion><Engine>valkey</Engine><EngineVersion>{one}</EngineVersion></CacheEngineVersion>"
                for one in self.valkey
            )
            return self.xml(operation, f"<CacheEngineVersions>{rows}</CacheEngineVersions>")
        if operation == "DescribeReservedCacheNodesOfferings":
            row = f"<ReservedCacheNodesOffering><CacheNodeType>{form['CacheNodeType']}</CacheNodeType></ReservedCacheNodesOffering>"
            rows = row * self.cache_offerings
            return self.xml(operation, f"<ReservedCacheNodesOfferings>{rows}</ReservedCacheNodesOfferings>")
        return 404, "text/plain", operation

    def json(self, operation: str, query: str, body: str) -> tuple[int, str, str]:
        if operation == "/cluster-versions":
            (version,) = parse_qs(query)["clusterVersions"]
            found = [{"clusterVersion": version, **self.kubernetes}] if self.kubernetes else []
            return 200, "application/json", json.dumps({"clusterVersions": found})
        if operation == "GetServiceQuota":
            code = json.loads(body)["QuotaCode"]
            if code not in self.quotas:
                return self.no({}, "NoSuchResourceException")
            found = {"Quota": {"QuotaCode": code, "Value": self.quotas[code]}}
            return 200, "application/x-amz-json-1.1", json.dumps(found)
        return 404, "text/plain", operation

    def orderable(self, form) -> tuple[int, str, str]:
        zones = "".join(f"<AvailabilityZone><Name>{zone}</Name></AvailabilityZone>" for zone in self.database_zones)
        rows = "".join(
            f"<OrderableDBInstanceOption><Engine>postgres</Engine><EngineVersion>{version}</EngineVersion>"
            f"<DBInstanceClass>{form['DBInstanceClass']}</DBInstanceClass>"
            f"<AvailabilityZones>{zones}</AvailabilityZones></OrderableDBInstanceOption>"
            for version in self.postgres
        )
        name = form["Action"]
        return self.xml(name, f"<OrderableDBInstanceOptions>{rows}</OrderableDBInstanceOptions>")

    @staticmethod
    def xml(operation: str, rows: str) -> tuple[int, str, str]:
        return (
            200,
            "text/xml",
            f"<{operation}Response><{operation}Result>{rows}</{operation}Result></{operation}Response>",
        )

    @staticmethod
    def no(form, code: str) -> tuple[int, str, str]:
        if form:
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>"
            return 403, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
        return 400, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": "no"})


@contextlib.contextmanager
def serving() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, kind, text = answers.answer(self.path, body, self.headers)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        answers.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield answers
        server.shutdown()
        thread.join()
