"""What AWS would answer: computed outputs that are plausible, and the same at every run for the same environment.

Everything here is made up. Keys and hashes have the right form and open nothing.
"""

import hashlib
import string
from collections.abc import Callable, Mapping
from typing import Any

from slipway.rehearse.simulated.schema import PACKAGES, schema_of

ACCOUNT = "111122223333"
_ALPHANUMERIC = string.ascii_letters + string.digits

Inputs = Mapping[str, Any]


class Made:
    """Values derived from one seed: the environment, the type and the logical name of a resource."""

    def __init__(self, seed: str, *, region: str) -> None:
        self.seed, self.region = seed, region

    def hexadecimal(self, what: str, length: int = 17) -> str:
        """Give hex digits, as in ``vpc-0a1b…``."""
        return hashlib.sha256(f"{self.seed}:{what}".encode()).hexdigest()[:length]

    def letters(self, what: str, length: int, alphabet: str = _ALPHANUMERIC) -> str:
        """Give characters of an alphabet."""
        digest = hashlib.shake_256(f"{self.seed}:{what}".encode()).digest(length)
        return "".join(alphabet[byte % len(alphabet)] for byte in digest)

    def arn(self, service: str, resource: str, *, is_global: bool = False) -> str:
        """Give an ARN of the region's partition."""
        partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")
        return f"arn:{partition}:{service}:{'' if is_global else self.region}:{ACCOUNT}:{resource}"


def computed(token: str, inputs: Inputs, made: Made) -> dict[str, Any]:
    """Give a resource's id (key ``id``) and the outputs that AWS computes.

    Args:
        token: type token; known to `schema_of`.
        inputs: plain values.
        made: the resource's source of made-up values.
    """
    if isinstance(region := inputs.get("region"), str):
        made = Made(made.seed, region=region)
    outputs = _RULES[token](inputs, made) if token in _RULES else {}
    if token in _ID_PREFIXES:
        outputs["id"] = _ID_PREFIXES[token] + made.hexadecimal("id")
    outputs.setdefault("id", str(inputs.get("name") or made.hexadecimal("id")))
    if "arn" in schema_of(token).outputs:
        _, location, name = token.split(":")
        service = location.partition("/")[0]
        resource = f"{name.lower()}/{outputs['id']}"
        outputs.setdefault("arn", made.arn(service, resource, is_global=service in {"iam", "route53"}))
    return outputs


_ID_PREFIXES = {
    "aws:ec2/vpc:Vpc": "vpc-",
    "aws:ec2/subnet:Subnet": "subnet-",
    "aws:ec2/securityGroup:SecurityGroup": "sg-",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "sg-",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "sgrule-",
    "aws:ec2/internetGateway:InternetGateway": "igw-",
    "aws:ec2/routeTable:RouteTable": "rtb-",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "rtbassoc-",
    "aws:ec2/route:Route": "r-rtb-",
    "aws:ec2/eip:Eip": "eipalloc-",
    "aws:ec2/flowLog:FlowLog": "fl-",
    "aws:ec2/natGateway:NatGateway": "nat-",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce-",
    "aws:ec2/launchTemplate:LaunchTemplate": "lt-",
    "aws:efs/fileSystem:FileSystem": "fs-",
    "aws:efs/accessPoint:AccessPoint": "fsap-",
    "aws:efs/mountTarget:MountTarget": "fsmt-",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": "a-",
}


def _zone(_inputs: Inputs, made: Made) -> dict[str, Any]:
    zone = "Z" + made.letters("zone", 20, string.ascii_uppercase + string.digits)
    hosts = ("ns-11.awsdns-01.com", "ns-675.awsdns-20.net", "ns-1187.awsdns-20.org", "ns-1730.awsdns-24.co.uk")
    return {"id": zone, "zoneId": zone, "nameServers": [*hosts], "primaryNameServer": hosts[0]}


def _record(inputs: Inputs, _made: Made) -> dict[str, Any]:
    return {"id": f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}", "fqdn": inputs["name"]}


def _certificate(inputs: Inputs, made: Made) -> dict[str, Any]:
    arn, domain = made.arn("acm", f"certificate/{made.hexadecimal('arn', 32)}"), inputs["domainName"]
    proof = {
        "domainName": domain,
        "resourceRecordName": f"_{made.hexadecimal('name', 32)}.{domain}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": f"_{made.hexadecimal('value', 32)}.acm-validations.aws.",
    }
    return {"id": arn, "arn": arn, "domainValidationOptions": [proof], "status": "PENDING_VALIDATION"}


def _key(_inputs: Inputs, made: Made) -> dict[str, Any]:
    key = made.hexadecimal("key", 32)
    return {"id": key, "keyId": key, "arn": made.arn("kms", f"key/{key}")}


def _database(inputs: Inputs, made: Made) -> dict[str, Any]:
    host = f"{inputs['identifier']}.{made.letters('host', 12, string.ascii_lowercase)}.{made.region}.rds.amazonaws.com"
    return {
        "id": f"db-{made.letters('id', 26, string.ascii_uppercase)}",
        "address": host,
        "endpoint": f"{host}:{int(inputs.get('port', 5432))}",
        "arn": made.arn("rds", f"db:{inputs['identifier']}"),
        "masterUserSecrets": [
            {"secretArn": made.arn("secretsmanager", f"secret:rds!{made.hexadecimal('secret', 12)}")}
        ],
    }


def _cache(inputs: Inputs, made: Made) -> dict[str, Any]:
    name, suffix = inputs["replicationGroupId"], made.letters("host", 6, string.ascii_lowercase)
    domain = f"{name}.{suffix}.{made.region.replace('-', '')[:4]}1.cache.amazonaws.com"
    return {
        "id": name,
        "primaryEndpointAddress": f"master.{domain}",
        "readerEndpointAddress": f"replica.{domain}",
        "arn": made.arn("elasticache", f"replicationgroup:{name}"),
    }


def _cluster(inputs: Inputs, made: Made) -> dict[str, Any]:
    name, unique = inputs["name"], made.letters("endpoint", 32, string.hexdigits.upper()[:16])
    return {
        "id": name,
        "arn": made.arn("eks", f"cluster/{name}"),
        "endpoint": f"https://{unique}.gr7.{made.region}.eks.amazonaws.com",
        "certificateAuthority": {"data": made.letters("ca", 64)},
        "status": "ACTIVE",
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": f"sg-{made.hexadecimal('group')}"},
    }


def _role(inputs: Inputs, made: Made) -> dict[str, Any]:
    kind = "role" if "assumeRolePolicy" in inputs else "user"
    return {"id": inputs["name"], "arn": made.arn("iam", f"{kind}/{inputs['name']}", is_global=True)}


def _secret(inputs: Inputs, made: Made) -> dict[str, Any]:
    arn = made.arn("secretsmanager", f"secret:{inputs['name']}-{made.letters('arn', 6)}")
    return {"id": arn, "arn": arn}


def _access_key(_inputs: Inputs, made: Made) -> dict[str, Any]:
    identifier = "AKIA" + made.letters("id", 16, string.ascii_uppercase + "234567")
    return {"id": identifier, "secret": made.letters("secret", 40), "status": "Active"}


def _bucket(inputs: Inputs, made: Made) -> dict[str, Any]:
    name = inputs["bucket"]
    return {"id": name, "arn": made.arn("s3", name, is_global=True).replace(ACCOUNT, ""), "region": made.region}


def _password(inputs: Inputs, made: Made) -> dict[str, Any]:
    length = int(inputs["length"])
    return {
        "id": "none",
        "result": made.letters("result", length),
        # The form of bcrypt (cost 10, 22 characters of salt, 31 of hash), not the hash of this password.
        "bcryptHash": "$2a$10$" + made.letters("bcrypt", 53, "./" + string.ascii_letters + string.digits),
    }


def _private_key(_inputs: Inputs, made: Made) -> dict[str, Any]:
    def pem(label: str) -> str:
        return f"-----BEGIN {label}-----\nrehearsal {made.letters(label, 54)}\n-----END {label}-----\n"

    return {
        "id": made.hexadecimal("id", 40),
        "privateKeyPem": pem("RSA PRIVATE KEY"),
        "publicKeyPem": pem("PUBLIC KEY"),
    }


def _pem(output: str) -> Callable[[Inputs, Made], dict[str, Any]]:
    """Give the rule of a type that makes a PEM text."""

    def rule(_inputs: Inputs, made: Made) -> dict[str, Any]:
        text = f"-----BEGIN CERTIFICATE-----\nrehearsal {made.letters(output, 54)}\n-----END CERTIFICATE-----\n"
        return {"id": made.hexadecimal("id", 40), output: text}

    return rule


def _by_arn(service: str, resource: str) -> Callable[[Inputs, Made], dict[str, Any]]:
    """Give the rule of a type whose id is its ARN; `resource` is the ARN's last part with the name in it."""

    def rule(inputs: Inputs, made: Made) -> dict[str, Any]:
        arn = made.arn(service, resource.format(name=inputs.get("name", made.hexadecimal("id"))))
        return {"id": arn, "arn": arn}

    return rule


_RULES: Mapping[str, Callable[[Inputs, Made], dict[str, Any]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": lambda inputs, _: {"id": inputs["certificateArn"]},
    "aws:backup/plan:Plan": lambda _inputs, made: {"id": made.hexadecimal("id", 32), "version": made.letters("v", 48)},
    "aws:backup/vault:Vault": lambda inputs, made: {"arn": made.arn("backup", f"backup-vault:{inputs['name']}")},
    "aws:cloudwatch/logGroup:LogGroup": lambda inputs, made: {"arn": made.arn("logs", f"log-group:{inputs['name']}")},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _inputs, _: {"latestVersion": 1, "defaultVersion": 1},
    "aws:eks/cluster:Cluster": _cluster,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:elasticache/user:User": lambda inputs, _: {"id": inputs["userId"]},
    "aws:elasticache/userGroup:UserGroup": lambda inputs, _: {"id": inputs["userGroupId"]},
    "aws:iam/accessKey:AccessKey": _access_key,
    "aws:iam/role:Role": _role,
    "aws:iam/user:User": _role,
    "aws:kms/key:Key": _key,
    "aws:rds/instance:Instance": _database,
    "aws:route53/record:Record": _record,
    "aws:route53/zone:Zone": _zone,
    "aws:sns/topic:Topic": _by_arn("sns", "{name}"),
    "aws:s3/bucket:Bucket": _bucket,
    "aws:secretsmanager/secret:Secret": _secret,
    "random:index/randomPassword:RandomPassword": _password,
    "tls:index/certRequest:CertRequest": _pem("certRequestPem"),
    "tls:index/locallySignedCert:LocallySignedCert": _pem("certPem"),
    "tls:index/privateKey:PrivateKey": _private_key,
    "tls:index/selfSignedCert:SelfSignedCert": _pem("certPem"),
}  # fmt: skip

#: Outputs that the real providers mark as secret.
SECRET_OUTPUTS = frozenset({"result", "bcryptHash", "privateKeyPem", "secret"})


#: The played account has one VPC of somebody else's; its subnets tell tier and zone by the first digits of their ids.
FOREIGN_VPC = "vpc-00000000000000000"
_FOREIGN_TIERS = {"1": "public", "2": "private", "3": "data", "4": "control-plane"}


def _found_vpc(arguments: Inputs, _made: Made) -> dict[str, Any]:
    return {**arguments, "cidrBlock": "10.0.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True}


def _found_subnet(arguments: Inputs, made: Made) -> dict[str, Any]:
    tier, zone = arguments["id"].removeprefix("subnet-")[:2]
    return {
        "id": arguments["id"],
        "vpcId": FOREIGN_VPC,
        "availabilityZone": f"{made.region}{zone}",
        "availableIpAddressCount": 8187 if _FOREIGN_TIERS.get(tier) == "private" else 251,
        "tags": {"kubernetes.io/role/elb": "1"} if _FOREIGN_TIERS.get(tier) == "public" else {},
    }


def _found_route_table(arguments: Inputs, made: Made) -> dict[str, Any]:
    tier = _FOREIGN_TIERS.get(arguments["subnetId"].removeprefix("subnet-")[0])
    ways_out = {"public": {"gatewayId": "igw-0foreign"}, "private": {"natGatewayId": "nat-0foreign"}}
    routes = [{"cidrBlock": "0.0.0.0/0", **ways_out[tier]}] if tier in ways_out else []
    return {"id": f"rtb-{made.hexadecimal('id')}", "subnetId": arguments["subnetId"], "routes": routes}


def _caller(arguments: Inputs, made: Made) -> dict[str, Any]:
    arn = arguments["caller"] or made.arn("iam", "role/platform", is_global=True)
    return {"id": ACCOUNT, "accountId": ACCOUNT, "arn": arn, "userId": "AIDAREHEARSAL"}


def _addon_version(arguments: Inputs, _made: Made) -> dict[str, Any]:
    return {**arguments, "id": arguments["addonName"], "version": "v1.0.0-eksbuild.1"}


_FUNCTIONS: Mapping[str, Callable[[Inputs, Made], dict[str, Any]]] = {
    "aws:ec2/getRouteTable:getRouteTable": _found_route_table,
    "aws:ec2/getSubnet:getSubnet": _found_subnet,
    "aws:ec2/getVpc:getVpc": _found_vpc,
    "aws:eks/getAddonVersion:getAddonVersion": _addon_version,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": lambda _arguments, _made: {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
    },
    "aws:route53/getZone:getZone": lambda arguments, made: {**_zone(arguments, made), "name": arguments["name"]},
}


def answer(token: str, arguments: Inputs, *, region: str, caller: str = "") -> dict[str, Any]:
    """Answer a provider function.

    Raises:
        LookupError: the rehearsal does not play this function.
    """
    if token not in _FUNCTIONS:
        raise LookupError(f"the rehearsal does not play the function {token}")
    made = Made(f"{token}:{sorted(arguments.items())}", region=region)
    return _FUNCTIONS[token]({"caller": caller, **arguments}, made)


def made_up_outputs(token: str, name: str, inputs: Inputs) -> dict[str, Any]:
    """Give what `slipway.graph.record` needs: outputs of a resource, or a function's answer (without a name)."""
    if not name:
        return answer(token, inputs, region="eu-central-1")
    if token.split(":", maxsplit=1)[0] not in PACKAGES:
        return {}
    return computed(token, inputs, Made(f"{token}:{name}", region="eu-central-1"))
